"""Each view as it looks, at a fixed size, time and seed."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from sectigo_tui.presentation.glyphs import ASCII, UNICODE, Glyphs
from sectigo_tui.simulator.faults import Fault
from support.ui_stage import demo_world, on_stage, staged, tracked_by_demo

SIZES = [(80, 24), (120, 40)]

VIEWS = {
    "pending": [],
    "pending-detail": ["j", "space", "j", "d"],
    "pending-filter": ["/", *"fleet"],
    "local": ["2"],
    "remote": ["3"],
    "events": ["4"],
    "budget": ["5"],
    "validations": ["6"],
    "renewals": ["7"],
    "help": ["?"],
}
"""The keys that lead to each."""

DIALOGS = {
    "menu": ["a"],
    "enroll": ["a", "e"],
    "rotate": ["a", "o"],
    "revoke": ["3", *"jjjjjjjjjjjjjj", "a", "v"],
    "columns": ["o"],
}

TROUBLES: dict[str, Fault] = {
    "not-loaded": Fault("unavailable"),
    "loading": Fault("latency", seconds=60.0),
}


@pytest.mark.parametrize("size", [*SIZES, (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
@on_stage
async def test_view(view: str, size: tuple[int, int], screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, size=size, track=tracked_by_demo(world), settle_seconds=12) as stage:
        await stage.press(*VIEWS[view])
        await stage.wait(1)
        assert stage.svg() == screen, f"{view}\n{stage.text}"


@pytest.mark.parametrize("view", ["pending-detail", "remote"])
@on_stage
async def test_view_on_a_large_screen(view: str, screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, size=(250, 70), track=tracked_by_demo(world), settle_seconds=12) as stage:
        await stage.press(*VIEWS[view])
        await stage.wait(1)
        stage.check_frame()
        assert stage.svg() == screen, f"{view}\n{stage.text}"


@pytest.mark.parametrize("dialog", DIALOGS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@on_stage
async def test_dialog(dialog: str, size: tuple[int, int], screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, size=size, track=tracked_by_demo(world), settle_seconds=12) as stage:
        await stage.press(*DIALOGS[dialog])
        await stage.wait(1)
        stage.check_frame()
        assert stage.svg() == screen, f"{dialog}\n{stage.text}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("error", TROUBLES)
@on_stage
async def test_trouble_from_the_start(error: str, size: tuple[int, int], screen: SnapshotAssertion) -> None:
    world = demo_world()
    world.faults.add(TROUBLES[error])
    async with staged(world, size=size) as stage:
        assert stage.svg() == screen, f"{error}\n{stage.text}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@on_stage
async def test_offline_and_stale(size: tuple[int, int], screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, size=size, track=tracked_by_demo(world), refresh_seconds=30) as stage:
        world.faults.add("unavailable")
        await stage.wait(120)
        assert stage.svg() == screen, stage.text


@pytest.mark.parametrize("theme", ["dark", "light", "safe", "16", "mono"])
@on_stage
async def test_theme(theme: str, screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, theme=theme, track=tracked_by_demo(world), settle_seconds=12) as stage:
        await stage.press("j", "space", "j")
        assert stage.svg() == screen, stage.text


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=lambda glyphs: str(glyphs.name))
@on_stage
async def test_glyphs(glyphs: Glyphs, screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, size=(100, 24), glyphs=glyphs, track=tracked_by_demo(world)) as stage:
        await stage.press("d")
        assert stage.svg() == screen, stage.text
        if glyphs is ASCII:
            await stage.press("space")
            assert stage.text.isascii(), stage.text
            await stage.press("?")
            assert stage.text.isascii(), stage.text
