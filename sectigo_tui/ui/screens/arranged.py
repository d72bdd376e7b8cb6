"""What the operator makes of a list: its columns and filters, remembered, and what he wants to be told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.order_keys import OrderKeys
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.widgets.table.table import Highlighted

if TYPE_CHECKING:
    from sectigo_tui.ui.dialogs.saved_filters import FilterAnswer

WIDEST_CELLS = 1_000


class Arranged(OrderKeys):
    """A list that is arranged as it was left, and whose rows are watched, acknowledged and marked as changed.

    Args:
        model: What is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "watch", "Watch", show=False, id="view.watch", tooltip="Bell and notification when this changes"),
        Binding("W", "watch_all", "Watch all", show=False, id="view.watch_all", tooltip="The same for every order"),
        Binding("z", "quiet", "Quiet", show=False, id="view.quiet", tooltip="Acknowledge this order until it changes"),
        Binding(
            "u",
            "clear_changed",
            "Clear changed",
            show=False,
            id="view.clear_changed",
            tooltip="Remove the + of all changed rows",
        ),
        Binding("o", "columns", "Columns", show=False, id="view.columns", tooltip="Choose and order the columns"),
        Binding("F", "filters", "Filters", show=False, id="view.filters", tooltip="Save, choose or delete a filter"),
    ]
    DEFAULT_SORT: ClassVar[tuple[str, bool]] = ("", False)
    LISTS_ORDERS = True
    """Whether each row is an order."""
    FILTER_KIND = "words"
    """Filters of one kind can be used in every view of that kind."""

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._under_cursor: str | None = None

    def on_mount(self) -> None:
        """Arrange the list as it was left."""
        kept = self._model.layout.of(str(self.TITLE))
        self.table.show_columns(kept.of_columns(self.COLUMNS))
        if kept.query:
            self.use_filter(kept.query)

    def reload(self) -> None:
        """List again."""
        raise NotImplementedError

    def shows(self, row_id: str) -> bool:
        """Return whether a row is listed."""
        raise NotImplementedError

    def remembered_sort(self) -> tuple[str, bool]:
        """Return the column to sort by, and whether downwards."""
        kept = self._model.layout.of(str(self.TITLE))
        is_known = kept.sort == "" or kept.sort in {column.key for column in self.COLUMNS}
        return (kept.sort, kept.is_descending) if kept.sort is not None and is_known else self.DEFAULT_SORT

    def cell_text(self, row_id: str, key: str) -> str:
        """Return what a cell of a row says, however narrow the screen is."""
        return self._cell(row_id, key, WIDEST_CELLS).text

    def use_filter(self, query: str) -> None:
        """Put a filter in force, as if it had been typed."""
        self.filter_field.value = query
        self.filter_field.display = bool(query)
        self.apply_filter(query)

    def flag(self, row_id: str) -> str:
        """Return the shape in front of a row, one cell."""
        return self._model.watchlist.flag(row_id)

    @on(Highlighted)
    def _on_cursor_moved(self, message: Highlighted) -> None:
        """Take a row as seen when the operator comes to it, and not when the row that he was on has gone."""
        left, self._under_cursor = self._under_cursor, message.row_id
        if message.row_id is not None and left is not None and self.shows(left):
            self._model.watchlist.see(message.row_id)

    def action_watch(self) -> None:
        """Watch the marked orders or the one under the cursor, or no longer."""
        row_ids = self._chosen()
        if row_ids:
            told = "Watched: bell and notification when {} changes." if self._model.watchlist.watch(row_ids) else ""
            self._message_for(row_ids, told or "No longer watched: {}.")

    def action_watch_all(self) -> None:
        """Watch every order, or no longer."""
        is_on = self._model.watchlist.watch_all()
        self.show_message(
            "Every order is watched: bell and notification on any change." if is_on else "No longer watching all."
        )
        self.reload()

    def action_quiet(self) -> None:
        """Acknowledge the marked orders or the one under the cursor until they change, or take that back."""
        row_ids = self._chosen()
        if row_ids:
            told = "Acknowledged until it changes: {}." if self._model.watchlist.acknowledge(row_ids) else ""
            self._message_for(row_ids, told or "No longer acknowledged: {}.")

    def action_clear_changed(self) -> None:
        """Take all changed rows as seen."""
        self._model.watchlist.see_all()
        self.reload()

    def action_columns(self) -> None:
        """Let the operator choose and order the columns."""
        from sectigo_tui.ui.dialogs.columns import Columns

        self.app.push_screen(Columns(str(self.TITLE), self.COLUMNS, self.table.columns), self._show_columns)

    def action_filters(self) -> None:
        """Let the operator use, save or delete a filter."""
        from sectigo_tui.ui.dialogs.saved_filters import SavedFilters

        saved = self._model.layout.filters.get(self.FILTER_KIND, {})
        self.app.push_screen(SavedFilters(saved, self.filter_field.value.strip()), self._do_with_filter)

    def _show_columns(self, keys: Sequence[str] | None) -> None:
        if keys is None:
            return
        by_key = {column.key: column for column in self.COLUMNS}
        self.table.show_columns([by_key[key] for key in keys])
        self._model.layout.shows(str(self.TITLE), keys, [key for key in by_key if key not in keys])
        self.reload()

    def _do_with_filter(self, answer: FilterAnswer | None) -> None:
        from sectigo_tui.ui.dialogs.saved_filters import Verb

        if answer is None:
            return
        layout, name = self._model.layout, answer.name
        match answer.verb:
            case Verb.USE:
                self.use_filter(layout.filters[self.FILTER_KIND][name])
            case Verb.SAVE:
                layout.save_filter(self.FILTER_KIND, name, self.filter_field.value.strip())
                uses = filled(self, "{view.filters} uses it.")
                self.notify(f"Saved the filter as {printable(name)}: {uses}", markup=False)
            case Verb.DELETE:
                layout.delete_filter(self.FILTER_KIND, name)
                self.action_filters()

    def _chosen(self) -> list[str]:
        """Return the marked orders, or the one under the cursor."""
        marked = [self.order_row_of(row_id) for row_id in sorted(self.table.marks)]
        chosen = marked or ([self.row] if self.row is not None else [])
        row_ids = [row.row_id for row in chosen if row.target is not None]
        if not row_ids:
            self.show_message("There is no order here.")
        return row_ids

    def _message_for(self, row_ids: Sequence[str], words: str) -> None:
        self.show_message(words.format(row_ids[0].lstrip("#") if len(row_ids) == 1 else f"{len(row_ids)} orders"))
        self.unmark(row_ids)
        self.reload()
