"""`sectigo-tui decline`: an order that waits for an administrator, ended."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from sectigo_tui.cli.commands.approve import add_message, decide_each
from sectigo_tui.cli.session import check_writable, settings_from


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs=1, help="the order's sslId")
    add_message(parser)


def run(options: Namespace) -> int:
    """Decline an order, which ends it."""
    import asyncio

    settings = settings_from(options)
    check_writable(settings, "declining")
    return asyncio.run(
        decide_each(settings, options, "declined", lambda engine, *told: engine.approving.decline(*told))
    )
