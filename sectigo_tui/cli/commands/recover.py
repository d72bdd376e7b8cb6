"""`sectigo-tui recover`: orders whose answer was lost, searched for, and decided about when they are not at SCM."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sectigo_tui.cli.commands.remove import local_order
from sectigo_tui.cli.exit_codes import FINE, UNKNOWN
from sectigo_tui.cli.outcomes import facts, follow, order_line, placed_by, search_for, show_placed
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import check_writable, session, settings_from
from sectigo_tui.cli.terminal import check_can_ask, complain, confirm, show_message

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.presentation.json import Json


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--order-again", metavar="ID", help="search a last time, and order what is not there, once")
    decision.add_argument("--give-up", metavar="ID", help="end the search")
    parser.add_argument("--yes", action="store_true", help="order again without asking")
    add_wait(parser, "search until the outcome is known, wait up to SECONDS")
    add_json(parser)


def run(options: Namespace) -> int:
    """Search for the unconfirmed orders, or act on the decision about one.

    Raises:
        InputError: The order named is not one to decide about.
        ScmFailure: SCM could not be searched, or rejected the order.
        StoreError: It could not be written down.
    """
    import asyncio

    settings = settings_from(options)
    if options.order_again is not None:
        check_writable(settings, "ordering")
        if not options.yes:
            check_can_ask("--yes")
        return asyncio.run(_order_again(settings, options))
    if options.give_up is not None:
        return asyncio.run(_give_up(settings, options))
    return asyncio.run(_search(settings, options))


async def _search(settings: Settings, options: Namespace) -> int:
    import asyncio

    from sectigo_tui.cli.wait import current, wait_for
    from sectigo_tui.presentation.json import print_json

    async with session(settings) as engine:
        doubtful = [order.id for order in engine.orders.orders() if order.state.is_unconfirmed]
        if doubtful and options.wait is not None:
            await wait_for(engine, doubtful, options.wait)
        else:
            engine.recovery.begin()
            await asyncio.gather(*(search_for(engine, order_id) for order_id in doubtful))
        if engine.rejection is not None:
            raise engine.rejection
        orders = [order for each in doubtful if (order := current(engine, each)) is not None]
        undecided = [order.id for order in orders if engine.recovery.is_undecided(order)]
    if options.json:
        print_json([_json(order, is_undecided=order.id in undecided) for order in orders])
    else:
        _print(orders, undecided)
    return UNKNOWN if any(order.state.is_unconfirmed for order in orders) else FINE


async def _order_again(settings: Settings, options: Namespace) -> int:
    async with session(settings) as engine:
        order = local_order(engine, options.order_again)
        if not options.yes:
            await confirm(_summary(order), "order")
        placed = await placed_by(engine, engine.recovery.order_again(order.id))
        ending, order = await follow(engine, placed, options.wait)
        return show_placed(ending, order, None, placed.lost, as_json=options.json)


async def _give_up(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.presentation.json import print_json

    async with session(settings) as engine:
        order = await _given_up(engine, options.give_up)
    if options.json:
        print_json(_json(order, is_undecided=False))
    else:
        show_message(order_line(order))
    return FINE


async def _given_up(engine: Engine, name: str) -> Order:
    return await engine.recovery.give_up(local_order(engine, name).id)


def _summary(order: Order) -> str:
    from sectigo_tui.presentation.json import moment_json

    pending_enroll = order.pending_enroll
    lines = facts(
        ("order", order.id),
        ("common name", order.common_name),
        ("profile", f"{order.profile_name} ({order.profile_id})"),
        ("placed", moment_json(order.created_at) or ""),
        (
            "searched for",
            f"{pending_enroll.searches} times, {pending_enroll.error}" if pending_enroll is not None else "",
        ),
    )
    return "\n".join(["SCM is searched once more for this, and what is not there is ordered again, billed:", *lines])


def _print(orders: Sequence[Order], undecided: Sequence[str]) -> None:
    if not orders:
        complain("no order is unconfirmed")
    for order in orders:
        show_message(order_line(order))
        if order.id in undecided:
            error = order.pending_enroll.error if order.pending_enroll is not None else "not found at SCM"
            complain(f"order {order.id}: {error}; decide: recover --order-again {order.id}, or --give-up {order.id}")
        elif order.state.is_unconfirmed:
            complain(f"order {order.id}: not found at SCM yet; recover --wait, or watch, continues the search")


def _json(order: Order, *, is_undecided: bool) -> dict[str, Json]:
    from sectigo_tui.presentation.json import moment_json, order_json

    pending_enroll = order.pending_enroll
    return {
        "order": order_json(order),
        "is_unconfirmed": order.state.is_unconfirmed,
        "is_undecided": is_undecided,
        "searches": pending_enroll.searches if pending_enroll is not None else None,
        "next_search_at": moment_json(pending_enroll.next_search_at) if pending_enroll is not None else None,
        "error": (pending_enroll.error or None) if pending_enroll is not None else None,
    }
