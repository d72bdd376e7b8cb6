"""`sectigo-tui orders`: the local orders, without a screen and without asking SCM."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.session import settings_from
from sectigo_tui.collector import collector_paused, keep_what_is_loaded
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.presentation.json import moment_json, order_line

_DELETE = b"\x7f"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON array (docs/orders-json.md)")


def run(options: Namespace) -> int:
    """List the local orders, oldest first.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be read.
    """
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
        show_message(table([("SSLID", "STATE", "SCM STATUS", "NEXT POLL", "COMMON NAME"), *map(_row, orders)]))
    else:
        complain("there is no local order; sectigo-tui track SSLID makes one local")
    return FINE


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
