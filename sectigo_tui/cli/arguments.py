"""The arguments that several subcommands take."""

from __future__ import annotations

import argparse

WAIT_AT_MOST_SECONDS = 604_800
"""A week; beyond it a number is rather an sslId that was meant for the subcommand itself."""


def add_wait(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--wait [SECONDS]`; `wait` is None without it, and 0 without a length."""
    parser.add_argument("--wait", type=_seconds, nargs="?", const=0.0, default=None, metavar="SECONDS", help=text)


def add_json(parser: argparse.ArgumentParser, text: str = "one JSON document (docs/json.md)") -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help=text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= WAIT_AT_MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds up to a week; write --wait after the other arguments, or --wait=SECONDS"
        )
    return seconds
