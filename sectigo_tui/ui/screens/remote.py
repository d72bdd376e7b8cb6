"""View 3: the whole account, of any size, of which only the pages in sight are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.presentation.columns import cell
from sectigo_tui.presentation.listing_rows import ListedIds, arranged
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import WIDEST_CELLS, View, ViewModel, is_blank
from sectigo_tui.ui.widgets.table.table import RangeNeeded, VisibleChanged

if TYPE_CHECKING:
    from sectigo_tui.ui.dialogs.menu import MenuItem

STATUS_PREFIX = "status:"
_OF_LOCAL_ORDERS = ("next", "deadline", "attempts", "in_use", "owner")


def listing_filter(text: str) -> ListingFilter:
    """Return what SCM is asked to filter by.

    Args:
        text: A common or alternative name, or `status:` and a status.
    """
    text = text.strip()
    if text.casefold().startswith(STATUS_PREFIX):
        return ListingFilter(status=meaning_of(text[len(STATUS_PREFIX) :].strip()).name)
    return ListingFilter(common_name=text)


class RemoteView(View):
    """The account's orders as SCM lists them, filtered by SCM."""

    TITLE = "Remote"
    FILTER_KIND = "listing"
    FILTER_HINT = "a name, or status:Applied; Enter asks SCM"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "load_all", "Load all", show=False, id="view.load_all", tooltip="Fetch every page, or stop it"),
    ]
    DEFAULT_SORT = ("", False)
    HAS_TERMS = False

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._listing = model.order_rows.engine.account.listing(ListingFilter())
        self._ids = ListedIds(self._listing)
        self._order: tuple[object, ...] = ()
        self._narrowed_by = ""
        self._is_loading_all = False

    def on_screen_resume(self) -> None:
        """Ask for the first page, or again for what could not be fetched before."""
        self._need(self.table.cursor_index, self.table.cursor_index)

    def order_row_of(self, row_id: str) -> OrderRow:
        """Return what is known of a row now."""
        return self._model.order_rows.row(row_id, self._ids.row(row_id))

    def rows(self) -> list[OrderRow]:
        """Return nothing: this view lists pages, of which a row becomes a subject when it is seen."""
        return []

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty listing means."""
        failure = self._listing.failure
        if failure is not None:
            again = filled(self, "{view.refresh} tries again.")
            return f"Could not list the account: {printable(failure.reason, limit=200)}\n{again}", "failed"
        if self._listing.total is None:
            return "Asking SCM for the account's orders ...", "muted"
        if self._listing.unusable:
            return f"SCM's rows cannot be used: {printable('; '.join(self._listing.unusable), limit=500)}", "failed"
        if self._listing.where != ListingFilter():
            return filled(self, "The account has no such order. {view.unwind} clears the filter."), "muted"
        if self._narrowed_by:
            return self.nothing_matches(self._narrowed_by), "muted"
        return "The account has no orders that this login may see.", "muted"

    def note(self) -> str:
        """Return how much of the account has been fetched, and whether the rest could not be."""
        total, loaded = self._listing.total, self._listing.loaded
        if total is None:
            return ""
        state = " loading" if self._is_loading_all else ""
        if self._listing.failure is not None:
            state = " INCOMPLETE"
        shown = f"{len(self._ids):,} shown of " if self._narrowed_by else ""
        unread = f", {self._listing.unread:,} more by alternative name not read" if self._listing.unread else ""
        unusable = f", {len(self._listing.unusable):,} unusable" if self._listing.unusable else ""
        return f"{shown}{loaded:,} of {total:,}{unread}{unusable}{state}"

    def _list(self) -> None:
        self.table.show_empty(*self.empty_text())
        self._rows.clear()
        self.fold()
        listing = self._listing
        if not listing.is_complete:
            self._narrowed_by = ""
            if self._sort:
                self._sort = ""
                self.table.show_sort("")
        order = (listing, listing.fetched_at, listing.loaded, self._sort, self._is_descending, self._narrowed_by)
        if order != self._order:
            self._order = order
            if self._sort or self._narrowed_by:
                self._arrange()
                return
            self.workers.cancel_group(self, "arrange")
            self._ids = ListedIds(listing)
        self.table.update_rows(self._ids)

    @work(group="arrange", exclusive=True, exit_on_error=False)
    async def _arrange(self) -> None:
        """Sort and narrow what is here; a hundred thousand rows take a while, in which the screen goes on."""
        self._ids = await arranged(self._listing, self._sort, descending=self._is_descending, query=self._narrowed_by)
        self.table.update_rows(self._ids)
        self._show_header()

    def fold(self) -> None:
        """Leave out what only local orders have, where none has it: the rows out of sight are not known."""
        local, now = self._model.order_rows.local(), self._model.now
        self.table.fold(
            key for key in _OF_LOCAL_ORDERS if all(is_blank(cell(row, key, WIDEST_CELLS, now)) for row in local)
        )

    def _is_elsewhere(self, before: OrderRow, now: OrderRow) -> bool:  # noqa: ARG002 - SCM says where a row stands
        return False

    @work(group="pages", exit_on_error=False)
    async def _need(self, first: int, last: int) -> None:
        await self._listing.need(first, last)

    @on(RangeNeeded)
    def _on_range_needed(self, message: RangeNeeded) -> None:
        message.stop()
        self._need(message.first, message.last)

    @on(VisibleChanged)
    def _on_rows_passed(self, message: VisibleChanged) -> None:
        """Keep what is known of the rows in sight alone: a hundred thousand can be scrolled past."""
        self._rows = {row_id: self._rows[row_id] for row_id in message.ids if row_id in self._rows}

    @on(Input.Submitted, "#filter")
    def _on_query_submitted(self, message: Input.Submitted) -> None:
        self._remember(message.value)
        self._ask_for(listing_filter(message.value))

    def use_filter(self, query: str) -> None:
        """Ask SCM by a filter, as if it had been typed."""
        super().use_filter(query)
        self._remember(query)
        self._ask_for(listing_filter(query))

    def _remember(self, query: str) -> None:
        self._model.layout.filtered_by(str(self.TITLE), query.strip())

    def _ask_for(self, where: ListingFilter) -> None:
        self._narrowed_by = ""
        if where != self._listing.where:
            self._stop_loading()
            self._listing = self._model.order_rows.engine.account.listing(where)
            self.reload()
        self._need(0, 0)

    def apply_filter(self, text: str) -> None:
        """Narrow a listing that is here as a whole as it is typed; else wait for Enter, which asks SCM."""
        if self._listing.where != ListingFilter():
            if not text:
                self._remember("")
                self._ask_for(ListingFilter())
        elif self._listing.is_complete and not text.casefold().startswith(STATUS_PREFIX):
            self._narrowed_by = text.strip()
            self.reload()

    def _sort_by(self, key: str, *, descending: bool) -> None:
        if not self._listing.is_complete:
            self.show_message("{view.load_all} loads all pages first: SCM does not sort, and only some are loaded.")
        elif key not in ListedIds.SORTS:
            self.show_message("A listing is sorted by sslId or common name: it has no other fields.")
        else:
            super()._sort_by(key, descending=descending)

    def action_sort(self) -> None:
        """Let the operator choose what is sorted by, once all of it is here."""
        if self._listing.is_complete:
            super().action_sort()
        else:
            self._sort_by("ssl_id", descending=False)

    def sort_items(self) -> Sequence[MenuItem]:
        """Return what a listing can be sorted by: it tells no more than sslId and common name."""
        from sectigo_tui.ui.dialogs.menu import MenuItem

        own = MenuItem("", "u", self._sort_title("", "unsorted"), note="As SCM lists them.")
        return [own, *(item for item in super().sort_items() if item.id in ListedIds.SORTS)]

    def action_refresh(self) -> None:
        """Forget the fetched pages, and fetch what is in sight."""
        self._listing.forget()
        self._need(self.table.cursor_index, self.table.cursor_index)

    def action_load_all(self) -> None:
        """Fetch every page in the background, or stop that."""
        if self._is_loading_all:
            self._stop_loading()
        elif self._listing.is_complete:
            self.show_message("Every page is loaded: {view.refresh} fetches them again.")
        else:
            self._is_loading_all = True
            self._load_all()

    @work(group="load all", exclusive=True, exit_on_error=False)
    async def _load_all(self) -> None:
        try:
            await self._listing.load_all(lambda _loaded, _total: None)
        except ScmFailure:
            # The listing keeps the failure, and the view says it.
            self.table.show_empty(*self.empty_text())
        self._is_loading_all = False
        self._show_header()

    def _stop_loading(self) -> None:
        self.workers.cancel_group(self, "load all")
        self._is_loading_all = False
        self._show_header()
