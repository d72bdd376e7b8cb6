"""Renewals as a screen, a script and a calendar read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from sectigo_tui.domain.certificates import Certificate
from sectigo_tui.engine.account.renewals import PLANNED_TERMS_DAYS, Renewal, Timing, orders_per_week
from sectigo_tui.presentation.filters import Term, compared, terms_filter
from sectigo_tui.presentation.json import Json, moment_json
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.text import printable

COLUMNS: Sequence[Column] = (
    Column("order_by", "ORDER BY", 9, align="right"),
    Column("expires", "EXPIRES", 10),
    Column("common_name", "COMMON NAME", 34, share=1, max_width=60),
    Column("holds_up", "HOLDS UP", 28, narrow_width=11, share=2, max_width=48, folds=True),
    Column("renewal", "RENEWAL", 24, narrow_width=10, share=2, max_width=40, folds=True),
    Column("validation", "VAL", 3, priority=3),
    Column("usually", "USUALLY", 16, priority=2),
    Column("ssl_id", "SSLID", 9, align="right", priority=4),
    Column("profile", "PROFILE", 12, share=2, max_width=30, priority=5),
)

_STYLES = {
    Timing.LATE: "failed",
    Timing.DUE: "warning",
    Timing.AHEAD: "",
    Timing.ORDERED: "pending",
    Timing.RENEWED: "done",
}


def order_by_text(renewal: Renewal, today: date) -> str:
    """Return the days until the last day to order: `in 12d`, `today` or `late 3d`."""
    days = renewal.days_left(today)
    if days < 0:
        return f"late {-days}d" if renewal.timing is Timing.LATE else f"{-days}d ago"
    return f"in {days}d" if days else "today"


def holds_up_text(renewal: Renewal) -> str:
    """Return what would hold a renewal up: who must act first, and how much more there is."""
    if not renewal.holds_up:
        return ""
    first, more = renewal.holds_up[0], len(renewal.holds_up) - 1
    when = f" ends {first.by:%m-%d}" if first.by is not None else ""
    return f"{first.who}: {printable(first.about, limit=80)}{when}{f' +{more}' if more else ''}"


def renewal_text(renewal: Renewal, blocked_on: Callable[[int], str] = lambda _ssl_id: "") -> str:
    """Return the order that takes a certificate's place: its sslId, status, and who blocks it.

    Args:
        renewal: The certificate's renewal.
        blocked_on: Returns who blocks a pending order; empty where that is not known.
    """
    successor = renewal.successor
    if successor is None:
        return ""
    name = str(successor.ssl_id) if successor.ssl_id is not None else successor.order_id
    blocker = blocked_on(successor.ssl_id) if successor.ssl_id is not None and not successor.is_issued else ""
    return " ".join(filter(None, ("->", name, printable(successor.status, limit=40), blocker and f"on {blocker}")))


BlockedOn = Callable[[int], str]
"""Returns who blocks a pending order; empty where that is not known."""


def renewal_cell(renewal: Renewal, key: str, today: date, blocked_on: BlockedOn = lambda _ssl_id: "") -> Cell:
    """Return what one cell shows.

    Args:
        renewal: The row.
        key: The column's key.
        today: The day, in UTC.
        blocked_on: Returns who blocks a pending order.
    """
    match key:
        case "order_by":
            return Cell(order_by_text(renewal, today), _STYLES[renewal.timing])
        case "renewal":
            return Cell(renewal_text(renewal, blocked_on), _STYLES[renewal.timing])
        case _:
            return _CELLS[key](renewal)


_CELLS: dict[str, Callable[[Renewal], Cell]] = {
    "expires": lambda one: Cell(one.expires.isoformat()),
    "common_name": lambda one: Cell(one.certificate.common_name or "-"),
    "validation": lambda one: Cell(one.certificate.validation),
    "usually": lambda one: Cell(one.usual.text, "muted" if one.usual.is_default else ""),
    "holds_up": lambda one: Cell(holds_up_text(one), "warning"),
    "ssl_id": lambda one: Cell(str(one.certificate.ssl_id), "muted"),
    "profile": lambda one: Cell(one.certificate.profile_name, "muted"),
}

SORTS: dict[str, Callable[[Renewal], tuple[object, ...]]] = {
    "order_by": lambda one: (one.timing is Timing.RENEWED, one.order_by),
    "expires": lambda one: (one.expires,),
    "common_name": lambda one: (one.certificate.common_name.casefold(),),
    "validation": lambda one: (one.certificate.validation,),
    "usually": lambda one: (one.usual.days, one.usual.n),
    "holds_up": lambda one: (not one.holds_up, holds_up_text(one)),
    "renewal": lambda one: (one.successor is not None, renewal_text(one)),
    "ssl_id": lambda one: (one.certificate.ssl_id,),
    "profile": lambda one: (one.certificate.profile_name.casefold(),),
}
"""What each column is sorted by."""


TERMS = (
    Term("late", "late", "the last safe day to order has passed"),
    Term("due", "due", "to be ordered within a week"),
    Term("ahead", "ahead", "there is time"),
    Term("ordered", "ordered", "a renewal is pending"),
    Term("renewed", "renewed", "its renewal is issued"),
    Term("holds", "holds", "something would hold the renewal up"),
    Term("on:", "on:dns", "who must act before the order exists", ("dns", "organization", "scm", "you")),
    Term("val:", "val:ev", "the validation level", ("dv", "ov", "ev")),
    Term("by<", "by<14d", "the last day to order is within that time", ("7d", "14d", "30d")),
    Term("left<", "left<30d", "it expires within that time", ("7d", "30d", "60d")),
    Term("name:", "name:shop", "one of its names"),
    Term("id:", "id:88000", "the sslId, of it or of its renewal"),
    Term("profile:", "profile:multi", "the certificate profile"),
)
"""The terms of a filter of renewals, in the order in which they are offered."""

_DAY_SECONDS = 86_400.0
_TIMINGS = frozenset(map(str, Timing))


class RenewalFilter:
    """What an operator typed to find renewals.

    Args:
        query: Words and terms that must all hold; it takes `!` and `one|other` as the filter of orders does.
        today: The day, in UTC.

    Attributes:
        error_text: What is wrong with it, and what would be right; empty where nothing is. Such a term finds nothing.
    """

    def __init__(self, query: str, today: date) -> None:
        self.error_text = ""
        self._today = today
        self.test = terms_filter(query, self._term)

    def _term(self, word: str) -> Callable[[Renewal], bool]:
        if word in _TIMINGS:
            return lambda one: one.timing == word
        if word == "holds":
            return lambda one: bool(one.holds_up)
        name, colon, value = word.partition(":")
        if colon and name in _TEXTS:
            return lambda one: any(value in text.casefold() for text in _TEXTS[name](one))
        comparison = compared(word)
        if comparison is None or comparison[0] not in ("by", "left"):
            return lambda one: self._has(one, word)
        measure, holds = comparison
        if holds is None:
            if word[-1] not in "<>=":
                self.error_text = f"{measure} takes a time such as 7d or 2w."
            return lambda _one: word[-1] in "<>="
        return lambda one: holds(self._days(one, measure) * _DAY_SECONDS)

    def _days(self, renewal: Renewal, measure: str) -> int:
        return renewal.days_left(self._today) if measure == "by" else (renewal.expires - self._today).days

    def _has(self, renewal: Renewal, word: str) -> bool:
        cells = (renewal_cell(renewal, column.key, self._today).text for column in COLUMNS)
        return word in f"{' '.join((*cells, *_TEXTS['name'](renewal)))} {renewal.timing}".casefold()


_TEXTS: dict[str, Callable[[Renewal], Iterable[str]]] = {
    "on": lambda one: (hold.who for hold in one.holds_up),
    "val": lambda one: (one.certificate.validation,),
    "name": lambda one: (one.certificate.common_name, *one.certificate.subject_alternative_names),
    "id": lambda one: (str(one.certificate.ssl_id), str(one.successor.ssl_id if one.successor is not None else "")),
    "profile": lambda one: (one.certificate.profile_name,),
}


def renewal_json(renewal: Renewal, today: date) -> dict[str, Json]:
    """Return a certificate's renewal for a script; days are days, unknown facts are null."""
    certificate, successor = renewal.certificate, renewal.successor
    return {
        "ssl_id": certificate.ssl_id,
        "common_name": certificate.common_name or None,
        "subject_alternative_names": list(certificate.subject_alternative_names),
        "profile_id": certificate.profile_id,
        "profile_name": certificate.profile_name or None,
        "organization_id": certificate.organization_id,
        "validation": certificate.validation or None,
        "term_days": certificate.term_days,
        "expires": moment_json(certificate.expires),
        "order_by": renewal.order_by.isoformat(),
        "days_left": renewal.days_left(today),
        "timing": renewal.timing,
        "usual_days": renewal.usual.days,
        "usual_n": renewal.usual.n,
        "usual_is_default": renewal.usual.is_default,
        "holds_up": [
            {
                "kind": one.kind,
                "about": one.about,
                "who": one.who,
                "what": one.what,
                "by": one.by.isoformat() if one.by is not None else None,
            }
            for one in renewal.holds_up
        ],
        "renewal": None
        if successor is None
        else {
            "ssl_id": successor.ssl_id,
            "order_id": successor.order_id or None,
            "scm_status": successor.status or None,
            "expires": moment_json(successor.expires),
            "is_issued": successor.is_issued,
        },
    }


