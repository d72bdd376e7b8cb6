"""Tables that leave the program: as CSV for a spreadsheet, JSON for a script, Markdown for a page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from msgspec import Struct

from sectigo_tui.engine.diagnosis.markdown import Redact, prose
from sectigo_tui.engine.diagnosis.markdown import table as markdown_table
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
