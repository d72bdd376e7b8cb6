"""`sectigo-tui orders`: the local orders, without a screen and without asking SCM."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime

from sectigo_tui.cli.common import settings_from
from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.output import complain, say, table
from sectigo_tui.cli.shapes import moment_json, order_json
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.orders import Order
from sectigo_tui.wiring import open_store


def run(options: Namespace) -> int:
    """List the local orders, oldest first.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be read.
    """
    orders = asyncio.run(_orders(settings_from(options)))
    if options.json:
        json.dump([order_json(order) for order in orders], sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif orders:
        say(table([("SSLID", "STATE", "SCM STATUS", "NEXT LOOK", "COMMON NAME"), *map(_row, orders)]))
    else:
        complain("there is no local order; sectigo-tui track SSLID adopts one")
    return FINE


async def _orders(settings: Settings) -> Sequence[Order]:
    store = open_store(settings, SystemClock())
    try:
        return sorted(store.orders(), key=_created)
    finally:
        await store.close()


def _created(order: Order) -> tuple[datetime, str]:
    return order.created_at, order.id


def _row(order: Order) -> tuple[str, str, str, str, str]:
    window = order.window
    following = moment_json(window.next_look_at) if window else None
    ended = str(window.ended) if window and window.ended else "-"
    return str(order.ssl_id or "-"), order.state, order.scm_status or "-", following or ended, order.common_name or "-"
