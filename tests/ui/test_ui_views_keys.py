"""What each key does in the views, as an operator sees it."""

from __future__ import annotations

import pytest

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import FailureReported
from sectigo_tui.ui.content.header import Surroundings
from sectigo_tui.ui.keys.active_keys import key_label
from support.ui_stage import Stage, demo_world, on_stage, staged, tracked_by_demo
from support.writing import Site

OLDEST = "#2100342"


def test_a_key_without_a_readable_character_is_written_by_its_name() -> None:
    for key in ("delete", "f5", "backspace", "ctrl+delete", "newline"):
        assert key_label(key).isprintable()
        assert key_label(key)
    assert key_label("delete") == "Del"


@on_stage
async def test_pending_opens_first_with_local_and_remote_orders_together() -> None:
    world = demo_world()
    async with staged(world, track=[2100342]) as stage:
        assert "view: Pending" in stage.footer
        assert "33 pend" in stage.header
        local, remote = stage.row(2100342), stage.row(2100347)
        assert "────────" in local
        assert remote.split()[0] == "-"


@pytest.mark.parametrize(
    ("key", "view", "shown"),
    [
        ("1", "Pending", "online-banking"),
        ("2", "Local", "online-banking"),
        ("3", "Remote", "api-canary"),
        ("4", "Events", "tracked, SCM status Applied"),
    ],
)
@on_stage
async def test_a_digit_shows_its_view(key: str, view: str, shown: str) -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("2", key)
        await stage.wait(1)
        assert f"view: {view}" in stage.footer
        assert shown in stage.text
        assert stage.footer.endswith("q Quit" if key == "1" else "q Back")


@pytest.mark.parametrize("down", ["j", "down"])
@pytest.mark.parametrize("up", ["k", "up"])
@on_stage
async def test_the_cursor_moves_by_letters_and_by_arrows(down: str, up: str) -> None:
    async with staged() as stage:
        await stage.press(down, down, up)
        assert stage.cursor == "#2100347"
        await stage.press("G")
        assert stage.cursor == "#2100380"
        await stage.press("g")
        assert stage.cursor == OLDEST


@pytest.mark.parametrize("key", ["d", "enter"])
@on_stage
async def test_detail_opens_below_the_list_and_escape_closes_it(key: str) -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press(key)
        assert " Blocked on    the CA" in stage.lines
        assert stage.cursor == OLDEST
        await stage.press("escape")
        assert "Next step" not in stage.text


@on_stage
async def test_detail_follows_the_cursor() -> None:
    async with staged() as stage:
        await stage.press("d", "j")
        assert "labs.health.acme.example  sslId 2100347" in stage.text


@on_stage
async def test_enter_on_an_open_detail_scrolls_it_and_escape_comes_back_to_the_list() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("enter", "enter")
        assert stage.footer.startswith("j k scroll")
        await stage.press("G")
        assert "Timeline (UTC)" in stage.text
        assert stage.cursor == OLDEST
        await stage.press("escape", "j")
        assert stage.cursor == "#2100347"
        assert stage.view.pane.display


@on_stage
async def test_l_shows_the_end_of_the_timeline() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("l")
        await stage.wait(0.2)
        assert "2026-03-02 03:00:00  tracked, SCM status Applied" in stage.text


@on_stage
async def test_a_wide_terminal_shows_the_detail_beside_the_list() -> None:
    async with staged(size=(200, 50), track=[2100342]) as stage:
        await stage.press("d")
        assert "Blocked on    the CA" in stage.lines[2]
        assert stage.row(2100380)


@on_stage
async def test_filter_works_as_it_is_typed_and_enter_keeps_it() -> None:
    async with staged() as stage:
        await stage.press("/", *"fleet")
        assert "2 shown" in stage.header
        assert stage.footer.startswith("Enter keep  Esc clear  Tab on: val:")
        await stage.press("enter", "j")
        assert stage.cursor == "#2100370"
        assert " fleet" in stage.lines
        await stage.press("escape")
        assert "shown" not in stage.header
        assert stage.cursor == "#2100370"


@pytest.mark.parametrize(
    ("query", "shown"),
    [("requested", 5), ("!requested", 28), ("requested !pay", 4), ("2100342", 1), ("remote", 33), ("j.deboer", 2)],
)
@on_stage
async def test_filter_words(query: str, shown: int) -> None:
    async with staged() as stage:
        await stage.wait(5)
        await stage.press("/", *(("space" if each == " " else each) for each in query))
        assert stage.header.endswith(f"| {shown} shown")


@on_stage
async def test_a_filter_that_matches_nothing_says_so_and_how_to_clear_it() -> None:
    async with staged() as stage:
        await stage.press("/", *"[bold]zzz")
        assert "Nothing matches '[bold]zzz'. Esc clears the filter." in stage.text
        await stage.press("escape")
        assert stage.row(2100342)


