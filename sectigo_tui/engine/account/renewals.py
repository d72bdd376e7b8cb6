"""Order in time: the last day to order each certificate's renewal, and what would hold that up. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import TypeVar

from msgspec import Struct

from sectigo_tui.domain.account import CertificateProfile
from sectigo_tui.domain.certificates import Certificate
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.limits import HORIZON_DAYS
from sectigo_tui.domain.names import name_key, name_keys
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.domain.validation import DomainValidation, OrganizationValidation
from sectigo_tui.engine.diagnosis.normal import Figure, Leg, Sample, figure

T = TypeVar("T")

MARGIN_DAYS = 7
"""How many days before the latest an order is placed, so that a person who is away holds up nothing."""

DUE_DAYS = 7
"""So many days before `order_by` a renewal is due."""

DEFAULT_DAYS: Mapping[str, int] = {"DV": 1, "OV": 4, "EV": 14}
"""How long an order takes where the account has too few of its own: days, by validation level.

Source: the vendor's public figures, all of them weak: OV up to two business days with as many for a manual review, EV
up to ten business days. Days of the week are counted here, so that a weekend is in it.
"""

_UNKNOWN_LEVEL_DAYS = DEFAULT_DAYS["EV"]
_DAY_SECONDS = 86_400.0


class Timing(StrEnum):
    """How a certificate's renewal stands."""

    LATE = "late"
    """The last safe day has passed."""
    DUE = "due"
    """It is within a week."""
    AHEAD = "ahead"
    ORDERED = "ordered"
    """A renewal is pending."""
    RENEWED = "renewed"


class Usual(Struct, frozen=True):
    """How long an order usually takes from request to issuance.

    Args:
        days: Nine of ten take no longer, in whole days rounded up.
        n: How many orders of the account this rests on, or would if they were enough.
        is_default: Whether the account has too few orders, so that a general figure stands in.
    """

    days: int
    n: int
    is_default: bool

    @property
    def text(self) -> str:
        """For a person, n always shown."""
        return f"{self.days}d {'default, ' if self.is_default else ''}n={self.n}"


class HoldUpKind(StrEnum):
    """What would hold up a renewal."""

    DOMAIN = "domain validation"
    ORGANIZATION = "organization validation"
    TERM = "term"
    DELEGATION = "delegation"


class HoldUp(Struct, frozen=True):
    """Something that would hold up a renewal, to be settled before the order exists.

    Args:
        kind: What.
        about: The domain, organization or profile.
        who: Who must act now.
        what: What is wrong, and what to do.
        by: When it stops working; None where it does not work already.
    """

    kind: HoldUpKind
    about: str
    who: str
    what: str
    by: date | None = None


class Successor(Struct, frozen=True):
    """The order that takes a certificate's place.

    Args:
        ssl_id: Its sslId; None where SCM has not told it, or tells only that there is one.
        status: SCM's status, or the local state where there is none.
        expires: When its certificate ends; None before it is issued.
        is_issued: Whether its certificate exists.
        order_id: The local order; empty for one that is only remote.
    """

    ssl_id: int | None
    status: str
    expires: Moment | None = None
    is_issued: bool = False
    order_id: str = ""


class Renewal(Struct, frozen=True):
    """A certificate that expires, and its renewal.

    Args:
        certificate: The certificate in use.
        expires: The day on which it ends, in UTC.
        order_by: The last day to order its renewal.
        usual: How long such an order takes.
        timing: How the renewal stands.
        successor: What takes its place; None where nothing does yet.
        holds_up: What would hold the renewal up.
    """

    certificate: Certificate
    expires: date
    order_by: date
    usual: Usual
    timing: Timing
    successor: Successor | None = None
    holds_up: tuple[HoldUp, ...] = ()

    def days_left(self, today: date) -> int:
        """Return the days until `order_by`; negative once it has passed."""
        return (self.order_by - today).days


class Prospects(Struct, frozen=True):
    """What is known of an account's validations, domains and profiles when renewals are planned.

    Args:
        domains: Domains with their validation.
        organizations: Validations by organization or department.
        profiles: The profiles that may be ordered; empty where they are not known.
        undelegated: Domains that are suspended, or whose delegation waits, each with what SCM says.
    """

    domains: Sequence[DomainValidation] = ()
    organizations: Mapping[int, Sequence[OrganizationValidation]] = {}
    profiles: Sequence[CertificateProfile] = ()
    undelegated: Mapping[str, str] = {}


def _usual(known: Figure | None, validation: str) -> Usual:
    if known is not None and not known.is_weak:
        return Usual(max(1, ceil(round(known.p90.at_most_seconds / _DAY_SECONDS, 6))), known.n, is_default=False)
    return Usual(
        DEFAULT_DAYS.get(validation, _UNKNOWN_LEVEL_DAYS), known.n if known is not None else 0, is_default=True
    )


