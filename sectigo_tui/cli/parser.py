"""The arguments of the program and of each subcommand."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sectigo_tui import __version__
from sectigo_tui.cli.screen_flags import add_screen_flags

_COLUMNS_ELSEWHERE = 80
_STDOUT = 1

Fill = Callable[[argparse.ArgumentParser], None]
"""Adds a subcommand's arguments to its parser."""


class LateParser(argparse.ArgumentParser):
    """A parser that is put together when it is first used.

    Args:
        fill: Adds its arguments.
        handler: The function that runs the subcommand, kept in the namespace.
        common: The parser whose arguments it has too.
        given: What any parser is made with.
    """

    def __init__(self, *, fill: Fill, handler: str, common: argparse.ArgumentParser, **given: Any) -> None:
        self._late = (fill, handler, {"parents": [common], **given})

    def __getattr__(self, name: str) -> Any:
        # Reached when an attribute is missing: before `__init__` of a parser has run, that is every one.
        late = self.__dict__.pop("_late", None)
        if late is None:
            raise AttributeError(name)
        fill, handler, given = late
        super().__init__(**given)
        self.set_defaults(handler=handler)
        fill(self)
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


Add = Callable[[str, str, str, Fill], None]
"""Adds a subcommand: its name, its handler, what it does, and what adds its arguments."""

WAIT_AT_MOST_SECONDS = 604_800
"""A week; beyond it a number is rather an sslId that was meant for the subcommand itself."""


def add_writing(add: Add) -> None:
    """Add the subcommands that change something at SCM or here."""
    add("enroll", "enroll:run", "Order a certificate, once.", _enroll)
    add("renew", "renew:run", "Renew an order: place it again, once.", _renew)
    add("recover", "recover:run", "Search SCM for orders whose answer was lost, or decide about one.", _recover)
    add("approve", "decide:approve", "Approve orders that wait for an administrator.", _approve)
    add("decline", "decide:decline", "Decline an order that waits for an administrator, which ends it.", _decline)
    add("remove", "remove:run", "Take finished orders off the local list; their timelines are kept.", _remove)
    add("collect", "collect:run", "Collect certificates, and save leaf, chain and full chain of each as PEM.", _collect)
    add("revoke", "revoke:run", "Revoke a certificate, for good.", _revoke)
    add("rotate", "rotate:run", "Test new credentials with one request, then switch to them.", _rotate)


def add_watching(add: Add) -> None:
    """Add the subcommands that poll without a screen, verify the audit trail, and show the configuration."""
    add("watch", "watch:run", "Poll without a screen until SIGTERM or SIGINT.", _watch)
    add("audit", "audit:run", "List what was done, when and by whom.", _audit)
    add("config", "config:run", "Show where the configuration is and what is in force, or write an example.", _config)


