"""View 3: the whole account, of any size, of which only the pages in sight are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, overload

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.engine.listing import Listing
from sectigo_tui.ui.board import Subject, remote_id
from sectigo_tui.ui.columns import sort_key
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.widgets.live_table_messages import RangeNeeded

STATUS_PREFIX = "status:"


class ListedIds(Sequence[str | None]):
    """The row ids of a listing, by position; None where a row has not been fetched.

    Args:
        listing: The listing.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def __len__(self) -> int:
        return self._listing.total or 0

    @overload
    def __getitem__(self, index: int) -> str | None: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str | None]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str | None] | None:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        row = self._listing.row_at(index)
        return remote_id(row.ssl_id) if row is not None else None

    def __contains__(self, row_id: object) -> bool:
        return self._position(row_id) is not None

    def index(self, row_id: object, start: int = 0, stop: int | None = None) -> int:
        """Return where a fetched row is; raise ValueError when it is not there."""
        position = self._position(row_id)
        if position is None or position < start or (stop is not None and position >= stop):
            raise ValueError(row_id)
        return position

    def _position(self, row_id: object) -> int | None:
        is_id = isinstance(row_id, str) and row_id.startswith("#")
        return self._listing.position_of(int(str(row_id)[1:])) if is_id else None


def listing_filter(text: str) -> ListingFilter:
    """Return what SCM is asked to filter by.

    Args:
        text: A common name, or `status:` and a status.
    """
    text = text.strip()
    if text.casefold().startswith(STATUS_PREFIX):
        return ListingFilter(status=meaning_of(text[len(STATUS_PREFIX) :].strip()).name)
    return ListingFilter(common_name=text)


class RemoteView(View):
    """The account's orders as SCM lists them, filtered by SCM."""

    TITLE = "Remote"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "load_all", "Load all", show=False, id="view.load_all", tooltip="Fetch every page, or stop it"),
    ]
    DEFAULT_SORT = ("", False)

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._listing = model.board.engine.account.listing(ListingFilter())
        self._is_loading_all = False

    def on_mount(self) -> None:
        """Ask for the first page, and say how the filter works here."""
        self.query_one("#filter", Input).placeholder = "common name, or status:Applied; Enter asks SCM"
        self._need(0, 0)

    def subjects(self) -> list[Subject]:
        """Return all rows, once all are fetched."""
        board = self._model.board
        return [board.subject(remote_id(row.ssl_id)) for row in self._listing.rows()]

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty listing means."""
        if self._listing.failure is not None:
            return f"Could not list the account: {self._listing.failure.problem}\nR tries again.", "failed"
        if self._listing.total is None:
            return "Asking SCM for the account's orders ...", "muted"
        return "The account has no such order.", "muted"

    def note(self) -> str:
        """Return how much of the account has been fetched."""
        if self._listing.total is None:
            return ""
        return f"{self._listing.loaded:,} of {self._listing.total:,}{' loading' if self._is_loading_all else ''}"

    def _list(self) -> None:
        self._model.board.note_rows(self._listing.rows())
        self.table.show_empty(*self.empty_text())
        if self._sort and self._listing.is_complete:
            subjects = sorted(self.subjects(), key=sort_key(self._sort, self._model.now), reverse=self._is_descending)
            self.table.update_rows([subject.row_id for subject in subjects])
        else:
            self.table.update_rows(ListedIds(self._listing))
        self._subjects.clear()

    def _need(self, first: int, last: int) -> None:
        self.run_worker(self._listing.need(first, last), group="pages", exit_on_error=False)

    @on(RangeNeeded)
    def _on_range_needed(self, message: RangeNeeded) -> None:
        message.stop()
        self._need(message.first, message.last)

    @on(Input.Submitted, "#filter")
    def _on_query_submitted(self, message: Input.Submitted) -> None:
        self._ask_for(listing_filter(message.value))

    def _ask_for(self, where: ListingFilter) -> None:
        if where != self._listing.where:
            self._listing = self._model.board.engine.account.listing(where)
            self.reload()
        self._need(0, 0)

    def apply_filter(self, text: str) -> None:
        """Wait for Enter: this filter is SCM's, and each change of it costs a request. Cleared, it lists all."""
        if not text and self._listing.where != ListingFilter():
            self._ask_for(ListingFilter())

    def action_refresh(self) -> None:
        """Forget the fetched pages, and fetch what is in sight."""
        self._listing.forget()
        self._need(self.table.cursor_index, self.table.cursor_index)

    def action_load_all(self) -> None:
        """Fetch every page in the background, or stop that."""
        if self._is_loading_all:
            self.workers.cancel_group(self, "load all")
            self._is_loading_all = False
            self._show_state()
            return
        self._is_loading_all = True
        self.run_worker(self._load_all(), group="load all", exclusive=True, exit_on_error=False)

    async def _load_all(self) -> None:
        try:
            await self._listing.load_all(lambda _loaded, _total: None)
        except ScmFailure:
            # The listing keeps the failure, and the view says it.
            self.table.show_empty(*self.empty_text())
        finally:
            self._is_loading_all = False
        self._show_state()