def detail_lines(renewal: Renewal, today: date) -> Iterator[tuple[str, str]]:
    """Return what there is to say of a renewal, as labels and untrusted texts."""
    yield "Order by", f"{renewal.order_by} ({order_by_text(renewal, today)}): {renewal.timing}"
    yield "Expires", f"{renewal.expires}"
    rests_on = f"of {renewal.usual.n} orders here" if not renewal.usual.is_default else f"default, n={renewal.usual.n}"
    yield "Usually", f"{renewal.usual.days} days or less ({rests_on})"
    for one in renewal.holds_up:
        yield "Holds up", f"{one.who}: {one.what}"
    if renewal.successor is not None:
        yield "Renewal", renewal_text(renewal)


_BAR_CELLS = 16


def calendar_lines(
    renewals: Sequence[Renewal], today: date, *, margin_days: int, glyph: str = "#", weeks_shown: int | None = None
) -> list[str]:
    """Return the orders to place in each of the coming weeks, as bars, with terms of several lengths beside each other.

    Args:
        renewals: The certificates in use with their renewals.
        today: The first day of the first week.
        margin_days: How many days earlier than the latest an order is placed.
        glyph: What a bar is drawn with.
        weeks_shown: How many weeks; all when None.
    """
    plans = [orders_per_week(renewals, term, today, margin_days=margin_days) for term in PLANNED_TERMS_DAYS]
    most = max((max(plan) for plan in plans), default=0) or 1
    cells = _BAR_CELLS
    heads = "".join(f"{f'terms of {term}':<{cells + 6}}" for term in PLANNED_TERMS_DAYS)
    lines = [f"{'week of':<12}{heads}".rstrip()]
    for week, counts in enumerate(zip(*plans, strict=True)):
        if weeks_shown is not None and week >= weeks_shown:
            break
        bars = "".join(f"{count:>4} {_bar(count, most, cells, glyph):<{cells + 1}}" for count in counts)
        lines.append(f"{today + timedelta(weeks=week)}  {bars}".rstrip())
    totals = "".join(f"{sum(plan):>4} {'orders':<{cells + 1}}" for plan in plans)
    lines.append(f"{'in all':<12}{totals}".rstrip())
    return lines


