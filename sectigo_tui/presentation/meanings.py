"""What the columns, and the values in them, mean: for whoever asks where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.presentation.columns import COLUMNS, RowContext, cell, is_stale
from sectigo_tui.presentation.glyphs import order_glyph, status_glyph
from sectigo_tui.presentation.rows import OrderRow

NEXT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "poll": "It is being polled, or is due.",
        "hold": "Polling has ended, and it is still pending: {view.poll} starts it again.",
        "429": "Rate limited: SCM asked to wait until the next poll.",
        "auth": "Paused: SCM rejected the credentials.",
        "-": "It is not polled: it is remote ({view.track} tracks it), or over.",
    }
)
"""What stands in NEXT where no time does."""

PARTIES: Mapping[str, str] = MappingProxyType(
    {
        "you": "The operator of this program: it can be settled from here.",
        "an SCM approver": "An administrator of SCM who may approve or decline the order.",
        "the DNS owner": "Whoever may change the domain's DNS: the CA checks there that the domain is yours (DCV).",
        "the organization contact": "Whom the CA asks to validate the organization.",
        "the CA": "Sectigo: all that it needs is there. {app.escalate} has the facts for its support.",
        "nobody yet": "It goes on by itself, and nobody can hurry it.",
        "nobody": "Nothing is left to wait for.",
        "unknown": "The evidence does not settle it; {app.diagnose} asks for more.",
    }
)
"""Who an order can wait for."""

SHORT_PARTIES: Mapping[str, str] = MappingProxyType(
    {
        "an SCM approver": "approver",
        "the DNS owner": "DNS owner",
        "the organization contact": "org contact",
        "the CA": "CA",
    }
)
"""How BLOCKED ON names some of them."""

TAUGHT = ("state", "blocked", "next", "deadline", "age")
"""The columns whose values need words, the most urgent first."""


class Meaning(NamedTuple):
    """What a column, or a value in it, means.

    Args:
        title: The column's title.
        value: What stands in it; empty for the column alone. Untrusted text.
        text: What that means; keys are named by their actions.
    """

    title: str
    value: str
    text: str


def meanings_of(row: OrderRow, now: RowContext, keys: Sequence[str] = TAUGHT) -> list[Meaning]:
    """Return what the values of a row mean.

    Args:
        row: The row.
        now: The time and what else its cells depend on.
        keys: The columns asked about.

    Returns:
        One for each column whose value does not say all by itself.
    """
    titles = {column.key: column.title for column in COLUMNS}
    found = []
    for key in keys:
        value = cell(row, key, _CELLS_ASKED, now).text.strip()
        text = _value_meaning(row, key, value, now)
        if text:
            # A bar is no word.
            found.append(Meaning(titles[key], "" if key == "deadline" else value, text))
    return found


_CELLS_ASKED = 18
"""As many as the state takes with its word, and the deadline with its time."""


def _value_meaning(row: OrderRow, key: str, value: str, now: RowContext) -> str:
    match key:
        case "state":
            return (order_glyph(row.order.state, row.status) if row.order else status_glyph(row.status)).meaning
        case "blocked":
            return _party_meaning(row, now)
        case "next":
            return NEXT_WORDS.get(value, "")
        case "deadline":
            return _deadline_meaning(row)
        case "age" if is_stale(row, now):
            return "The ~ says that it was not polled for too long, or that the last poll failed."
        case _:
            return ""


def _party_meaning(row: OrderRow, now: RowContext) -> str:
    diagnoser = now.diagnoser()
    if diagnoser is None or not row.is_open or (target := row.target) is None:
        return ""
    verdict = diagnoser.cheap(target)
    more = f" {verdict.next_action}" if verdict.next_action else ""
    return f"{PARTIES[verdict.party]}{more}"


def _deadline_meaning(row: OrderRow) -> str:
    window = row.order.window if row.order is not None else None
    if window is None:
        return "A remote order has no polling window: {view.track} tracks it, which opens one."
    if window.ended is WindowEnd.DEADLINE:
        return "The polling window has passed. The order is still pending; {view.poll} opens another one."
    if window.ended is WindowEnd.STOPPED:
        return "Polling was stopped, as LAST says. The order is what it was; {view.poll} polls it again."
    minutes = window.deadline_seconds / 60
    return f"Polling ends {minutes:.0f} minutes after its start; the order stays pending then, and nothing is lost."
