"""`sectigo-tui store`: where the orders are kept, moving them, and removing what is over its time."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.terminal import complain, show_message, table

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.presentation.json import Json
    from sectigo_tui.store.postgres.audit import TeamStatus

CLOCK_SECONDS = 60.0
"""From how far on this host's clock is said to be wrong."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument(
        "action",
        choices=("status", "copy", "prune"),
        help="what the team's database tells of itself; copy all orders elsewhere; remove what is over its time",
    )
    parser.add_argument("--to", metavar="URL|DIR", help="copy: a postgresql:// address, or another data directory")
    add_json(parser, "status: one JSON object (docs/json.md)")


def run(options: Namespace) -> int:
    """Do what was asked for.

    Raises:
        ConfigError: The settings name no account, or a store cannot be used.
        InputError: The arguments do not fit.
        StoreError: A store failed.
    """
    from sectigo_tui.domain.errors import InputError

    if (options.to is not None) != (options.action == "copy"):
        raise InputError("--to belongs to copy, and copy needs it", "write sectigo-tui store copy --to URL|DIR")
    settings = settings_from(options)
    if options.action == "status":
        return _status(settings, as_json=options.json)
    return _copy(settings, options.to) if options.action == "copy" else _prune(settings)


def _status(settings: Settings, *, as_json: bool) -> int:
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.presentation.json import print_json
    from sectigo_tui.wiring.store import status

    found = status(settings, SystemClock())
    if as_json:
        print_json(_json(found))
    else:
        show_message(table(_rows(found)))
    if abs(found.clock_ahead_seconds) > CLOCK_SECONDS:
        complain(f"warning: the database's clock is {found.clock_ahead_seconds:+.0f} s from this host's; see to NTP")
    return FINE


def _rows(found: TeamStatus) -> list[tuple[str, ...]]:
    from sectigo_tui.presentation.json import moment_json

    poller = "nobody"
    if found.poller is not None:
        by = found.poller
        poller = f"{by.user}, pid {by.pid} of {by.host or 'an unknown host'} since {moment_json(found.poller_since)}"
    lag = "" if found.lag_seconds is None else f", {found.lag_seconds:.1f} s behind"
    return [
        ("database", found.name),
        ("server", f"PostgreSQL {found.server}{', a standby' if found.is_standby else ''}{lag}"),
        ("connection", "TLS" if found.is_encrypted else "not encrypted"),
        ("schema", f"{found.schema} of {found.newest}"),
        ("role", f"{found.role}, {found.rights}"),
        ("orders", str(found.orders)),
        ("timeline", f"{found.entries} entries"),
        ("poller", poller),
        ("sessions", str(found.sessions)),
        ("answer", f"{found.answer_seconds * 1000:.1f} ms"),
        *((f"table {each.name}", f"{each.size_bytes / 1024:.0f} kB") for each in found.tables),
    ]


def _json(found: TeamStatus) -> dict[str, Json]:
    from sectigo_tui.presentation.json import moment_json

    by = found.poller
    return {
        "database": found.name,
        "server": found.server,
        "is_standby": found.is_standby,
        "lag_seconds": found.lag_seconds,
        "is_encrypted": found.is_encrypted,
        "schema": found.schema,
        "newest_schema": found.newest,
        "role": found.role,
        "rights": found.rights,
        "orders": found.orders,
        "entries": found.entries,
        "poller": None
        if by is None
        else {"user": by.user, "pid": by.pid, "host": by.host or None, "since": moment_json(found.poller_since)},
        "sessions": found.sessions,
        "answer_seconds": found.answer_seconds,
        "clock_ahead_seconds": found.clock_ahead_seconds,
        "tables": {each.name: each.size_bytes for each in found.tables},
    }


def _copy(settings: Settings, to: str) -> int:
    from sectigo_tui.wiring.store import copy

    copied = copy(settings, to, _show_progress)
    again = f", {copied.found} of them copied before" if copied.found else ""
    show_message(
        f"copied and verified: {copied.orders} orders, {copied.entries} timeline entries{again}, "
        f"{copied.bundles} collected bundles; the source is as it was"
    )
    return FINE


def _show_progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what} {done}/{of}" + ("\n" if done == of else ""))
        sys.stderr.flush()


def _prune(settings: Settings) -> int:
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.wiring.store import prune

    removed = prune(settings, SystemClock())
    show_message(f"{removed} timeline entries removed, older than {settings.sectigo.retention_days} days")
    return FINE
