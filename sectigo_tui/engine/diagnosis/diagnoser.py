"""Diagnosis as screens and the command line see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment, seconds_between
from sectigo_tui.domain.dns import Dns
from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.messages import Recipient
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.common_causes import CommonCause, OrderRef, common_causes
from sectigo_tui.engine.diagnosis.ending import Ending
from sectigo_tui.engine.diagnosis.escalation import Redact, escalation_pack, handover, redactor
from sectigo_tui.engine.diagnosis.evidence.gather import Gatherer
from sectigo_tui.engine.diagnosis.evidence.known import MAX_NAMES, Knowledge, Target, Version
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, Part, quoted
from sectigo_tui.engine.diagnosis.evidence.sources import Sources
from sectigo_tui.engine.diagnosis.evidence.validations import DomainState
from sectigo_tui.engine.diagnosis.message import Message, message_to
from sectigo_tui.engine.diagnosis.normal import Comparison, Leg, Samples, pace
from sectigo_tui.engine.diagnosis.report import as_json, handover_json
from sectigo_tui.engine.diagnosis.result import Diagnosis, OutageClock, conclude, outage_clock
from sectigo_tui.engine.diagnosis.stages import Span, When
from sectigo_tui.engine.diagnosis.verdict import Strength, Verdict, judge
from sectigo_tui.engine.orders.entries import in_words, record
from sectigo_tui.engine.polling.budget import EvidenceBudget
from sectigo_tui.engine.polling.schedule import DEFAULT_DEADLINE_SECONDS
from sectigo_tui.engine.requests.limiter import Priority

if TYPE_CHECKING:
    from sectigo_tui.engine.account.certificates import CertificateInUse

DIAGNOSE_MAX_AGE_SECONDS = 60.0
"""How old evidence may be for a diagnosis that the operator opens."""

ATTEND_MAX_AGE_SECONDS = 600.0
"""How old evidence may be for a column: a page of rows costs requests, and validations take hours."""

EVIDENCE_REQUESTS_PER_MINUTE = 120
"""How many requests a process sends for columns; what an operator asks for in person is counted, and not held back."""

BUDGET_SECONDS = 60.0
REFRESH_SECONDS = 15.0
"""How often the list of orders whose evidence is wanted is read, and what others have fetched."""

REFRESH_AFTER_SECONDS = 60.0
"""How often the age of an order's evidence is checked while it is wanted."""

RETRY_SECONDS = 240.0
"""How much longer it takes where a call failed: it must not be repeated all the time."""

WANTED_SECONDS = 1_800.0
"""How long evidence is kept fresh after somebody had the order in sight."""

VERDICT_KEPT_SECONDS = 15.0
"""How long a column's verdict holds by itself: time alone changes it seldom, and a list is sorted again and again."""

VERDICTS_KEPT = 2_000


