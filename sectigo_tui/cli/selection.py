"""Choosing orders by a filter, as the dashboard's lists do: `--filter` of the subcommands."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.presentation.columns import RowContext
    from sectigo_tui.presentation.filters import Filter
    from sectigo_tui.presentation.rows import OrderRow

LOOKED_UP_AT_MOST = 200
"""Of so many orders SCM is asked, at most, what a filter's terms need to know."""


def add_filter(parser: ArgumentParser) -> None:
    """Add `--filter`."""
    parser.add_argument(
        "--filter",
        metavar="TERMS",
        help="only orders that all terms find, such as 'on:dns val:ev age>1d'",
    )


def filter_of(query: str | None) -> Filter:
    """Return the filter that was asked for.

    Raises:
        InputError: A term of it is wrong.
    """
    from sectigo_tui.presentation.filters import Filter

    made = Filter(query or "")
    if made.error_text:
        raise InputError(f"--filter: {made.error_text.rstrip('.')}", "write it as the dashboard's / takes it")
    return made


async def chosen(engine: Engine, rows: Iterable[OrderRow], wanted: Filter, *, asks: bool = True) -> list[OrderRow]:
    """Return the rows that a filter finds.

    Args:
        engine: The engine.
        rows: The rows.
        wanted: The filter.
        asks: Whether SCM is asked for what the terms need and is not known.

    Returns:
        Its rows, in their order.

    Raises:
        InputError: Too many orders would have to be asked about, or nobody is to be asked.
        ScmFailure: SCM did not tell it.
    """
    if not wanted:
        return list(rows)
    if wanted.wants_samples:
        await engine.diagnoser.samples.learn_local()
    now = context_of(engine)
    answers = [(row, wanted.test(row, now)) for row in rows]
    unknown = sum(answer is None for _, answer in answers)
    if unknown and not asks:
        raise InputError(f"{unknown} orders have not been looked up for this filter", "add --pending, which asks SCM")
    if unknown > LOOKED_UP_AT_MOST:
        reason = f"for this filter SCM would be asked about {unknown:,} orders, one by one"
        raise InputError(reason, "add a name to it, or use --pending")
    found = []
    for row, known in answers:
        answer = known
        if answer is None:
            row, answer = await _completed(engine, row, wanted, now)  # noqa: PLW2901 - the same order, better known
        if answer:
            found.append(row)
    return found


async def _completed(engine: Engine, row: OrderRow, wanted: Filter, now: RowContext) -> tuple[OrderRow, bool]:
    """Return a row as SCM tells it now, and whether it is wanted; what even SCM does not tell is not."""
    from sectigo_tui.presentation.rows import OrderRows

    order_rows = OrderRows(engine)
    if row.ssl_id is not None and row.details is None:
        await engine.account.details(row.ssl_id)
        row = order_rows.row(row.row_id, row.row)
    answer = wanted.test(row, now)
    if answer is None and row.target is not None:
        await engine.diagnoser.attend([row.target], lambda _target, _verdict: None)
        answer = wanted.test(order_rows.row(row.row_id, row.row), now)
    return row, bool(answer)


def context_of(engine: Engine) -> RowContext:
    """Return what cells depend on besides their row, where there is no screen."""
    from sectigo_tui.presentation.columns import RowContext
    from sectigo_tui.presentation.glyphs import ASCII

    return RowContext(
        clock=engine.clock,
        glyphs=ASCII,
        refresh_seconds=60.0,
        is_polling=engine.scheduler.is_polling,
        is_paused=lambda: engine.rejection is not None,
        diagnoser=lambda: engine.diagnoser,
    )
