"""What the screen remembers between runs: view, sort, filter, columns, theme, saved filters, and what was seen."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from msgspec.structs import replace

from sectigo_tui.cli.outside import LayoutFile
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import OrderChanged
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.presentation.table_columns import Column
from sectigo_tui.presentation.themes import DARK, LIGHT, MONO, SAFE
from sectigo_tui.ui.layout import STANDINGS_KEPT, Arrangement, from_text, to_text
from sectigo_tui.ui.outside import Outside
from support.stored_orders import an_entry, an_order
from support.ui_stage import Stage, demo_world, on_stage, staged, written_to_terminal
from support.writing import Site

OLDEST = 2100342


class Kept:
    """A disk for the screen's memory.

    Args:
        text: What was kept before.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.saved = 0
        self.reason: InputError | None = None

    def load(self) -> str:
        if self.reason is not None:
            raise self.reason
        return self.text

    def save(self, text: str) -> None:
        if self.reason is not None:
            raise self.reason
        self.text = text
        self.saved += 1


def titles(stage: Stage) -> str:
    """Return the titles of the columns shown."""
    return " ".join(stage.lines[1].split())


@on_stage
async def test_the_next_run_shows_view_sort_and_filter_as_they_were_left() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept), track=[OLDEST, 2100370]) as stage:
        await stage.press("2", "/", *"fleet", "enter", "s", "n", "S")
        sorted_by = titles(stage)
        assert "NEXT▼" in sorted_by
    async with staged(outside=Outside(keeper=kept), track=[OLDEST, 2100370]) as stage:
        assert "view: Local" in stage.footer
        assert titles(stage) == sorted_by
        assert "1 shown" in stage.header
        assert " fleet" in stage.lines
        await stage.press("escape")
        assert stage.row(OLDEST)
        await stage.press("1")
        assert stage.row(OLDEST)
        assert titles(stage).startswith("NEXT DEADLINE AGE STATE")
        assert not {"▲", "▼"} & set(stage.lines[1]), "by urgency, which is no column"


@on_stage
async def test_a_filter_that_scm_applies_is_asked_for_again() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept)) as stage:
        await stage.press("3", "/", *"status:Requested", "enter")
        await stage.wait(1)
        assert "5 of 5" in stage.header
    async with staged(outside=Outside(keeper=kept)) as stage:
        assert "view: Remote" in stage.footer
        assert "5 of 5" in stage.header
        await stage.press("escape")
        await stage.wait(1)
        assert "5 of 5" not in stage.header
    async with staged(outside=Outside(keeper=kept)) as stage:
        assert "5 of 5" not in stage.header


@on_stage
async def test_columns_are_hidden_and_moved_in_a_dialog_and_stay_so() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept), track=[OLDEST]) as stage:
        assert titles(stage).startswith("NEXT DEADLINE AGE STATE")
        await stage.press("o")
        assert "[X] DEADLINE" in stage.text
        await stage.press("j", "space")
        assert "[ ] DEADLINE" in stage.text
        await stage.press("j", "j", "K", "K", "K")
        await stage.press("enter")
        assert titles(stage).startswith("STATE NEXT AGE BLOCKED")
        assert stage.row(OLDEST).startswith(">APL ◐")
    async with staged(outside=Outside(keeper=kept), size=(120, 24), track=[OLDEST]) as stage:
        assert titles(stage).startswith("STATE NEXT AGE BLOCKED")
        await stage.press("2")
        assert titles(stage).startswith("NEXT DEADLINE AGE▼ STATE")
        await stage.press("1", "o", "tab", "tab", "enter")
        assert titles(stage).startswith("NEXT DEADLINE AGE STATE")


@on_stage
async def test_a_view_that_was_behind_while_the_theme_changed_is_shown_in_the_new_one() -> None:
    def background() -> str:
        """Return what most of the screen is painted on."""
        stage.app.screen._on_timer_update()
        cells = Counter[str]()
        for segment in chain.from_iterable(stage.app.screen._compositor.render_strips()):
            cells[str(segment.style and segment.style.bgcolor)] += len(segment.text)
        return cells.most_common(1)[0][0]

    async with staged() as stage:
        await stage.press("2", "1")
        dark = background()
        await stage.press("T")
        light = background()
        await stage.press("2")
        assert background() == light != dark
        while stage.app.theme != DARK:
            await stage.press("T")
        await stage.press("1")
        assert background() == dark


@on_stage
async def test_a_list_without_any_column_cannot_be_chosen() -> None:
    async with staged() as stage:
        await stage.press("5", "o", *["space", "down"] * 5, "enter")
        assert "A list needs at least one column." in stage.text
        await stage.press("escape")
        assert [" ".join(line.split()) for line in stage.lines].count("NEXT SSLID COMMON NAME TRIES WHY THEN") == 1


