"""The order of the rows: by any column, steady while facts are still coming in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.orders import Order
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.columns import Now, cell, outage_end

BOOKKEEPING = frozenset({"next", "deadline", "tries", "last"})
"""Columns whose order changes by polling alone, without any news of an order."""

_FAR_FUTURE = datetime.max.replace(tzinfo=UTC)

Key = tuple[object, ...]


def in_order(subjects: Iterable[Subject], key: str, now: Now, *, descending: bool) -> list[Subject]:
    """Return rows as a column sorts them; equal ones by sslId.

    Args:
        subjects: The rows.
        key: The column's key; empty leaves them as they are.
        now: The time.
        descending: Whether the greatest comes first.
    """
    listed = list(subjects)
    if not key:
        return listed
    if key == "age":
        # The greatest age is the earliest request.
        return [
            subject for _, _, subject in sorted(_by_request(listed), reverse=not descending, key=lambda row: row[:2])
        ]
    by = _SORTS[key]
    return sorted(listed, key=lambda one: (*by(one, now), one.ssl_id or 0, one.row_id), reverse=descending)


def _by_request(subjects: list[Subject]) -> list[tuple[datetime, int, Subject]]:
    """Return rows with when they were requested, from the oldest sslId on.

    SCM's listing tells no dates, and sslIds grow with time: an order whose details have not come yet stands
    where its sslId puts it, so that it is not last by ignorance, and stays there when its age becomes known.
    """
    latest = datetime.min.replace(tzinfo=UTC)
    rows: list[tuple[datetime, int, Subject]] = []
    for subject in sorted(subjects, key=lambda one: one.ssl_id or _NO_ID):
        requested = subject.requested
        if requested is not None:
            latest = _start_of(requested)
        rows.append((latest, subject.ssl_id or _NO_ID, subject))
    return rows


_NO_ID = 1 << 62
"""An order without an sslId is the newest there is."""


def _start_of(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)


def _due(order: Order | None) -> datetime:
    window = order.window if order is not None else None
    return window.next_look_at if window is not None and window.next_look_at is not None else _FAR_FUTURE


def _deadline_at(order: Order | None) -> datetime:
    window = order.window if order is not None else None
    return window.deadline_at if window is not None and window.is_open else _FAR_FUTURE


def _outage_end(subject: Subject, now: Now) -> datetime:
    end = outage_end(subject, now)
    return _start_of(end) if end is not None else _FAR_FUTURE


_SORTS: dict[str, Callable[[Subject, Now], Key]] = {
    "state": lambda subject, now: (cell(subject, "state", 5, now).text,),
    "next": lambda subject, _now: (_due(subject.order),),
    "deadline": lambda subject, _now: (_deadline_at(subject.order),),
    "blocked": lambda subject, now: (cell(subject, "blocked", 12, now).text or "~",),
    "outage": lambda subject, now: (_outage_end(subject, now),),
    "ssl_id": lambda subject, _now: (subject.ssl_id or _NO_ID,),
    "common_name": lambda subject, _now: (subject.common_name.casefold(),),
    "validation": lambda subject, _now: (subject.validation,),
    "profile": lambda subject, _now: (subject.profile.casefold(),),
    "tries": lambda subject, _now: (subject.order.window.looks if subject.order and subject.order.window else -1,),
    "last": lambda subject, now: (cell(subject, "last", 0, now).text,),
}
