"""What is known about an order: each answer with where it came from and when, or why it is not known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct, field

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.dns import CaaAnswer
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.domain.validation import AccountDomain, Allowance, DcvLog, DomainValidation, OrganizationValidation

U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)

LONGEST_QUOTE = 160
"""How much of an untrusted text is quoted in a sentence."""


class Part(StrEnum):
    """A part of the evidence, which is asked for and may fail by itself."""

    LOCAL = "local record"
    DETAILS = "order details"
    DCV = "order DCV log"
    DOMAINS = "domain validations"
    ORGANIZATION = "organization validations"
    DELEGATIONS = "domain delegations"
    CONTRACT = "contract"
    DNS = "DNS"


DCV_UNUSED_CODE = -1608
"""Domain control validation is not used for this customer: no failure, the question does not arise."""


_NOT_ALLOWED_CODES = frozenset({-3, -25, -37, -226})
"""What rejects a call because of the login's rights. Source: SCM manual 25.5."""


class AnswerState(StrEnum):
    """How far a answer is."""

    NOT_ASKED = "not asked"
    ASKING = "asking"
    KNOWN = "known"
    FAILED = "failed"


class Answer(Struct, Generic[T_co], frozen=True):
    """One answer.

    Args:
        source: The call that tells it, such as `SCM dcv 2100001`.
        state: How far it is.
        value: What was told last; kept when a newer call fails.
        at: When that was.
        error: Why the newest call failed; empty when it did not.
        failed_at: When that was.
        http_status: The status with which it failed, when an answer came.
        code: SCM's own code with which it failed, when the answer had one.
    """

    source: str
    state: AnswerState = AnswerState.NOT_ASKED
    value: T_co | None = None
    at: datetime | None = None
    error: str = ""
    failed_at: datetime | None = None
    http_status: int | None = None
    code: int | None = None

    @property
    def is_failed(self) -> bool:
        """Whether the newest call failed; `value` may hold an older answer all the same."""
        return self.state is AnswerState.FAILED

    @property
    def newest(self) -> datetime | None:
        """When it was asked for last, with whatever came of it."""
        return max((at for at in (self.at, self.failed_at) if at is not None), default=None)

    @property
    def is_not_allowed(self) -> bool:
        """Whether SCM refused the newest call for good: the login may not, or this SCM has no such call."""
        return self.is_failed and (self.http_status in (403, 404) or self.code in _NOT_ALLOWED_CODES)

    def holding(self, value: U | None) -> Answer[U]:
        """Return this answer with another value, of any type."""
        return Answer(self.source, self.state, value, self.at, self.error, self.failed_at, self.http_status, self.code)


class Fact(Struct, frozen=True):
    """One thing a verdict rests on.

    Args:
        statement: What is known, in one line for a person.
        source: The call that told it.
        at: When it was told; None where it was never told but concluded.
    """

    statement: str
    source: str
    at: datetime | None


class OrganizationEvidence(Struct, frozen=True):
    """An organization as far as an order depends on it.

    Args:
        id: The order's organization or department.
        name: Its name; empty where the list of organizations could not be read.
        holder_id: Whose validations count: the organization itself, or a department's parent.
        holder_name: Its name.
        validations: The holder's validations.
    """

    id: int
    name: str
    holder_id: int
    holder_name: str
    validations: tuple[OrganizationValidation, ...]


class PublishedRecord(Struct, frozen=True):
    """What DNS says about the record that a domain's owner was asked to publish.

    Args:
        name: The record's name.
        kind: CNAME or TXT.
        found: What is published there; empty for nothing.
        is_as_asked: Whether that is what was asked for.
    """

    name: str
    kind: str
    found: tuple[str, ...]
    is_as_asked: bool


