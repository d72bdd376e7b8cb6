"""`sectigo-tui track`: remote orders become local."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE, exit_code
from sectigo_tui.cli.outcomes import code_of_ending, complain_of, order_line, print_outcome
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import show_message
from sectigo_tui.domain.errors import CredentialsRefused, ScmFailure, StoreError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs="+", help="the order's sslId")
    add_wait(parser, "poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser, "one JSON array (docs/json.md)")


def run(options: Namespace) -> int:
    """Track each sslId; failures are reported, and the others are tracked nevertheless."""
    import asyncio

    return asyncio.run(_track(settings_from(options), options))


async def _track(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.cli.wait import current, left_as, wait_for
    from sectigo_tui.presentation.json import order_json, print_json

    async with session(settings) as engine:
        orders, worst = await _tracked(engine, options.ssl_ids)
        left = [(order, left_as(order)) for order in orders]
        if options.wait is not None and orders:
            endings = await wait_for(engine, [order.id for order in orders], options.wait)
            left = [(current(engine, order.id) or order, endings[order.id]) for order in orders]
    if options.json:
        print_json([{"outcome": ending.value, "order": order_json(order)} for order, ending in left])
    else:
        for order, _ in left:
            show_message(order_line(order))
    if options.wait is not None:
        for order, ending in left:
            print_outcome(ending, order)
            worst = max(worst, code_of_ending(ending))
    return worst


async def _tracked(engine: Engine, ssl_ids: Sequence[int]) -> tuple[list[Order], int]:
    orders, worst = [], FINE
    for ssl_id in dict.fromkeys(ssl_ids):
        try:
            orders.append(await engine.tracking.track(ssl_id))
        except (ScmFailure, StoreError) as failure:
            complain_of(f"sslId {ssl_id} is not tracked", failure)
            worst = max(worst, exit_code(failure))
            if isinstance(failure, CredentialsRefused):
                break
    return orders, worst
