"""`sectigo-tui remove`: finished orders, off the local list."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.outcomes import code_of, complain_of, order_line, outcome_json
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import acting, settings_from
from sectigo_tui.cli.terminal import show_message
from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.engine.orders.batch import Outcome


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("orders", metavar="SSLID|ID", nargs="+", help="the order's sslId, or its local id")
    add_json(parser, "one JSON array (docs/json.md)")


def run(options: Namespace) -> int:
    """Remove each order; unfinished ones are reported, and the others are removed nevertheless."""
    import asyncio

    return asyncio.run(_remove(settings_from(options), options))


def local_order(engine: Engine, name: str) -> Order:
    """Return the local order that a script names.

    Args:
        engine: The engine.
        name: Its local id, or its sslId.

    Raises:
        InputError: There is none.
    """
    store = engine.orders
    order = store.order(name) or (store.by_ssl_id(int(name)) if name.isascii() and name.isdigit() else None)
    if order is None or order.removed:
        raise InputError(f"there is no local order {name}", "sectigo-tui orders lists them")
    return order


async def _remove(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.engine.orders.batch import each
    from sectigo_tui.presentation.json import print_json

    def print_result(outcome: Outcome[str, Order]) -> None:
        if outcome.failure is not None:
            complain_of(f"order {outcome.target}", outcome.failure)
        elif outcome.result is not None and not options.json:
            show_message(order_line(outcome.result))

    # Nothing is sent, so nothing need be learned of the password first.
    async with acting(settings) as engine:

        async def one(name: str) -> Order:
            return await engine.tracking.remove(local_order(engine, name).id)

        outcomes = await each(options.orders, one, print_result)
    if options.json:
        print_json([outcome_json(outcome.target, outcome.failure, is_write=False) for outcome in outcomes])
    return max(code_of(outcome.failure, is_write=False) for outcome in outcomes)