class Evidence(Struct, frozen=True, kw_only=True):
    """All that is known about one order at one time.

    Args:
        now: The time.
        status: SCM's newest status, from details or from a listing; empty where none is known.
        status_at: When it was told.
        ssl_id: SCM's id; None until SCM has told it.
        order: The local order; None for one that is only remote.
        timeline: Its timeline, oldest first.
        polls: Its newest polls, oldest first.
        details: SCM's answer about it.
        dcv: Its domain control validation.
        domains: The account's validations by domain, for names that the order's own log does not settle.
        validity_ends: When the account's validation of a domain of the order ends, by domain, where that is listed.
        organization: The organization's validations.
        account_domains: The domains of the account that cover the certificate's names, by domain.
        domain_names: The list in which those domains were found.
        usage: What is left of the contract.
        caa: CAA by the certificate's names, `*.` included.
        records: DCV records in DNS, by domain.
        dns_is_on: Whether the operator has switched DNS lookups on.
        unchecked_names: How many of the certificate's names were left out of the domain and DNS lookups.
    """

    now: datetime
    status: str
    status_at: datetime | None = None
    ssl_id: int | None = None
    order: Order | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    polls: tuple[PollResult, ...] = ()
    details: Answer[OrderDetails] = Answer("SCM details")
    dcv: Answer[DcvLog] = Answer("SCM dcv")
    domains: Mapping[str, Answer[DomainValidation]] = field(default_factory=dict)
    validity_ends: Mapping[str, Moment] = field(default_factory=dict)
    organization: Answer[OrganizationEvidence] = Answer("SCM organization validations")
    account_domains: Mapping[str, Answer[AccountDomain]] = field(default_factory=dict)
    domain_names: Answer[object] = Answer("SCM domains")
    usage: Answer[tuple[Allowance, ...]] = Answer("SCM usage")
    caa: Mapping[str, Answer[CaaAnswer]] = field(default_factory=dict)
    records: Mapping[str, Answer[PublishedRecord]] = field(default_factory=dict)
    dns_is_on: bool = False
    unchecked_names: int = 0

    @property
    def status_class(self) -> StatusClass:
        """What the newest status means; pending where none is known."""
        return classify(self.status) if self.status else StatusClass.PENDING

    @property
    def level(self) -> str:
        """`DV`, `OV`, `EV`, or empty where SCM does not tell."""
        scm_words = self.details.value.validation if self.details.value else ""
        return scm_words or (self.order.validation if self.order else "")

    @property
    def common_name(self) -> str:
        """The common name; untrusted text."""
        scm_words = self.details.value.common_name if self.details.value else ""
        return scm_words or (self.order.common_name if self.order else "")

    @property
    def organization_id(self) -> int | None:
        """The organization or department, where it is known."""
        scm_words = self.details.value.organization_id if self.details.value else None
        return scm_words or (self.order.organization_id if self.order else None)

    @property
    def profile_id(self) -> int | None:
        """The certificate profile, where it is known."""
        scm_words = self.details.value.profile_id if self.details.value else None
        return scm_words or (self.order.profile_id if self.order else None)

    @property
    def names(self) -> tuple[str, ...]:
        """The certificate's names, the common name first, each once, in lower case."""
        others = self.details.value.subject_alternative_names if self.details.value else ()
        given = (name.strip().casefold() for name in (self.common_name, *others))
        return tuple(dict.fromkeys(name for name in given if name))

    @property
    def is_dcv_unused(self) -> bool:
        """Whether SCM says that it validates no domains for this customer, and the order's log has none."""
        if self.dcv.value is not None and self.dcv.value.checks:
            return False
        return any(answer.code == DCV_UNUSED_CODE for answer in (self.dcv, *self.domains.values()))

    @property
    def needs_organization(self) -> bool:
        """Whether an organization's validation counts, as far as the level tells."""
        return self.level != "DV" and self.organization_id is not None


def quoted(text: str) -> str:
    """Return untrusted text as it can stand in a sentence: printable, on one line, cut."""
    is_plain = len(text) <= LONGEST_QUOTE and text.isprintable() and "  " not in text and text == text.strip()
    return text if is_plain else one_line(text, LONGEST_QUOTE)


def moment_text(moment: Moment) -> str:
    """Return a moment in UTC as it is written in sentences; a day stays a day."""
    return f"{moment:%Y-%m-%d %H:%MZ}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"


def has_passed(moment: Moment, now: datetime) -> bool:
    """Return whether a moment is over; a day is over when its last hour is."""
    return moment < now if isinstance(moment, datetime) else moment < now.date()


def status_fact(evidence: Evidence) -> Fact:
    """Return the status as a fact."""
    if not evidence.status:
        return Fact("SCM has not told a status yet", "local record", None)
    source = evidence.details.source
    if evidence.details.value is None or evidence.details.at != evidence.status_at:
        source = "SCM listing"
    return Fact(f"status {quoted(evidence.status)}", source, evidence.status_at)


def entry_fact(entry: TimelineEntry) -> Fact:
    """Return an entry of the local record as a fact."""
    code = f", code {entry.code}" if entry.code is not None else ""
    return Fact(f"{quoted(entry.summary)}{code}", "local record", entry.at)
