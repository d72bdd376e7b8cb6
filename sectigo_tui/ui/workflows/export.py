"""What leaves the screen: tables, orders and the screen as files, the escalation pack, and the handover."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from sectigo_tui.domain.errors import InputError
from sectigo_tui.engine.diagnosis.escalation import Redact
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.presentation.columns import RowContext, cell, outage_end
from sectigo_tui.presentation.export import Exported, ExportedOrder, Value, to_csv, to_json, to_markdown
from sectigo_tui.presentation.json import moment_json
from sectigo_tui.presentation.rows import OrderRow, OrderRows
from sectigo_tui.presentation.table_columns import Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.header import Surroundings
from sectigo_tui.ui.dialogs.confirm import AskText, Confirm, Reading
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.outside import WriteFile
from sectigo_tui.ui.screens.view import WIDEST_CELLS, View, ViewModel
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

LONGEST_PATH = 4_000


class Document(NamedTuple):
    """Something that can be saved.

    Args:
        id: What it is called.
        key: The key that chooses it.
        title: What it is.
        name: How a file of it is called, with its ending.
        content: Makes it; called when it was chosen.
        why_not: Why it cannot be saved now; empty when it can.
    """

    id: str
    key: str
    title: str
    name: str
    content: Callable[[], Awaitable[str]]
    why_not: str = ""


async def export(workflow: Workflow, documents: tuple[Document, ...], write_file: WriteFile, *, note: str = "") -> None:
    """Ask what to save and where, and save it; a file that is there is replaced only after another question.

    Args:
        workflow: What every workflow works with.
        documents: What can be saved.
        write_file: Writes a file.
        note: What is said of it before it is saved, such as what is left out.
    """
    chosen = await workflow.ask(
        Menu("Export", [MenuItem(one.id, one.key, one.title, one.why_not) for one in documents])
    )
    document = next((one for one in documents if one.id == chosen), None)
    if document is None:
        return
    content = (await document.content()).encode(errors="replace")
    wanted, error_text = str(workflow.defaults.save_directory / document.name), ""
    while True:
        about = "\n".join(filter(None, (f"{len(content):,} bytes, readable by you alone.", note)))
        answer = await workflow.ask(
            AskText(
                f"Export: {document.title}",
                about,
                label="File",
                button="Save",
                value=wanted,
                longest=LONGEST_PATH,
                error_text=error_text,
            )
        )
        if answer is None:
            return
        wanted = answer
        try:
            path = workflow.defaults.save_directory / _expanded(answer)
            if await _saved(workflow, write_file, path, content):
                workflow.notify(f"Saved {path}")
                return
        except InputError as refused:
            error_text = in_words(refused)
        else:
            error_text = ""


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"{text}: {error}", "write the whole path") from error


async def _saved(workflow: Workflow, write_file: WriteFile, path: Path, content: bytes) -> bool:
    if await asyncio.to_thread(write_file, path, content, replace=False):
        return True
    name = printable(str(path), limit=LONGEST_PATH)
    if await workflow.ask(Confirm("Replace the file?", f"There is a file already:\n{name}", "Replace", is_danger=True)):
        return await asyncio.to_thread(write_file, path, content, replace=True)
    return False


_SHOWN = re.compile(r"(<text\b[^>]*>)([^<]*)(</text>)")
_SPACE = "\N{NO-BREAK SPACE}"


def without_credentials(svg: str, redact: Redact) -> str:
    """Return a picture without the credentials that its text shows, such as a password in an order's comments.

    Args:
        svg: The picture as Textual draws it: each run of text of one style is one element.
        redact: Takes credentials out of a text.
    """

    def redacted(match: re.Match[str]) -> str:
        start, text, end = match.groups()
        shown = unescape(text).replace(_SPACE, " ")
        kept = redact(shown)
        return match[0] if kept == shown else f"{start}{escape(kept).replace(' ', '&#160;')}{end}"

    return _SHOWN.sub(redacted, svg)


ROWS_AT_A_TIME = 200
"""After so many rows the screen gets its turn: a hundred thousand may be exported."""


class _Field(NamedTuple):
    """What a column is exported as.

    Args:
        key: Its name in JSON.
        title: Its title for a person.
        value: What it holds.
    """

    key: str
    title: str
    value: Callable[[OrderRow, RowContext], Value]


async def exported(view: View, surroundings: Surroundings, now: RowContext) -> Exported:
    """Return a view's table as it is shown, of all rows that are loaded.

    Args:
        view: The view.
        surroundings: Which account it is about.
        now: The time.
    """
    columns = view.table.columns
    rows: list[tuple[Value, ...]] = []
    for number, row_id in enumerate(view.table.loaded_ids):
        if number % ROWS_AT_A_TIME == 0:
            await asyncio.sleep(0)
        rows.append(_of_order(view.order_row_of(row_id), columns, now) if view.LISTS_ORDERS else _shown(view, row_id))
    fields = [_FIELDS.get(column.key) if view.LISTS_ORDERS else None for column in columns]
    about = {
        "view": str(view.TITLE),
        "customer": surroundings.customer,
        "profile": surroundings.profile,
        "filter": view.filter_field.value.strip(),
        "exported_at": moment_json(now.clock.now()) or "",
    }
    return Exported(
        {name: value for name, value in about.items() if value},
        tuple(field.key if field else column.key for field, column in zip(fields, columns, strict=True)),
        tuple(field.title if field else column.title for field, column in zip(fields, columns, strict=True)),
        rows,
    )


def _of_order(row: OrderRow, columns: tuple[Column, ...], now: RowContext) -> tuple[Value, ...]:
    return tuple(_FIELDS[column.key].value(row, now) for column in columns)


def _shown(view: View, row_id: str) -> tuple[Value, ...]:
    return tuple(view.cell_text(row_id, column.key) for column in view.table.columns)


def _next_poll(row: OrderRow, _now: RowContext) -> Value:
    window = row.order.window if row.order is not None else None
    return moment_json(window.next_poll_at) if window is not None else None


def _deadline(row: OrderRow, _now: RowContext) -> Value:
    window = row.order.window if row.order is not None else None
    ends = window is not None and window.is_open and not window.until_issued
    return moment_json(window.deadline_at) if window is not None and ends else None


def _polls(row: OrderRow, _now: RowContext) -> Value:
    window = row.order.window if row.order is not None else None
    return window.attempts if window is not None else None


def _text(key: str) -> Callable[[OrderRow, RowContext], Value]:
    return lambda row, now: cell(row, key, WIDEST_CELLS, now).text.strip() or None


_FIELDS = {
    "next": _Field("next_poll_at", "NEXT POLL", _next_poll),
    "deadline": _Field("deadline_at", "DEADLINE", _deadline),
    "age": _Field("requested", "REQUESTED", lambda row, _now: moment_json(row.requested)),
    "state": _Field("state", "STATE", lambda row, now: cell(row, "state", 5, now).text[:3].strip(".") or None),
    "blocked": _Field("blocked_on", "BLOCKED ON", _text("blocked")),
    "ssl_id": _Field("ssl_id", "SSLID", lambda row, _now: row.ssl_id),
    "common_name": _Field("common_name", "COMMON NAME", lambda row, _now: row.common_name or None),
    "validation": _Field("validation", "VALIDATION", lambda row, _now: row.validation or None),
    "last": _Field("last_poll", "LAST POLL", _text("last")),
    "attempts": _Field("attempts", "ATTEMPTS", _polls),
    "in_use": _Field("in_use_until", "IN USE UNTIL", lambda row, now: moment_json(outage_end(row, now))),
    "profile": _Field("profile_name", "PROFILE", lambda row, _now: row.profile or None),
    "owner": _Field("owner", "OWNER", lambda row, _now: row.owner or None),
}


Form = Callable[[Exported, Redact], str]


def documents(view: View, model: ViewModel, picture: Callable[[], str]) -> tuple[Document, ...]:
    """Return what can be exported of a view, in every form.

    Args:
        view: The view.
        model: What it shows.
        picture: Returns a picture of the screen as SVG; called when no dialog is shown.
    """
    stamp = f"{model.now.clock.now():%Y%m%dT%H%M%SZ}"
    return (
        *_of_table(view, model, stamp),
        *_document_of_order(view.row, model, stamp),
        _of_screen(view, model, picture, stamp),
    )


def _of_table(view: View, model: ViewModel, stamp: str) -> Iterable[Document]:
    redact = model.order_rows.engine.diagnoser.redactor()
    forms: tuple[tuple[str, str, str, Form], ...] = (
        ("c", "CSV", "csv", to_csv),
        ("j", "JSON", "json", to_json),
        ("m", "Markdown", "md", to_markdown),
    )
    for key, form, ending, as_text in forms:

        async def content(as_text: Form = as_text) -> str:
            return as_text(await exported(view, model.surroundings, model.now), redact)

        yield Document(f"table-{ending}", key, f"Table as {form}", f"{_name(view)}-{stamp}.{ending}", content)


def _document_of_order(row: OrderRow | None, model: ViewModel, stamp: str) -> Iterable[Document]:
    redact = model.order_rows.engine.diagnoser.redactor()
    order = _exported_order(row, model)
    name = f"order-{order.row.ssl_id or order.row.row_id}-{stamp}"
    why_not = "no order here" if order.row.target is None else ""

    async def as_markdown() -> str:
        return order.to_markdown(redact)

    async def as_json() -> str:
        return order.to_json(redact)

    yield Document("order-md", "o", "Order as Markdown", f"{name}.md", as_markdown, why_not)
    yield Document("order-json", "r", "Order as JSON", f"{name}.json", as_json, why_not)


def _of_screen(view: View, model: ViewModel, picture: Callable[[], str], stamp: str) -> Document:
    async def content() -> str:
        return without_credentials(picture(), model.order_rows.engine.diagnoser.redactor())

    return Document("screen-svg", "s", "Screen as SVG", f"{_name(view)}-{stamp}.svg", content)


def _exported_order(row: OrderRow | None, model: ViewModel) -> ExportedOrder:
    """Return the order under the cursor as it stands now: a list that moves on must not change what is saved."""
    if row is None or row.order is None:
        return ExportedOrder(row or OrderRow(""), ())
    return ExportedOrder(row, model.order_rows.engine.orders.timeline(row.order.id))


def _name(view: View) -> str:
    return str(view.TITLE).lower()


FETCHED_AT_MOST = 200
"""How many orders are looked up for a handover, at some requests each; of the others it says what is known."""


async def escalate(workflow: Workflow, diagnosis: Diagnosis) -> None:
    """Copy an order's escalation pack, keep it as a file, and show it.

    Args:
        workflow: What every workflow works with.
        diagnosis: The order's diagnosis.
    """
    pack = workflow.engine.diagnoser.pack(diagnosis)
    await _hand_over(workflow, "Escalation pack", pack, f"escalation-{diagnosis.ref}")


async def escalate_order(workflow: Workflow, row: OrderRow) -> None:
    """Gather what bears on an order, and hand over its escalation pack."""
    diagnosis = await _diagnosed(workflow, row)
    if diagnosis is not None:
        await escalate(workflow, diagnosis)


async def copy_records(workflow: Workflow, row: OrderRow) -> None:
    """Copy the DNS records that are to be published for an order; what is not known yet is asked for."""
    from sectigo_tui.ui.content.diagnosis import records_to_publish

    if row.target is None:
        return
    records = records_to_publish(workflow.engine.diagnoser.known(row.target).domains)
    if not records:
        diagnosis = await _diagnosed(workflow, row)
        records = records_to_publish(diagnosis.domains) if diagnosis is not None else ""
        if diagnosis is None:
            return
    if not records:
        workflow.notify("SCM lists no record to publish.")
        return
    workflow.copy(records)
    count = len(records.splitlines())
    workflow.notify(f"Copied {count} records." if count > 1 else f"Copied: {printable(records)}")


async def _diagnosed(workflow: Workflow, row: OrderRow) -> Diagnosis | None:
    if row.target is None:
        return None
    work = workflow.engine.diagnoser.diagnose(row.target)
    return await workflow.during("Gathering the evidence ...", work, can_stop=True)


async def hand_over(workflow: Workflow, order_rows: OrderRows) -> None:
    """Look up what is open, then copy all of it, grouped by cause, keep it as a file, and show it.

    Args:
        workflow: What every workflow works with.
        order_rows: Finds what is open.
    """
    targets: list[Target] = [row.target for row in order_rows.pending() if row.target is not None]
    in_flight = workflow.engine.diagnoser.attend(targets[:FETCHED_AT_MOST], lambda _target, _verdict: None)
    await workflow.during(
        f"Looking up what {min(len(targets), FETCHED_AT_MOST)} orders wait for ...\n"
        "Cancel: hand over what is known now.",
        in_flight,
        can_stop=True,
    )
    await _hand_over(workflow, "Handover", workflow.engine.diagnoser.handover(targets), "handover")


async def _hand_over(workflow: Workflow, title: str, markdown: str, name: str) -> None:
    workflow.copy(markdown)
    at = workflow.engine.clock.now()
    try:
        path = await asyncio.to_thread(workflow.defaults.keep, f"{name}-{at:%Y%m%dT%H%M%SZ}.md", markdown)
    except InputError as refused:
        note = f"Copied, but not kept as a file: {refused.reason}. Next: {refused.remedy}"
    else:
        note = f"Copied, and kept in {path}"
    await workflow.ask(Reading(title, note, markdown.rstrip("\n")))
