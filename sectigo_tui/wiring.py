"""The one place that picks concrete classes and puts them together."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sectigo_tui.config.paths import Paths, find_paths, make_private_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from random import Random

    from sectigo_tui.config.plain import PlainSettings
    from sectigo_tui.config.settings import CertctlServer, Settings
    from sectigo_tui.dns.resolver import SystemDns
    from sectigo_tui.domain.certificates import CertificateFacts
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.domain.ports import Credentials, SecretText
    from sectigo_tui.engine.engine import Announcer, Engine
    from sectigo_tui.scm.client import ScmClient
    from sectigo_tui.scm.debug_log import DebugLog
    from sectigo_tui.store.journal_store import JournalStore

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
    from random import SystemRandom

    from sectigo_tui.certctl.client import CertctlClient
    from sectigo_tui.config.keeper import CredentialsFile
    from sectigo_tui.config.sources import SourceKind
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.engine.book import OrderBook
    from sectigo_tui.engine.context import Context, Policy
    from sectigo_tui.engine.engine import Access, Announcer, Engine
    from sectigo_tui.engine.gate import RequestGate
    from sectigo_tui.pki.tools import PkiTools
    from sectigo_tui.scm.connection import Connection

    clock, announcer = clock or SystemClock(), Announcer()
    credentials = credentials_of(settings)
    scm = make_client(settings, credentials, announcer, clock)
    certctl = None
    server = settings.certctl_server()
    if server is not None:
        log = _debug_log(settings, server.url, clock)
        certctl = CertctlClient(Connection(server.url, ca_bundle=server.ca_bundle, log=log), _secret(server))
    store = open_store(settings, clock, announcer)
    book = OrderBook(store, clock, announcer)
    # What is saved behind and what is written at once fail together or apart: one place says when all is well again.
    store.report_trouble_to(book.hear_store)
    context = Context(
        scm=scm,
        gate=RequestGate(settings.sectigo.requests_in_flight),
        book=book,
        clock=clock,
        random=random or SystemRandom(),
        read_certificate=_read_certificate,
        policy=Policy(
            deadline_seconds=settings.sectigo.poll_max_wait_seconds,
            rearm=settings.sectigo.on_deadline == "rearm",
            read_only=settings.sectigo.read_only,
            may_arm=settings.sources["read_only"].kind is not SourceKind.FLAG,
        ),
    )
    try:
        access = Access(
            in_use=credentials,
            keeper=CredentialsFile(settings, clock),
            certctl=certctl,
            issuer_id=server.issuer_id if server else "",
        )
        yield Engine(context, announcer, PkiTools(), access, _dns(settings))
    finally:
        await scm.aclose()
        if certctl is not None:
            await certctl.aclose()
        # The last one: on a full disk it fails.
        await store.close()


def keep_text(settings: Settings, name: str, text: str) -> str:
    """Keep a text for the operator, such as an escalation pack, and return the file's path.

    Raises:
        InputError: It cannot be written.
    """
    from sectigo_tui.domain.errors import InputError
    from sectigo_tui.durable import replace_file

    path = settings.paths.data_dir / "packs" / name
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "make room, or choose another --data-dir") from error
    return str(path)


def _dns(settings: Settings) -> SystemDns | None:
    from sectigo_tui.dns.resolver import SystemDns

    return SystemDns() if settings.sectigo.dns_lookups else None


def _secret(server: CertctlServer) -> SecretText:
    from sectigo_tui.domain.ports import SecretText

    return SecretText(server.api_key.get_secret_value())


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
