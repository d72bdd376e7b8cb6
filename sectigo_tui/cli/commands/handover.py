"""`sectigo-tui handover`: who all open orders wait for, without a screen."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.selection import add_filter, chosen, filter_of
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import show_message

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.diagnosis.evidence.known import Target
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.presentation.filters import Filter


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_filter(parser)
    add_json(parser, "one JSON object (docs/json.md)")


def run(options: Namespace) -> int:
    """Print all that is open, grouped by cause, as Markdown or JSON, after asking SCM about each order.

    Raises:
        ScmFailure: The account's pending orders could not be listed; what is known here was printed.
    """
    import asyncio

    return asyncio.run(_handover(settings_from(options), options))


async def _handover(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.domain.explain import explain
    from sectigo_tui.domain.status import StatusClass, classify

    wanted = filter_of(options.filter)
    async with session(settings) as engine:
        await engine.account.refresh_pending()
        failure = engine.account.failure
        orders = [order for order in engine.orders.orders() if order.is_waiting]
        local = {order.ssl_id for order in orders}
        remote = [
            ssl_id
            for ssl_id, listed in engine.account.pending().items()
            if ssl_id not in local and classify(listed.status) is StatusClass.PENDING
        ]
        targets: list[Target] = [*orders, *remote]
        missing_part = ""
        if failure is not None:
            failed = [status for status, query in engine.account.queries.items() if query.failure is not None]
            which = f"orders with status {', '.join(failed)}" if engine.account.refreshed_at else "the account"
            missing_part = f"SCM did not list {which}: {explain(failure).meaning}"
        if engine.account.refreshed_at is not None:
            await engine.diagnoser.attend(targets, lambda _target, _verdict: None)
        if wanted:
            targets = await _chosen(engine, targets, wanted)
            missing_part = "; ".join(filter(None, (missing_part, f"only the orders that `{wanted.query}` finds")))
        if options.json:
            sys.stdout.write(f"{engine.diagnoser.handover_json(targets, missing_part=missing_part)}\n")
        else:
            show_message(engine.diagnoser.handover(targets, missing_part=missing_part).rstrip("\n"))
        if failure is not None:
            raise failure
    return FINE


async def _chosen(engine: Engine, targets: list[Target], wanted: Filter) -> list[Target]:
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.presentation.rows import OrderRows, local_id, remote_id

    order_rows = OrderRows(engine)
    rows = [order_rows.row(local_id(one) if isinstance(one, Order) else remote_id(one)) for one in targets]
    return [row.target for row in await chosen(engine, rows, wanted) if row.target is not None]
