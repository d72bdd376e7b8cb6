"""Going on with another profile, and arming writes, as the operator types it."""

from __future__ import annotations

import re

from msgspec.structs import force_setattr, replace

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.engine.context import EngineOptions
from sectigo_tui.ui.outside import Outside
from support.ui_stage import Stage, demo_world, on_stage, staged
from support.writing import Site


def read_only_site(*, may_arm: bool = True) -> Site:
    site = Site(world=demo_world(), read_only=True)
    force_setattr(site.context, "options", replace(site.context.options, may_arm=may_arm))
    assert site.context.options == EngineOptions(read_only=True, may_arm=may_arm)
    return site


def give(stage: Stage, outside: Outside) -> None:
    stage.app._outside = outside


@on_stage
async def test_armed_writes_can_be_made_for_five_minutes_and_no_longer() -> None:
    async with staged(site=read_only_site()) as stage:
        assert "[R]" in stage.header
        await stage.press("A")
        await stage.wait()
        assert "Arm for 5 minutes" in stage.text
        await stage.press("enter")
        assert "[R]" in stage.header
        await stage.press("A")
        await stage.wait()
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "[W 5m]" in stage.header
        await stage.press("a")
        assert not re.search(r"\blocked\b", stage.text)
        await stage.press("escape")
        await stage.wait(300)
        assert "[R]" in stage.header


@on_stage
async def test_the_menu_of_a_read_only_profile_names_the_key_that_arms_writes_and_collects_all_the_same() -> None:
    async with staged(site=read_only_site(), size=(80, 24)) as stage:
        await stage.press("a")
        assert {line.strip(" │").split()[0] for line in stage.lines if "locked: A arms writes" in line} == set("epdnvg")
        await stage.press("p")
        assert "Approve: locked: A arms writes" in stage.text


@on_stage
async def test_writes_locked_by_a_flag_are_not_armed() -> None:
    async with staged(site=read_only_site(may_arm=False)) as stage:
        await stage.press("A")
        await stage.wait()
        assert "--read-only" in stage.text
        await stage.press("enter")
        assert "[R]" in stage.header


@on_stage
async def test_another_profile_is_gone_on_with_only_when_it_can_be_opened() -> None:
    async def check(name: str) -> None:
        if name == "broken":
            raise ConfigError(key="login", source="config.toml", reason="missing", remedy="write one")

    async with staged(demo_world()) as stage:
        give(stage, Outside(profiles=lambda: ("", "broken", "staging"), check_profile=check))
        await stage.press("P")
        await stage.wait(0.5)
        assert "staging" in stage.text
        await stage.press("2")
        await stage.wait(1)
        assert "cannot be opened; this one goes on" in stage.text
        await stage.press("enter")
        assert "33 pend" in stage.header
        await stage.press("P")
        await stage.wait(0.5)
        await stage.press("3")
        await stage.wait(1)
        assert stage.app.return_value == "staging"


@on_stage
async def test_without_profiles_it_is_said_how_to_make_one() -> None:
    async with staged(demo_world()) as stage:
        await stage.press("P")
        await stage.wait(0.5)
        assert "[profile.NAME]" in stage.text
