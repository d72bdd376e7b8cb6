"""`sectigo-tui adopt --certctl`: what certctl left behind becomes local, and is polled and collected."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.outcomes import code_of, complain_of, order_line
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import check_can_ask, complain, confirm, show_message, table

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.orders.certctl_orders import LeftBehind

DAYS_AT_MOST = 3_650
COLLECT_SECONDS = 60.0
"""How long issued orders are waited for, where nothing else is said: collecting takes a poll."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--certctl", action="store_true", required=True, help="orders that certctl left behind")
    parser.add_argument("--login", metavar="LOGIN", default="", help="certctl's login (its issuer's, or yours)")
    parser.add_argument("--days", metavar="N", type=_days, default=90, help="look so many days back (90)")
    parser.add_argument("--list", action="store_true", help="list them, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_wait(parser, "poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser, "one JSON array (docs/json.md)")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= DAYS_AT_MOST):
        raise ArgumentTypeError(f"{text!r} is no number of days from 1 to {DAYS_AT_MOST}")
    return int(text)


def run(options: Namespace) -> int:
    """List what certctl left behind, ask once, then track it; issued orders are collected.

    Raises:
        InputError: There is no terminal to ask at, or the answer was no.
        ScmFailure: SCM did not tell the account's orders.
    """
    import asyncio

    if not (options.yes or options.list):
        check_can_ask("--yes")
    return asyncio.run(_track(settings_from(options), options))


async def _track(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.cli.wait import current, wait_for
    from sectigo_tui.domain.orders import OrderState
    from sectigo_tui.presentation.json import left_behind_json, print_json

    async with session(settings) as engine:
        left = await engine.certctl_orders.find(options.login, days=options.days)
        if options.list or not left.orders:
            print_json([left_behind_json(details) for details in left.orders]) if options.json else _show(left)
            return FINE
        if not options.yes:
            _show(left)
            many = f"{len(left.orders)} orders become local, and are polled and collected."
            one = "1 order becomes local, and is polled and collected."
            await confirm(one if len(left.orders) == 1 else many, "adopt")
        outcomes = await engine.certctl_orders.track(details.ssl_id for details in left.orders)
        orders = {outcome.target: outcome.result for outcome in outcomes if outcome.result is not None}
        issued = [order.id for order in orders.values() if order.state is OrderState.ISSUED]
        waited = [order.id for order in orders.values()] if options.wait is not None else issued
        if waited:
            await wait_for(engine, waited, COLLECT_SECONDS if options.wait is None else options.wait)
        orders = {ssl_id: current(engine, order.id) or order for ssl_id, order in orders.items()}
    failures = {outcome.target: outcome.failure for outcome in outcomes}
    for ssl_id, failure in failures.items():
        if failure is not None:
            complain_of(f"sslId {ssl_id} is not adopted", failure)
    if options.json:
        print_json([left_behind_json(each, orders.get(each.ssl_id), failures.get(each.ssl_id)) for each in left.orders])
    else:
        for order in orders.values():
            show_message(order_line(order))
    return max((code_of(failure, is_write=False) for failure in failures.values()), default=FINE)


def _show(left: LeftBehind) -> None:
    from sectigo_tui.presentation.format import format_when

    if not left.orders:
        complain(f"certctl left nothing behind: no such order of {left.login} is pending, or issued and not collected")
    else:
        rows = [
            (str(each.ssl_id), each.status, format_when(each.requested) if each.requested else "-", each.common_name)
            for each in left.orders
        ]
        show_message(table([("SSLID", "SCM STATUS", "REQUESTED", "COMMON NAME"), *rows]))
    if not left.is_collection_known:
        complain("the login may read no report: an issued order that is listed may have been collected")
    if left.unread:
        complain(f"{left.unread} older orders of {left.login} were not examined: each costs a request")