class Diagnoser:
    """Says who orders wait for, whether that is normal, and what to do.

    Evidence is kept with its age and shared: many orders of one organization cost one request for its validations.

    Args:
        context: What every service works with.
        account: What is known of the account's remote orders.
        dns: The DNS; None unless the operator has switched it on.
        secrets: Returns the credentials in use, which nothing that leaves the program may hold.

    Attributes:
        samples: How long this account's orders took.
        in_use: Finds the certificate in use for some names; None for none.
        ending: Which validations of the account end soon.
        wanted: How many orders' evidence was to be kept fresh when that was last read here.
    """

    def __init__(
        self,
        context: Context,
        account: Account,
        dns: Dns | None = None,
        secrets: Callable[[], Iterable[SecretText]] = tuple,
    ) -> None:
        self.samples = Samples(context, account)
        self._context = context
        self._account = account
        self._secrets = secrets
        self.wanted = 0
        self.in_use: Callable[[Iterable[str]], CertificateInUse | None] = lambda _names: None
        self._sources = Sources(context, account, dns)
        self._knowledge = Knowledge(context, account, self._sources)
        self._gatherer = Gatherer(self._sources, self._knowledge)
        self.ending = Ending(context, account, self._sources)
        self._verdicts: dict[str | int, tuple[Version, Verdict]] = {}

    def cheap(self, target: Target) -> Verdict:
        """Return the verdict by what is known already, asking nobody: for a column.

        Args:
            target: A local order, or the sslId of any.

        Returns:
            The verdict, up to `VERDICT_KEPT_SECONDS` old where nothing new has become known since.
        """
        key = target.id if isinstance(target, Order) else target
        version = self._knowledge.version_of(target)
        kept = self._verdicts.get(key)
        if kept is not None and kept[0].is_same(version):
            verdict = kept[1]
            if seconds_between(verdict.at, self._context.clock.now()) < VERDICT_KEPT_SECONDS:
                return verdict
        if len(self._verdicts) >= VERDICTS_KEPT:
            self._verdicts.clear()
        verdict = judge(self._knowledge.of(target))
        self._verdicts[key] = version, verdict
        return verdict

    def known(self, target: Target) -> Diagnosis:
        """Return the diagnosis by what is known already, asking nobody: for a screen's first paint.

        Args:
            target: A local order, or the sslId of any.
        """
        return self._conclude(self._knowledge.of(target))

    async def diagnose(self, target: Target, *, max_age_seconds: float = DIAGNOSE_MAX_AGE_SECONDS) -> Diagnosis:
        """Return the diagnosis of an order, asking for all that bears on it.

        Args:
            target: A local order, or the sslId of any.
            max_age_seconds: How old evidence may be; zero asks for everything.

        Returns:
            The diagnosis. A call that fails is listed as missing evidence, not raised.
        """
        return await self.gather(target, lambda _part, _diagnosis: None, max_age_seconds=max_age_seconds)

    async def gather(
        self,
        target: Target,
        on_part: Callable[[Part, Diagnosis], None],
        *,
        max_age_seconds: float = DIAGNOSE_MAX_AGE_SECONDS,
    ) -> Diagnosis:
        """Do what `diagnose` does, telling the diagnosis as it stands after each part.

        Args:
            target: A local order, or the sslId of any.
            on_part: Told which part has come or failed; first the local record, before anything is asked, and again
                once the account's own figures are there.
            max_age_seconds: How old evidence may be; zero asks for everything.

        Returns:
            The diagnosis at the end.
        """
        on_part(Part.LOCAL, self.known(target))
        if any((await self.samples.learn_local(), await self.samples.learn_kept())):
            on_part(Part.LOCAL, self.known(target))
        evidence = await self._gatherer.gather(
            target, lambda part, known: on_part(part, self._conclude(known)), max_age_seconds=max_age_seconds
        )
        await self._learn_renewed(evidence.order)
        return self._conclude(evidence)

    async def attend(self, targets: Sequence[Target], on_verdict: Callable[[Target, Verdict], None]) -> None:
        """Fetch evidence for the orders in sight, one after the other; cancel it when they are out of sight.

        Args:
            targets: The orders, the most wanted first.
            on_verdict: Told each order's verdict when its evidence is there.
        """
        await self.samples.learn_kept()
        for target in targets:
            evidence = await self._gatherer.gather(
                target,
                lambda _part, _evidence: None,
                max_age_seconds=ATTEND_MAX_AGE_SECONDS,
                with_ends=False,
            )
            await self._learn_renewed(evidence.order)
            on_verdict(target, judge(evidence))

    async def watch(self, targets: Sequence[Target], on_verdict: Callable[[Target, Verdict], None]) -> None:
        """Have evidence for the orders in sight fetched: by the process that polls, by this one where none does.

        Args:
            targets: The orders, the most wanted first.
            on_verdict: Told each order's verdict when it was fetched here; what others fetch comes as an event.
        """
        await self._account.shared.want(_ssl_ids(targets), WANTED_SECONDS)
        if self._context.repository.store.poller():
            await self._account.shared.read()
            return
        for target in targets:
            await self._within_budget()
            await self.attend([target], on_verdict)

    async def keep_fresh(self) -> None:
        """Refresh the evidence that any process wants, while no other process polls; until cancelled.

        Without anybody who polls, every process does it, and one that is slower than another finds it done.
        """
        refreshed: dict[int, datetime] = {}
        while True:
            await self._context.clock.sleep(REFRESH_SECONDS)
            if self._context.repository.store.poller():
                await self._account.shared.read()
                continue
            now = self._context.clock.now()
            wanted = await self._account.shared.wanted()
            self.wanted = len(wanted)
            refreshed = {ssl_id: at for ssl_id, at in refreshed.items() if ssl_id in wanted}
            due = [one for one in wanted if seconds_between(refreshed.get(one, _LONG_AGO), now) > REFRESH_AFTER_SECONDS]
            for ssl_id in due:
                await self._within_budget()
                verdicts: list[Verdict] = []
                await self.attend([ssl_id], lambda _target, verdict: verdicts.append(verdict))  # noqa: B023 - called before the next turn
                is_whole = all(verdict.strength is Strength.FULL for verdict in verdicts)
                pause = timedelta(seconds=0.0 if is_whole else RETRY_SECONDS)
                refreshed[ssl_id] = self._context.clock.now() + pause

    @property
    def requests_last_minute(self) -> int:
        """How many requests this process has sent for evidence within the last minute."""
        now = self._context.clock.monotonic()
        return sum(now - at < BUDGET_SECONDS for at in self._sources.sent)

    def evidence_budget(self) -> EvidenceBudget:
        """Return what evidence costs, for the poll budget."""
        is_elsewhere = bool(self._context.repository.store.poller())
        wanted = None if is_elsewhere else self.wanted
        return EvidenceBudget(self.requests_last_minute, EVIDENCE_REQUESTS_PER_MINUTE, wanted)

    async def _within_budget(self) -> None:
        """Wait until the budget allows requests that nobody waits for in person."""
        while self.requests_last_minute >= EVIDENCE_REQUESTS_PER_MINUTE:
            await self._context.clock.sleep(1.0)

    async def sync(self, ssl_id: int) -> Diagnosis:
        """Have SCM ask the CA how an order's domains stand, those that are not valid, and read what it then tells.

        Args:
            ssl_id: The order.

        Returns:
            The diagnosis with what is told then.

        Raises:
            InputError: SCM names no domain of this order that is not valid.
            ReadOnly: Writes are disabled.
            ScmFailure: SCM did not take it, for the domain that it names.
            StoreError: It could not be written down, and was not asked for.
        """
        context, order = self._context, self._context.repository.store.by_ssl_id(ssl_id)
        context.check_writable("DCV sync")
        lines = self.known(order or ssl_id).domains
        domains = [line.domain for line in lines if line.order_state is not DomainState.VALID][:MAX_NAMES]
        if not domains:
            raise InputError("no domain of this order is known that is not valid", "diagnose it again")
        of_order = partial(record, context, ssl_id=ssl_id, order_id=order.id if order is not None else "")
        await of_order(EventKind.WRITE_ASKED, f"DCV sync asked for: {', '.join(map(quoted, domains))}")
        for domain in domains:
            ask = partial(context.scm.sync_domain, domain)
            try:
                await context.limiter.run(Priority.WRITE, ask)
            except ScmFailure as failure:
                await of_order(
                    EventKind.WRITE_ANSWERED,
                    f"DCV sync of {quoted(domain)}: {in_words(failure)}",
                    failure=failure,
                    may_fail=True,
                )
                raise
        await of_order(EventKind.WRITE_ANSWERED, "DCV sync done", may_fail=True)
        return await self.diagnose(order or ssl_id, max_age_seconds=0.0)

    async def recheck(self, ssl_id: int) -> Diagnosis:
        """Ask the CA to check an order's domains again.

        Args:
            ssl_id: The order.

        Returns:
            The diagnosis with the new DCV log.

        Raises:
            ReadOnly: Writes are disabled.
            ScmFailure: SCM did not take it.
            StoreError: It could not be written down, and was not asked for.
        """
        context, order = self._context, self._context.repository.store.by_ssl_id(ssl_id)
        context.check_writable("DCV recheck")
        of_order = partial(record, context, ssl_id=ssl_id, order_id=order.id if order is not None else "")
        await of_order(EventKind.WRITE_ASKED, "DCV recheck asked for")
        try:
            log = await context.limiter.run(Priority.WRITE, lambda: context.scm.recheck_dcv(ssl_id))
        except ScmFailure as failure:
            await of_order(
                EventKind.WRITE_ANSWERED, f"DCV recheck: {in_words(failure)}", failure=failure, may_fail=True
            )
            raise
        await of_order(EventKind.WRITE_ANSWERED, "DCV recheck taken", http_status=202, may_fail=True)
        self._gatherer.learned_dcv(ssl_id, self._knowledge.of(ssl_id).status, log)
        return self.known(ssl_id)

    def outage(self, target: Target) -> OutageClock | None:
        """Return when the certificate ends that an order takes the place of, by what is known: for sorting.

        Args:
            target: A local order, or the sslId of any.
        """
        store = self._context.repository.store
        order = target if isinstance(target, Order) else store.by_ssl_id(target)
        ssl_id = order.ssl_id if order is not None else target if isinstance(target, int) else None
        details = self._details_of(ssl_id) if ssl_id is not None else None
        details = details or (order.details if order else None)
        found = outage_clock(order, details, store.by_ssl_id, self._details_of)
        if found is not None:
            return found
        names = self._names_of(order, details, ssl_id)
        old = self.in_use(names)
        if old is None or old.ssl_id == ssl_id:
            return None
        return OutageClock(old.ssl_id, names[0], old.expires, "the certificates in use")

    def _names_of(self, order: Order | None, details: OrderDetails | None, ssl_id: int | None) -> tuple[str, ...]:
        if details is not None:
            return (details.common_name, *details.subject_alternative_names)
        if order is not None:
            request = order.pending_enroll.request if order.pending_enroll is not None else None
            return (order.common_name, *(request.subject_alternative_names if request is not None else ()))
        listed = self._account.pending().get(ssl_id) if ssl_id is not None else None
        return (listed.row.common_name, *listed.row.subject_alternative_names) if listed is not None else ()

    def whole(self, order: Order | None, details: OrderDetails | None, requested: Moment | None) -> Comparison | None:
        """Return how long an order is pending beside what orders of its profile took, by what was learned: for a list.

        Args:
            order: The local order, if it is one.
            details: What SCM tells of it, where that is known.
            requested: When it was requested.

        Returns:
            None where it is not known when it was requested.
        """
        if requested is None:
            return None
        profile_id = (details.profile_id if details else None) or (order.profile_id if order else None)
        organization_id = (details.organization_id if details else None) or (order.organization_id if order else None)
        elapsed = Span.between(When.of(requested), When.of(self._context.clock.now()))
        figure = self.samples.figure(Leg.WHOLE, profile_id, organization_id)
        return Comparison(Leg.WHOLE, elapsed, is_running=True, figure=figure, pace=pace(elapsed, figure))

    def common_causes(self, targets: Iterable[Target]) -> list[CommonCause]:
        """Group orders by the causes that they share, by what is known.

        Args:
            targets: Local orders, or the sslIds of any.
        """
        return common_causes((_ref(target), self.cheap(target)) for target in targets)

    def pack(self, diagnosis: Diagnosis) -> str:
        """Return the escalation pack for the CA's support, as Markdown without credentials."""
        return escalation_pack(diagnosis, self.redactor())

    def message(
        self, diagnosis: Diagnosis, recipient: Recipient, templates: Mapping[str, str] | None = None
    ) -> Message:
        """Return the message to somebody about an order, without credentials.

        Args:
            diagnosis: The order's diagnosis.
            recipient: Who is written to.
            templates: The operator's own, by recipient.
        """
        return message_to(
            recipient,
            diagnosis,
            self.redactor(),
            pack=self.pack(diagnosis),
            address=self._context.options.login_address,
            templates=templates,
        )

    async def record_message(self, diagnosis: Diagnosis, message: Message) -> None:
        """Keep in the timeline that a message was given to `on_event`.

        Args:
            diagnosis: The order's diagnosis.
            message: The message.
        """
        order = diagnosis.evidence.order
        await record(
            self._context,
            EventKind.OPERATOR_NOTE,
            f"message to {message.recipient.who} given to on_event",
            order_id=order.id if order is not None else "",
            ssl_id=diagnosis.evidence.ssl_id,
            may_fail=True,
        )

    def handover(self, targets: Iterable[Target], *, missing_part: str = "") -> str:
        """Return all that is open, grouped by cause, for the next shift, by what is known: Markdown, no credentials.

        Args:
            targets: Local orders, or the sslIds of any.
            missing_part: Why these are not all; empty when they are.
        """
        diagnoses = [self.known(target) for target in targets]
        return handover(diagnoses, self._context.clock.now(), self.redactor(), missing_part=missing_part)

    def handover_json(self, targets: Iterable[Target], *, missing_part: str = "") -> str:
        """Return the same as a JSON document."""
        diagnoses = [self.known(target) for target in targets]
        return handover_json(diagnoses, self._context.clock.now(), self.redactor(), missing_part=missing_part)

    def redactor(self) -> Redact:
        """Return what takes the credentials in use, and what looks like some, out of a text."""
        return redactor(self._secrets())

    def as_json(self, diagnosis: Diagnosis) -> str:
        """Return a diagnosis in the versioned JSON shape, without credentials."""
        return as_json(diagnosis, self.redactor())

    def _conclude(self, evidence: Evidence) -> Diagnosis:
        target = evidence.order or evidence.ssl_id
        deadline_seconds = self._context.options.deadline_seconds
        return conclude(
            evidence,
            self.samples.of(evidence.profile_id),
            self.outage(target) if target is not None else None,
            deadline_seconds if deadline_seconds > 0 else DEFAULT_DEADLINE_SECONDS,
            self.samples.history.at if self.samples.history is not None else None,
        )

    async def _learn_renewed(self, order: Order | None) -> None:
        renewed = order.renews_ssl_id if order is not None else None
        if renewed is None or self.outage(order or renewed) is not None:
            return
        try:
            await self._account.details(renewed)
        except ScmFailure:
            # The outage clock is beside the verdict: without it the diagnosis merely has none.
            return

    def _details_of(self, ssl_id: int) -> OrderDetails | None:
        known = self._account.known(ssl_id)
        return known.details if known is not None else None


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _ssl_ids(targets: Iterable[Target]) -> list[int]:
    found = (target.ssl_id if isinstance(target, Order) else target for target in targets)
    return [ssl_id for ssl_id in found if ssl_id is not None]


def _ref(target: Target) -> OrderRef:
    return (target.ssl_id or target.id) if isinstance(target, Order) else target
