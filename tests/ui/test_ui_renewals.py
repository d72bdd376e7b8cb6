"""View 7: the most urgent renewal first, several renewed after one confirmation, and the plan of the coming weeks."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from support.ui_snapshots import Screens
from support.ui_stage import Stage, demo_world, on_stage, staged, tracked_by_demo


async def open_renewals(stage: Stage) -> None:
    await stage.press("7")
    await stage.wait(40)


def rows(stage: Stage) -> list[str]:
    return [line for line in stage.lines[2:] if ".example" in line]


@on_stage
async def test_the_most_urgent_renewal_comes_first_and_the_header_counts_the_late_ones() -> None:
    async with staged(demo_world(), size=(120, 40)) as stage:
        await open_renewals(stage)
        assert "ORDER BY" in stage.lines[1]
        assert "late" in rows(stage)[0]
        assert " late, " in stage.lines[0]
        assert " due" in stage.lines[0]


@on_stage
async def test_several_marked_certificates_are_renewed_after_their_number_is_typed() -> None:
    world = demo_world()
    async with staged(world, size=(120, 40)) as stage:
        await open_renewals(stage)
        await stage.press("space", "space", "a")
        await stage.wait()
        assert "n  Renew: order again" in stage.text.partition("Actions: 2 marked orders")[2].splitlines()[1]
        assert "late: it was to be ordered by" in stage.text
        await stage.press("enter")
        await stage.wait()
        assert "Renew 2 certificates: 2 orders, billed" in stage.text
        assert "Price: 2 certificates" in stage.text
        await stage.press("3", "tab", "enter")
        await stage.wait()
        assert "What was typed is not 2" in stage.text
        assert world.traffic.count("POST", "renewById/") == 0
        await stage.press("2", "tab", "enter")
        await stage.wait(10)
        assert world.traffic.count("POST", "renewById/") == 2
        assert not stage.view.table.marks
        await stage.press("7")
        await stage.wait(15)
        await stage.press("/", *"renewed|ordered", "enter")
        await stage.wait(2)
        assert sum("->" in line for line in rows(stage)) >= 2, stage.text


@on_stage
async def test_a_filter_finds_words_of_every_cell_and_the_timing() -> None:
    async with staged(demo_world(), size=(120, 40)) as stage:
        await open_renewals(stage)
        await stage.press("/", *"late", "space", *"!ov", "enter")
        await stage.wait()
        assert rows(stage)
        assert all("late" in line and " OV" not in line for line in rows(stage))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@on_stage
async def test_the_plan_of_the_coming_weeks_fits_the_screen(size: tuple[int, int]) -> None:
    async with staged(demo_world(), size=size) as stage:
        await open_renewals(stage)
        await stage.press("K")
        await stage.wait(2)
        stage.check_frame()
        for term in (199, 100, 47):
            assert f"terms of {term}" in stage.text


@on_stage
async def test_the_view_in_the_light_theme(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLORTERM", "TERM_PROGRAM", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    world = demo_world()
    async with staged(world, theme="light", track=tracked_by_demo(world), settle_seconds=12) as stage:
        await open_renewals(stage)
        assert stage.svg() == snapshot.use_extension(Screens), stage.text
