"""The engine put together, and connected once it is known how to get in."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sectigo_tui.wiring.clients import Client, connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from random import Random

    from sectigo_tui.config.settings import Settings
    from sectigo_tui.dns.resolver import SystemDns
    from sectigo_tui.domain.certificates import CertificateFacts
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.domain.events import Operator
    from sectigo_tui.domain.pki import CertificateTools
    from sectigo_tui.engine.engine import Engine, KeepCrash


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    keep_crash: KeepCrash = lambda _defect, _where: None,
) -> AsyncIterator[Engine]:
    """Put an engine together and connect it, as for a command; its arguments and errors are those of `prepared`.

    Yields:
        The engine; nothing has been sent yet.
    """
    prepare = prepared(settings, clock=clock, random=random, keep_crash=keep_crash, may_prompt=True)
    async with prepare as engine:
        await engine.connect()
        await engine.until_history_is_read()
        yield engine


@asynccontextmanager
async def prepared(
    settings: Settings,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    keep_crash: KeepCrash = lambda _defect, _where: None,
    may_prompt: bool = False,
) -> AsyncIterator[Engine]:
    """Put together what shows the local orders, for an engine that sends nothing before it is connected.

    Args:
        settings: The settings.
        clock: The time; the machine's clock when not given.
        random: Where ids and jitter come from; the system's source when not given.
        keep_crash: Writes down an unexpected error that a boundary reports.
        may_prompt: Whether a password command may ask the operator something on the terminal: no screen has it.

    Yields:
        The engine, to be connected: that raises `ConfigError` where there is no password.

    Raises:
        ConfigError: The settings name no account, or the data directory cannot be used.
        StoreError: The local orders cannot be opened.
    """
    from random import SystemRandom

    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.engine.context import Context, EngineOptions
    from sectigo_tui.engine.engine import Engine, EventSource
    from sectigo_tui.engine.repository import OrderRepository
    from sectigo_tui.engine.requests.limiter import RequestLimiter
    from sectigo_tui.wiring.store import open_store, store_team

    account = settings.account()
    clock, event_source, section = clock or SystemClock(), EventSource(keep_crash), settings.sectigo
    store = await open_store(settings, clock)
    repository = OrderRepository(store, clock, event_source, _operator())
    # What is saved behind and what is written at once fail together or apart: one place says when all is well again.
    store.report_errors_to(repository.receive_store_state)
    limiter = RequestLimiter(section.requests_in_flight, is_open=False)
    team = store_team(store)
    client = Client(
        lambda: connection(settings, event_source, clock, store.is_poller, may_prompt=may_prompt, team=team)
    )
    context = Context(
        client=client.scm,
        limiter=limiter,
        repository=repository,
        clock=clock,
        random=random or SystemRandom(),
        read_certificate=_read_certificate,
        options=EngineOptions(
            deadline_seconds=section.poll_max_wait_seconds,
            reopen=section.on_deadline == "reopen",
            reopen_by_level=_reopen_by_level(section.on_deadline),
            read_only=section.read_only,
            may_arm=not settings.is_read_only_by_flag,
            renewal_margin_days=section.renewal_margin_days,
            login_address=_login_address(account.base_url, account.customer_uri),
        ),
    )

    try:
        yield Engine(
            context,
            event_source,
            _tools,
            lambda: client.connected.access,
            dns=_dns(settings),
            connect=client.connect,
        )
    finally:
        try:
            await client.aclose()
        finally:
            # However the connections end, what is left is written and the right to poll given back.
            await store.close()


def _reopen_by_level(on_deadline: str | Mapping[Any, str]) -> Mapping[str, bool]:
    return {} if isinstance(on_deadline, str) else {level: choice == "reopen" for level, choice in on_deadline.items()}


def _login_address(base_url: str, customer_uri: str) -> str:
    """Return where people log in to SCM.

    Source: observed: `https://cert-manager.com/customer/URI`, as the customer URI is its last part.
    """
    return f"{base_url.removesuffix('/api')}/customer/{customer_uri}"


def _operator() -> Operator:
    """Return who acts here; several who share a user name tell theirs by `SECTIGO_TUI_OPERATOR`."""
    import os

    from sectigo_tui.domain.events import NAME_AT_MOST, Operator
    from sectigo_tui.domain.excerpts import one_line
    from sectigo_tui.store.local.lease import this_process

    who = this_process()
    name = one_line(os.environ.get("SECTIGO_TUI_OPERATOR", ""), NAME_AT_MOST) or who.user
    return Operator(name, who.user, who.host, who.ssh)


def _dns(settings: Settings) -> SystemDns | None:
    if not settings.sectigo.dns_lookups:
        return None
    from sectigo_tui.dns.resolver import SystemDns

    return SystemDns()


def _tools() -> CertificateTools:
    from sectigo_tui.pki.tools import PkiTools

    return PkiTools()


def _read_certificate(bundle: bytes, csr_pem: str) -> CertificateFacts:
    from sectigo_tui.pki.bundle import read_certificate

    return read_certificate(bundle, csr_pem)
