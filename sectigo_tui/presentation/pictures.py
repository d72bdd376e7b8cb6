"""Figures drawn in characters: a line of values, a scale on which an order stands, and what was pending day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.status import waits_for_approval
from sectigo_tui.engine.diagnosis.normal import Comparison

_BARS = ("▁▂▃▄▅▆▇█", "12345678")
_SCALE_SIGNS = (("━", "─", "┃"), ("#", "-", "|"))
SCALE_CELLS = 30
DAYS = 30

BLOCKERS = ("you", "approver", "CA side")
"""Whom a status waits for, as far as it alone tells: the CA side is the CA, and whom it waits for itself."""


def bars(values: Iterable[float | None], *, is_ascii: bool, most: float | None = None) -> str:
    """Return values as a line of bars, one cell each; none for None, and nothing for zero.

    Args:
        values: From left to right.
        is_ascii: Whether they are drawn as digits.
        most: The value of the highest bar; the greatest value when not given.
    """
    listed = list(values)
    highest = most if most is not None else max((value for value in listed if value is not None), default=0.0)
    signs = _BARS[is_ascii]

    def bar(value: float | None) -> str:
        if value is None or value <= 0 or highest <= 0:
            return " "
        return signs[min(len(signs) - 1, int(value / highest * len(signs)))]

    return "".join(map(bar, listed))


def pace_scale(comparison: Comparison, *, is_ascii: bool, cells: int = SCALE_CELLS) -> str:
    """Return how long an order took so far on a scale on which p50 and p90 of its profile are marked.

    Args:
        comparison: The order beside the account's figure.
        is_ascii: Whether it is drawn without line characters.
        cells: Cells of the scale.

    Returns:
        `━━━━━━━━━┃━━━────┃────`; empty where there is no figure.
    """
    figure = comparison.figure
    if figure is None:
        return ""
    thick, thin, mark = _SCALE_SIGNS[is_ascii]
    elapsed, p50, p90 = comparison.elapsed.at_most_seconds, figure.p50.at_most_seconds, figure.p90.at_most_seconds
    longest = max(elapsed, p90 * 1.25, 1.0)
    line = [thick if at < max(1, round(elapsed / longest * cells)) else thin for at in range(cells)]
    for seconds in (p50, p90):
        line[min(cells - 1, int(seconds / longest * cells))] = mark
    return "".join(line)


def pending_by_day(entries: Sequence[TimelineEntry], now: datetime, *, is_all: bool) -> Mapping[str, list[int | None]]:
    """Return how many local orders were pending at the end of each of the last days, by whom they waited for.

    Args:
        entries: The newest entries of all timelines, oldest first.
        now: The time; today counts as it stands.
        is_all: Whether there are no older entries. If there are, the days before the first one are not known.

    Returns:
        For each of `BLOCKERS` a count a day, the last one today; None for a day that is not known.
    """
    days = [now.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    first_known = entries[0].at.date() if entries and not is_all else date.min
    counted: dict[str, list[int | None]] = {blocker: [] for blocker in BLOCKERS}
    waits: dict[str, str] = {}
    at = 0
    for day in days:
        while at < len(entries) and entries[at].at.date() <= day:
            _follow(waits, entries[at])
            at += 1
        counts = Counter(waits.values())
        for blocker in BLOCKERS:
            counted[blocker].append(counts[blocker] if day >= first_known else None)
    return counted


_OVER = frozenset(state for state in OrderState if not state.is_open)


def _follow(waits: dict[str, str], entry: TimelineEntry) -> None:
    """Take note of whom an order waits for after an entry of its timeline."""
    if not entry.order_id:
        return
    if entry.to_state in _OVER:
        waits.pop(entry.order_id, None)
    elif entry.to_state in (OrderState.UNCONFIRMED, OrderState.REVOKING):
        waits[entry.order_id] = "you"
    elif entry.to_state is not None and not (entry.scm_status == "" and entry.order_id in waits):
        is_approver = waits_for_approval(entry.scm_status)
        waits[entry.order_id] = "approver" if is_approver else "CA side"