@on_stage
async def test_a_filter_is_saved_by_a_name_used_in_another_view_and_deleted() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept)) as stage:
        await stage.press("F")
        assert "No filter is saved yet." in stage.text
        assert "To save one, filter the list first: /" in stage.text
        await stage.press("escape", "/", *"!fleet", "enter", "F", "enter")
        assert "Write a name of 1 to 40 characters." in stage.text
        await stage.press(*"no", "space", *"[b]x", "enter")
        await stage.press("escape")
        assert "shown" not in stage.header
    async with staged(outside=Outside(keeper=kept)) as stage:
        await stage.press("F")
        assert "no [b]x" in stage.text
        await stage.press("enter")
        assert "31 shown" in stage.header
        assert " !fleet" in stage.lines
        await stage.press("2", "F", "enter")
        assert "0 shown" in stage.header
        await stage.press("3", "F")
        assert "No filter is saved yet." in stage.text
        await stage.press("escape", "1", "F", "tab", "tab", "shift+tab", "shift+tab", "x")
        assert "No filter is saved yet." in stage.text


@on_stage
async def test_a_theme_chosen_live_stays_until_the_configuration_names_another() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept, theme="dark")) as stage:
        assert stage.app.theme == DARK
        await stage.press("T")
        assert stage.app.theme == LIGHT
    for outside, shown in (
        (Outside(keeper=kept, theme="dark"), LIGHT),
        (Outside(keeper=kept, theme="safe"), SAFE),
        (Outside(keeper=kept, theme="dark", recalls_theme=False), DARK),
    ):
        async with staged(outside=outside, theme=outside.theme) as stage:
            assert stage.app.theme == shown


@on_stage
async def test_a_remembered_theme_does_not_follow_to_a_terminal_without_colours() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept)) as stage:
        await stage.press("T")
    async with staged(outside=Outside(keeper=kept), theme="mono") as stage:
        assert stage.app.theme == MONO


@on_stage
async def test_without_colours_there_is_one_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(theme="mono") as stage:
        await stage.press("T")
        assert stage.app.theme == MONO
        assert stage.footer == "There is one theme without colours: NO_COLOR is set."


@on_stage
async def test_t_goes_through_all_themes_and_each_can_be_read() -> None:
    async with staged() as stage:
        shown = []
        for _ in range(6):
            await stage.press("T")
            await stage.wait(0.2)
            shown.append(stage.app.theme)
            assert stage.row(OLDEST)
        assert shown[:5] == ["sectigo-light", "sectigo-safe", "sectigo-16", "sectigo-mono", "sectigo-dark"]
        assert shown[5] == shown[0]


@on_stage
async def test_what_changed_while_not_polled_is_marked_at_the_next_start_and_rings_when_watched() -> None:
    kept, world = Kept(), demo_world()
    site = Site(world=world)
    site.store.plant(an_order(1))
    async with staged(outside=Outside(keeper=kept), site=site, size=(80, 60)) as stage:
        assert stage.view.table.move_to_id("#1001")
        await stage.press("w")
        await stage.wait(2)
    changed = replace(an_order(1), state=OrderState.ISSUED)
    site = await site.restarted()
    site.store.plant(changed)
    with written_to_terminal() as written:
        async with staged(outside=Outside(keeper=kept), site=site, size=(80, 60)) as stage:
            assert "watch 1" in stage.header
            await stage.press("g")
            assert stage.row(1001).startswith("+")
            assert not [line for line in stage.lines[2:-1] if line.startswith("+") and "host1." not in line]
    note, *_ = [text for text in written if text.startswith("\a")]
    assert "1001 host1.example.com: APL" in note
    assert "-> ISS" in note
    async with staged(outside=Outside(keeper=kept), site=await site.restarted(), size=(80, 60)) as stage:
        await stage.press("g")
        assert stage.row(1001).startswith("+"), "it is marked until it was seen, however often the program starts"


@on_stage
async def test_an_order_that_was_not_there_in_the_last_run_is_marked() -> None:
    kept, world = Kept(), demo_world()
    async with staged(world, outside=Outside(keeper=kept), size=(80, 60)) as stage:
        await stage.press("w")
    new = world.add_order(life="ev-approval", common_name="new.acme.example")
    async with staged(world, outside=Outside(keeper=kept), size=(80, 60)) as stage:
        assert stage.row(new.ssl_id).startswith("+")


@on_stage
async def test_changes_are_kept_together_a_second_later_and_at_the_end() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept)) as stage:
        await stage.wait(2)
        before = kept.saved
        await stage.press("/", *"fleet", "enter")
        await stage.wait(2)
        assert kept.saved == before + 1
        await stage.press("s", "c")
        held = stage.cursor
    assert kept.saved == before + 2
    assert json.loads(kept.text)["views"]["Pending"] == {
        "sort": json.loads(kept.text)["views"]["Pending"]["sort"],
        "is_descending": False,
        "query": "fleet",
        "columns": [],
        "hidden": [],
        "cursor": held,
    }


