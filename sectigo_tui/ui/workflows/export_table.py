"""What of a view is exported: rows as filtered and sorted, columns as chosen, and times instead of countdowns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from sectigo_tui.domain.clock import Moment
from sectigo_tui.presentation.columns import RowContext, cell, outage_end
from sectigo_tui.presentation.export import Exported, Value
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.table_columns import Column
from sectigo_tui.ui.screens.arranged import WIDEST_CELLS, Arranged
from sectigo_tui.ui.view_model import Surroundings

ROWS_AT_A_TIME = 200
"""After so many rows the screen gets its turn: a hundred thousand may be exported."""


class _Field(NamedTuple):
    """What a column is exported as.

    Args:
        key: Its name in JSON.
        title: Its title for a person.
        value: What it holds.
    """

    key: str
    title: str
    value: Callable[[OrderRow, RowContext], Value]


def moment_text(moment: Moment | None) -> str | None:
    """Return a time as `2026-03-02T03:00:00Z`, a day as `2026-03-02`; None for what is not known."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat() if moment is not None else None


async def exported(view: Arranged, surroundings: Surroundings, now: RowContext) -> Exported:
    """Return a view's table as it is shown, of all rows that are loaded.

    Args:
        view: The view.
        surroundings: Which account it is about.
        now: The time.
    """
    columns = view.table.columns
    rows: list[tuple[Value, ...]] = []
    for number, row_id in enumerate(view.table.loaded_ids):
        if number % ROWS_AT_A_TIME == 0:
            await asyncio.sleep(0)
        rows.append(_of_order(view.order_row_of(row_id), columns, now) if view.LISTS_ORDERS else _shown(view, row_id))
    fields = [_FIELDS.get(column.key) if view.LISTS_ORDERS else None for column in columns]
    about = {
        "view": str(view.TITLE),
        "customer": surroundings.customer,
        "profile": surroundings.profile,
        "filter": view.filter_field.value.strip(),
        "exported_at": moment_text(now.clock.now()) or "",
    }
    return Exported(
        {name: value for name, value in about.items() if value},
        tuple(field.key if field else column.key for field, column in zip(fields, columns, strict=True)),
        tuple(field.title if field else column.title for field, column in zip(fields, columns, strict=True)),
        rows,
    )


def _of_order(row: OrderRow, columns: tuple[Column, ...], now: RowContext) -> tuple[Value, ...]:
    return tuple(_FIELDS[column.key].value(row, now) for column in columns)


def _shown(view: Arranged, row_id: str) -> tuple[Value, ...]:
    return tuple(view.cell_text(row_id, column.key) for column in view.table.columns)


def _next_poll(row: OrderRow, _now: RowContext) -> Value:
    window = row.order.window if row.order is not None else None
    return moment_text(window.next_poll_at) if window is not None else None


def _deadline(row: OrderRow, _now: RowContext) -> Value:
    window = row.order.window if row.order is not None else None
    return moment_text(window.deadline_at) if window is not None and window.is_open else None


def _polls(row: OrderRow, _now: RowContext) -> Value:
    window = row.order.window if row.order is not None else None
    return window.attempts if window is not None else None


def _text(key: str) -> Callable[[OrderRow, RowContext], Value]:
    return lambda row, now: cell(row, key, WIDEST_CELLS, now).text.strip() or None


_FIELDS = {
    "next": _Field("next_poll_at", "NEXT LOOK", _next_poll),
    "deadline": _Field("deadline_at", "DEADLINE", _deadline),
    "age": _Field("requested", "REQUESTED", lambda row, _now: moment_text(row.requested)),
    "state": _Field("state", "STATE", lambda row, now: cell(row, "state", 5, now).text[:3].strip(".") or None),
    "blocked": _Field("blocked_on", "BLOCKED ON", _text("blocked")),
    "ssl_id": _Field("ssl_id", "SSLID", lambda row, _now: row.ssl_id),
    "common_name": _Field("common_name", "COMMON NAME", lambda row, _now: row.common_name or None),
    "validation": _Field("validation", "VALIDATION", lambda row, _now: row.validation or None),
    "last": _Field("last_poll", "LAST LOOK", _text("last")),
    "tries": _Field("looks", "ATTEMPTS", _polls),
    "outage": _Field("outage", "OUTAGE", lambda row, now: moment_text(outage_end(row, now))),
    "profile": _Field("profile_name", "PROFILE", lambda row, _now: row.profile or None),
}
