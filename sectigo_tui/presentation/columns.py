"""The columns of the order tables: what each shows of a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from sectigo_tui.domain.clock import Clock, Moment
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WaitReason, WindowEnd
from sectigo_tui.presentation.format import (
    AGE_WIDTH,
    COUNTDOWN_WIDTH,
    DEADLINE_SHORT_WIDTH,
    DEADLINE_WIDTH,
    Urgency,
    age,
    countdown,
    deadline_bar,
    next_word,
    urgency,
)
from sectigo_tui.presentation.glyphs import ASCII, STATE_CELLS, Glyphs, order_glyph, status_glyph
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.table_columns import Cell, Column

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser

BLOCKED_CELLS = 12
"""As many as a verdict's cell has."""

COLUMNS = (
    Column(
        "next",
        "NEXT",
        COUNTDOWN_WIDTH,
        folds=True,
        ticking=True,
        meaning="The time until the next poll, or a word for why there is none.",
    ),
    Column(
        "deadline",
        "DEADLINE",
        DEADLINE_WIDTH,
        narrow_width=DEADLINE_SHORT_WIDTH,
        narrow_priority=5,
        share=1,
        max_width=30,
        priority=2,
        folds=True,
        ticking=True,
        meaning="How much of the polling window is spent, and what is left of it.",
    ),
    Column(
        "age",
        "AGE",
        AGE_WIDTH,
        align="right",
        ticking=True,
        meaning="How long ago it was requested; ~ where it was not polled in time.",
    ),
    Column(
        "state",
        "STATE",
        STATE_CELLS,
        narrow_width=5,
        narrow_priority=10,
        meaning="The state: a code, a shape and, where there is room, a word.",
    ),
    Column(
        "blocked", "BLOCKED ON", BLOCKED_CELLS, priority=1, meaning="Who must act; {app.diagnose} shows the evidence."
    ),
    Column("ssl_id", "SSLID", 9, priority=3, align="right", meaning="SCM's id of the order; grey for a remote one."),
    Column(
        "common_name",
        "COMMON NAME",
        34,
        narrow_width=20,
        narrow_priority=2,
        share=3,
        max_width=60,
        meaning="The certificate's common name.",
    ),
    Column("validation", "VAL", 3, priority=4, folds=True, meaning="The validation level: DV, OV or EV."),
    Column(
        "last",
        "LAST",
        10,
        narrow_width=7,
        narrow_priority=6,
        share=2,
        max_width=48,
        priority=6,
        folds=True,
        meaning="The outcome of the last poll.",
    ),
    Column(
        "attempts",
        "TRIES",
        5,
        priority=7,
        align="right",
        folds=True,
        meaning="The attempts: how many polls the window has made.",
    ),
    Column(
        "in_use",
        "OUTAGE",
        10,
        priority=8,
        folds=True,
        meaning="When the certificate in use ends, which this order takes the place of.",
    ),
    Column("profile", "PROFILE", 14, share=2, max_width=32, priority=9, folds=True, meaning="The certificate profile."),
    Column("owner", "OWNER", 8, priority=10, folds=True, meaning="Who attends to the order; {app.own} changes it."),
)
"""Ticking columns stand at the left: a changed cell costs the bytes of all that stands before it in its row."""

AGE_STEP_SECONDS = 10
STALE_INTERVALS = 2.0
OUTAGE_SOON_DAYS = 7
_ENDED = {
    WindowEnd.STOPPED: ("stopped: {view.poll} goes on", "stop: {view.poll}"),
    WindowEnd.DEADLINE: ("passed: {app.longer} goes on", "past: {app.longer}"),
}
"""What an ended window says, and where there is little room."""


class RowContext(Struct, frozen=True):
    """What a row's cells depend on besides the row itself.

    Args:
        clock: The time.
        glyphs: The shapes of this terminal.
        refresh_seconds: The time between two listings of the account.
        is_polling: Tells whether a local order is being polled.
        is_paused: Tells whether polling is paused, since SCM has rejected the credentials.
        diagnoser: Returns what says who orders wait for; None before the engine runs, for the first paint waits for
            nothing that is slow to load.
        hint: Fills in a text's keys.
    """

    clock: Clock
    glyphs: Glyphs
    refresh_seconds: float
    is_polling: Callable[[str], bool]
    is_paused: Callable[[], bool]
    diagnoser: Callable[[], Diagnoser | None]
    hint: Callable[[str], str] = str


