"""`sectigo-tui watch`: polls without a screen until a signal ends it."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from sectigo_tui.cli.parser import add_json


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_json(parser, "a JSON object a line for each event (docs/json.md)")
    parser.add_argument(
        "--metrics-listen", type=_listen, metavar="HOST:PORT", help="serve metrics to Prometheus here (extra metrics)"
    )
    parser.add_argument(
        "--metrics-file", type=Path, metavar="FILE", help="write metrics to this file, again and again (extra metrics)"
    )


def run(options: Namespace) -> int:
    """Poll until SIGTERM or SIGINT.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be opened.
    """
    from sectigo_tui.cli.watching import watch

    return watch(options)


def _listen(text: str) -> str:
    from sectigo_tui.config.sections import address_and_port

    try:
        address_and_port(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    return text
