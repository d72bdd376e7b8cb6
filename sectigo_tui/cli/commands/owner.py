"""`sectigo-tui owner`: takes orders, gives them to somebody, or lets them go."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from sectigo_tui.cli.commands.note import add_orders, write_on_each
from sectigo_tui.cli.parser import add_json
from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_orders(parser)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--to", metavar="NAME", help="give them to NAME; by default you take them")
    chosen.add_argument("--none", action="store_true", help="let them go: nobody owns them")
    add_json(parser, "one JSON array (docs/json.md)")


def run(options: Namespace) -> int:
    """Give each order its owner; failures are reported, and the others have it nevertheless."""
    if options.to is not None and not options.to.strip():
        raise InputError("--to names nobody", "write a name, or --none to let the orders go")

    def give(engine: Engine, order: Order) -> Awaitable[Order]:
        owner = engine.people.you if options.to is None else options.to
        return engine.people.give(order.id, "" if options.none else owner)

    return write_on_each(options, give, _words)


def _words(before: Order, after: Order) -> str:
    owner = f"owner: {after.owner or 'nobody'}"
    return owner if before.owner in ("", after.owner) else f"{owner}, before that {before.owner}"