@on_stage
async def test_the_cursor_comes_back_to_its_order_after_a_restart() -> None:
    kept, world = Kept(), demo_world()
    async with staged(world, outside=Outside(keeper=kept)) as stage:
        await stage.press("j", "j", "j")
        held = stage.cursor
    world.add_order(life="ev-approval", common_name="new.acme.example")
    async with staged(world, outside=Outside(keeper=kept)) as stage:
        assert stage.cursor == held
        await stage.press("s", "c")
        assert stage.cursor == held


@on_stage
async def test_a_layout_that_cannot_be_saved_is_reported_once_and_stops_nothing() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept)) as stage:
        await stage.wait(2)
        kept.reason = InputError("screen.json: no space left on device", "make room")
        await stage.press("s", "c")
        await stage.wait(2)
        assert "remember the screen" in stage.text
        assert "no space left on device" in stage.text
        await stage.press("x", "S")
        await stage.wait(2)
        assert "no space left" not in stage.text


@on_stage
async def test_a_layout_that_cannot_be_read_is_reported_and_the_screen_has_its_defaults() -> None:
    kept = Kept()
    kept.reason = InputError("screen.json is damaged", "it is written anew")
    async with staged(outside=Outside(keeper=kept)) as stage:
        assert "screen.json is damaged" in stage.text
        assert stage.row(OLDEST)


@on_stage
async def test_a_large_account_is_not_written_to_disk_with_every_change() -> None:
    kept = Kept()
    async with staged(outside=Outside(keeper=kept)) as stage:
        for number in range(STANDINGS_KEPT + 1):
            order = an_order(number)
            stage.site.store.plant(order)
            stage.site.engine.event_source(OrderChanged(order, an_entry(order)))
        await stage.wait(1)
        assert stage.view.table.move_to_id("#1001")
        await stage.press("w")
    seen = json.loads(kept.text)["seen"]
    assert (seen["is_whole"], list(seen["standings"]), seen["watched"]) == (False, ["#1001"], ["#1001"])


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '"text"',
        '{"view": 7, "views": {"Pending": {"sort": 3, "columns": "all", "query": null}}, "filters": []}',
        '{"seen": {"standings": {"#1": ["APL"], "#2": 7}, "watched": {"#1": 1}, "changed": [1, 2]}}',
        '{"view": "no-such-view", "theme": "none", "views": {"Pending": {"columns": ["gone"], "sort": "gone"}}}',
    ],
)
@on_stage
async def test_a_layout_of_another_shape_harms_nothing(text: str) -> None:
    async with staged(outside=Outside(keeper=Kept(text))) as stage:
        assert "view: Pending" in stage.footer
        assert titles(stage).startswith("AGE STATE BLOCKED ON")
        assert stage.row(OLDEST)


def test_what_was_remembered_reads_as_it_was() -> None:
    layout = from_text("")
    layout.sorted_by("Pending", "age", descending=True)
    layout.shows("Pending", ["state", "age"], ["next"])
    layout.save_filter("words", "mine", "acme !fleet")
    layout.themed("light", instead_of="auto")
    again = from_text(to_text(layout))
    assert (again.arrangements, again.filters) == (layout.arrangements, layout.filters)
    assert (again.theme, again.theme_instead_of) == ("light", "auto")


def test_a_column_that_is_new_since_is_shown_at_the_end() -> None:
    known = [Column(key, key, 5) for key in ("next", "age", "state", "new")]
    columns = Arrangement(columns=("state", "age", "gone"), hidden=("next",)).of_columns(known)
    assert [column.key for column in columns] == ["state", "age", "new"]


def test_each_profile_has_a_layout_of_its_own_in_one_private_file(tmp_path: Path) -> None:
    path = tmp_path / "data" / "screen.json"
    prod, staging = LayoutFile(path, "prod"), LayoutFile(path)
    assert prod.load() == ""
    prod.save('{"view": "local"}')
    staging.save('{"view": "remote"}')
    assert (prod.load(), staging.load()) == ('{"view": "local"}', '{"view": "remote"}')
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"profiles": 7}', b"{}"])
def test_a_damaged_file_is_told_and_written_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "screen.json"
    path.write_bytes(content)
    kept = LayoutFile(path, "prod")
    with pytest.raises(InputError, match="damaged"):
        kept.load()
    assert path.read_bytes() == content
    kept.save('{"view": "local"}')
    assert kept.load() == '{"view": "local"}'


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(InputError, match=r"screen\.json"):
        LayoutFile(tmp_path / "data" / "screen.json").save("{}")
