"""The columns of the order tables: what each shows of a subject."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sectigo_tui.domain.clock import Clock, Moment
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import Look, LookOutcome, PollWindow, WaitReason, WindowEnd
from sectigo_tui.domain.values import dataclass
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.glyphs import Glyphs, order_look, status_look
from sectigo_tui.ui.key_names import DEFAULT_NAMES
from sectigo_tui.ui.widgets.live_table_columns import Column
from sectigo_tui.ui.widgets.live_table_paint import Cell

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser

BLOCKED_CELLS = 12
"""As many as a verdict's cell has."""

COLUMNS = (
    Column("next", "NEXT", fmt.COUNTDOWN_WIDTH, ticking=True),
    Column(
        "deadline",
        "DEADLINE",
        fmt.DEADLINE_WIDTH,
        narrow_width=fmt.DEADLINE_SHORT_WIDTH,
        narrow_priority=6,
        priority=4,
        ticking=True,
    ),
    Column("age", "AGE", fmt.AGE_WIDTH, align="right", ticking=True),
    Column("state", "STATE", 5),
    Column("blocked", "BLOCKED ON", BLOCKED_CELLS, priority=2),
    Column("ssl_id", "SSLID", 9, priority=3, align="right"),
    Column("common_name", "COMMON NAME", 30, narrow_width=20, narrow_priority=7, share=3, max_width=48, priority=1),
    Column("validation", "VAL", 3, priority=5),
    Column("last", "LAST", 10, narrow_width=7, narrow_priority=6, share=2, max_width=48, priority=6),
    Column("tries", "TRIES", 5, priority=7, align="right"),
    Column("outage", "OUTAGE", 10, priority=8),
    Column("profile", "PROFILE", 14, share=1, max_width=32, priority=9),
)
"""Ticking columns stand at the left: a changed cell costs the bytes of all that stands before it in its row."""

AGE_STEP_SECONDS = 10
STALE_INTERVALS = 2.0
OUTAGE_SOON_DAYS = 7
_STOPPED = "stopped: {view.poll} polls again"


@dataclass(frozen=True, slots=True)
class Now:
    """What a row's cells depend on besides its subject.

    Args:
        clock: The time.
        glyphs: The shapes of this terminal.
        refresh_seconds: The time between two listings of the account.
        is_looking: Tells whether a look at a local order is on its way.
        is_paused: Tells whether SCM has refused the credentials.
        diagnoser: Returns what says who orders wait for; None before the engine runs, for the first paint waits for
            nothing that is slow to load.
        hint: Fills in a text's keys.
    """

    clock: Clock
    glyphs: Glyphs
    refresh_seconds: float
    is_looking: Callable[[str], bool]
    is_paused: Callable[[], bool]
    diagnoser: Callable[[], Diagnoser | None]
    hint: Callable[[str], str] = DEFAULT_NAMES.fill


def cell(subject: Subject, key: str, width: int, now: Now) -> Cell:
    """Return what one cell shows.

    Args:
        subject: The row.
        key: The column's key.
        width: The cells there are.
        now: The time and what else is not the subject's.
    """
    return _CELLS[key](subject, width, now)


def _state(subject: Subject, _width: int, now: Now) -> Cell:
    look = order_look(subject.order.state, subject.status) if subject.order else status_look(subject.status)
    if subject.order is None and not subject.status:
        return Cell("...", "muted")
    return Cell(look.text(now.glyphs), look.style)


def _next(subject: Subject, _width: int, now: Now) -> Cell:
    order = subject.order
    chore = _chore_at(order) if order is not None else None
    if chore is not None:
        left = (chore - now.clock.now()) / timedelta(seconds=1)
        return Cell(fmt.next_word("auth"), "failed") if now.is_paused() else Cell(fmt.countdown(max(left, 0.0)))
    if order is None or not order.state.is_polled or order.window is None:
        return Cell(fmt.next_word("-"), "muted")
    if now.is_looking(order.id):
        return Cell(fmt.next_word("poll"), "strong")
    if order.window.next_look_at is None:
        return Cell(fmt.next_word("hold"), "warning")
    if now.is_paused():
        return Cell(fmt.next_word("auth"), "failed")
    return _countdown(order.window, order.window.next_look_at, now)


def _chore_at(order: Order) -> datetime | None:
    """Return when SCM is asked about a revocation or a lost order again; None where nothing of that is due."""
    if order.state is OrderState.REVOKING and order.revocation is not None:
        return order.revocation.next_attempt_at
    if order.state is OrderState.UNCONFIRMED and order.placement is not None:
        return order.placement.next_search_at
    return None


def _countdown(window: PollWindow, next_look_at: datetime, now: Now) -> Cell:
    left = (next_look_at - now.clock.now()) / timedelta(seconds=1)
    if left <= 0:
        return Cell(fmt.next_word("poll"))
    if window.reason is WaitReason.RETRY_AFTER:
        return Cell(fmt.next_word("429"), "warning")
    return Cell(fmt.countdown(left))


def _deadline(subject: Subject, width: int, now: Now) -> Cell:
    order = subject.order
    if order is None or order.window is None or not order.state.is_polled:
        return Cell("", "muted")
    window = order.window
    if window.ended is WindowEnd.STOPPED:
        return Cell(now.hint("stopped: {view.poll}" if width < fmt.DEADLINE_WIDTH else _STOPPED), "warning")
    if window.ended is WindowEnd.DEADLINE:
        return Cell(fmt.deadline_bar(0, window.deadline_seconds, width=width), "warning")
    remaining = _remaining(window, now)
    near = fmt.urgency(remaining, window.deadline_seconds)
    return Cell(
        fmt.deadline_bar(remaining, window.deadline_seconds, width=width), "warning" if near >= fmt.Urgency.SOON else ""
    )


