"""`sectigo-tui note`: a note on orders, for whoever comes next."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sectigo_tui.cli.commands.remove import local_order
from sectigo_tui.cli.outcomes import code_of, complain_of, outcome_json
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import acting, settings_from
from sectigo_tui.cli.terminal import show_message
from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.engine.orders.batch import Outcome

    WriteOn = Callable[[Engine, Order], Awaitable[Order]]
    Words = Callable[[Order, Order], str]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_orders(parser)
    parser.add_argument("--text", metavar="TEXT", required=True, help="what the next person should know")
    add_json(parser, "one JSON array (docs/json.md)")


def add_orders(parser: ArgumentParser) -> None:
    """Add the orders, which `note` and `owner` share."""
    parser.add_argument(
        "orders", metavar="SSLID|ID", nargs="+", help="the order's sslId, or its local id; a remote order is tracked"
    )


def run(options: Namespace) -> int:
    """Write the note on each order; failures are reported, and the others have it nevertheless."""
    return write_on_each(
        options,
        lambda engine, order: engine.people.note(order.id, options.text),
        lambda _before, order: f"noted: {order.note.text}" if order.note is not None else "",
    )


def write_on_each(options: Namespace, write_on: WriteOn, words: Words) -> int:
    """Write something on each order, and return the exit code; SCM is told nothing of it.

    Args:
        options: The arguments.
        write_on: Writes it on an order.
        words: Returns what was written in a line, of the order before and after that.
    """
    import asyncio

    return asyncio.run(_write_on_each(options, write_on, words))


async def _write_on_each(options: Namespace, write_on: WriteOn, words: Words) -> int:
    from sectigo_tui.engine.orders.batch import each
    from sectigo_tui.presentation.json import print_json

    def print_result(outcome: Outcome[str, tuple[Order, Order]]) -> None:
        if outcome.failure is not None:
            complain_of(f"order {outcome.target}", outcome.failure)
        elif outcome.result is not None and not options.json:
            before, after = outcome.result
            show_message(f"{after.ssl_id or after.id}  {after.common_name or '(no name)'}  {words(before, after)}")

    async with acting(settings_from(options)) as engine:

        async def one(name: str) -> tuple[Order, Order]:
            order = await _order(engine, name)
            return order, await write_on(engine, order)

        outcomes = await each(options.orders, one, print_result)
    if options.json:
        print_json([outcome_json(outcome.target, outcome.failure, is_write=False) for outcome in outcomes])
    return max(code_of(outcome.failure, is_write=False) for outcome in outcomes)


async def _order(engine: Engine, name: str) -> Order:
    """Return a local order; one that only SCM knows is tracked first, for only a local order is written on."""
    try:
        return local_order(engine, name)
    except InputError:
        if not (name.isascii() and name.isdigit()):
            raise
    await engine.credentials.settle()
    return await engine.tracking.track(int(name))
