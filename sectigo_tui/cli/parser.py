"""The arguments of the program, and its subcommands by name."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from sectigo_tui import __version__
from sectigo_tui.cli.screen_flags import add_screen_flags

SUBCOMMANDS = {
    "check": "Show every setting and where it came from, then try the credentials once.",
    "orders": "List the local orders.",
    "diagnose": "Say who an order waits for, the evidence, and what to do next.",
    "renewals": "Tell until when each certificate's renewal is to be ordered, and what would hold it up.",
    "message": "Write to whoever blocks an order: ready text, for mail or chat.",
    "note": "Write a note on orders, for whoever comes next.",
    "owner": "Take orders, give them to somebody, or let them go.",
    "handover": "All that is open, grouped by cause, as Markdown for the next shift.",
    "validations": "List validations of domains and organizations that end soon.",
    "track": "Make remote orders local, so that they are polled.",
    "adopt": "Find orders that certctl left behind, and make them local.",
    "enroll": "Order a certificate, once.",
    "renew": "Order again what an order was, once.",
    "recover": "Search SCM for orders whose answer was lost, or decide about one.",
    "approve": "Approve orders that wait for an administrator.",
    "decline": "Decline an order that waits for an administrator, which ends it.",
    "remove": "Take finished orders off the local list; their timelines are kept.",
    "collect": "Collect certificates, and save leaf, chain and full chain of each as PEM.",
    "revoke": "Revoke a certificate, for good.",
    "rotate": "Try new credentials once, and use them from then on.",
    "watch": "Poll without a screen until SIGTERM or SIGINT.",
    "notify": "Send a test message to each address of [notify].",
    "audit": "Tell what was done, when and by whom.",
    "store": "Where the orders are kept: what a team's database tells, copying them, removing what is too old.",
    "config": "Where the configuration is, what is in force, and a first one.",
    "demo": "The dashboard against a simulated account, with nothing to configure.",
    "simulator": "Serve a simulated SCM on 127.0.0.1 until interrupted.",
}
"""What each does. Its module in `cli/commands/` has its `add_arguments` and its `run`, and is loaded when named."""

DASHBOARD = "dashboard"
"""The module of what runs without a subcommand."""

_COLUMNS_ELSEWHERE = 80
_STDOUT = 1

DESCRIPTION = (
    "Every certificate order at Sectigo Certificate Manager that is still pending, why it waits, "
    "who must act, and when the next poll is. Without a subcommand: the dashboard."
)

EPILOG = (
    "Exit codes: 0 fine; 1 refused by SCM, or the disk failed; 2 configuration or arguments; "
    "3 credentials rejected; 4 SCM unreachable; 5 outcome unknown, the order is not resubmitted; "
    "6 not ordered, there are orders of the same name; 7 still pending; 8 a renewal is late."
)


class LateParser(argparse.ArgumentParser):
    """A subcommand's parser, put together when it is first used: its module takes long to load.

    Args:
        subcommand: The subcommand, kept in the namespace.
        common: The parser whose arguments it has too.
        given: What any parser is made with.
    """

    def __init__(self, *, subcommand: str, common: argparse.ArgumentParser, **given: Any) -> None:
        self._late = (subcommand, {"parents": [common], **given})

    def __getattr__(self, name: str) -> Any:
        # Reached when an attribute is missing: before `__init__` of a parser has run, that is every one.
        late = self.__dict__.pop("_late", None)
        if late is None:
            raise AttributeError(name)
        subcommand, given = late
        super().__init__(**given)
        self.set_defaults(subcommand=subcommand)
        module_of(subcommand).add_arguments(self)
        return getattr(self, name)


class Formatter(argparse.HelpFormatter):
    """argparse's own, which for each argument would load what packs archives, to ask it how wide the terminal is.

    Args:
        prog: The program's name.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """Return the terminal's width as the standard library tells it."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(_STDOUT).columns or _COLUMNS_ELSEWHERE
    except OSError:
        return _COLUMNS_ELSEWHERE


def module_of(subcommand: str) -> Any:
    """Return a subcommand's module: `add_arguments(parser)`, and `run(options)`, which returns an exit code."""
    return import_module(f"sectigo_tui.cli.commands.{subcommand}")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole program; `subcommand` names the module that runs what was asked for."""
    common = _common()
    parser = argparse.ArgumentParser(
        prog="sectigo-tui",
        description=DESCRIPTION,
        epilog=EPILOG,
        parents=[common],
        allow_abbrev=False,
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action="version", version=f"sectigo-tui {__version__}")
    parser.set_defaults(subcommand=DASHBOARD)
    add_screen_flags(parser)
    # Told the program's name, argparse need not format a usage to learn it.
    commands = parser.add_subparsers(
        metavar="SUBCOMMAND", title="subcommands", prog="sectigo-tui", parser_class=LateParser
    )
    for name, text in SUBCOMMANDS.items():
        commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=EPILOG,
            allow_abbrev=False,
            formatter_class=Formatter,
            common=common,
            subcommand=name,
        )
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(
        add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False, formatter_class=Formatter
    )
    group = common.add_argument_group("settings")
    group.add_argument("--config", metavar="FILE", type=Path, help="the configuration (SECTIGO_TUI_CONFIG)")
    group.add_argument("--data-dir", metavar="DIR", type=Path, help="orders and journal (SECTIGO_TUI_DATA_DIR)")
    group.add_argument("--profile", metavar="NAME", help="a [profile.NAME] of the configuration")
    group.add_argument("--read-only", action="store_true", help="disable everything that changes anything at SCM")
    group.add_argument(
        "--debug-log", metavar="FILE", type=Path, help="append requests and answers to a file, without secrets"
    )
    return common


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
