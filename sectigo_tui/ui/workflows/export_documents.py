"""What can be exported from a view."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sectigo_tui.engine.diagnosis.markdown import Redact
from sectigo_tui.presentation.export import Exported, to_csv, to_json, to_markdown
from sectigo_tui.presentation.export_order import ExportedOrder
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.screens.arranged import Arranged
from sectigo_tui.ui.terminal.screenshot import without_credentials
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.workflows.export import Document
from sectigo_tui.ui.workflows.export_table import exported

Form = Callable[[Exported, Redact], str]


def documents(view: Arranged, model: ViewModel, picture: Callable[[], str]) -> tuple[Document, ...]:
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


def _of_table(view: Arranged, model: ViewModel, stamp: str) -> Iterable[Document]:
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


def _of_screen(view: Arranged, model: ViewModel, picture: Callable[[], str], stamp: str) -> Document:
    async def content() -> str:
        return without_credentials(picture(), model.order_rows.engine.diagnoser.redactor())

    return Document("screen-svg", "s", "Screen as SVG", f"{_name(view)}-{stamp}.svg", content)


def _exported_order(row: OrderRow | None, model: ViewModel) -> ExportedOrder:
    """Return the order under the cursor as it stands now: a list that moves on must not change what is saved."""
    if row is None or row.order is None:
        return ExportedOrder(row or OrderRow(""), ())
    return ExportedOrder(row, model.order_rows.engine.context.repository.store.timeline(row.order.id))


def _name(view: Arranged) -> str:
    return str(view.TITLE).lower()
