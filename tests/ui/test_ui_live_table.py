"""The live table as an operator sees it, and what it paints again."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Input

from sectigo_tui.presentation.glyphs import ASCII, UNICODE, Glyphs
from sectigo_tui.presentation.table_columns import Cell, Column, PlacedColumn, place_columns
from sectigo_tui.presentation.text import Align, fit
from sectigo_tui.presentation.themes import DARK, LIGHT
from sectigo_tui.ui.theme import THEMES
from sectigo_tui.ui.widgets.table.paint import changed_span
from sectigo_tui.ui.widgets.table.rows import RowIds, TableRows
from sectigo_tui.ui.widgets.table.table import LiveTable, TableMessage

COLUMNS = (
    Column("next", "NEXT", 5, align="right", ticking=True),
    Column("bar", "DEADLINE", 12, narrow_width=3, ticking=True),
    Column("state", "STATE", 5),
    Column("name", "NAME", 6, share=1, max_width=20),
    Column("last", "LAST", 8, priority=1),
)
HUNDRED = [f"r{number}" for number in range(100)]


class RecordingTable(LiveTable):
    """A table that remembers what it was asked to paint again."""

    repainted: list[Region]

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> RecordingTable:
        self.__dict__.setdefault("repainted", []).extend(regions or [self.size.region])
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class TableApp(App[None]):
    """A table of rows whose cells are a dictionary's."""

    def __init__(self, ids: RowIds = (), *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.theme = DARK
        self.cells: dict[tuple[str, str], Cell] = {}
        self.asked: set[str] = set()
        self.received: list[TableMessage] = []
        self.table = RecordingTable(COLUMNS, self.cell, glyphs=glyphs)
        self.ids = ids

    def cell(self, row_id: str, key: str, width: int) -> Cell:
        self.asked.add(row_id)
        default = {"name": row_id, "state": "APL ◐", "next": "00:42", "bar": "#" * width}.get(key, "")
        return self.cells.get((row_id, key), Cell(default))

    def compose(self) -> ComposeResult:
        yield self.table
        yield Input()

    def on_mount(self) -> None:
        self.table.update_rows(self.ids)
        self.table.focus()

    def post_message(self, message: Message) -> bool:
        if isinstance(message, TableMessage):
            self.received.append(message)
        return super().post_message(message)

    def lines(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips[: self.table.size.height]]

    def names(self) -> list[str]:
        """The rows on the screen; the cursor's has its shape in front."""
        name = self.table.placed_columns[3]
        return [(line[0] + line[name.x : name.end]).strip() for line in self.lines()[1:] if line]

    def cursor_line(self) -> int:
        return next(y for y, line in enumerate(self.lines()) if line.startswith((">", "*>")))


def content(message: TableMessage) -> tuple[object, ...]:
    """Return what a message says: two messages are never equal themselves."""
    return (type(message), *(getattr(message, name) for name in signature(type(message)).parameters))


def running(app: TableApp, width: int = 60, height: int = 13):  # type: ignore[no-untyped-def]  # Textual's own type is private
    """Run the app; the table has ten lines of which one is its header."""
    return app.run_test(size=(width, height))


async def test_a_table_of_a_hundred_thousand_asks_for_the_rows_in_sight_alone() -> None:
    app = TableApp([f"r{number}" for number in range(100_000)])
    async with running(app) as pilot:
        await pilot.press("G")
        assert app.names()[-1] == ">r99999"
        assert len(app.asked) <= 2 * 10


async def test_titles_rows_and_the_cursor_are_shown() -> None:
    app = TableApp(["a", "b"])
    async with running(app):
        app.table.show_sort("name", descending=True)
        assert app.lines()[:4] == [
            "  NEXT DEADLINE     STATE NAME▼                LAST",
            ">00:42 ############ APL ◐ a",
            " 00:42 ############ APL ◐ b",
            "",
        ]


@pytest.mark.parametrize(
    ("keys", "row_id"),
    [
        ("j j k", "r1"),
        ("down down up", "r1"),
        ("k", "r0"),
        ("G", "r99"),
        ("end up", "r98"),
        ("G g", "r0"),
        ("end home", "r0"),
        ("pagedown pagedown", "r18"),
        ("pagedown pagedown pageup", "r9"),
        ("pageup", "r0"),
    ],
)
async def test_keys_move_the_cursor(keys: str, row_id: str) -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press(*keys.split())
        assert app.table.cursor_id == row_id
        assert f">{row_id}" in app.names()


async def test_a_page_keeps_the_cursor_on_its_line() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("j", "j", "pagedown")
        assert app.names()[:3] == ["r9", "r10", ">r11"]


async def test_a_new_order_of_rows_keeps_the_cursor_on_its_row_and_line() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press(*["j"] * 30)
        line = app.cursor_line()
        app.table.update_rows(HUNDRED[::-1])
        await pilot.pause()
        assert app.table.cursor_id == "r30"
        assert app.cursor_line() == line


async def test_rows_that_come_in_above_do_not_move_what_is_read() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("pagedown")
        shown = app.names()
        app.table.update_rows([*(f"new{number}" for number in range(5)), *HUNDRED])
        await pilot.pause()
        assert app.names() == shown


async def test_rows_scrolled_to_by_the_mouse_stay_when_others_come_in() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        for _ in range(6):
            app.table.scroll_down(animate=False)
        shown = app.names()
        assert "r0" not in "".join(shown[:1])
        app.table.update_rows(["new", *HUNDRED])
        await pilot.pause()
        assert app.names() == shown
        assert app.table.cursor_id == "r0"


@pytest.mark.parametrize(
    ("gone", "row_id"), [({"r5"}, "r6"), ({"r5", "r6"}, "r4"), ({"r5", "r6", "r4"}, "r7"), (set(HUNDRED[3:]), "r2")]
)
async def test_the_cursor_of_a_row_that_is_gone_goes_to_its_nearest_neighbour(gone: set[str], row_id: str) -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press(*["j"] * 5)
        app.table.update_rows([each for each in HUNDRED if each not in gone])
        await pilot.pause()
        assert app.table.cursor_id == row_id
        assert isinstance(app.received[-1], LiveTable.VisibleChanged | LiveTable.Highlighted)
        assert f">{row_id}" in app.names()


async def test_a_list_filtered_to_nothing_and_back_finds_its_cursor_again() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("j", "j")
        app.table.update_rows([])
        assert app.table.cursor_id is None
        await pilot.press("enter", "space", "j", "G", "pagedown")
        app.table.update_rows(HUNDRED)
        assert app.table.cursor_id == "r2"
        await pilot.pause()
        assert not [message for message in app.received if isinstance(message, LiveTable.Selected)]


async def test_enter_opens_the_row_under_the_cursor() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("j", "enter")
        assert content(app.received[-1]) == content(LiveTable.Selected(app.table, "r1"))


async def test_marks_follow_their_rows_and_go_with_them() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("space", "j", "space")
        assert app.table.marks == {"r0", "r2"}
        assert app.names()[:4] == ["*r0", "r1", "*r2", ">r3"]
        app.table.update_rows(HUNDRED[::-1])
        assert app.table.marks == {"r0", "r2"}
        app.table.update_rows(HUNDRED[1:])
        await pilot.pause()
        assert app.table.marks == {"r2"}
        assert content(LiveTable.MarksChanged(app.table, frozenset({"r2"}))) in map(content, app.received)
        app.table.clear_marks()
        assert not app.table.marks


async def test_a_tick_paints_the_cells_that_changed_and_no_others() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.pause()
        app.table.repainted.clear()
        app.cells["r1", "next"] = Cell("00:41")
        app.cells["r3", "bar"] = Cell("#####------!")
        app.cells["r4", "name"] = Cell("does not tick")
        app.cells["r50", "next"] = Cell("out of sight")
        app.table.tick()
        assert app.table.repainted == [Region(1, 2, 5, 1), Region(7, 4, 12, 1)]
        await pilot.pause()
        assert app.lines()[2].startswith(" 00:41 ####")
        assert app.lines()[4].startswith(" 00:42 #####------! APL")
        app.table.repainted.clear()
        app.table.tick()
        assert not app.table.repainted


async def test_a_row_that_ticked_out_of_sight_is_right_when_it_comes_back() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("G")
        app.cells["r0", "next"] = Cell("00:07")
        await pilot.press("g")
        assert app.lines()[1].startswith(">00:07")


async def test_only_a_line_that_changed_is_painted_again() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.pause()
        app.table.repainted.clear()
        app.cells["r2", "state"] = Cell("ISS ●", "done")
        app.cells["r4", "state"] = Cell("ISS ●", "done")
        app.table.refresh_rows(["r2", "r3", "r77"])
        assert [region.y for region in app.table.repainted] == [3]
        app.table.update_rows(list(HUNDRED))
        assert [region.y for region in app.table.repainted] == [3, 5]
        await pilot.pause()
        assert "ISS ●" in app.lines()[3]


async def test_moving_the_cursor_paints_two_lines() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.pause()
        app.table.repainted.clear()
        await pilot.press("j")
        assert sorted(region.y for region in app.table.repainted) == [1, 2]


async def test_none_never_looks_like_could_not_load() -> None:
    app = TableApp()
    async with running(app) as pilot:
        app.table.show_empty("No pending orders")
        await pilot.pause()
        assert app.lines()[1] == " No pending orders"
        app.table.show_empty("Could not load:\n\x1b[2Jtime-out [red]", "failed")
        await pilot.pause()
        assert app.lines()[1:3] == [" Could not load:", " �[2Jtime-out [red]"]


async def test_hostile_text_stays_in_its_cell() -> None:
    app = TableApp(["a"])
    app.cells["a", "name"] = Cell("[red]x[/]\x1b[2J\u202e株式" + "x" * 100_000)
    app.cells["a", "last"] = Cell("end")
    async with running(app):
        assert app.lines()[1] == ">00:42 ############ APL ◐ [red]x[/]�[2J�株式x… end"


async def test_rows_that_are_not_loaded_say_so_and_are_asked_for() -> None:
    ids: list[str | None] = [None] * 90_000
    app = TableApp(ids)
    async with running(app) as pilot:
        await pilot.press("G", "enter", "space")
        assert app.names()[-1].startswith(">loading row 90,000")
        assert app.table.cursor_id is None
        assert content(app.received[-1]) == content(LiveTable.RangeNeeded(app.table, 89_991, 89_999))
        ids[89_990:] = [f"r{index}" for index in range(89_990, 90_000)]
        app.table.update_rows(ids)
        await pilot.pause()
        assert app.names()[-1] == ">r89999"
        assert content(LiveTable.Highlighted(app.table, "r89999")) in map(content, app.received)
        assert app.table.visible_ids[0] == "r89991"


async def test_a_page_that_is_forgotten_keeps_cursor_and_marks_in_place() -> None:
    ids: list[str | None] = list(HUNDRED)
    app = TableApp(ids)
    async with running(app) as pilot:
        await pilot.press("space", "j")
        ids[:5] = [None] * 5
        app.table.update_rows(ids)
        assert (app.table.cursor_index, app.table.cursor_id) == (2, None)
        assert app.table.marks == {"r0"}


async def test_the_owner_is_told_which_rows_are_in_sight() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("pagedown")
        await pilot.pause()
        told = [message for message in app.received if isinstance(message, LiveTable.VisibleChanged)]
        assert told[-1].ids == tuple(HUNDRED[9:18]) == app.table.visible_ids
        assert told[-1].control is app.table


async def test_the_mouse_chooses_opens_and_sorts() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.click(app.table, offset=(10, 4))
        assert app.table.cursor_id == "r3"
        await pilot.click(app.table, offset=(10, 6), times=2)
        assert content(LiveTable.Selected(app.table, "r5")) in map(content, app.received)
        await pilot.click(app.table, offset=(21, 0))
        assert content(app.received[-1]) == content(LiveTable.HeaderSelected(app.table, "state"))


async def test_a_table_without_the_focus_shows_its_cursor_otherwise() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        focused = app.table.render_line(1)
        await pilot.press("tab")
        blurred = app.table.render_line(1)
        assert focused.text == blurred.text
        assert focused != blurred


async def test_another_theme_paints_every_row_anew() -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        dark = app.table.render_line(2)
        app.theme = LIGHT
        await pilot.pause()
        light = app.table.render_line(2)
        assert dark.text == light.text
        assert dark != light


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (3, 4), (1, 1)])
async def test_any_size_shows_what_it_can(size: tuple[int, int]) -> None:
    app = TableApp(HUNDRED)
    async with running(app) as pilot:
        await pilot.press("G")
        await pilot.resize_terminal(*size)
        await pilot.press("up", "space")
        assert app.table.cursor_id == "r99"
        if size[1] > 4:
            assert any(line.startswith(">") for line in app.lines())


