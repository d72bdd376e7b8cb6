"""Handing facts over: what is copied, what is kept, and that no credential is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.simulator.world import World
from support.ui_stage import Stage, on_stage, staged
from support.writing import new_world

PASSWORD = "canary-9Wx4Tt7m"


@dataclass
class Handed:
    """What was handed over."""

    copied: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, name: str, text: str) -> str:
        self.kept.append((name, text))
        return f"/data/packs/{name}"


def caught(stage: Stage, monkeypatch: pytest.MonkeyPatch, keep: Callable[[str, str], str] | None = None) -> Handed:
    handed = Handed()
    workflows = stage.app.workflows
    workflow = workflows.workflow
    defaults = replace(workflow.defaults, keep=keep or handed.keep)
    monkeypatch.setattr(workflows, "workflow", replace(workflow, copy=handed.copied.append, defaults=defaults))
    return handed


def a_world() -> World:
    world = new_world()
    world.account.credentials.password = PASSWORD
    return world


@pytest.mark.parametrize("keys", [("E",), ("D", "E")], ids=["list", "diagnosis"])
@on_stage
async def test_the_escalation_pack_is_copied_kept_and_shown(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = a_world()
    ssl_id = world.add_order(life="ov-vetting", common_name="www.acme.example", comments=f"password: {PASSWORD}").ssl_id
    world.faults.add("error", path="validations", status=400, code=-2, description=f"bad login {PASSWORD}")
    async with staged(world, settle_seconds=60) as stage:
        handed = caught(stage, monkeypatch)
        for key in keys:
            await stage.press(key)
            await stage.wait(2)
        ((name, text),) = handed.kept
        assert handed.copied == [text]
        assert name.startswith(f"escalation-{ssl_id}-")
        assert text.startswith("# www.acme.example: ")
        assert "backendCertId" in text
        assert "bad login" in text
        assert PASSWORD not in text + stage.text
        assert f"Copied, and kept in /data/packs/{name}" in " ".join(stage.text.split())
        await stage.press("G")
        assert "backendCertId" not in stage.text
        await stage.press("escape")
        assert "Escalation pack (" not in stage.text


@on_stage
async def test_a_pack_that_cannot_be_kept_is_copied_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str, _text: str) -> str:
        raise InputError("packs: no space left on device", "make room")

    world = a_world()
    world.add_order(life="ov-vetting", common_name="www.acme.example")
    async with staged(world) as stage:
        handed = caught(stage, monkeypatch, refuse)
        await stage.press("E")
        await stage.wait(2)
        assert len(handed.copied) == 1
        assert "Copied, but not kept as a file: packs: no space left on device" in " ".join(stage.text.split())


@on_stage
async def test_the_handover_looks_up_what_is_open_and_groups_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    for number in range(40):
        life = "ov-org-pending" if number < 35 else "ov-approval"
        world.add_order(life=life, common_name=f"n{number}.acme.example")
    async with staged(world, settle_seconds=60) as stage:
        handed = caught(stage, monkeypatch)
        await stage.press("H")
        await stage.wait(20)
        ((name, text),) = handed.kept
        assert handed.copied == [text]
        assert name.startswith("handover-")
        assert ": 40 open orders" in text
        assert "## 35 orders, organization Acme Logistics: waiting for its OV validation" in text
        assert "## 5 orders, waits for approval" in text
        assert PASSWORD not in text


@on_stage
async def test_a_handover_does_not_wait_for_an_scm_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world()
    world.add_order(life="ov-approval", common_name="www.acme.example")
    async with staged(world, settle_seconds=0.1) as stage:
        await stage.wait(1)
        world.faults.add("latency", seconds=3600)
        handed = caught(stage, monkeypatch)
        await stage.wait(700)
        await stage.press("H")
        await stage.wait(1)
        assert "Cancel: hand over what is known now." in stage.text
        await stage.press("escape")
        await stage.wait(1)
        assert ": 1 open order\n" in handed.copied[0]
