"""What is around a list: header, filter, detail pane, errors, key line, and how they open and close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Input

from sectigo_tui.presentation.glyphs import Glyphs
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.ui.keys.active_keys import KeyHelp, active_keys
from sectigo_tui.ui.keys.key_names import filled, key_names_of
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.error_pane import ErrorPane
from sectigo_tui.ui.widgets.header_line import HeaderLine
from sectigo_tui.ui.widgets.key_line import KeyHint, KeyLine, hints_of
from sectigo_tui.ui.widgets.table.table import LiveTable, Selected

WIDE_COLUMNS = 160
"""From this width on the detail pane stands beside the list."""
SHORT_LINES = 16
"""Below this height an error takes one line."""

_FIRST_RANKS = {"app.help": 0, "app.back": 0, "app.menu": 1, "view.detail": 2, "view.filter": 2, "view.poll": 4}
_RANK = 5
_IN_FILTER = (("view.unwind", "clear it", 0),)
_IN_PANE = (
    ("detail.down detail.up", "scroll", 1),
    ("detail.top detail.bottom", "top, end", 3),
    ("view.copy", "copy", 2),
    ("view.unwind", "to the list", 0),
    ("app.help", "Help", 0),
    ("app.back", "Close", 0),
)


class Body(Container):
    """A view's list and detail pane, and with them the layout of all that is in a view.

    It stands here, not with the application or its screens, since what is said there is read three times at the start.
    """

    BLANK = True
    SCOPED_CSS = False
    DEFAULT_CSS = """
    #body { height: 1fr; }
    #table { height: 1fr; }
    #detail { height: 1.4fr; }
    .-wide #body { layout: horizontal; }
    .-wide #table { height: 100%; width: 1fr; }
    .-wide #detail { height: 100%; width: 76; border-top: none; border-left: solid $table-header; }
    .-wide #detail:focus { border-left: heavy $accent; }
    .-short #errors { max-height: 1; }
    #filter { height: 1; border: none; padding: 0 1; }
    .-ascii {
        #detail, #detail:focus { border-top: ascii $table-header; }
        #errors { border-left: ascii $state-failed; }
        #errors.-done { border-left: ascii $state-done; }
        .-wide #detail, .-wide #detail:focus { border-top: none; border-left: ascii $table-header; }
    }
    """


class TableScreen(Screen[None]):
    """A list under the header line, and what opens beside it; what it lists is a subclass's to say.

    Args:
        glyphs: The shapes of this terminal.
    """

    BLANK = True
    """There is nothing between its widgets to be painted line by line, so that this is not done."""
    COLUMNS: ClassVar[Sequence[Column]] = ()
    FILTER_HINT = "filter: words; !word leaves out, ! first inverts all"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT_LINES, "-tall")]  # noqa: RUF012 - declared so by Textual

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", id="view.detail", tooltip="Show or hide what is known of this order"),
        Binding("l", "timeline", "Timeline", show=False, id="view.timeline", tooltip="Show this order's timeline"),
        # With priority, so that what is typed at once after it lands in the field, not in the list.
        Binding(
            "slash", "filter", "Filter", key_display="/", priority=True, id="view.filter", tooltip="Filter the list"
        ),
        Binding("escape", "unwind", "Undo one", show=False, id="view.unwind", tooltip="Close what was opened last"),
        Binding("down", "to_list", show=False, id="view.to_list"),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Lay out the view."""
        # Textual sets these once the size has been told, and then styles everything a second time.
        width, height = self.app.size
        size_classes = ("-wide" if width >= WIDE_COLUMNS else "-narrow", "-tall" if height >= SHORT_LINES else "-short")
        self.set_class(True, *size_classes, update=False)
        yield HeaderLine(id="header")
        with Body(id="body"):
            yield LiveTable(self.COLUMNS, self._cell, glyphs=self._glyphs, flag=self.flag, id="table")
            yield DetailPane(id="detail")
        yield Input(placeholder=self.FILTER_HINT, id="filter", compact=True, select_on_focus=False)
        yield ErrorPane(id="errors")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Put the focus on the list, and follow what can be done there."""
        self.filter_field.display = bool(self.filter_field.value)
        self.table.focus()
        self.bindings_updated_signal.subscribe(self, lambda _screen: self.show_keys())
        self.show_keys()

    @property
    def table(self) -> LiveTable:
        """The list."""
        return self.query_one("#table", LiveTable)

    @property
    def pane(self) -> DetailPane:
        """The detail pane."""
        return self.query_one("#detail", DetailPane)

    @property
    def filter_field(self) -> Input:
        """The field in which a filter is typed."""
        return self.query_one("#filter", Input)

    def has_open(self) -> bool:
        """Return whether something is open that going back closes."""
        return self.pane.display

    def show_message(self, words: str) -> None:
        """Say in the key line why a key did nothing.

        Args:
            words: Printable text; a key is named by its action, as in `{view.track} tracks it`.
        """
        self.query_one("#keys", KeyLine).show_message(filled(self, words))

    def show_keys(self) -> None:
        """Show the keys of where the focus is."""
        if not self.is_running or not self.query("#keys"):
            return
        if self.filter_field.has_focus:
            keep, hint = KeyHint("Enter", "keep the filter", 0, "enter"), KeyHint("", self.FILTER_HINT, 3)
            hints: Sequence[KeyHint] = (keep, *hints_of(key_names_of(self), _IN_FILTER), hint)
        elif self.pane.has_focus:
            hints = hints_of(key_names_of(self), _IN_PANE)
        else:
            hints = _hints(active_keys(self.active_bindings), str(self.TITLE), self.back_title())
        self.query_one("#keys", KeyLine).show(hints)

    def back_title(self) -> str:
        """Return what going back does here, in a word."""
        return "Back"

    def show_detail(self) -> None:
        """Bring the detail pane up to date."""
        raise NotImplementedError

    def apply_filter(self, text: str) -> None:
        """Show only what matches what was typed."""
        raise NotImplementedError

    def flag(self, row_id: str) -> str:
        """Return the shape in front of a row, one cell."""
        raise NotImplementedError

    def close_other(self) -> None:
        """Undo what a subclass has opened; called when nothing of the frame's is open."""

    @on(Selected)
    def _on_selected(self, message: Selected) -> None:
        message.stop()
        if self.pane.display:
            self.pane.focus()
        else:
            self.action_detail()

    @on(Input.Changed, "#filter")
    def _on_filter_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.apply_filter(message.value)

    @on(Input.Submitted, "#filter")
    def _on_filter_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_to_list()

    def action_to_list(self) -> None:
        """Put the focus on the list; a filter in force stays in sight."""
        self.table.focus()
        self.filter_field.display = bool(self.filter_field.value)

    def action_detail(self) -> None:
        """Show or hide what is known of the order under the cursor."""
        self.pane.display = not self.pane.display
        if self.pane.display:
            self.pane.scroll_home(animate=False)
            self.show_detail()
        else:
            self.table.focus()
        self.show_keys()

    def action_timeline(self) -> None:
        """Show the timeline of the order under the cursor, the newest entries in sight."""
        self.pane.display = True
        self.show_detail()
        self.pane.focus()
        self.call_after_refresh(self.pane.scroll_end, animate=False)

    def action_filter(self) -> None:
        """Let the operator type a filter."""
        self.filter_field.display = True
        self.set_focus(self.filter_field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave a slash that is typed into a field to the field."""
        if action == "filter" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_unwind(self) -> None:
        """Undo one thing: the filter's field, the focus on the pane, the pane, the marks, the filter."""
        if self.filter_field.has_focus:
            self._clear_filter()
        elif self.pane.has_focus:
            self.table.focus()
        elif self.pane.display:
            self.action_detail()
        elif self.table.marks:
            self.table.clear_marks()
        elif self.filter_field.value:
            self._clear_filter()
        else:
            self.close_other()

    def _clear_filter(self) -> None:
        self.filter_field.value = ""
        self.action_to_list()

    def _cell(self, row_id: str, key: str, width: int) -> Cell:
        raise NotImplementedError


def _hints(keys: Sequence[KeyHelp], view: str, back: str) -> list[KeyHint]:
    """Return the keys of the footer; those of the views stand together."""
    shown = [key for key in keys if key.is_shown and key.keys]
    views = [key.keys.split()[0] for key in shown if key.group == "Views"]
    hints = [
        KeyHint(
            key.keys.split()[0], back if key.id == "app.back" else key.title, _FIRST_RANKS.get(key.id, _RANK), key.key
        )
        for key in shown
        if key.group != "Views"
    ]
    own = [hint for hint in hints if hint.rank]
    return [*own, KeyHint("".join(views), f"view: {view}", 3), *(hint for hint in hints if not hint.rank)]