async def test_the_ascii_set_is_ascii() -> None:
    app = TableApp(["a"], glyphs=ASCII)
    app.cells["a", "name"] = Cell("x" * 50)
    app.cells["a", "state"] = Cell("APL c")
    async with running(app):
        app.table.show_sort("next")
        assert "".join(app.lines()[:2]).isascii()


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, {"next": 5, "bar": 12, "state": 5, "name": 20, "last": 8}),
        (50, {"next": 5, "bar": 12, "state": 5, "name": 15, "last": 8}),
        (40, {"next": 5, "bar": 3, "state": 5, "name": 14, "last": 8}),
        (30, {"next": 5, "bar": 3, "state": 5, "name": 13}),
        (20, {"next": 5, "bar": 3, "state": 5, "name": 3}),
        (8, {"next": 5, "bar": 1}),
        (0, {}),
    ],
)
def test_columns_shrink_then_go_by_priority(width: int, shown: dict[str, int]) -> None:
    assert {placed.column.key: placed.width for placed in place_columns(COLUMNS, width)} == shown


@given(st.integers(0, 200), st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3), st.integers(0, 4)), max_size=8))
def test_columns_never_overlap_nor_pass_the_edge(width: int, shapes: list[tuple[int, int, int]]) -> None:
    columns = [
        Column(str(number), "T", cells, share=share, priority=priority)
        for number, (cells, share, priority) in enumerate(shapes)
    ]
    placed = place_columns(columns, width)
    edges = [edge for each in placed for edge in (each.x, each.end)]
    assert edges == sorted(edges)
    assert all(edge <= width for edge in edges)


