"""What of a view is exported: rows as filtered and sorted, columns as chosen, and times instead of countdowns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from sectigo_tui.domain.clock import Moment
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.columns import Now, cell, outage_end
from sectigo_tui.ui.export import Exported, Value
from sectigo_tui.ui.screens.arranged import WIDEST_CELLS, Arranged
from sectigo_tui.ui.view_model import Surroundings
from sectigo_tui.ui.widgets.live_table_columns import Column

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
    value: Callable[[Subject, Now], Value]


def moment_text(moment: Moment | None) -> str | None:
    """Return a time as `2026-03-02T03:00:00Z`, a day as `2026-03-02`; None for what is not known."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat() if moment is not None else None


async def exported(view: Arranged, surroundings: Surroundings, now: Now) -> Exported:
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
        rows.append(_of_order(view.subject_of(row_id), columns, now) if view.LISTS_ORDERS else _shown(view, row_id))
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


def _of_order(subject: Subject, columns: tuple[Column, ...], now: Now) -> tuple[Value, ...]:
    return tuple(_FIELDS[column.key].value(subject, now) for column in columns)


def _shown(view: Arranged, row_id: str) -> tuple[Value, ...]:
    return tuple(view.cell_text(row_id, column.key) for column in view.table.columns)


def _next_look(subject: Subject, _now: Now) -> Value:
    window = subject.order.window if subject.order is not None else None
    return moment_text(window.next_look_at) if window is not None else None


def _deadline(subject: Subject, _now: Now) -> Value:
    window = subject.order.window if subject.order is not None else None
    return moment_text(window.deadline_at) if window is not None and window.is_open else None


def _looks(subject: Subject, _now: Now) -> Value:
    window = subject.order.window if subject.order is not None else None
    return window.looks if window is not None else None


def _text(key: str) -> Callable[[Subject, Now], Value]:
    return lambda subject, now: cell(subject, key, WIDEST_CELLS, now).text.strip() or None


_FIELDS = {
    "next": _Field("next_look_at", "NEXT LOOK", _next_look),
    "deadline": _Field("deadline_at", "DEADLINE", _deadline),
    "age": _Field("requested", "REQUESTED", lambda subject, _now: moment_text(subject.requested)),
    "state": _Field("state", "STATE", lambda subject, now: cell(subject, "state", 5, now).text[:3].strip(".") or None),
    "blocked": _Field("blocked_on", "BLOCKED ON", _text("blocked")),
    "ssl_id": _Field("ssl_id", "SSLID", lambda subject, _now: subject.ssl_id),
    "common_name": _Field("common_name", "COMMON NAME", lambda subject, _now: subject.common_name or None),
    "validation": _Field("validation", "VALIDATION", lambda subject, _now: subject.validation or None),
    "last": _Field("last_look", "LAST LOOK", _text("last")),
    "tries": _Field("looks", "LOOKS", _looks),
    "outage": _Field("outage", "OUTAGE", lambda subject, now: moment_text(outage_end(subject, now))),
    "profile": _Field("profile_name", "PROFILE", lambda subject, _now: subject.profile or None),
}
