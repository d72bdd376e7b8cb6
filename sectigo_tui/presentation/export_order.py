"""One order with its timeline, as it leaves the program."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.engine.diagnosis.markdown import Redact, prose
from sectigo_tui.engine.diagnosis.markdown import table as markdown_table
from sectigo_tui.presentation.export import Value
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.workflows.export_table import moment_text

Facts = dict[str, Value | list[str]]


class ExportedOrder(Struct, frozen=True):
    """An order and what happened to it.

    Args:
        subject: The order; untrusted text inside.
        timeline: Its timeline, oldest first; empty for a remote order.
    """

    row: OrderRow
    timeline: Sequence[TimelineEntry]

    def to_json(self, redact: Redact) -> str:
        """Return it as a JSON object, with the timeline as a list; what is not known is null.

        Args:
            redact: Takes credentials out of untrusted text.
        """
        timeline = [{key: _redacted(value, redact) for key, value in _entry(entry).items()} for entry in self.timeline]
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
        "requested": moment_text(row.requested),
    }
    if details is not None:
        facts |= {
            "organization_id": details.organization_id,
            "order_number": details.order_number or None,
            "backend_cert_id": details.backend_cert_id or None,
            "requester": details.requester or None,
            "approved": moment_text(details.approved),
            "issued": moment_text(details.issued),
            "declined": moment_text(details.declined),
            "expires": moment_text(details.expires),
            "revoked": moment_text(details.revoked),
            "term_days": details.term_days,
            "serial_number": details.serial_number or None,
            "comments": details.comments or None,
        }
    return facts


def _entry(entry: TimelineEntry) -> Facts:
    return {
        "at": moment_text(entry.at),
        "kind": entry.kind,
        "summary": entry.summary,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "scm_status": entry.scm_status or None,
        "http_status": entry.http_status,
        "scm_code": entry.code,
    }


def _redacted(value: Value | list[str], redact: Redact) -> Value | list[str]:
    if isinstance(value, list):
        return [redact(each) for each in value]
    return redact(value) if isinstance(value, str) else value


def _when(entry: TimelineEntry) -> str:
    return f"{entry.at:%Y-%m-%d %H:%M:%S}"


def _learned(entry: TimelineEntry) -> str:
    parts = (f"HTTP {entry.http_status}" if entry.http_status else "", f"code {entry.code}" if entry.code else "")
    return ", ".join(filter(None, parts)) or "-"