def _bar(count: int, most: int, cells: int, glyph: str) -> str:
    return glyph * max(1, round(count * cells / most)) if count else ""


_LINE_OCTETS = 75


def icalendar(renewals: Iterable[Renewal], now: datetime) -> str:
    """Return the last days to order as an iCalendar file of all-day events (RFC 5545).

    Args:
        renewals: The certificates; those that are ordered or renewed already are left out.
        now: When it is made.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//sectigo-tui//renewals//EN"]
    for renewal in renewals:
        if renewal.successor is not None:
            continue
        certificate = renewal.certificate
        day = renewal.order_by
        about = "; ".join(f"{label}: {text}" for label, text in detail_lines(renewal, now.astimezone(UTC).date()))
        lines += [
            "BEGIN:VEVENT",
            f"UID:renewal-{certificate.ssl_id}-{renewal.expires:%Y%m%d}@sectigo-tui",
            f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(f'Order the renewal of {_name(certificate)}')}",
            f"DESCRIPTION:{_escaped(f'sslId {certificate.ssl_id}; {about}')}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _name(certificate: Certificate) -> str:
    return certificate.common_name or f"sslId {certificate.ssl_id}"


def _escaped(text: str) -> str:
    """Return a text's value as RFC 5545, 3.3.11 writes it."""
    plain = printable(text, limit=2_000)
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> Iterator[str]:
    """Return a line in parts of at most 75 octets, as RFC 5545, 3.1 folds it."""
    part, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LINE_OCTETS:
            yield part
            part, size = " ", 1
        part += character
        size += octets
    yield part