@on_stage
async def test_letters_typed_into_the_filter_are_no_commands() -> None:
    async with staged() as stage:
        await stage.press("/", *"q12prRtx")
        assert stage.app.is_running
        assert "q12prRtx" in stage.text
        assert "FROZEN" not in stage.header


@on_stage
async def test_down_leaves_the_filter_field_for_the_list() -> None:
    async with staged() as stage:
        await stage.press("/", *"acme", "down", "j")
        assert stage.cursor == "#2100347"


@on_stage
async def test_s_asks_for_the_column_to_sort_by_and_the_same_letter_turns_it_round() -> None:
    async with staged(size=(120, 30)) as stage:
        await stage.press("s")
        assert " u  URGENCY ▲ " in stage.text
        assert " a  AGE   " in stage.text
        await stage.press("a")
        assert "AGE▼" in stage.lines[1]
        await stage.press("s")
        assert " a  AGE ▼ " in stage.text
        assert " c  COMMON NAME " in stage.text
        await stage.press("c")
        assert "COMMON NAME▲" in stage.lines[1]
        assert "AGE▼" not in stage.lines[1]
        assert stage.cursor == OLDEST
        assert stage.row(2100342).startswith(">")
        await stage.press("g")
        assert "api-canary" in stage.lines[2]
        await stage.press("s", "c", "g")
        assert "COMMON NAME▼" in stage.lines[1]
        assert "webhooks" in stage.lines[2]
        await stage.press("S", "s", "a", "g")
        assert "AGE▼" in stage.lines[1]
        assert "online-banking" in stage.lines[2]


@on_stage
async def test_tab_completes_a_term_and_the_filter_looks_up_what_it_rests_on() -> None:
    async with staged(size=(80, 12)) as stage:
        await stage.press("/", *"v", "tab")
        assert " val:" in stage.lines
        await stage.press(*"e", "tab")
        assert " val:ev" in stage.lines
        assert stage.footer.startswith("Enter keep  Esc clear  Tab val:ev: the validation level")
        await stage.press("space", *"on:ca", "space", *"age>1d")
        await stage.wait(10)
        assert stage.header.endswith("| 1 shown")
        assert "online-banking.acme.example" in stage.lines[2]
        await stage.press("x")
        assert stage.footer.startswith("Enter keep  Esc clear  age> takes a time such as 30m, 12h or 7d.")
        assert stage.lines[3].strip() == "age> takes a time such as 30m, 12h or 7d."


@pytest.mark.parametrize(("query", "shown"), [('"bank ev"|health', 2), ("ended !ov", 1), ("!ended", 4)])
@on_stage
async def test_a_list_without_terms_finds_words_of_every_cell_and_offers_no_terms(query: str, shown: int) -> None:
    async with staged(size=(120, 30)) as stage:
        await stage.press("6")
        await stage.wait(10)
        await stage.press("/")
        assert "age>" not in stage.footer
        await stage.press(*("space" if letter == " " else letter for letter in query))
        await stage.wait(1)
        assert stage.view.table.row_count == shown, stage.text
        await stage.press("enter", "s")
        assert "Sort Validations by" not in stage.text
        assert "What ends first stays first" in stage.text


@on_stage
async def test_a_column_that_is_empty_for_every_row_is_folded_away_until_it_has_something() -> None:
    async with staged(size=(200, 24)) as stage:
        assert not {"NEXT", "DEADLINE", "TRIES"} & set(stage.lines[1].split())
        await stage.press("t")
        await stage.wait(1)
        assert {"NEXT", "DEADLINE", "TRIES"} <= set(stage.lines[1].split())
        assert "OUTAGE" not in stage.lines[1]
        await stage.press("s", "o")
        assert stage.footer == "Sorted by OUTAGE, which is empty for every row."


@on_stage
async def test_p_freezes_the_list_and_the_header_says_so() -> None:
    async with staged(track=[2100342]) as stage:
        before = stage.row(2100342)
        await stage.press("p")
        await stage.wait(30)
        assert "FROZEN" in stage.header
        assert stage.row(2100342) == before
        assert "updated 30s ago" in stage.header
        await stage.press("p")
        assert "FROZEN" not in stage.header
        assert stage.row(2100342) != before


@on_stage
async def test_space_marks_and_t_tracks_all_that_is_marked() -> None:
    async with staged() as stage:
        await stage.press("space", "space")
        assert stage.lines[2].startswith("*")
        await stage.press("t")
        await stage.wait(2)
        assert [order.ssl_id for order in stage.site.orders] == [2100342, 2100347]
        assert not stage.view.table.marks
        assert "00:0" in stage.row(2100342)


