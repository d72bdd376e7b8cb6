"""The engine as the screen and the command line see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CertctlFailure, Refused, RefusedAlone, ScmFailure, SectigoTuiError, StoreError
from sectigo_tui.domain.events import (
    EngineEvent,
    FailureReported,
    PollingResumed,
    StoreStateChanged,
)
from sectigo_tui.domain.explain import call_in_words
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.jobs import keep_running
from sectigo_tui.engine.polling.schedule import DEFAULT_DEADLINE_SECONDS
from sectigo_tui.engine.polling.scheduler import Scheduler
from sectigo_tui.engine.requests.health import ApiHealth

if TYPE_CHECKING:
    from sectigo_tui.domain.account import PasswordStatus
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.domain.dns import Dns
    from sectigo_tui.domain.events import Operator
    from sectigo_tui.domain.pki import CertificateTools
    from sectigo_tui.domain.ports import OrderReader
    from sectigo_tui.engine.account.in_use import Renewals
    from sectigo_tui.engine.context import Arming, Context, EngineOptions
    from sectigo_tui.engine.credentials.certctl import HandingOver
    from sectigo_tui.engine.credentials.service import Access, CredentialsService
    from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
    from sectigo_tui.engine.diagnosis.evidence.known import Target
    from sectigo_tui.engine.orders.approve import Approving
    from sectigo_tui.engine.orders.certctl_orders import CertctlOrders
    from sectigo_tui.engine.orders.collect import Collecting
    from sectigo_tui.engine.orders.enroll import Enrolling
    from sectigo_tui.engine.orders.order_locks import OrderLocks
    from sectigo_tui.engine.orders.pending_writes import PendingWrites
    from sectigo_tui.engine.orders.people import People
    from sectigo_tui.engine.orders.place import Placing
    from sectigo_tui.engine.orders.recover import Recovery
    from sectigo_tui.engine.orders.renew import Renewing
    from sectigo_tui.engine.orders.revoke import Revoker, Revoking
    from sectigo_tui.engine.orders.track import Tracking
    from sectigo_tui.engine.polling.budget import PollBudget

R = TypeVar("R", bound=Struct)

PASSWORD_SECONDS = 6 * 3600.0
PASSWORD_RETRY_SECONDS = 600.0
BLOCKER_SECONDS = 3600.0
"""How old evidence may be of an order that no screen shows, unless its status has changed."""
BLOCKER_PAUSE_SECONDS = 10.0
"""The time between two orders: a thousand of them must not crowd out the polls."""


KeepCrash = Callable[[BaseException, str], None]
"""Writes an unexpected error down with where it happened, without the value of any variable; must not raise."""


class EventSource:
    """Passes events on to whoever listens; listeners must not raise and must not wait.

    An unexpected error that a boundary reports, or a listener raises, is written down here: the one place all pass.

    Args:
        keep_crash: Writes it down.
    """

    def __init__(self, keep_crash: KeepCrash = lambda _defect, _where: None) -> None:
        self._listeners: list[Callable[[EngineEvent], None]] = []
        self._keep_crash = keep_crash

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> Callable[[], None]:
        """Subscribe a listener to all events; call the returned function to unsubscribe."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __call__(self, event: EngineEvent) -> None:
        """Publish an event to every listener."""
        self._keep(event)
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as defect:  # noqa: BLE001 - the boundary of a listener: what it shows is not what the engine does
                self._keep_crash(defect, f"publishing {type(event).__name__}")

    def _keep(self, event: EngineEvent) -> None:
        match event:
            case FailureReported(_, what, failure, _) if not isinstance(failure, SectigoTuiError):
                self._keep_crash(failure, what)
            case StoreStateChanged(_, StoreError(__cause__=Exception() as defect)) if not isinstance(defect, OSError):
                self._keep_crash(defect, "saving")
            case _:
                pass