def cell(row: OrderRow, key: str, width: int, now: RowContext) -> Cell:
    """Return what one cell shows.

    Args:
        row: The row.
        key: The column's key.
        width: The cells there are.
        now: The time and what else is not the subject's.
    """
    return _CELLS[key](row, width, now)


def _state(row: OrderRow, width: int, now: RowContext) -> Cell:
    glyph = order_glyph(row.order.state, row.status) if row.order else status_glyph(row.status)
    if row.order is None and not row.status:
        return Cell("...", "muted")
    return Cell(glyph.in_words(now.glyphs) if width >= STATE_CELLS else glyph.text(now.glyphs), glyph.style)


def _next(row: OrderRow, _width: int, now: RowContext) -> Cell:
    order = row.order
    pending_write = _pending_write_at(order) if order is not None else None
    if pending_write is not None:
        left = (pending_write - now.clock.now()) / timedelta(seconds=1)
        return Cell(next_word("auth"), "failed") if now.is_paused() else Cell(countdown(max(left, 0.0)))
    if order is None or not order.state.is_polled or order.window is None:
        return Cell(next_word("-"), "muted")
    if now.is_polling(order.id):
        return Cell(next_word("poll"), "strong")
    if order.window.next_poll_at is None:
        return Cell(next_word("hold"), "warning")
    if now.is_paused():
        return Cell(next_word("auth"), "failed")
    return _countdown(order.window, order.window.next_poll_at, now)


def _pending_write_at(order: Order) -> datetime | None:
    """Return when SCM is asked about a revocation or a lost order again; None where nothing of that is due."""
    if order.state is OrderState.REVOKING and order.revocation is not None:
        return order.revocation.next_attempt_at
    if order.state is OrderState.UNCONFIRMED and order.pending_enroll is not None:
        return order.pending_enroll.next_search_at
    return None


def _countdown(window: PollWindow, next_poll_at: datetime, now: RowContext) -> Cell:
    left = (next_poll_at - now.clock.now()) / timedelta(seconds=1)
    if left <= 0:
        return Cell(next_word("poll"))
    if window.reason is WaitReason.RETRY_AFTER:
        return Cell(next_word("429"), "warning")
    return Cell(countdown(left))


def _deadline(row: OrderRow, width: int, now: RowContext) -> Cell:
    order = row.order
    if order is None or order.window is None or not order.state.is_polled:
        return Cell("", "muted")
    window = order.window
    if window.ended in _ENDED:
        return Cell(now.hint(_ENDED[window.ended][width < DEADLINE_WIDTH]), "warning")
    if window.until_issued:
        return Cell("until issued" if width >= DEADLINE_WIDTH else "no end", "muted")
    remaining = _remaining(window, now)
    near = urgency(remaining, window.deadline_seconds)
    bar = deadline_bar(remaining, window.deadline_seconds, width=width, is_ascii=now.glyphs is ASCII)
    return Cell(bar, "" if near is Urgency.CALM else "warning" if near is Urgency.SOON else "failed")


def _remaining(window: PollWindow, now: RowContext) -> float:
    return (window.deadline_at - now.clock.now()) / timedelta(seconds=1)


def _age(row: OrderRow, _width: int, now: RowContext) -> Cell:
    return Cell(age_text(row.requested, now.clock.now(), is_stale=is_stale(row, now)))


def age_text(moment: Moment | None, at: datetime, *, is_stale: bool = False) -> str:
    """Return how long ago something was; days alone where only the day is known.

    Args:
        moment: When it was; None where that is unknown.
        at: The time to count to.
        is_stale: Whether the text is marked `~`.
    """
    if moment is None:
        return age(None)
    if isinstance(moment, datetime):
        return age((at - moment) / timedelta(seconds=1), is_stale=is_stale, step_seconds=AGE_STEP_SECONDS)
    days = (at.date() - moment).days
    text = f"{days}d" if days > 0 else "<1d"
    return f"{'~' if is_stale else ''}{text}".rjust(AGE_WIDTH)


def is_stale(row: OrderRow, now: RowContext) -> bool:
    """Return whether a row is older than twice the interval at which it should be refreshed, or could not be."""
    if row.known_at is None:
        return False
    order = row.order
    interval = now.refresh_seconds
    if order is not None:
        if not order.state.is_polled:
            return False
        if order.window is None or not order.window.is_open:
            return True
        if order.last_poll is not None and not order.last_poll.outcome.is_answer:
            return True
        interval = max(order.window.wait_seconds, 5.0)
    return (now.clock.now() - row.known_at) / timedelta(seconds=1) > STALE_INTERVALS * interval


