"""`m`: the message to whoever blocks an order, on the screen, on the clipboard, in a file and in the command."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sectigo_tui.ui.outside import Outside
from support.ui_stage import Stage, on_stage, staged
from support.writing import new_world

NAME = "www.acme.example"


def caught(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str]]:
    """Catch what is copied, and what is kept as a file."""
    copied: list[str] = []
    kept: dict[str, str] = {}
    workflows = stage.app.workflows
    defaults = replace(workflows.workflow.defaults, keep=lambda name, text: kept.setdefault(name, text) and name)
    monkeypatch.setattr(workflows, "workflow", replace(workflows.workflow, copy=copied.append, defaults=defaults))
    return copied, kept


@on_stage
async def test_two_keys_write_to_the_approver(monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world()
    ssl_id = world.add_order(life="ov-approval", common_name=NAME).ssl_id
    async with staged(world, settle_seconds=30) as stage:
        copied, _ = caught(stage, monkeypatch)
        await stage.press("m")
        await stage.wait(3)
        assert f"To the approver: {ssl_id} (c copies, s saves, t to another)" in stage.lines[0]
        assert f"Approval needed: certificate for {NAME}" in stage.text
        await stage.press("c")
        assert "Copied the message to the approver." in stage.text
    assert [text.splitlines()[0] for text in copied] == [f"Approval needed: certificate for {NAME}"]


@on_stage
async def test_it_is_saved_or_given_to_the_command_or_written_to_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world()
    ssl_id = world.add_order(life="ov-dcv-missing", common_name=NAME).ssl_id
    run: list[tuple[Sequence[str], bytes]] = []

    async def runs(arguments: Sequence[str], stdin: bytes) -> str:
        run.append((arguments, stdin))
        return ""

    outside = Outside(on_event=("tell",), run=runs, messages={"dns": "Record for {common_name}\n\n{records}"})
    async with staged(world, settle_seconds=90, outside=outside, track=[ssl_id]) as stage:
        _, kept = caught(stage, monkeypatch)
        await stage.press("m")
        await stage.wait(3)
        await stage.press("s")
        await stage.wait(1)
        await stage.press("m")
        await stage.wait(3)
        await stage.press("e")
        await stage.wait(3)
        assert "Given to on_event" in stage.text
        await stage.press("m")
        await stage.wait(3)
        await stage.press("t")
        assert "the DNS owner (blocks 1 of 1)" in stage.text
        await stage.press("4")
        await stage.wait(1)
        assert f"To Sectigo support: {ssl_id}" in stage.lines[0]
    ((name, text),) = kept.items()
    assert name.startswith(f"message-dns-{ssl_id}-")
    assert text.startswith(f"Record for {NAME}\n\n_")
    ((arguments, stdin),) = run
    assert arguments == ("tell",)
    assert json.loads(stdin)["to"] == "dns"
    order = stage.site.store.by_ssl_id(ssl_id)
    assert order is not None
    assert stage.site.summaries(order.id)[-1] == "message to the DNS owner given to on_event"


@on_stage
async def test_marked_orders_of_one_approver_make_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world()
    for name in (NAME, "mail.acme.example"):
        world.add_order(life="ov-approval", common_name=name)
    async with staged(world, settle_seconds=30) as stage:
        copied, _ = caught(stage, monkeypatch)
        await stage.press("space", "j", "space", "m")
        await stage.wait(4)
        assert "To the approver: 2 orders" in stage.lines[0]
        await stage.press("e")
        assert "There is no command to send it" in stage.text
        await stage.press("c")
    ((text),) = copied
    assert text.count("Approval needed: certificate for ") == 2


@on_stage
async def test_where_nobody_blocks_the_operator_is_asked_whom_to_write_to() -> None:
    world = new_world()
    world.add_order(life="ov-not-taken", common_name=NAME)
    async with staged(world, settle_seconds=30) as stage:
        await stage.press("m")
        await stage.wait(3)
        assert "write to whom?" in stage.text
        await stage.press("escape")
        assert "write to whom?" not in stage.text