def _remaining(window: PollWindow, now: Now) -> float:
    return (window.deadline_at - now.clock.now()) / timedelta(seconds=1)


def _age(subject: Subject, _width: int, now: Now) -> Cell:
    return Cell(age_text(subject.requested, now.clock.now(), is_stale=is_stale(subject, now)))


def age_text(moment: Moment | None, at: datetime, *, is_stale: bool = False) -> str:
    """Return how long ago something was; days alone where only the day is known.

    Args:
        moment: When it was; None where that is unknown.
        at: The time to count to.
        is_stale: Whether the text is marked `~`.
    """
    if moment is None:
        return fmt.age(None)
    if isinstance(moment, datetime):
        return fmt.age((at - moment) / timedelta(seconds=1), is_stale=is_stale, step_seconds=AGE_STEP_SECONDS)
    days = (at.date() - moment).days
    text = f"{days}d" if days > 0 else "<1d"
    return f"{'~' if is_stale else ''}{text}".rjust(fmt.AGE_WIDTH)


def is_stale(subject: Subject, now: Now) -> bool:
    """Return whether a row is older than twice the interval at which it should be looked at, or could not be."""
    if subject.known_at is None:
        return False
    order = subject.order
    interval = now.refresh_seconds
    if order is not None:
        if not order.state.is_polled:
            return False
        if order.window is None or not order.window.is_open:
            return True
        if order.last_look is not None and not order.last_look.outcome.is_answer:
            return True
        interval = max(order.window.wait_seconds, 5.0)
    return (now.clock.now() - subject.known_at) / timedelta(seconds=1) > STALE_INTERVALS * interval


def _blocked(subject: Subject, _width: int, now: Now) -> Cell:
    diagnoser = now.diagnoser()
    if diagnoser is None or not subject.is_open or (target := subject.target) is None:
        return Cell("")
    from sectigo_tui.engine.diagnosis.findings import Party

    verdict = diagnoser.cheap(target)
    style = {Party.UNKNOWN: "muted", Party.NOBODY_YET: "muted", Party.YOU: "waiting", Party.APPROVER: "waiting"}
    return Cell(verdict.cell, style.get(verdict.party, ""))


def outage_end(subject: Subject, now: Now) -> Moment | None:
    """Return when the certificate ends that an order takes the place of; None where there is none, or not known."""
    diagnoser = now.diagnoser()
    if diagnoser is None or not subject.is_open or (target := subject.target) is None:
        return None
    outage = diagnoser.outage(target)
    return outage.expires if outage is not None else None


def _outage(subject: Subject, _width: int, now: Now) -> Cell:
    expires = outage_end(subject, now)
    if expires is None:
        return Cell("")
    day = expires.date() if isinstance(expires, datetime) else expires
    days = (day - now.clock.now().date()).days
    if days < 0:
        return Cell("ended", "failed")
    return Cell(f"in {days}d" if days else "today", "warning" if days <= OUTAGE_SOON_DAYS else "")


def _ssl_id(subject: Subject, _width: int, _now: Now) -> Cell:
    return Cell("-" if subject.ssl_id is None else str(subject.ssl_id), "" if subject.order else "muted")


def _common_name(subject: Subject, _width: int, _now: Now) -> Cell:
    return Cell(subject.common_name or "-")


def _validation(subject: Subject, _width: int, _now: Now) -> Cell:
    return Cell(subject.validation)


def _profile(subject: Subject, _width: int, _now: Now) -> Cell:
    return Cell(subject.profile, "muted")


def _tries(subject: Subject, _width: int, _now: Now) -> Cell:
    window = subject.order.window if subject.order else None
    return Cell(str(window.looks) if window else "")


def _last(subject: Subject, _width: int, _now: Now) -> Cell:
    order = subject.order
    if order is None:
        return Cell(subject.status or "remote", "muted")
    if order.last_look is None:
        return Cell(order.refusal or "not looked at yet", "muted")
    return Cell(look_text(order.last_look), "" if order.last_look.outcome.is_answer else "warning")


def look_text(look: Look) -> str:
    """Return what a look came to, in a few words."""
    match look.outcome:
        case LookOutcome.PENDING | LookOutcome.FINAL:
            return look.detail
        case LookOutcome.NOT_READY:
            return f"not ready ({look.code})" if look.code is not None else "not ready"
        case LookOutcome.ISSUED | LookOutcome.COLLECTED:
            return str(look.outcome)
        case LookOutcome.REFUSED:
            return f"refused {look.code if look.code is not None else look.http_status}: {look.detail}"
        case LookOutcome.SERVER_FAILURE:
            return f"{look.http_status} {look.detail}"
        case _:
            return f"{look.outcome}: {look.detail}" if look.detail else str(look.outcome)


_CELLS: dict[str, Callable[[Subject, int, Now], Cell]] = {
    "blocked": _blocked,
    "outage": _outage,
    "state": _state,
    "next": _next,
    "deadline": _deadline,
    "age": _age,
    "ssl_id": _ssl_id,
    "common_name": _common_name,
    "validation": _validation,
    "profile": _profile,
    "tries": _tries,
    "last": _last,
}