@given(st.lists(st.lists(st.integers(0, 30), unique=True), max_size=8), st.integers(0, 30), st.integers(1, 12))
def test_the_cursor_stays_on_its_row_whatever_comes(updates: Sequence[list[int]], index: int, lines: int) -> None:
    rows = TableRows()
    rows.scroll_to(0, lines)
    for update in updates:
        ids = [str(each) for each in update]
        line, held = rows.cursor_index - rows.first, rows.cursor_id
        top = rows.replace(ids)
        rows.scroll_to(max(0, min(top, len(ids) - lines)), lines)
        if held in ids:
            assert rows.cursor_id == held
        if ids:
            assert ids[rows.cursor_index] == rows.cursor_id
        if held in ids and 0 <= line < lines and rows.first == top == rows.cursor_index - line:
            assert rows.window[line] == held
        rows.scroll_to(max(0, rows.place_cursor(index, rows.first)), lines)


@given(
    st.text("0123456789:hdm ", max_size=8),
    st.text("0123456789:hdm ", max_size=8),
    st.sampled_from(["left", "right"]),
    st.integers(1, 10),
)
def test_what_a_tick_paints_is_all_that_differs(before: str, after: str, align: Align, width: int) -> None:
    placed = PlacedColumn(Column("c", "C", width, align=align), 4, width)
    span = changed_span(placed, Cell(before), Cell(after))
    old, new = (fit(text, width, align=align) for text in (before, after))
    if span is None:
        assert old == new
        return
    first, end = span[0] - 4, span[1] - 4
    assert 0 <= first < end <= width
    assert old[:first] + new[first:end] + old[end:] == new