def longest_usual(samples: Sequence[Sample]) -> int:
    """Return the most days that `Usual.days` can be of any certificate."""
    usual = _remembering(samples)
    keys = {(sample.profile_id, organization) for sample in samples for organization in (sample.organization_id, None)}
    figures = (usual(Certificate(ssl_id=0, status="", profile_id=one, organization_id=other)) for one, other in keys)
    return max(_UNKNOWN_LEVEL_DAYS, *(found.days for found in figures), 0)


def order_by(expires: date, usual: Usual, margin_days: int) -> date:
    """Return the last day to order a renewal so that it is there, with a margin, before the old certificate ends."""
    return expires - timedelta(days=usual.days + margin_days)


def renewals_due(
    certificates: Iterable[Certificate],
    local: Iterable[Order],
    samples: Sequence[Sample],
    prospects: Prospects,
    today: date,
    *,
    horizon_days: int = HORIZON_DAYS,
    margin_days: int = MARGIN_DAYS,
) -> list[Renewal]:
    """Return the certificates that expire within a horizon with the renewal of each, the most urgent first.

    Args:
        certificates: What is known of the account's orders, issued and pending, each once.
        local: The local orders.
        samples: How long orders of this account took.
        prospects: What is known of validations, domains and profiles.
        today: The day, in UTC.
        horizon_days: How far ahead.
        margin_days: How many days earlier than the latest an order is placed.
    """
    known = list(certificates)
    names = {details.ssl_id: names_of(details) for details in known}
    successors = _successors(known, names, local)
    usual = _remembering(samples)
    prospect = _Prospect(prospects, today)
    last = today + timedelta(days=horizon_days)
    found = []
    for certificate in known:
        expires = day_of(certificate.expires)
        if expires is None or not today <= expires <= last or classify(certificate.status) is not StatusClass.ISSUED:
            continue
        took = usual(certificate)
        by = order_by(expires, took, margin_days)
        successor = successors(certificate)
        timing = _timing(by, successor, today)
        holds = prospect.holds_up(certificate, names[certificate.ssl_id], by, took) if successor is None else ()
        found.append(Renewal(certificate, expires, by, took, timing, successor, holds))
    return sorted(found, key=_urgency)


def _urgency(renewal: Renewal) -> tuple[bool, date, date, int]:
    is_settled = renewal.timing is Timing.RENEWED
    return is_settled, renewal.order_by, renewal.expires, renewal.certificate.ssl_id


def _timing(by: date, successor: Successor | None, today: date) -> Timing:
    if successor is not None:
        return Timing.RENEWED if successor.is_issued else Timing.ORDERED
    if today > by:
        return Timing.LATE
    return Timing.DUE if (by - today).days <= DUE_DAYS else Timing.AHEAD


def day_of(moment: Moment | None) -> date | None:
    """Return the day of a moment, in UTC; a day is itself."""
    return moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment


