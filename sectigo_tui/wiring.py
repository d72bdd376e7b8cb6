"""The one place that picks concrete classes and puts them together."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sectigo_tui.config.paths import Paths, find_paths, make_private_directory

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path
    from random import Random

    from sectigo_tui.certctl.client import CertctlClient
    from sectigo_tui.config.plain import PlainSettings
    from sectigo_tui.config.settings import CertctlServer, Settings
    from sectigo_tui.dns.resolver import SystemDns
    from sectigo_tui.domain.certificates import CertificateFacts
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.domain.pki import CertificateTools
    from sectigo_tui.domain.ports import Credentials, Scm, SecretText
    from sectigo_tui.engine.access import Access
    from sectigo_tui.engine.engine import Announcer, Engine
    from sectigo_tui.scm.client import ScmClient
    from sectigo_tui.scm.debug_log import DebugLog
    from sectigo_tui.store.journal_store import JournalStore

    Connect = Callable[[], Awaitable[None]]
    """Connects an engine, in another thread where that takes long."""

# What is put together is imported where that is done: a subcommand that lists orders needs no HTTP client.


def settings_of(
    *,
    config: Path | None = None,
    data_dir: Path | None = None,
    profile: str | None = None,
    read_only: bool = False,
    debug_log: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings that flags, environment and files make together.

    Args:
        config: `--config`.
        data_dir: `--data-dir`.
        profile: `--profile`.
        read_only: `--read-only`.
        debug_log: `--debug-log`.
        environ: The process's environment.

    Raises:
        ConfigError: Something is wrong with them.
    """
    from dataclasses import replace

    from sectigo_tui.config.load import load_settings

    paths = find_paths(environ, config=config, data_dir=data_dir)
    flags = {"read_only": True} if read_only else {}
    settings = load_settings(paths, environ, profile=profile, flags=flags)
    return replace(settings, debug_log=debug_log) if debug_log is not None else settings


