"""What all views share: header, table, filter, detail pane, errors and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input

from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import AccountChanged, Announcement, LookMade, LookStarted, OrderChanged
from sectigo_tui.domain.orders import Order
from sectigo_tui.ui.board import Subject, local_id, matches, needs_act, remote_id
from sectigo_tui.ui.columns import COLUMNS, cell, sort_key
from sectigo_tui.ui.detail import detail_content
from sectigo_tui.ui.header import header_segments
from sectigo_tui.ui.text import printable
from sectigo_tui.ui.view_model import Trouble, ViewModel
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.error_pane import ErrorPane
from sectigo_tui.ui.widgets.header_line import HeaderLine
from sectigo_tui.ui.widgets.live_table import LiveTable
from sectigo_tui.ui.widgets.live_table_columns import Column
from sectigo_tui.ui.widgets.live_table_messages import HeaderSelected, Highlighted, Selected, VisibleChanged
from sectigo_tui.ui.widgets.live_table_paint import Cell

TICK_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""Changes within this time are shown together."""


class View(Screen[None]):
    """A table under the header line; what it lists is a subclass's to say.

    Args:
        model: What it shows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", id="view.detail", tooltip="Show or hide what is known of this order"),
        Binding("l", "timeline", "Timeline", show=False, id="view.timeline", tooltip="Show this order's timeline"),
        Binding("slash", "filter", "Filter", key_display="/", id="view.filter", tooltip="Filter as you type"),
        Binding("s", "sort", "Sort", show=False, id="view.sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "Reverse", show=False, id="view.reverse", tooltip="Sort the other way"),
        Binding("r", "poll", "Poll", id="view.poll", tooltip="Poll this order now"),
        Binding("R", "refresh", "Refresh", id="view.refresh", tooltip="List the account's orders again"),
        Binding("t", "track", "Track", id="view.track", tooltip="Make this remote order local, and poll it"),
        Binding("p", "freeze", "Freeze", show=False, id="view.freeze", tooltip="Freeze the list, or let it go on"),
        Binding("c", "copy", "Copy", show=False, id="view.copy", tooltip="Copy this order's facts"),
        Binding("x", "acknowledge", "Ack", show=False, id="view.acknowledge", tooltip="Take the newest failure away"),
        Binding("escape", "unwind", "Back", show=False, id="view.unwind", tooltip="Close what was opened last"),
    ]

    DEFAULT_SORT = ("age", True)
    COLUMNS: ClassVar[Sequence[Column]] = COLUMNS

    def __init__(self, model: ViewModel) -> None:
        super().__init__()
        self._model = model
        self._subjects: dict[str, Subject] = {}
        self._query = ""
        self._sort, self._is_descending = self.DEFAULT_SORT
        self._is_frozen = False
        self._stale_rows: set[str] = set()
        self._is_stale = False
        self._is_gathering = False
        self._pending = self._acts = 0

    def compose(self) -> ComposeResult:
        """Lay out the view."""
        yield HeaderLine(id="header")
        yield LiveTable(self.COLUMNS, self._cell, glyphs=self._model.now.glyphs, id="table")
        yield DetailPane(id="detail")
        yield Input(placeholder="filter: words, ! inverts", id="filter", compact=True)
        yield ErrorPane(id="errors")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Start to follow the engine."""
        self.query_one("#filter").display = False
        self.table.show_sort(self._sort, descending=self._is_descending)
        self.table.focus()
        self._model.announced.subscribe(self, self._hear, immediate=True)
        self.set_interval(TICK_SECONDS, self._tick)
        self.reload()

    def on_screen_resume(self) -> None:
        """Show what happened while another view was shown."""
        self.reload()

    @property
    def table(self) -> LiveTable:
        """The table."""
        return self.query_one("#table", LiveTable)

    @property
    def subject(self) -> Subject | None:
        """The order under the cursor."""
        row_id = self.table.cursor_id
        return self._model.board.subject(row_id) if row_id is not None else None

    def subjects(self) -> list[Subject]:
        """Return what this view lists, before filter and sort."""
        raise NotImplementedError

    def empty_text(self) -> tuple[str, str]:
        """Return what is said when there is nothing to list, and its style."""
        raise NotImplementedError

    def note(self) -> str:
        """Return what the header says of this list: how much of it the filter shows."""
        return f"{len(self._subjects)} shown" if self._query else ""

    def reload(self) -> None:
        """List again, with filter and sort; the cursor stays on its order."""
        self._is_stale = False
        self._stale_rows.clear()
        if not self._is_frozen:
            self._list()
        self._show_state()

    def _list(self) -> None:
        chosen = [subject for subject in self.subjects() if matches(self._query)(subject)]
        chosen.sort(key=sort_key(self._sort, self._model.now), reverse=self._is_descending)
        self._subjects = {subject.row_id: subject for subject in chosen}
        self.table.show_empty(*self._empty())
        self.table.update_rows(list(self._subjects))

    def _empty(self) -> tuple[str, str]:
        if self._query:
            return f"Nothing matches {printable(self._query)!r}. Esc clears the filter.", "muted"
        return self.empty_text()

    def _cell(self, row_id: str, key: str, width: int) -> Cell:
        subject = self._subjects.get(row_id)
        if subject is None:
            subject = self._subjects[row_id] = self._model.board.subject(row_id)
        return cell(subject, key, width, self._model.now)

    def _hear(self, announcements: Sequence[Announcement]) -> None:
        for announcement in announcements:
            match announcement:
                case OrderChanged(order, entry):
                    self._note_order(order, is_news=entry is not None)
                case LookStarted(order_id) | LookMade(order_id):
                    looked_at = self._model.board.engine.context.book.store.order(order_id)
                    if looked_at is not None:
                        self._stale_rows.add(local_id(looked_at))
                case AccountChanged(ssl_id) if ssl_id is not None:
                    self._stale_rows.add(remote_id(ssl_id))
                case AccountChanged():
                    self._is_stale = True
                case _:
                    pass
        if not self._is_gathering and self.is_current:
            self._is_gathering = True
            self.set_timer(GATHER_SECONDS, self._show_news)

    def _note_order(self, order: Order, *, is_news: bool) -> None:
        self._stale_rows.add(local_id(order))
        self._is_stale = self._is_stale or is_news

    def _show_news(self) -> None:
        self._is_gathering = False
        if self._is_stale:
            self.reload()
            return
        for row_id in self._stale_rows & self._subjects.keys():
            self._subjects[row_id] = self._model.board.subject(row_id)
        if not self._is_frozen:
            self.table.refresh_rows(self._stale_rows)
        self._stale_rows.clear()
        self._show_state()

    def _tick(self) -> None:
        if self.is_current:
            if not self._is_frozen:
                self.table.tick()
            self._show_header()

    def _show_state(self) -> None:
        pending = self._model.board.pending()
        self._pending, self._acts = len(pending), sum(map(needs_act, pending))
        self._show_header()
        self._show_detail()
        troubles = self._model.troubles.open
        self.query_one("#errors", ErrorPane).show(_trouble_content(troubles) if troubles else None)

    def _show_header(self) -> None:
        segments = header_segments(
            self._model.board.engine,
            self._model.surroundings,
            pending=self._pending,
            acts=self._acts,
            is_frozen=self._is_frozen,
            note=self.note(),
            refresh_seconds=self._model.now.refresh_seconds,
        )
        self.query_one("#header", HeaderLine).show(segments)

    @property
    def _pane(self) -> DetailPane:
        return self.query_one("#detail", DetailPane)

    def _show_detail(self) -> None:
        if self._pane.display:
            subject = self.subject
            self._pane.show(self._detail(subject) if subject is not None else Content("No order here."))

    def _detail(self, subject: Subject) -> Content:
        store = self._model.board.engine.context.book.store
        timeline = store.timeline(subject.order.id) if subject.order is not None else ()
        return detail_content(subject, timeline, self._model.now)

    @on(Highlighted)
    def _on_highlighted(self, message: Highlighted) -> None:
        message.stop()
        self._show_detail()

    @on(Selected)
    def _on_selected(self, message: Selected) -> None:
        message.stop()
        self.action_detail()

    @on(HeaderSelected)
    def _on_header_selected(self, message: HeaderSelected) -> None:
        message.stop()
        descending = not self._is_descending if message.column_key == self._sort else False
        self._sort_by(message.column_key, descending=descending)

    @on(VisibleChanged)
    def _on_visible_changed(self, message: VisibleChanged) -> None:
        message.stop()
        wanted = [int(row_id[1:]) for row_id in message.ids if self._wants_details(row_id)]
        if wanted:
            self.run_worker(self._sight(wanted), group="sight", exclusive=True, exit_on_error=False)

    def _wants_details(self, row_id: str) -> bool:
        return row_id.startswith("#") and self._model.board.order(row_id) is None

    async def _sight(self, ssl_ids: Sequence[int]) -> None:
        try:
            await self._model.board.engine.account.sight(ssl_ids)
        except ScmFailure:
            # The exchange itself was announced: the header tells it, and the rows stay as they are known.
            self._show_header()

    @on(Input.Changed, "#filter")
    def _on_filter_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.apply_filter(message.value)

    @on(Input.Submitted, "#filter")
    def _on_filter_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        message.input.display = bool(message.value)
        self.table.focus()

    def apply_filter(self, text: str) -> None:
        """Show only what matches what was typed."""
        self._query = text
        self.reload()

    def _sort_by(self, key: str, *, descending: bool) -> None:
        self._sort, self._is_descending = key, descending
        self.table.show_sort(key, descending=descending)
        self.reload()

    def action_detail(self) -> None:
        """Show or hide what is known of the order under the cursor."""
        pane = self._pane
        pane.display = not pane.display
        if pane.display:
            pane.scroll_home(animate=False)
            self._show_detail()
        else:
            self.table.focus()

    def action_timeline(self) -> None:
        """Show the timeline of the order under the cursor."""
        pane = self._pane
        pane.display = True
        self._show_detail()
        pane.focus()
        self.call_after_refresh(pane.scroll_end, animate=False)

    def action_filter(self) -> None:
        """Let the operator type a filter."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def action_sort(self) -> None:
        """Sort by the next column that is shown."""
        keys = [placed.column.key for placed in self.table.placed_columns]
        position = keys.index(self._sort) if self._sort in keys else -1
        self._sort_by(keys[(position + 1) % len(keys)], descending=False)

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self._sort_by(self._sort, descending=not self._is_descending)

    def action_freeze(self) -> None:
        """Freeze the list, or let it go on."""
        self._is_frozen = not self._is_frozen
        self.reload()

    def action_poll(self) -> None:
        """Poll the order under the cursor now, or as soon as the schedule's spacing allows."""
        subject = self.subject
        if subject is None:
            return
        if subject.order is None:
            self.notify("This order is remote: t tracks it, then it is polled.", markup=False)
            return
        engine = self._model.board.engine
        self._model.perform("poll now", engine.supervisor.open_window(subject.order.id))

    def action_refresh(self) -> None:
        """List the account's pending orders again."""
        self._model.perform("list the account", self._model.board.engine.account.refresh_pending())

    def action_track(self) -> None:
        """Make the marked remote orders local, or the one under the cursor."""
        marked = [self._model.board.subject(row_id) for row_id in self.table.marks]
        chosen = marked or ([self.subject] if self.subject is not None else [])
        remote = [subject.ssl_id for subject in chosen if subject.order is None and subject.ssl_id is not None]
        if not remote:
            self.notify("This order is local already.", markup=False)
        for ssl_id in remote:
            self._model.perform(f"track sslId {ssl_id}", self._model.board.engine.track(ssl_id))
        self.table.clear_marks()

    def action_copy(self) -> None:
        """Copy the facts of the order under the cursor."""
        subject = self.subject
        if subject is not None:
            self.app.copy_to_clipboard(self._detail(subject).plain)
            self.notify(f"Copied the facts of {printable(subject.common_name, limit=40)}.", markup=False)

    def action_acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        self._model.troubles.acknowledge()
        self._show_state()

    def action_unwind(self) -> None:
        """Close one thing: the filter's field, the detail pane, the marks, the filter."""
        field, pane = self.query_one("#filter", Input), self._pane
        if field.has_focus or (not pane.display and not self.table.marks and field.value):
            field.value = ""
            field.display = False
            self.table.focus()
        elif pane.display:
            self.action_detail()
        else:
            self.table.clear_marks()

    def has_open(self) -> bool:
        """Return whether something is open that going back would close."""
        return self._pane.display


def _trouble_content(troubles: Sequence[Trouble]) -> Content:
    trouble = troubles[-1]
    explanation = trouble.explanation
    code = "" if explanation.code is None else f"  SCM code {explanation.code}"
    more = f"  (+{len(troubles) - 1} more)" if len(troubles) > 1 else ""
    return Content.assemble(
        (f"{trouble.at:%H:%M:%S}Z {printable(explanation.what)}{code}{more}", "$state-failed bold"),
        "\n",
        printable(explanation.meaning, limit=2_000),
        "\n",
        (f"Next: {printable(explanation.next_step, limit=2_000)}", "bold"),
        ("  x: acknowledge", "$state-muted"),
    )