@on_stage
async def test_tracking_keeps_the_cursor_on_the_order() -> None:
    async with staged() as stage:
        await stage.press("j", "j", "t")
        await stage.wait(3)
        assert stage.cursor == "#2100348"
        assert [order.ssl_id for order in stage.site.orders] == [2100348]


@pytest.mark.parametrize(
    ("key", "hint"), [("r", "This order is remote: t tracks it, then it is polled."), ("t", "local already")]
)
@on_stage
async def test_a_key_that_can_do_nothing_says_why_in_the_footer(key: str, hint: str) -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("j" if key == "r" else "g", key)
        assert hint in stage.footer
        await stage.wait(7)
        assert stage.footer.startswith("d Detail")


@on_stage
async def test_r_polls_now_but_never_below_the_spacing() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.wait(40)
        polls = stage.site.wire.count("GET /ssl/v1/2100342")
        await stage.press("r", "r", "r")
        await stage.wait(1)
        assert stage.site.wire.count("GET /ssl/v1/2100342") == polls + 1


@on_stage
async def test_r_polls_every_marked_order_and_says_which_are_not_polled() -> None:
    async with staged(track=[2100342, 2100348]) as stage:
        await stage.wait(40)
        polls = [stage.site.wire.count(f"GET /ssl/v1/{ssl_id}") for ssl_id in (2100342, 2100348)]
        for ssl_id in (2100342, 2100348, 2100343):
            stage.view.table.move_to_id(f"#{ssl_id}")
            await stage.press("space")
        await stage.press("r")
        assert stage.footer == "2 marked orders are polled now, not 1 remote (t tracks them)."
        await stage.wait(1)
        after = [stage.site.wire.count(f"GET /ssl/v1/{ssl_id}") for ssl_id in (2100342, 2100348)]
        assert after == [polls[0] + 1, polls[1] + 1]


@on_stage
async def test_r_on_an_order_that_has_ended_says_that_it_is_not_polled() -> None:
    async with staged(demo_world(), track=[2100330]) as stage:
        await stage.wait(10)
        await stage.press("2", "r")
        assert stage.footer == "This order is collected: only pending orders are polled."


@on_stage
async def test_shift_r_lists_the_account_again() -> None:
    async with staged() as stage:
        await stage.wait(30)
        assert "updated 30s ago" in stage.header
        await stage.press("R")
        await stage.wait(1)
        assert "updated 1s ago" in stage.header or "updated 0s ago" in stage.header


@on_stage
async def test_c_copies_the_facts_as_plain_text() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("c")
        await stage.wait(0.5)
        assert "online-banking.acme.example  sslId 2100342" in stage.app.clipboard
        assert "tracked, SCM status Applied" in stage.app.clipboard
        assert "Copied the facts of" in stage.text


@on_stage
async def test_help_lists_own_keys_by_purpose_and_nothing_of_the_toolkit() -> None:
    async with staged(size=(120, 70)) as stage:
        await stage.press("?")
        text = stage.text
        assert (
            text.index("Views")
            < text.index("Inspect")
            < text.index("Act ")
            < text.index("Move")
            < text.index("Program")
        )
        for noise in ("Scroll Left", "Focus Next", "Copy selected", "command prompt"):
            assert noise not in text
        await stage.press("G")
        for shape in ("APL ◐ applied", "REQ ○ requested", "ISS ● issued", "REV ⊘ revoked", "ERR ! failed"):
            assert shape in stage.text
        await stage.press("escape")
        assert "Program" not in stage.text


@pytest.mark.parametrize("key", ["escape", "q", "?"])
@on_stage
async def test_help_closes_by_the_keys_that_one_tries(key: str) -> None:
    async with staged() as stage:
        await stage.press("?", key)
        assert "view: Pending" in stage.footer
        assert stage.app.is_running


@on_stage
async def test_every_action_of_the_help_is_in_the_palette() -> None:
    async with staged(size=(120, 40)) as stage:
        titles = {command.title for command in stage.app.get_system_commands(stage.app.screen)}
        for title in (
            "Pending",
            "Filter",
            "Sort",
            "Poll",
            "Refresh",
            "Track",
            "Freeze",
            "Copy",
            "Actions",
            "Help",
            "Back",
        ):
            assert title in titles
        await stage.press(":", *"freeze")
        await stage.wait(1)
        await stage.press("enter")
        await stage.wait(1)
        assert "FROZEN" in stage.header


