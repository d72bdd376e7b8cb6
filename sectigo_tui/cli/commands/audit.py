"""`sectigo-tui audit`: what was done, when and by whom; and whether the journal is intact."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FAILED, FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.terminal import complain, show_message
from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.presentation.json import Json
    from sectigo_tui.store.local.audit import AuditRecord

_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--since", metavar="TIME", help="2026-05-05, 2026-05-05T03:12Z, or 90m, 12h, 7d, 2w ago")
    add_json(parser, "a JSON object a line (docs/json.md)")
    parser.add_argument(
        "action", nargs="?", choices=("verify",), help="verify that the journal is intact: exit code 1 if not"
    )


def run(options: Namespace) -> int:
    """List what was done, oldest first; or verify that the journal is intact.

    Raises:
        ConfigError: The settings name no account.
        InputError: `--since` is no time.
        StoreError: The journal cannot be read.
    """
    from sectigo_tui.domain.clock import SystemClock

    since = _since(options.since, SystemClock().now()) if options.since else None
    settings = settings_from(options)
    if options.action == "verify":
        if since is not None:
            raise InputError("the journal is verified as a whole", "leave out --since")
        return _verify(settings, as_json=options.json)
    return _print(settings, since, as_json=options.json)


def _print(settings: Settings, since: datetime | None, *, as_json: bool) -> int:
    from sectigo_tui.presentation.json import print_json_line
    from sectigo_tui.wiring.store import records

    for record in records(settings, since):
        if as_json:
            print_json_line(_json(record))
        else:
            show_message(_line(record))
    return FINE


def _verify(settings: Settings, *, as_json: bool) -> int:
    from sectigo_tui.presentation.json import print_json
    from sectigo_tui.wiring.store import verify

    report, where = verify(settings)
    if as_json:
        faults: list[Json] = [
            {"file": fault.file, "line": fault.line, "reason": fault.reason} for fault in report.faults
        ]
        last: Json = {"seq": report.last.seq, "hash": report.last.hash}
        counts: dict[str, Json] = {"lines": report.lines, "removed": report.removed}
        print_json({"is_intact": report.is_intact, **counts, "last": last, "faults": faults})
    elif report.is_intact:
        removed = f", {report.removed} older ones removed after their time" if report.removed else ""
        show_message(f"intact: {report.lines} lines{removed}; number {report.last.seq} is {report.last.hash}")
    else:
        show_message("\n".join(f"{fault.file}: line {fault.line} {fault.reason}" for fault in report.faults))
    if not report.is_intact:
        complain(f"{where} is NOT intact")
    return FINE if report.is_intact else FAILED


def _since(text: str, now: datetime) -> datetime:
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        return now - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no time", "write 2026-05-05, 2026-05-05T03:12Z, or 90m, 12h, 7d, 2w") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _line(record: AuditRecord) -> str:
    from sectigo_tui.presentation.json import entry_line, moment_json

    entry, by = record.entry, record.by
    parts = (("@", by.host), (" on ", by.tty), (" from ", by.ssh))
    where = "".join(f"{before}{part}" for before, part in parts if part)
    order = entry.ssl_id or entry.order_id or "account"
    told_by = [("HTTP", entry.http_status), ("SCM", entry.code)]
    answer = ", ".join(f"{who} {code}" for who, code in told_by if code is not None)
    return (
        f"{moment_json(entry.at)}  {by.user}{where} pid {by.pid}  {order}  {entry.kind}: {entry_line(entry)}"
        f"{f' ({answer})' if answer else ''}"
    )


def _json(record: AuditRecord) -> dict[str, Json]:
    from sectigo_tui.presentation.json import entry_json, moment_json

    entry, by = record.entry, record.by
    return {
        "seq": record.seq,
        "hash": record.hash,
        "at": moment_json(entry.at),
        "user": by.user,
        "host": by.host or None,
        "pid": by.pid,
        "tty": by.tty or None,
        "ssh": by.ssh or None,
        "order_id": entry.order_id or None,
        "ssl_id": entry.ssl_id,
        **entry_json(entry),
    }
