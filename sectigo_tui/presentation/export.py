"""Tables that leave the program: as CSV for a spreadsheet, JSON for a script, Markdown for a page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from msgspec import Struct

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.engine.diagnosis.escalation import Redact, prose
from sectigo_tui.engine.diagnosis.escalation import table as markdown_table
from sectigo_tui.presentation.json import entry_json, moment_json
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable

Value = str | int | None
LONG_TEXT = 2_000

_FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}")
"""What a spreadsheet takes a cell for a formula by, and runs it: names come from whoever placed an order."""


class Exported(Struct, frozen=True):
    """A table as it is shown.

    Args:
        about: What it shows, and of when: words by name.
        keys: The columns, as JSON names them.
        titles: The columns, as a person reads them.
        rows: A value for each column; untrusted text.
    """

    about: Mapping[str, str]
    keys: tuple[str, ...]
    titles: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]


def to_csv(table: Exported, redact: Redact) -> str:
    """Return a table as CSV (RFC 4180), whose cells a spreadsheet shows and never runs.

    Args:
        table: The table.
        redact: Takes credentials out of untrusted text.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(table.titles)
    writer.writerows([_csv_cell(value, redact) for value in row] for row in table.rows)
    return out.getvalue()


def to_json(table: Exported, redact: Redact) -> str:
    """Return a table as a JSON object: what it is about, and `rows`, an object for each.

    Args:
        table: The table.
        redact: Takes credentials out of untrusted text.
    """
    rows = [
        {key: redact(value) if isinstance(value, str) else value for key, value in zip(table.keys, row, strict=True)}
        for row in table.rows
    ]
    return json.dumps({**table.about, "rows": rows}, indent=1) + "\n"


def to_markdown(table: Exported, redact: Redact) -> str:
    """Return a table as Markdown, below what it is about.

    Args:
        table: The table.
        redact: Takes credentials out of untrusted text.
    """
    about = [
        f"- {prose(name.replace('_', ' '), redact)}: {prose(value, redact)}" for name, value in table.about.items()
    ]
    rows = ([_markdown_cell(value, redact) for value in row] for row in table.rows)
    lines = markdown_table(table.titles, rows) or ["No rows."]
    return "\n".join([*about, "", *lines]) + "\n"


def _csv_cell(value: Value, redact: Redact) -> str | int:
    if not isinstance(value, str):
        return "" if value is None else value
    text = printable(redact(value), limit=LONG_TEXT)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _markdown_cell(value: Value, redact: Redact) -> str:
    return prose("" if value is None else str(value), redact)


Facts = dict[str, Value | list[str]]


class ExportedOrder(Struct, frozen=True):
    """An order and what happened to it.

    Args:
        row: The order; untrusted text inside.
        timeline: Its timeline, oldest first; empty for a remote order.
    """

    row: OrderRow
    timeline: Sequence[TimelineEntry]

    def to_json(self, redact: Redact) -> str:
        """Return it as a JSON object, with the timeline as a list; what is not known is null.

        Args:
            redact: Takes credentials out of untrusted text.
        """
        timeline = [
            {key: redact(value) if isinstance(value, str) else value for key, value in fields.items()}
            for fields in ({"at": moment_json(entry.at), **entry_json(entry)} for entry in self.timeline)
        ]
        facts = {key: _redacted(value, redact) for key, value in _facts(self.row).items()}
        return json.dumps({**facts, "timeline": timeline}, indent=1) + "\n"

    def to_markdown(self, redact: Redact) -> str:
        """Return it as Markdown: what is known, and the timeline as a table.

        Args:
            redact: Takes credentials out of untrusted text.
        """
        row = self.row
        lines = [f"# {prose(row.common_name or f'sslId {row.ssl_id}', redact)}", ""]
        for key, value in _facts(row).items():
            text = ", ".join(value) if isinstance(value, list) else str(value or "")
            lines += [f"- {key.replace('_', ' ')}: {prose(text, redact)}"] if text else []
        rows = [[_when(entry), prose(entry.summary, redact), _learned(entry)] for entry in self.timeline]
        lines += ["", "## Timeline (UTC)", "", *(markdown_table(("When", "What", "Learned by"), rows) or ["None."])]
        return "\n".join(lines) + "\n"


def _facts(row: OrderRow) -> Facts:
    order, details = row.order, row.details
    facts: Facts = {
        "ssl_id": row.ssl_id,
        "order_id": order.id if order is not None else None,
        "state": order.state if order is not None else None,
        "scm_status": row.status or None,
        "common_name": row.common_name or None,
        "subject_alternative_names": list(details.subject_alternative_names) if details is not None else [],
        "profile_name": row.profile or None,
        "validation": row.validation or None,
        "requested": moment_json(row.requested),
    }
    if details is not None:
        facts |= {
            "organization_id": details.organization_id,
            "order_number": details.order_number or None,
            "backend_cert_id": details.backend_cert_id or None,
            "requester": details.requester or None,
            "approved": moment_json(details.approved),
            "issued": moment_json(details.issued),
            "declined": moment_json(details.declined),
            "expires": moment_json(details.expires),
            "revoked": moment_json(details.revoked),
            "term_days": details.term_days,
            "serial_number": details.serial_number or None,
            "comments": details.comments or None,
        }
    return facts


def _redacted(value: Value | list[str], redact: Redact) -> Value | list[str]:
    if isinstance(value, list):
        return [redact(each) for each in value]
    return redact(value) if isinstance(value, str) else value


def _when(entry: TimelineEntry) -> str:
    return f"{entry.at:%Y-%m-%d %H:%M:%S}"


def _learned(entry: TimelineEntry) -> str:
    parts = (f"HTTP {entry.http_status}" if entry.http_status else "", f"code {entry.code}" if entry.code else "")
    return ", ".join(filter(None, parts)) or "-"