@on_stage
async def test_escape_unwinds_one_layer_at_a_time_and_never_quits() -> None:
    async with staged() as stage:
        await stage.press("/", *"acme", "enter", "space", "enter", "enter", "p")
        assert stage.view.pane.has_focus
        await stage.press("escape")
        assert stage.view.table.has_focus
        assert stage.view.pane.display
        await stage.press("escape")
        assert not stage.view.pane.display
        assert stage.view.table.marks
        await stage.press("escape")
        assert not stage.view.table.marks
        assert "shown" in stage.header
        await stage.press("escape")
        assert "shown" not in stage.header
        await stage.press("escape", "escape", "escape")
        assert "FROZEN" not in stage.header
        assert stage.app.is_running


@on_stage
async def test_q_closes_what_is_open_goes_back_to_pending_and_only_then_quits() -> None:
    async with staged() as stage:
        await stage.press("3", "d", "q")
        assert "view: Remote" in stage.footer
        assert not stage.view.pane.display
        await stage.press("q")
        assert "view: Pending" in stage.footer
        await stage.press("q")
        await stage.wait(1)
        assert not stage.app.is_running


def fail(stage: Stage, what: str) -> None:
    stage.site.engine.event_source(
        FailureReported(stage.site.clock.now(), what, InputError(f"{what} did not work", "do it again"))
    )


@on_stage
async def test_a_failure_stays_until_it_is_acknowledged() -> None:
    async with staged() as stage:
        fail(stage, "first")
        fail(stage, "second")
        await stage.wait(60)
        assert "03:00:01Z second  (+1 more)" in stage.text
        assert "Next: do it again.  x: acknowledge, X: all" in stage.text
        await stage.press("2")
        assert "second did not work." in stage.text
        await stage.press("x")
        assert "first did not work." in stage.text
        await stage.press("x")
        assert "did not work" not in stage.text


@on_stage
async def test_shift_x_acknowledges_all_and_the_events_keep_them() -> None:
    async with staged() as stage:
        for number in range(5):
            fail(stage, f"task {number}")
        await stage.wait(1)
        await stage.press("X", "4")
        assert "Next:" not in stage.text
        assert stage.text.count("did not work") == 5
        await stage.press("enter")
        assert "Next: do it again." in stage.text


@on_stage
async def test_the_same_failure_again_is_told_once() -> None:
    async with staged() as stage:
        for _ in range(3):
            fail(stage, "task")
        await stage.wait(1)
        assert "more)" not in stage.text


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
@on_stage
async def test_help_and_back_are_always_in_the_footer(columns: int) -> None:
    async with staged(size=(columns, 24)) as stage:
        assert "? Help" in stage.footer
        assert stage.footer.endswith("q Quit")
        assert "a Actions" in stage.footer
        assert "/ Filter" in stage.footer


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (1, 1), (79, 23)])
@on_stage
async def test_a_small_terminal_degrades_and_does_not_refuse(size: tuple[int, int]) -> None:
    async with staged(size=size, track=[2100342]) as stage:
        await stage.press("j", "d", "?", "escape", "escape", "4", "3", "1")
        stage.check_frame()
        assert stage.cursor == "#2100347"


@on_stage
async def test_a_storm_of_resizes_ends_with_everything_in_its_place() -> None:
    async with staged(size=(120, 40), track=[2100342]) as stage:
        await stage.press("j", "j", "d")
        for columns, lines in [(20, 5), (200, 60), (79, 23), (160, 20), (80, 24)]:
            await stage.resize(columns, lines)
            stage.check_frame()
            assert stage.cursor == "#2100348"
        assert "freight.acme.example" in stage.row(2100348)


@on_stage
async def test_every_key_of_the_views_works_without_ctrl() -> None:
    async with staged() as stage:
        actions: dict[str, set[str]] = {}
        for key, active in stage.app.screen.active_bindings.items():
            if active.binding.id:
                actions.setdefault(active.binding.id, set()).add(key)
        assert actions
        for action, keys in actions.items():
            assert any(not key.startswith("ctrl+") for key in keys), action


@on_stage
async def test_read_only_is_in_the_header_at_any_width() -> None:
    surroundings = Surroundings(band="PRODUCTION", customer="a" * 24, profile="b" * 24)
    site = Site(world=demo_world(), read_only=True)
    async with staged(size=(40, 10), surroundings=surroundings, site=site) as stage:
        assert "[R]" in stage.header
        assert "API OK" in stage.header


def test_the_demo_tracks_every_other_pending_order() -> None:
    @on_stage
    async def story() -> None:
        world = demo_world()
        assert len(tracked_by_demo(world)) == 17

    story()


@on_stage
async def test_what_is_typed_at_once_after_the_slash_is_the_filter() -> None:
    async with staged(demo_world()) as stage:
        for key in "/pay":
            stage.post(key)
        await stage.wait(0.5)
        assert stage.view.filter_field.value == "pay"
        assert "FROZEN" not in stage.header
        await stage.press("/")
        assert stage.view.filter_field.value == "pay/"
