"""The arguments of the program and of each subcommand."""

from __future__ import annotations

import argparse
from pathlib import Path

from sectigo_tui import __version__
from sectigo_tui.cli.late_parser import Fill, Formatter, LateParser
from sectigo_tui.cli.parser_writes import Add, add_json, add_wait, add_watching, add_writing
from sectigo_tui.cli.screen_flags import add_screen_flags

DESCRIPTION = (
    "Every certificate order at Sectigo Certificate Manager that is not a certificate yet, why it is not, "
    "who must act, and when the next poll is. Without a subcommand: the dashboard."
)

EPILOG = (
    "Exit codes: 0 fine; 1 refused by SCM, or the disk failed; 2 configuration or arguments; "
    "3 credentials refused; 4 SCM unreachable; 5 Outcome unknown: the order is not resubmitted; "
    "6 not ordered, there are orders of the same name; 7 not a certificate yet."
)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole program; `handler` names the function that runs what was asked for."""
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
    parser.set_defaults(handler="dashboard:run")
    add_screen_flags(parser)
    # Told the program's name, argparse need not format a usage to learn it.
    commands = parser.add_subparsers(
        metavar="SUBCOMMAND", title="subcommands", prog="sectigo-tui", parser_class=LateParser
    )

    def add(name: str, handler: str, text: str, fill: Fill) -> None:
        commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=EPILOG,
            allow_abbrev=False,
            formatter_class=Formatter,
            common=common,
            handler=handler,
            fill=fill,
        )

    _add_reading(add)
    add_writing(add)
    add_watching(add)
    _add_simulator(add)
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


def _add_reading(add: Add) -> None:
    add("check", "check:run", "Show every setting and where it came from, then try the credentials once.", _check)
    add("orders", "orders:run", "List the local orders.", _orders)
    add("diagnose", "diagnose:run", "Say who an order waits for, the evidence, and what to do next.", _diagnose)
    handover = "All that is open, grouped by cause, as Markdown for the next shift."
    add("handover", "diagnose:run_handover", handover, _handover)
    add("track", "track:run", "Make remote orders local, so that they are polled.", _track)


def _add_simulator(add: Add) -> None:
    add("demo", "demo:run_demo", "The dashboard against a simulated account, with nothing to configure.", _demo)
    add("simulator", "demo:run_server", "Serve a simulated SCM on 127.0.0.1 until interrupted.", _simulator)


def _nothing(_: argparse.ArgumentParser) -> None:
    """Add no arguments to those that every subcommand has."""


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--insist", action="store_true", help="try even what SCM has refused before, once")
    add_json(parser, "one JSON object (docs/json.md)")


def _orders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON array (docs/orders-json.md)")


def _diagnose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("order", metavar="ID", help="an sslId, or a local order's id")
    parser.add_argument("--history", action="store_true", help="first ask SCM how long issued orders took")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object (docs/diagnose-json.md)")
    shape.add_argument("--markdown", action="store_true", help="the escalation pack for the CA's support")


def _handover(parser: argparse.ArgumentParser) -> None:
    add_json(parser, "one JSON object (docs/json.md)")


def _track(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs="+", help="the order's sslId")
    add_wait(parser, "poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser, "one JSON array (docs/json.md)")


def _demo(parser: argparse.ArgumentParser) -> None:
    add_screen_flags(parser)
    _add_course(parser)


def _simulator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port; 0 picks a free one")
    parser.add_argument("--scenario", default="demo", metavar="NAME", help="demo, empty or large")
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT", help="a fault in force from the start")
    parser.add_argument(
        "--status-filter",
        default="joined",
        choices=("joined", "spaced"),
        help="take SAApproved (joined) or SA Approved (spaced) as a listing's filter, and refuse the other",
    )
    _add_course(parser)


def _add_course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="simulated seconds a second")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="decides everything chance would")
