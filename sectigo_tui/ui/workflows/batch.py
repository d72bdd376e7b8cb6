"""Several orders at once: what is listed before, and what came of each after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.content import Content

from sectigo_tui.domain.explain import explain
from sectigo_tui.engine.orders.batch import Outcome
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable

SHOWN_AT_MOST = 200


def rows_content(rows: Sequence[OrderRow]) -> Content:
    """Return orders as lines of sslId, status and common name."""
    lines = [
        Content.assemble(
            (f"{row.ssl_id or '-':>9}  ", "bold"),
            (f"{printable(_status(row)):<12} ", "$state-muted"),
            printable(row.common_name, limit=120),
        )
        for row in rows[:SHOWN_AT_MOST]
    ]
    if len(rows) > SHOWN_AT_MOST:
        lines.append(Content(f"and {len(rows) - SHOWN_AT_MOST} more"))
    return Content("\n").join([*lines, Content("")])


def _status(row: OrderRow) -> str:
    order = row.order
    return row.status if order is None else order.status_text or order.state


def done(outcomes: Sequence[Outcome[Any, Any]] | None) -> list[Any]:
    """Return the orders for which it was done: their marks go, those of the others stay."""
    return [outcome.target for outcome in outcomes or () if outcome.failure is None]


def outcomes_content(outcomes: Sequence[Outcome[Any, Any]]) -> Content:
    """Return what came of each: done, or why not."""
    lines = []
    for outcome in outcomes:
        if outcome.failure is None:
            lines.append(Content.assemble((f"{outcome.target}: ", "bold"), ("done", "$state-done")))
            continue
        told = explain(outcome.failure)
        lines.append(
            Content.assemble(
                (f"{outcome.target}: ", "bold"),
                (f"{printable(told.what)}{told.code_text} ", "$state-failed"),
                printable(f"{told.meaning} Next: {told.next_step}", limit=600),
            )
        )
    return Content("\n").join(lines)