def plain_settings_of(
    *,
    config: Path | None = None,
    data_dir: Path | None = None,
    profile: str | None = None,
    read_only: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> PlainSettings | None:
    """Return the same as far as it is plain, in a fraction of the time; None where `settings_of` is to be asked."""
    from sectigo_tui.config.plain import plain_settings

    paths = find_paths(environ, config=config, data_dir=data_dir)
    return plain_settings(paths, environ, profile=profile, read_only=read_only)


def account_directory(paths: Paths, base_url: str, customer_uri: str) -> Path:
    """Return the directory of an account's local orders, made if need be.

    Raises:
        ConfigError: It, or the data directory, cannot be used.
    """
    directory = paths.account_dir(base_url, customer_uri)
    for each in (paths.data_dir, directory.parent, directory):
        make_private_directory(each, named_by=paths.data_named_by)
    return directory


def open_store(settings: Settings, clock: Clock, announcer: Announcer | None = None) -> JournalStore:
    """Open the local orders of the account that the settings name.

    Args:
        settings: The settings.
        clock: The time.
        announcer: Hears of trouble with the disk.

    Raises:
        ConfigError: No account is named, or the data directory cannot be used.
        StoreError: The store cannot be opened.
    """
    from sectigo_tui.domain.events import StoreTrouble
    from sectigo_tui.engine.engine import Announcer
    from sectigo_tui.store.journal_store import JournalStore

    account = settings.account()
    directory = account_directory(settings.paths, account.base_url, account.customer_uri)
    announce = announcer or Announcer()
    return JournalStore.open(directory, clock, on_trouble=lambda error: announce(StoreTrouble(clock.now(), error)))


def credentials_of(settings: Settings) -> Credentials:
    """Return the credentials that the settings name; asks `password_command` where one is set.

    Raises:
        ConfigError: No account is named, or there is no password.
    """
    from sectigo_tui.domain.ports import Credentials, SecretText

    account = settings.account()
    password = SecretText(settings.resolve_password().get_secret_value())
    return Credentials(account.customer_uri, account.login, password)


def make_client(settings: Settings, credentials: Credentials, announcer: Announcer, clock: Clock) -> ScmClient:
    """Return a client of the account that the settings name.

    Raises:
        InputError: The debug log cannot be used.
    """
    from sectigo_tui.scm.client import ScmClient
    from sectigo_tui.scm.connection import Timeouts

    section = settings.sectigo
    return ScmClient(
        section.base_url,
        credentials,
        clock,
        timeouts=Timeouts(connect_seconds=section.connect_timeout_seconds, read_seconds=section.read_timeout_seconds),
        ca_bundle=section.ca_bundle,
        observe=announcer,
        log=_debug_log(settings, section.base_url, clock),
    )


def _debug_log(settings: Settings, base_url: str, clock: Clock) -> DebugLog | None:
    if settings.debug_log is None:
        return None
    from sectigo_tui.scm.debug_log import DebugLog

    return DebugLog(settings.debug_log, base_url, clock)


@asynccontextmanager
async def opened(
    settings: Settings, *, clock: Clock | None = None, random: Random | None = None
) -> AsyncIterator[Engine]:
    """Put an engine together, and take it apart at the end.

    Args:
        settings: The settings.
        clock: The time; the machine's clock when not given.
        random: Where ids and jitter come from; the system's source when not given.

    Yields:
        The engine; nothing has been sent yet.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be opened.
    """
    from sectigo_tui.config.plain import plain_of

    settings.account()
    async with prepared(plain_of(settings), lambda: settings, clock=clock, random=random) as (engine, connect):
        await connect()
        yield engine


@asynccontextmanager
async def prepared(
    plain: PlainSettings,
    complete: Callable[[], Settings],
    *,
    clock: Clock | None = None,
    random: Random | None = None,
) -> AsyncIterator[tuple[Engine, Connect]]:
    """Put together what shows the local orders, for an engine that sends nothing before it is connected.

    Args:
        plain: The settings as far as they are plain.
        complete: Returns all of them; called in another thread.
        clock: The time; the machine's clock when not given.
        random: Where ids and jitter come from; the system's source when not given.

    Yields:
        The engine, and what connects it: that raises `ConfigError` for what is wrong with the full settings.

    Raises:
        ConfigError: The data directory cannot be used.
        StoreError: The local orders cannot be opened.
    """
    from random import SystemRandom

    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.engine.book import OrderBook
    from sectigo_tui.engine.context import Context, Policy
    from sectigo_tui.engine.engine import Announcer, Engine
    from sectigo_tui.engine.gate import RequestGate
    from sectigo_tui.store.journal_store import JournalStore

    clock, announcer, lines = clock or SystemClock(), Announcer(), _Lines()
    directory = account_directory(plain.paths, plain.base_url, plain.customer_uri)
    store = JournalStore.open(directory, clock)
    book = OrderBook(store, clock, announcer)
    # What is saved behind and what is written at once fail together or apart: one place says when all is well again.
    store.report_trouble_to(book.hear_store)
    gate = RequestGate(plain.requests_in_flight, is_open=False)
    context = Context(
        scm=cast("Scm", lines),
        gate=gate,
        book=book,
        clock=clock,
        random=random or SystemRandom(),
        read_certificate=_read_certificate,
        policy=Policy(
            deadline_seconds=plain.poll_max_wait_seconds,
            rearm=plain.on_deadline == "rearm",
            read_only=plain.read_only,
            may_arm=not plain.is_read_only_by_flag,
        ),
    )

    async def connect() -> None:
        lines.connect(await _in_thread(lambda: _connection(complete(), plain, announcer, clock)))
        gate.open()

    try:
        yield Engine(context, announcer, _tools, lambda: lines.connected.access, _dns(plain)), connect
    finally:
        await lines.aclose()
        # The last one: on a full disk it fails.
        await store.close()


@dataclass(frozen=True, slots=True)
class _Connected:
    """What requests go through."""

    scm: ScmClient
    certctl: CertctlClient | None
    access: Access


class _Lines:
    """SCM's client, from the moment on at which it is known how to get in; nothing is asked of it before."""

    def __init__(self) -> None:
        self._connected: _Connected | None = None

    @property
    def connected(self) -> _Connected:
        assert self._connected is not None, "not connected yet"  # noqa: S101 - a defect, not an input
        return self._connected

    def connect(self, connected: _Connected) -> None:
        self._connected = connected

    async def aclose(self) -> None:
        if self._connected is not None:
            await self._connected.scm.aclose()
            if self._connected.certctl is not None:
                await self._connected.certctl.aclose()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connected.scm, name)


