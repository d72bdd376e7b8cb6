"""What requests go through: credentials, SCM's client and certctl's."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

from msgspec import Struct

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable

    from sectigo_tui.certctl.client import CertctlClient
    from sectigo_tui.config.logins import SharedLogins
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.domain.credentials import Logins, TeamLogins
    from sectigo_tui.domain.ports import Credentials, Scm
    from sectigo_tui.engine.credentials.service import Access
    from sectigo_tui.engine.engine import EventSource
    from sectigo_tui.scm.client import ScmClient
    from sectigo_tui.scm.debug_log import DebugLog


def credentials_of(settings: Settings, *, may_prompt: bool = False) -> Credentials:
    """Return the credentials that the settings name; asks `password_command` where one is set.

    Args:
        settings: The settings.
        may_prompt: Whether no screen has the terminal, so that the command may ask the operator something there.

    Raises:
        ConfigError: No account is named, or there is no password.
    """
    from sectigo_tui.domain.ports import Credentials

    account = settings.account()
    return Credentials(account.customer_uri, account.login, settings.resolve_password(may_prompt=may_prompt))


def logins_of(
    settings: Settings, base_url: str, customer_uri: str, clock: Clock, is_poller: Callable[[], bool] = lambda: False
) -> SharedLogins:
    """Return what all processes of this data directory know of an account's logins.

    Args:
        settings: The settings: where the data directory is, and how many requests may be in flight.
        base_url: The API's address.
        customer_uri: The customer URI.
        clock: The time.
        is_poller: Whether this process polls.
    """
    from sectigo_tui.config.logins import SharedLogins

    paths, account = settings.paths, settings.paths.account_dir(base_url, customer_uri).name
    limit = settings.sectigo.requests_in_flight
    return SharedLogins(paths.data_dir, base_url, account, clock, limit=limit, is_poller=is_poller)


def make_client(
    settings: Settings, credentials: Credentials, event_source: EventSource, clock: Clock, logins: Logins
) -> ScmClient:
    """Return a client of the account that the settings name.

    Raises:
        InputError: The debug log cannot be used.
    """
    from sectigo_tui.scm.client import ScmClient
    from sectigo_tui.scm.http import Timeouts

    section = settings.sectigo
    return ScmClient(
        section.base_url,
        credentials,
        clock,
        timeouts=Timeouts(connect_seconds=section.connect_timeout_seconds, read_seconds=section.read_timeout_seconds),
        ca_bundle=section.ca_bundle,
        observe=event_source,
        log=debug_log_of(settings, section.base_url, clock),
        logins=logins,
    )


def connection(
    settings: Settings,
    event_source: EventSource,
    clock: Clock,
    is_poller: Callable[[], bool] = lambda: False,
    *,
    may_prompt: bool = False,
    team: TeamLogins | None = None,
) -> Connected:
    """Return what an engine's requests go through; may take long, where a command tells the password.

    Args:
        settings: The settings.
        event_source: Is told of every request.
        clock: The time.
        is_poller: Whether this process polls.
        may_prompt: Whether that command may ask the operator something on the terminal.
        team: What processes on other hosts tell of the login; None where there are none.

    Raises:
        ConfigError: The settings name no account, or there is no password.
        InputError: The debug log cannot be used.
    """
    from sectigo_tui.certctl.client import CertctlClient
    from sectigo_tui.config.credentials import CredentialsFile
    from sectigo_tui.engine.credentials.service import Access
    from sectigo_tui.scm.http import Connection

    credentials = credentials_of(settings, may_prompt=may_prompt)
    certctl = None
    server = settings.certctl_server()
    if server is not None:
        log = debug_log_of(settings, server.url, clock)
        certctl = CertctlClient(Connection(server.url, ca_bundle=server.ca_bundle, log=log), server.api_key)
    logins = logins_of(settings, settings.sectigo.base_url, credentials.customer_uri, clock, is_poller)
    access = Access(
        in_use=credentials,
        keeper=CredentialsFile(settings, clock),
        logins=logins,
        certctl=certctl,
        issuer_id=server.issuer_id if server else "",
        team=team,
        ask_again=settings.ask_password_again if settings.password_command is not None else None,
    )
    return Connected(make_client(settings, credentials, event_source, clock, logins), certctl, access)


class Connected(Struct, frozen=True):
    """What requests go through.

    Args:
        scm: SCM's client.
        certctl: That of the certctl server, where one is configured.
        access: The credentials in use, and how they are changed.
    """

    scm: ScmClient
    certctl: CertctlClient | None
    access: Access


class Client:
    """SCM's client, made when it is first to be used: that may take long, where a command tells the password.

    Args:
        make: Makes what requests go through; called in another thread.
    """

    def __init__(self, make: Callable[[], Connected]) -> None:
        self._make = make
        self._connected: Connected | None = None

    @property
    def connected(self) -> Connected:
        """What requests go through; only to be asked for once it is connected."""
        assert self._connected is not None, "not connected yet"  # noqa: S101 - a defect, not an input
        return self._connected

    def scm(self) -> Scm:
        """Return SCM's client, connected."""
        return self.connected.scm

    async def connect(self) -> None:
        """Make what requests go through.

        Raises:
            ConfigError: The settings do not tell how to get in.
            InputError: The debug log cannot be used.
        """
        self._connected = await in_thread(self._make)

    async def aclose(self) -> None:
        """Close the connections, if any were opened."""
        if self._connected is not None:
            await self._connected.scm.aclose()
            if self._connected.certctl is not None:
                await self._connected.certctl.aclose()


def debug_log_of(settings: Settings, base_url: str, clock: Clock) -> DebugLog | None:
    """Return the log of requests to a server, where one was asked for.

    Raises:
        InputError: It cannot be used.
    """
    if settings.debug_log is None:
        return None
    from sectigo_tui.scm.debug_log import DebugLog

    return DebugLog(settings.debug_log, base_url, clock)


async def in_thread(work: Callable[[], T]) -> T:
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
