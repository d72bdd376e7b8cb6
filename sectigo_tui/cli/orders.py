"""`sectigo-tui orders`: the local orders, without a screen and without asking SCM."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from datetime import datetime

from sectigo_tui.cli.common import store_directory_from
from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.output import complain, complain_of, say, table
from sectigo_tui.cli.shapes import moment_json, order_json
from sectigo_tui.domain.orders import Order
from sectigo_tui.store.reading import read_orders


def run(options: Namespace) -> int:
    """List the local orders, oldest first.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be read.
    """
    orders = sorted(read_orders(store_directory_from(options), complain_of), key=_created)
    if options.json:
        lines = ",\n".join(json.dumps(order_json(order)) for order in orders)
        sys.stdout.write(f"[{lines}]\n")
    elif orders:
        say(table([("SSLID", "STATE", "SCM STATUS", "NEXT LOOK", "COMMON NAME"), *map(_row, orders)]))
    else:
        complain("there is no local order; sectigo-tui track SSLID adopts one")
    return FINE


def _created(order: Order) -> tuple[datetime, str]:
    return order.created_at, order.id


def _row(order: Order) -> tuple[str, str, str, str, str]:
    window = order.window
    following = moment_json(window.next_look_at) if window else None
    ended = str(window.ended) if window and window.ended else "-"
    return str(order.ssl_id or "-"), order.state, order.scm_status or "-", following or ended, order.common_name or "-"