def _blocked(row: OrderRow, _width: int, now: RowContext) -> Cell:
    diagnoser = now.diagnoser()
    if diagnoser is None or not row.is_open or (target := row.target) is None:
        return Cell("")
    from sectigo_tui.engine.diagnosis.rules.causes import Party

    verdict = diagnoser.cheap(target)
    style = {Party.UNKNOWN: "muted", Party.NOBODY_YET: "muted", Party.YOU: "waiting", Party.APPROVER: "waiting"}
    return Cell(verdict.cell, style.get(verdict.party, ""))


def outage_end(row: OrderRow, now: RowContext) -> Moment | None:
    """Return when the certificate ends that an order takes the place of; None where there is none, or not known."""
    diagnoser = now.diagnoser()
    if diagnoser is None or not row.is_open or (target := row.target) is None:
        return None
    outage = diagnoser.outage(target)
    return outage.expires if outage is not None else None


def is_slow(row: OrderRow, now: RowContext) -> bool:
    """Return whether an order is pending for longer than 9 of 10 orders of its profile took, by what is known."""
    diagnoser = now.diagnoser()
    if diagnoser is None or not row.is_open:
        return False
    from sectigo_tui.engine.diagnosis.normal import Pace

    compared = diagnoser.whole(row.order, row.details, row.requested)
    return compared is not None and compared.pace is Pace.SLOW


def ends_soon(row: OrderRow, now: RowContext) -> bool:
    """Return whether the certificate in use ends within a week, or has ended, that an order takes the place of."""
    days = _days_in_use(row, now)
    return days is not None and days <= OUTAGE_SOON_DAYS


def _days_in_use(row: OrderRow, now: RowContext) -> int | None:
    expires = outage_end(row, now)
    if expires is None:
        return None
    day = expires.date() if isinstance(expires, datetime) else expires
    return (day - now.clock.now().date()).days


def _in_use(row: OrderRow, _width: int, now: RowContext) -> Cell:
    days = _days_in_use(row, now)
    if days is None:
        return Cell("")
    if days < 0:
        return Cell("ended", "failed")
    return Cell(f"in {days}d" if days else "today", "warning" if days <= OUTAGE_SOON_DAYS else "")


def _ssl_id(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    return Cell("-" if row.ssl_id is None else str(row.ssl_id), "" if row.order else "muted")


def _common_name(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    return Cell(row.common_name or "-")


def _validation(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    return Cell(row.validation)


def _profile(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    return Cell(row.profile, "muted")


def _owner(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    return Cell("you", "waiting") if row.is_yours else Cell(row.owner)


def _attempts(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    window = row.order.window if row.order else None
    return Cell(str(window.attempts) if window else "")


def _last(row: OrderRow, _width: int, _now: RowContext) -> Cell:
    order = row.order
    if order is None:
        return Cell(row.status or "remote", "muted")
    if order.last_poll is None:
        return Cell(order.rejection or "not polled yet", "muted")
    return Cell(poll_text(order.last_poll), "" if order.last_poll.outcome.is_answer else "warning")


def poll_text(poll: PollResult) -> str:
    """Return a poll's outcome in a few words."""
    match poll.outcome:
        case PollOutcome.PENDING | PollOutcome.FINAL:
            return poll.detail
        case PollOutcome.NOT_READY:
            return f"not ready ({poll.code})" if poll.code is not None else "not ready"
        case PollOutcome.ISSUED | PollOutcome.COLLECTED:
            return str(poll.outcome)
        case PollOutcome.REFUSED:
            return f"refused {poll.code if poll.code is not None else poll.http_status}: {poll.detail}"
        case PollOutcome.SERVER_FAILURE:
            return f"{poll.http_status} {poll.detail}"
        case _:
            return f"{poll.outcome}: {poll.detail}" if poll.detail else str(poll.outcome)


_CELLS: dict[str, Callable[[OrderRow, int, RowContext], Cell]] = {
    "blocked": _blocked,
    "in_use": _in_use,
    "state": _state,
    "next": _next,
    "deadline": _deadline,
    "age": _age,
    "ssl_id": _ssl_id,
    "common_name": _common_name,
    "validation": _validation,
    "profile": _profile,
    "attempts": _attempts,
    "last": _last,
    "owner": _owner,
}