def add_wait(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--wait [SECONDS]`; `wait` is None without it, and 0 without a length."""
    parser.add_argument("--wait", type=_seconds, nargs="?", const=0.0, default=None, metavar="SECONDS", help=text)


def add_json(parser: argparse.ArgumentParser, text: str = "one JSON document (docs/json.md)") -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help=text)


def _enroll(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--csr", metavar="FILE", help="the certificate request; - is stdin")
    source.add_argument("--make-key", metavar="KIND", help="make a private key here, such as RSA:2048 or EC:P-256")
    key = parser.add_argument_group("key to be made")
    key.add_argument("--cn", metavar="NAME", default="", help="the common name")
    key.add_argument("--key-file", metavar="FILE", default="", help="where the key goes; nothing may be there")
    key.add_argument("--passphrase-file", metavar="FILE", default="", help="encrypt it; - is stdin")
    key.add_argument("--ask-passphrase", action="store_true", help="encrypt it, the passphrase is asked for")
    what = parser.add_argument_group("what is ordered; by default as configured")
    what.add_argument("--san", metavar="NAME", action="append", default=[], help="a further name; may be repeated")
    what.add_argument("--drop-other-names", action="store_true", help="leave out the CSR's names that are no DNS names")
    what.add_argument("--organization", metavar="ID", type=int, help="the organization or department")
    what.add_argument("--profile-id", "--cert-type", metavar="ID", type=int, help="the certificate profile")
    what.add_argument("--term", metavar="DAYS", type=int, help="the validity; one that the profile offers")
    what.add_argument("--requester", metavar="EMAIL", action="append", default=[], help="is notified; may be repeated")
    what.add_argument("--comments", metavar="TEXT", default="", help="kept by SCM")
    what.add_argument("--custom", metavar="NAME=VALUE", type=_pair, action="append", default=[], help="a custom field")
    what.add_argument("--dcv-mode", metavar="MODE", type=str.upper, default="", help="CNAME, EMAIL, HTTP, HTTPS, TXT")
    what.add_argument("--dcv-email", metavar="EMAIL", default="", help="the address that is asked with EMAIL")
    _add_how(parser)


def _renew(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ssl_id", metavar="SSLID", type=int, help="the order to be renewed")
    parser.add_argument("--csr", metavar="FILE", help="a new certificate request; - is stdin; by default the old one")
    _add_how(parser)


def _add_how(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("how")
    how.add_argument("--yes", action="store_true", help="order without asking")
    how.add_argument("--allow-duplicate", action="store_true", help="order although others have the same name")
    add_wait(parser, "poll until it is a certificate, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser)


def _recover(parser: argparse.ArgumentParser) -> None:
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--order-again", metavar="ID", help="search a last time, and order what is not there, once")
    decision.add_argument("--give-up", metavar="ID", help="end the search")
    parser.add_argument("--yes", action="store_true", help="order again without asking")
    add_wait(parser, "search until the outcome is known, wait up to SECONDS")
    add_json(parser)


def _approve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs="+", help="the order's sslId")
    _add_message(parser)
    add_wait(parser, "then poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")


def _decline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs=1, help="the order's sslId")
    _add_message(parser)


def _add_message(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--message", metavar="TEXT", required=True, help="kept by SCM")
    add_json(parser, "one JSON array (docs/json.md)")


def _remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("orders", metavar="SSLID|ID", nargs="+", help="the order's sslId, or its local id")
    add_json(parser, "one JSON array (docs/json.md)")


def _collect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs="+", help="the order's sslId")
    parser.add_argument("--directory", metavar="DIR", default=".", help="where they are saved; by default here")
    parser.add_argument("--overwrite", action="store_true", help="replace files with other content")
    add_wait(parser, "poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser, "one JSON array (docs/json.md)")


def _revoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ssl_id", metavar="SSLID", type=int, help="the order's sslId")
    parser.add_argument(
        "--reason-code",
        metavar="CODE",
        type=int,
        required=True,
        help="0 unspecified, 1 keyCompromise, 3 affiliationChanged, 4 superseded, 5 cessationOfOperation",
    )
    parser.add_argument("--reason", metavar="TEXT", required=True, help="in words, kept by SCM")
    parser.add_argument("--confirm", metavar="NAME", help="its common name; asked for without")
    add_wait(parser, "until SCM has answered, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser)


def _rotate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--login", metavar="LOGIN", default="", help="the new login; by default the present one")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--password-file", metavar="FILE", help="the new password, else it is asked for; - is stdin")
    how.add_argument("--at-sectigo", action="store_true", help="set a new random password at SCM")
    how.add_argument("--settle", action="store_true", help="find out which password works after an interrupted change")
    parser.add_argument("--insist", action="store_true", help="test even credentials that SCM has rejected before")
    parser.add_argument("--certctl", action="store_true", help="update certctl-server too")
    add_json(parser)


def _watch(parser: argparse.ArgumentParser) -> None:
    add_json(parser, "a JSON object a line for each event (docs/json.md)")


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="2026-05-05, 2026-05-05T03:12Z, or 90m, 12h, 7d, 2w ago")
    add_json(parser, "a JSON object a line (docs/json.md)")
    parser.add_argument(
        "action", nargs="?", choices=("verify",), help="verify that the journal is intact: exit code 1 if not"
    )


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("path", "show", "init"),
        help="path: where the files are; show: each setting and its source; init: write an example, never over another",
    )
    add_json(parser)


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


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


DESCRIPTION = (
    "Every certificate order at Sectigo Certificate Manager that is still pending, why it waits, "
    "who must act, and when the next poll is. Without a subcommand: the dashboard."
)

EPILOG = (
    "Exit codes: 0 fine; 1 refused by SCM, or the disk failed; 2 configuration or arguments; "
    "3 credentials rejected; 4 SCM unreachable; 5 outcome unknown, the order is not resubmitted; "
    "6 not ordered, there are orders of the same name; 7 still pending."
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
    add("check", "check:run", "Show every setting and where it came from, then test the credentials.", _check)
    add("orders", "orders:run", "List the local orders.", _orders)
    add("diagnose", "diagnose:run", "Show who an order waits for, the evidence, and what to do next.", _diagnose)
    handover = "All that is open, grouped by cause, as Markdown for the next shift."
    add("handover", "diagnose:run_handover", handover, _handover)
    add("track", "track:run", "Make remote orders local, so that they are polled.", _track)


def _add_simulator(add: Add) -> None:
    add("demo", "demo:run_demo", "The dashboard against a simulated account, with nothing to configure.", _demo)
    add("simulator", "demo:run_server", "Serve a simulated SCM on 127.0.0.1 until interrupted.", _simulator)


def _nothing(_: argparse.ArgumentParser) -> None:
    """Add no arguments to those that every subcommand has."""


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--insist", action="store_true", help="test even credentials that SCM has rejected before")
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