def _connection(settings: Settings, plain: PlainSettings, announcer: Announcer, clock: Clock) -> _Connected:
    from sectigo_tui.certctl.client import CertctlClient
    from sectigo_tui.config.keeper import CredentialsFile
    from sectigo_tui.config.plain import plain_of
    from sectigo_tui.domain.errors import ConfigError
    from sectigo_tui.engine.access import Access
    from sectigo_tui.scm.connection import Connection

    if plain_of(settings) != plain:
        raise ConfigError(
            key=str(settings.paths.config_file),
            source="file",
            problem="was changed while the program started",
            remedy="start it again",
        )
    credentials = credentials_of(settings)
    certctl = None
    server = settings.certctl_server()
    if server is not None:
        log = _debug_log(settings, server.url, clock)
        certctl = CertctlClient(Connection(server.url, ca_bundle=server.ca_bundle, log=log), _secret(server))
    access = Access(
        in_use=credentials,
        keeper=CredentialsFile(settings, clock),
        certctl=certctl,
        issuer_id=server.issuer_id if server else "",
    )
    return _Connected(make_client(settings, credentials, announcer, clock), certctl, access)


async def _in_thread(work: Callable[[], T]) -> T:
    """Do something in a thread that does not keep the program from ending: a password command may take long."""
    import asyncio
    from threading import Thread

    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(cast("T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - the boundary of the thread: raised again by whoever waits
            error = raised
        with suppress(RuntimeError):  # the program has ended meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    Thread(target=run, name="connect", daemon=True).start()
    return await done


def keep_text(paths: Paths, name: str, text: str) -> str:
    """Keep a text for the operator, such as an escalation pack, and return the file's path.

    Raises:
        InputError: It cannot be written.
    """
    from sectigo_tui.domain.errors import InputError
    from sectigo_tui.durable import replace_file

    path = paths.data_dir / "packs" / name
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "make room, or choose another --data-dir") from error
    return str(path)


def _dns(plain: PlainSettings) -> SystemDns | None:
    if not plain.dns_lookups:
        return None
    from sectigo_tui.dns.resolver import SystemDns

    return SystemDns()


def _secret(server: CertctlServer) -> SecretText:
    from sectigo_tui.domain.ports import SecretText

    return SecretText(server.api_key.get_secret_value())


def _tools() -> CertificateTools:
    from sectigo_tui.pki.tools import PkiTools

    return PkiTools()


def _read_certificate(bundle: bytes, csr_pem: str) -> CertificateFacts:
    from sectigo_tui.pki.bundle import read_certificate

    return read_certificate(bundle, csr_pem)


async def accept_account(settings: Settings, answers: Mapping[str, str]) -> str:
    """Try a first run's answers with one request, then write config.toml and credentials.toml.

    Args:
        settings: The settings so far: where the files go.
        answers: Text by key of `[sectigo]`; the password is among it.

    Returns:
        Where they were written.

    Raises:
        ConfigError: An answer is wrong, or a file is there already.
        ScmFailure: SCM refused them, or could not be reached; nothing was written.
        StoreError: A file could not be written.
    """
    from sectigo_tui.config.credentials import write_credentials
    from sectigo_tui.config.save import check_answers, write_first_config
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.domain.errors import StoreError
    from sectigo_tui.domain.ports import Credentials, SecretText
    from sectigo_tui.scm.client import ScmClient

    section = check_answers(answers)
    password = section.password.get_secret_value() if section.password is not None else ""
    credentials = Credentials(section.customer_uri or "", section.login or "", SecretText(password))
    clock = SystemClock()
    log = _debug_log(settings, section.base_url, clock)
    client = ScmClient(section.base_url, credentials, clock, ca_bundle=section.ca_bundle, log=log)
    try:
        await client.types()
    finally:
        await client.aclose()
    paths = settings.paths
    try:
        write_first_config(paths.config_file, section)
        if section.password is not None:
            write_credentials(paths.credentials_file, None, login=section.login or "", password=section.password)
    except OSError as error:
        raise StoreError(str(paths.config_file), error.strerror or str(error), "make room, or name another") from error
    return str(paths.config_file)
