"""`sectigo-tui orders`: the local orders, without a screen and without asking SCM."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.selection import add_filter, chosen, filter_of
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.collector import collector_paused, keep_what_is_loaded
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.presentation.json import Json, moment_json, order_line, print_json

if TYPE_CHECKING:
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.presentation.rows import OrderRow

_DELETE = b"\x7f"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--pending", action="store_true", help="ask SCM, and list every pending order of the account")
    which.add_argument("--remote", action="store_true", help="ask SCM, and list every order of the account")
    add_filter(parser)
    parser.add_argument("--json", action="store_true", help="one JSON array (docs/orders-json.md)")


def run(options: Namespace) -> int:
    """List the local orders, oldest first, or those of the account.

    Raises:
        ConfigError: The settings name no account.
        InputError: The filter is wrong, or takes too many requests.
        ScmFailure: SCM was asked, and did not list all of them; what is known was printed.
        StoreError: The local orders cannot be read.
    """
    if options.pending or options.remote or options.filter is not None:
        import asyncio

        return asyncio.run(_listed(options))
    # How it is listed can be asked for without what reads it.
    from sectigo_tui.wiring.store import read_orders

    with collector_paused():
        orders = sorted(read_orders(settings_from(options), _complain_of), key=_created)
        if options.json:
            lines = ",\n".join(map(_line, orders))
            sys.stdout.write(f"[{lines}]\n")
            # Else the interpreter collects garbage among all orders as it ends.
            keep_what_is_loaded()
            return FINE
    # What a table is made with is loaded where there is one: scripts, which ask for JSON, do not wait for it.
    from sectigo_tui.cli.terminal import complain, show_message, table

    if orders:
        show_message(table([_HEAD, *map(_row, orders)]))
    else:
        complain("there is no local order; sectigo-tui track SSLID makes one local")
    return FINE


async def _listed(options: Namespace) -> int:
    from sectigo_tui.cli.crash import keep_crash
    from sectigo_tui.presentation.rows import OrderRows
    from sectigo_tui.wiring.engine import prepared

    wanted, settings = filter_of(options.filter), settings_from(options)
    if not (options.pending or options.remote):
        async with prepared(settings, keep_crash=keep_crash) as engine:
            rows = await chosen(engine, OrderRows(engine).local(), wanted, asks=False)
            orders = sorted((row.order for row in rows if row.order is not None), key=_created)
            if options.json:
                sys.stdout.write("[" + ",\n".join(map(_line, orders)) + "]\n")
            else:
                _show(_HEAD, map(_row, orders))
            return FINE
    async with session(settings) as engine:
        failure = None
        if options.pending:
            await engine.account.refresh_pending()
            failure = engine.account.failure
            known = OrderRows(engine).pending()
        else:
            known = await _whole_account(engine)
        rows = await chosen(engine, known, wanted)
        if options.json:
            print_json([_listed_json(engine, row) for row in rows])
        else:
            _show(_LISTED_HEAD, (_listed_row(engine, row) for row in rows))
        if failure is not None:
            raise failure
    return FINE


async def _whole_account(engine: Engine) -> list[OrderRow]:
    from sectigo_tui.domain.certificates import ListingFilter
    from sectigo_tui.presentation.rows import OrderRows, remote_id

    listing = engine.account.listing(ListingFilter())
    await listing.load_all(lambda _loaded, _total: None)
    order_rows = OrderRows(engine)
    return [order_rows.row(remote_id(row.ssl_id), row) for row in listing.rows()]


def _show(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from sectigo_tui.cli.terminal import complain, show_message, table

    found = list(rows)
    if found:
        show_message(table([head, *found]))
    else:
        complain("no order is found")


def _blocked_on(engine: Engine, row: OrderRow) -> str | None:
    return str(engine.diagnoser.cheap(row.target).party) if row.is_open and row.target is not None else None


def _listed_json(engine: Engine, row: OrderRow) -> dict[str, Json]:
    order, details = row.order, row.details
    window = order.window if order is not None else None
    names = details.subject_alternative_names if details is not None else ()
    listed = row.row.subject_alternative_names if row.row is not None else ()
    return {
        "id": order.id if order is not None else None,
        "ssl_id": row.ssl_id,
        "state": order.state if order is not None else None,
        "scm_status": row.status or None,
        "common_name": row.common_name or None,
        "subject_alternative_names": list(names or listed),
        "profile_name": row.profile or None,
        "validation": row.validation or None,
        "requested": moment_json(row.requested),
        "requester": row.requester or None,
        "expires": moment_json(details.expires if details is not None else None),
        "blocked_on": _blocked_on(engine, row),
        "next_poll_at": moment_json(window.next_poll_at if window is not None else None),
        "deadline_at": moment_json(window.deadline_at if window is not None and window.is_open else None),
    }


def _listed_row(engine: Engine, row: OrderRow) -> tuple[str, ...]:
    from sectigo_tui.presentation.columns import age_text

    state = row.order.state if row.order is not None else "remote"
    age = age_text(row.requested, engine.clock.now()).strip() if row.requested is not None else "-"
    return (
        *(str(row.ssl_id or "-"), state, row.status or "-", _blocked_on(engine, row) or "-"),
        *(row.validation or "-", age, row.common_name or "-"),
    )


_LISTED_HEAD = ("SSLID", "STATE", "SCM STATUS", "BLOCKED ON", "VAL", "AGE", "COMMON NAME")
_HEAD = ("SSLID", "STATE", "SCM STATUS", "NEXT POLL", "COMMON NAME")


def _complain_of(reason: StoreDamage) -> None:
    from sectigo_tui.cli.terminal import complain_of

    complain_of(reason)


def _line(order: Order) -> str:
    """Return an order as JSON of printable ASCII alone: no character of it can act on a terminal."""
    line = order_line(order)
    # Of ASCII, JSON of any kind spells out all that is not printable, but for one character.
    if line.isascii() and _DELETE not in line:
        return line.decode()
    import json

    return json.dumps(json.loads(line), separators=(",", ":"))


def _created(order: Order) -> tuple[datetime, str]:
    return order.created_at, order.id


def _row(order: Order) -> tuple[str, str, str, str, str]:
    window = order.window
    following = moment_json(window.next_poll_at) if window else None
    ended = str(window.ended) if window and window.ended else "-"
    return str(order.ssl_id or "-"), order.state, order.status_text or "-", following or ended, order.common_name or "-"