def _remembering(samples: Sequence[Sample]) -> Callable[[Certificate], Usual]:
    """Return the figure for a certificate; each profile and organization is computed once."""
    figures: dict[tuple[int | None, int | None], Figure | None] = {}
    by_profile: dict[int | None, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_profile[sample.profile_id].append(sample)

    def usual(certificate: Certificate) -> Usual:
        key = certificate.profile_id, certificate.organization_id
        if key not in figures:
            figures[key] = figure(by_profile[key[0]], Leg.WHOLE, *key)
        return _usual(figures[key], certificate.validation)

    return usual


def names_of(details: Certificate) -> frozenset[str]:
    """Return the names that a certificate is for, as they compare."""
    return name_keys((details.common_name, *details.subject_alternative_names))


def _successors(
    known: Sequence[Certificate], names: Mapping[int, frozenset[str]], local: Iterable[Order]
) -> Callable[[Certificate], Successor | None]:
    """Return what finds the order that takes a certificate's place: by its names, or as it was renewed here."""
    by_names: dict[frozenset[str], list[Certificate]] = defaultdict(list)
    for details in known:
        by_names[names[details.ssl_id]].append(details)
    renewed_here: dict[int, list[Order]] = defaultdict(list)
    for order in local:
        if order.renews_ssl_id is not None:
            renewed_here[order.renews_ssl_id].append(order)

    def successor(certificate: Certificate) -> Successor | None:
        found = [
            Successor(other.ssl_id, other.status, other.expires, is_issued)
            for other in by_names[names[certificate.ssl_id]]
            if (is_issued := _takes_place(other, certificate)) is not None
        ]
        found += [
            Successor(order.ssl_id, order.scm_status or str(order.state), _end_of(order), _is_issued(order), order.id)
            for order in renewed_here[certificate.ssl_id]
            if order.is_waiting or _is_issued(order)
        ]
        if not found and certificate.renewed:
            return Successor(None, "renewed at SCM", is_issued=True)
        return max(found, key=lambda one: (one.is_issued, one.order_id != "", one.ssl_id or 0), default=None)

    return successor


def _takes_place(other: Certificate, certificate: Certificate) -> bool | None:
    """Return whether an order of the same names is issued with a later end; None where it takes no place."""
    if other.ssl_id == certificate.ssl_id:
        return None
    match classify(other.status):
        case StatusClass.ISSUED:
            ends, ended = day_of(other.expires), day_of(certificate.expires)
            return True if ends is not None and ended is not None and ends > ended else None
        case StatusClass.PENDING:
            # It ends later, being issued from now on: unless it is older than the certificate, and was forgotten.
            asked, issued = day_of(other.requested), day_of(certificate.issued)
            return False if asked is None or issued is None or asked >= issued else None
        case _:
            return None


def _is_issued(order: Order) -> bool:
    return classify(order.scm_status) is StatusClass.ISSUED if order.scm_status else False


def _end_of(order: Order) -> Moment | None:
    if order.certificate is not None:
        return order.certificate.not_after
    return order.details.expires if order.details is not None else None


class _Prospect:
    """Tells what would hold up a renewal."""

    def __init__(self, known: Prospects, today: date) -> None:
        self._known = known
        self._today = today
        self._domains = {name_key(one.domain.removeprefix("*.")): one for one in known.domains}
        self._profiles = {profile.id: profile for profile in known.profiles}
        self._undelegated = {name_key(name.removeprefix("*.")): why for name, why in known.undelegated.items()}

    def holds_up(self, certificate: Certificate, names: frozenset[str], by: date, took: Usual) -> tuple[HoldUp, ...]:
        issued_by = max(by, self._today) + timedelta(days=took.days)
        found = [*self._domain_holds(names, issued_by)] if self._domains or self._undelegated else []
        if certificate.validation != "DV":
            found += self._organization_holds(certificate, issued_by)
        profile = self._profiles.get(certificate.profile_id or 0)
        term = certificate.term_days
        if profile is not None and term and profile.terms_days and term not in profile.terms_days:
            offered = ", ".join(map(str, sorted(profile.terms_days)))
            what = f"{profile.name} no longer offers {term} days: order {offered} days"
            found.append(HoldUp(HoldUpKind.TERM, profile.name, "you", what))
        return tuple(found)

    def _domain_holds(self, names: frozenset[str], issued_by: date) -> Iterable[HoldUp]:
        told: set[str] = set()
        for name in sorted(names):
            base = name.removeprefix("*.")
            why = _covering(self._undelegated, base)
            if why is not None and why[0] not in told:
                told.add(why[0])
                yield HoldUp(HoldUpKind.DELEGATION, why[0], "SCM administrator", f"{why[0]}: {why[1]}")
            found = _covering(self._domains, base)
            if found is None or found[0] in told:
                continue
            domain, validation = found
            ends = day_of(validation.expires)
            if ends is not None and ends < issued_by:
                told.add(domain)
                what = f"the validation of {domain} ends {ends}: validate it again"
                yield HoldUp(HoldUpKind.DOMAIN, domain, "DNS owner", what, ends)

    def _organization_holds(self, certificate: Certificate, issued_by: date) -> Iterable[HoldUp]:
        level = certificate.validation or "OV"
        rows = [
            one
            for one in self._known.organizations.get(certificate.organization_id or 0, ())
            if one.level.upper().startswith(level)
        ]
        ends = [end for one in rows if (end := day_of(one.expires)) is not None]
        if ends and max(ends) < issued_by:
            name = f"organization {certificate.organization_id}"
            what = f"the {level} validation of {name} ends {max(ends)}: have it validated again"
            yield HoldUp(HoldUpKind.ORGANIZATION, name, "organization contact", what, max(ends))


def _covering(domains: Mapping[str, T], name: str) -> tuple[str, T] | None:
    labels = name.split(".")
    for start in range(len(labels)):
        domain = ".".join(labels[start:])
        if domain in domains:
            return domain, domains[domain]
    return None


PLANNED_WEEKS = 26
PLANNED_TERMS_DAYS = (199, 100, 47)
"""The longest terms of public certificates: now, from 15 March 2027, and from 15 March 2029."""


def orders_per_week(
    renewals: Iterable[Renewal], term_days: int, today: date, *, weeks: int = PLANNED_WEEKS, margin_days: int
) -> list[int]:
    """Return how many orders are to be placed in each of the coming weeks, if all certificates had one term.

    Args:
        renewals: The certificates with the last day to order each anew; one that is late is ordered today.
        term_days: The term of every new certificate.
        today: The first day of the first week.
        weeks: How many weeks.
        margin_days: How many days earlier than the latest an order is placed.
    """
    counts = [0] * weeks
    step = max(1, term_days - margin_days)
    for renewal in renewals:
        day = max(0, (renewal.order_by - today).days)
        if renewal.successor is not None:
            ends = day_of(renewal.successor.expires) or max(renewal.expires, today) + timedelta(days=term_days)
            day = max(0, (order_by(ends, renewal.usual, margin_days) - today).days)
        while day < weeks * 7:
            counts[day // 7] += 1
            day += step
    return counts