class Engine:
    """Everything the program can do, without a screen: a service for each use case, and what may be read.

    A service is put together when it is first asked for: the first paint needs none, and they are many.

    Args:
        context: What every service works with.
        event_source: Publishes its events.
        tools: Returns what makes keys and CSRs and reads bundles; asked when it is first needed.
        access: Tells how this program gets in; asked when it is first needed.
        dns: The DNS; None unless the operator has switched it on.
        connect: Makes SCM's client, which may take long; None where it is made already.

    Attributes:
        context: What every service works with.
        event_source: Publishes its events.
        scheduler: The poll workers.
        account: The account's remote orders.
        health: How SCM answers.
        password: What SCM told last of the password's expiry; None before that.
    """

    def __init__(
        self,
        context: Context,
        event_source: EventSource,
        tools: Callable[[], CertificateTools],
        access: Callable[[], Access],
        dns: Dns | None = None,
        *,
        connect: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.context = context
        self.scheduler = Scheduler(context)
        self.account = Account(context)
        self._tools = tools
        self._access = access
        self._dns = dns
        self._connect = connect
        self.event_source = event_source
        self.health = ApiHealth()
        self.password: PasswordStatus | None = None
        self._damage_reported = 0
        self._resumed = asyncio.Event()
        for receive in (self.scheduler.receive, self.account.receive, self.health.receive, self._receive):
            event_source.subscribe(receive)
        context.limiter.verify = lambda: context.scm.types()  # noqa: PLW0108 - SCM's calls are known once it is connected
        context.limiter.on_switched_off = self._report_switched_off

    @property
    def orders(self) -> OrderReader:
        """The local orders with their timelines and polls, to be read."""
        return self.context.repository.store

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.context.clock

    @property
    def is_read_only(self) -> bool:
        """Whether every write is rejected now."""
        return self.context.is_read_only

    @property
    def operator(self) -> Operator:
        """Who acts here."""
        return self.context.repository.operator

    @property
    def options(self) -> EngineOptions:
        """What the operator has settled."""
        return self.context.options

    @property
    def arming(self) -> Arming:
        """Until when writes are armed in spite of read-only mode."""
        return self.context.arming

    @property
    def saving_error(self) -> StoreError | None:
        """Why orders cannot be saved now; None while they are."""
        return self.context.repository.failing

    def poll_budget(self, rows: int = 200) -> PollBudget:
        """Return what is polled next and why then, and what the requests came to.

        Args:
            rows: How many of the next polls to list.
        """
        from sectigo_tui.engine.polling.budget import poll_budget

        # Before the engine is connected nothing was diagnosed, and nothing can be.
        evidence = self.diagnoser.evidence_budget() if "diagnoser" in vars(self) else None
        return poll_budget(self.context, self.scheduler, self.health, rows=rows, evidence=evidence)

    @property
    def rejection(self) -> ScmFailure | None:
        """How SCM rejected the credentials; None while it accepts them, or was not asked yet."""
        return self.context.limiter.rejection

    @cached_property
    def tracking(self) -> Tracking:
        """Taking remote orders on, and finished ones off."""
        from sectigo_tui.engine.orders.track import Tracking

        return Tracking(self.context, self._order_locks)

    @cached_property
    def enrolling(self) -> Enrolling:
        """Ordering."""
        from sectigo_tui.engine.orders.enroll import Enrolling

        return Enrolling(self.context, self._placing, self._tools())

    @cached_property
    def renewing(self) -> Renewing:
        """Ordering again what an order was."""
        from sectigo_tui.engine.orders.renew import Renewing

        return Renewing(self.context, self._placing, self._tools())

    @cached_property
    def renewals(self) -> Renewals:
        """Until when renewals are to be ordered."""
        from sectigo_tui.engine.account.in_use import Renewals

        renewals = Renewals(
            self.context,
            self.account,
            samples=self.diagnoser.samples.all,
            learn_prospects=self.diagnoser.ending.prospects,
        )
        self.event_source.subscribe(renewals.receive)
        return renewals

    @cached_property
    def recovery(self) -> Recovery:
        """Orders whose answer was lost."""
        from sectigo_tui.engine.orders.recover import Recovery

        return Recovery(self.context, self._order_locks, self._placing, self.account.reports)

    @cached_property
    def approving(self) -> Approving:
        """Approving and declining."""
        from sectigo_tui.engine.orders.approve import Approving

        return Approving(self.context)

    @cached_property
    def collecting(self) -> Collecting:
        """Collecting and saving."""
        from sectigo_tui.engine.orders.collect import Collecting

        return Collecting(self.context, self._tools())

    @cached_property
    def revoking(self) -> Revoking:
        """Revoking."""
        from sectigo_tui.engine.orders.revoke import Revoking

        return Revoking(self.context, self._order_locks, self.tracking, self._revoker)

    @cached_property
    def certctl_orders(self) -> CertctlOrders:
        """What certctl left behind."""
        from sectigo_tui.engine.orders.certctl_orders import CertctlOrders

        return CertctlOrders(self.context, self.account, self.tracking, self._certctl_login)

    async def _certctl_login(self) -> str:
        """Return the login of certctl's issuer; the one in use where that is not told."""
        access = self._access()
        if access.certctl is not None:
            try:
                issuer = await access.certctl.issuer(access.issuer_id)
            except CertctlFailure:
                return self.credentials.login  # the connector and this program share one as a rule
            if issuer.login:
                return issuer.login
        return self.credentials.login

    @cached_property
    def people(self) -> People:
        """Owners and notes."""
        from sectigo_tui.engine.orders.people import People

        return People(self.context)

    @cached_property
    def credentials(self) -> CredentialsService:
        """The credentials: test, switch, change and watch."""
        from sectigo_tui.engine.credentials.service import CredentialsService

        return CredentialsService(self.context, self._access(), self.scheduler)

    @cached_property
    def handing_over(self) -> HandingOver | None:
        """Telling certctl-server; None without one."""
        from sectigo_tui.engine.credentials.certctl import HandingOver

        access = self._access()
        if access.certctl is None:
            return None
        return HandingOver(self.context, self.credentials, access.certctl, access.issuer_id)

    @cached_property
    def diagnoser(self) -> Diagnoser:
        """Who orders wait for."""
        from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser

        diagnoser = Diagnoser(self.context, self.account, self._dns, lambda: (self.credentials.in_use.password,))
        diagnoser.in_use = lambda names: self.renewals.ending(names)  # noqa: PLW0108 - put together when first asked
        return diagnoser

    @cached_property
    def pending_writes(self) -> PendingWrites:
        """The pending writes: unconfirmed orders and revocations."""
        from sectigo_tui.engine.orders.pending_writes import PendingWrites

        return PendingWrites(self.context, self._order_locks, (self.recovery, self._revoker))

    @cached_property
    def _order_locks(self) -> OrderLocks:
        from sectigo_tui.engine.orders.order_locks import OrderLocks

        return OrderLocks(self.context)

    @cached_property
    def _placing(self) -> Placing:
        from sectigo_tui.engine.orders.place import Placing

        return Placing(self.context, self._order_locks)

    @cached_property
    def _revoker(self) -> Revoker:
        from sectigo_tui.engine.orders.revoke import Revoker

        return Revoker(self.context)

    async def connect(self) -> None:
        """Learn how to get in, and let requests go; until then the local orders are shown, and nothing is sent.

        Raises:
            ConfigError: The settings do not tell how to get in.
            InputError: The debug log cannot be used.
        """
        if self._connect is not None:
            await self._connect()
        self.context.limiter.open()

    async def run(self, refresh_seconds: float) -> None:
        """Poll, and list the account's pending orders again and again, until cancelled.

        Args:
            refresh_seconds: The time between two listings; longer where SCM asks for a pause.
        """
        await self._begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.poll(watches_password=True))
            group.create_task(keep_running(self.context, "the listing", lambda: self._refresh(refresh_seconds)))
            group.create_task(keep_running(self.context, "reading the certificates in use", self._watch_renewals))
            group.create_task(keep_running(self.context, "the account's history", self._learn_history))

    async def poll(
        self, *, watches_password: bool = False, watches_blockers: bool = False, lists_every_seconds: float = 0.0
    ) -> None:
        """Run polling, pending writes and the credentials watch until cancelled, each restarted on its own.

        Args:
            watches_password: Whether SCM is asked when the password expires, too.
            watches_blockers: Whether SCM is asked who orders wait for, too: a screen asks for the orders in sight.
            lists_every_seconds: The time between two listings of the account's pending orders; 0 for none.
        """
        async with asyncio.TaskGroup() as group:
            if watches_password:
                watch = self._watch_password
                group.create_task(keep_running(self.context, "the watch of the password's expiry", watch))
            if lists_every_seconds:
                group.create_task(keep_running(self.context, "the listing", lambda: self._list(lists_every_seconds)))
            if watches_blockers:
                group.create_task(keep_running(self.context, "the diagnosis of orders", self._watch_blockers))
                group.create_task(keep_running(self.context, "reading the certificates in use", self._watch_renewals))
            group.create_task(keep_running(self.context, "polling", self.scheduler.run))
            group.create_task(keep_running(self.context, "following up writes", self.pending_writes.run))
            group.create_task(keep_running(self.context, "the watch of rotations", self.credentials.watch))
            group.create_task(keep_running(self.context, "refreshing evidence", self.diagnoser.keep_fresh))

    async def _begin(self) -> None:
        try:
            self.report_damage()
            await self._settle_password()
        except Exception as defect:  # noqa: BLE001 - the boundary of the start: what it broke is no reason not to poll
            self._report("starting broke; polling goes on", defect)

    async def until_history_is_read(self) -> None:
        """Wait until all timelines can be read, where the store reads them behind."""
        await self.context.repository.store.until_history_is_read()

    def report_damage(self) -> None:
        """Publish, each once, what was found damaged in the local orders: whoever reads next finds it no more."""
        found = self.context.repository.store.damage
        for reason in found[self._damage_reported :]:
            self._report("reading the local orders", StoreError(reason.where, reason.what, reason.remedy))
        self._damage_reported = len(found)

    async def shared_record(self, name: str, kind: type[R]) -> R | None:
        """Return what a process of any host has shared last, by `share_record`; None where nothing is."""
        return await self.context.repository.store.fetched(name, kind)

    async def share_record(self, name: str, record: Struct) -> None:
        """Share a record with all processes that use this store; it may be lost."""
        await self.context.repository.store.keep_fetched(name, record)

    async def track(self, ssl_id: int) -> None:
        """Take a remote order on, and poll it."""
        await self.tracking.track(ssl_id)

    async def read_again(self, ssl_ids: Iterable[int]) -> None:
        """Ask SCM at once what became of orders to which something was written, so that no row is out of date.

        A local order that is polled is polled now; of any other the details are read. What fails was published as
        an exchange, and is asked for again by the schedule, or with the next listing.

        Args:
            ssl_ids: The orders.
        """
        await asyncio.gather(*map(self._read_again, dict.fromkeys(ssl_ids)))

    async def _read_again(self, ssl_id: int) -> None:
        order = self.context.repository.store.by_ssl_id(ssl_id)
        with suppress(ScmFailure, StoreError):
            if order is not None and order.state.is_polled:
                await self.scheduler.open_window(order.id, at_once=True)
            else:
                await self.account.read_again(ssl_id)

    async def _settle_password(self) -> None:
        """Find out which password works after an interrupted change, before anything else is sent."""
        try:
            await self.credentials.settle()
        except SectigoTuiError as failure:
            self._report("a change of the password was interrupted", failure)

    async def _watch_renewals(self) -> None:
        # What renewals need is loaded once the screen is up.
        await self.context.limiter.until_accepted()
        await self.renewals.run()

    async def _learn_history(self) -> None:
        # What a diagnosis needs is loaded once the screen is up.
        await self.context.limiter.until_accepted()
        await self.diagnoser.samples.run()

    async def _watch_password(self) -> None:
        while True:
            self._resumed.clear()
            await self.context.limiter.until_accepted()
            try:
                self.password = await self.credentials.password_status()
            except Refused:
                # The login may not ask; nothing on the screen depends on it. Another login may.
                await self._resumed.wait()
            except ScmFailure as failure:
                wait = min(failure.retry_after_seconds or 0.0, PASSWORD_SECONDS)
                await self.context.clock.sleep(max(PASSWORD_RETRY_SECONDS, wait))
            else:
                await self.context.clock.sleep(PASSWORD_SECONDS)

    async def _watch_blockers(self) -> None:
        """Gather evidence of one pending order after another: of new ones, of those with a new status, then again."""
        clock, gathered = self.clock, dict[str, tuple[str, float]]()
        while True:
            await self.context.limiter.until_accepted()
            waiting = {} if self.orders.poller() else self._waiting()
            gathered = {key: gathered[key] for key in waiting if key in gathered}
            due = [
                (gathered.get(key, ("", -BLOCKER_SECONDS))[1], key)
                for key, (status, _) in waiting.items()
                if key not in gathered
                or gathered[key][0] != status
                or clock.monotonic() - gathered[key][1] >= BLOCKER_SECONDS
            ]
            if due:
                _, key = min(due)
                status, target = waiting[key]
                gathered[key] = status, clock.monotonic()
                await self.diagnoser.attend([target], lambda _target, _verdict: None)
            await clock.sleep(max(BLOCKER_PAUSE_SECONDS, self._retry_after_seconds()))

    def _waiting(self) -> dict[str, tuple[str, Target]]:
        """Return the status and the target of each order that waits: local ones, then others that were listed."""
        local = self.orders.orders()
        waiting: dict[str, tuple[str, Target]] = {
            f"1 {order.id}": (order.scm_status, order) for order in local if order.is_waiting
        }
        known = {order.ssl_id for order in local}
        for ssl_id, listed in self.account.pending().items():
            if ssl_id not in known:
                waiting[f"2 {ssl_id}"] = listed.status, ssl_id
        return waiting

    async def _list(self, seconds: float) -> None:
        """List the account's pending orders again and again, and read when they were requested where that is cheap."""
        while True:
            await self.context.limiter.until_accepted()
            await self.account.refresh_pending()
            await self.account.learn_for(self.account.pending())
            await self.context.clock.sleep(max(seconds, self._retry_after_seconds()))

    def _report_switched_off(self, rejection: RefusedAlone) -> None:
        self._report(f"{call_in_words(rejection.call)} is switched off until the credentials are rotated", rejection)

    def _report(self, what: str, failure: Exception) -> None:
        self.event_source(FailureReported(self.context.clock.now(), what, failure))

    async def _refresh(self, seconds: float) -> None:
        while True:
            await self.account.refresh_pending()
            self.report_damage()
            await self.context.clock.sleep(max(seconds, self._retry_after_seconds()))

    def _retry_after_seconds(self) -> float:
        """Return for how long the account is rate limited; as for a poll, no longer than a polling window."""
        retry_after_until = self.health.retry_after_until
        if retry_after_until is None:
            return 0.0
        return min(seconds_between(self.context.clock.now(), retry_after_until), DEFAULT_DEADLINE_SECONDS)

    def _receive(self, event: EngineEvent) -> None:
        if isinstance(event, PollingResumed):
            self._resumed.set()
            self.account.reports.may_again()
        self.pending_writes.receive(event)
