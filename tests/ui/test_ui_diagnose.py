"""Who an order waits for: the column, the diagnose screen, and what it does while calls fail or are slow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from sectigo_tui.simulator.world import World
from sectigo_tui.ui.screens.diagnose import Diagnose
from support.ui_stage import Stage, demo_world, on_stage, staged
from support.writing import Site, new_world

CAUSES = [
    ("ov-init", "nobody yet", "NOBODY YET", "SCM is creating it"),
    ("ov-approval", "approver", "AN SCM APPROVER", "approval"),
    ("ev-approval", "approver", "AN SCM APPROVER", "approval"),
    ("ov-sa-approved", "approver", "AN SCM APPROVER", "One approval is given"),
    ("ov-not-taken", "nobody yet", "NOBODY YET", "Approved"),
    ("ov-org-pending", "org contact", "THE ORGANIZATION CONTACT", "OV validation of Acme Logistics"),
    ("ov-org-failed", "org contact", "THE ORGANIZATION CONTACT", "Callback number could not be verified"),
    ("ov-org-expired", "org contact", "THE ORGANIZATION CONTACT", "expired"),
    ("ev-org-pending", "org contact", "THE ORGANIZATION CONTACT", "EV validation"),
    ("dv-dcv-missing", "DNS owner", "THE DNS OWNER", "Publish CNAME _"),
    ("ov-dcv-expired", "DNS owner", "THE DNS OWNER", "expired on"),
    ("ov-vetting", "CA", "THE CA", "vetting at Sectigo (callback or manual review)"),
    ("ov-dcv-missing+org-pending", "DNS owner +1", "THE DNS OWNER", "OV validation"),
    ("ov-approval+org-failed", "approver +1", "AN SCM APPROVER", "OV validation"),
]


def one_per_cause(world: World) -> list[int]:
    orders = [
        world.add_order(life=life, common_name=f"n{number}.acme.example", requested=world.start - timedelta(hours=5))
        for number, (life, *_) in enumerate(CAUSES)
    ]
    return [order.ssl_id for order in orders]


async def diagnosed(stage: Stage, ssl_id: int, *, seconds: float = 1.0) -> str:
    """Open the diagnose screen of an order, and return what stands above the stages, without its line breaks."""
    stage.view.table.move_to_id(f"#{ssl_id}")
    await stage.press("D")
    await stage.wait(seconds)
    assert isinstance(stage.app.screen, Diagnose)
    return joined(stage.lines[1:])


def joined(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())


def world_with(*lives: str) -> tuple[World, list[int]]:
    world = new_world()
    since = world.start - timedelta(hours=5)
    made = [
        world.add_order(life=life, common_name=f"n{number}.acme.example", requested=since)
        for number, life in enumerate(lives)
    ]
    return world, [order.ssl_id for order in made]


@on_stage
async def test_each_cause_is_told_by_the_column_and_in_the_first_lines_of_the_diagnosis() -> None:
    world = new_world()
    ssl_ids = one_per_cause(world)
    async with staged(world, size=(120, 40), settle_seconds=5) as stage:
        for ssl_id, (life, cell, party, words) in zip(ssl_ids, CAUSES, strict=True):
            assert f" {cell} " in stage.row(ssl_id), life
            told = await diagnosed(stage, ssl_id)
            above, _, _ = told.partition("Stages (UTC)")
            assert f"Blocked on {party} Why" in above, life
            assert words in above, life
            assert "asking" not in above, life
            await stage.press("escape")


@pytest.mark.parametrize("life", ["ov-rejected", "ov-declined", "ov-invalid"])
@on_stage
async def test_what_has_failed_is_the_operators_to_act_on(life: str) -> None:
    world, (ssl_id,) = world_with(life)
    async with staged(world, track=[ssl_id]) as stage:
        await stage.press("2")
        await stage.wait(2)
        assert "Blocked on YOU Why" in await diagnosed(stage, ssl_id)


@on_stage
async def test_it_opens_at_once_and_fills_in_as_answers_come() -> None:
    world, (ssl_id,) = world_with("ov-dcv-missing+org-failed")
    async with staged(world) as stage:
        await stage.wait(1)
        world.faults.add("latency", path="/dcv$", seconds=20)
        world.faults.add("latency", path="validations", seconds=10)
        assert "Stages (UTC) ● requested" in await diagnosed(stage, ssl_id, seconds=0.2)
        await stage.press("r")
        await stage.wait(0.5)
        assert "Evidence asking SCM for more ..." in joined(stage.lines)
        await stage.wait(30)
        assert "asking" not in joined(stage.lines)
        assert "Blocked on THE DNS OWNER" in joined(stage.lines)


@on_stage
async def test_each_part_says_when_its_call_failed_and_the_verdict_claims_no_more() -> None:
    world, (ssl_id,) = world_with("ov-vetting")
    world.faults.add("unavailable", path="/dcv$")
    world.faults.add("error", path="validations", status=403, code=-3, description="You are not authorized.")
    async with staged(world, size=(120, 40)) as stage:
        told = await diagnosed(stage, ssl_id, seconds=3)
        assert "Blocked on UNKNOWN" in told
        assert f"Domains SCM dcv {ssl_id} failed (HTTP 503)" in told
        assert "failed (HTTP 403)" in told
        assert "not known: order DCV log failed to load" in told
        assert "Evidence partial: r asks again" in told
        world.faults.clear()
        await stage.press("r")
        await stage.wait(2)
        assert "Blocked on THE CA" in joined(stage.lines)


@on_stage
async def test_what_fails_in_the_same_way_is_told_once() -> None:
    world, (ssl_id,) = world_with("ov-vetting")
    async with staged(world) as stage:
        await diagnosed(stage, ssl_id, seconds=3)
        world.faults.add("drop")
        await stage.press("r")
        await stage.wait(30)
        told = joined(stage.lines)
        assert "Blocked on THE CA" in told
        assert told.count("failed to load") == 1
        assert "organization validations, domain delegations, contract failed to load (" in told
        assert "older answers are used where there are any" in told


@on_stage
async def test_it_follows_the_order_while_it_is_open() -> None:
    world = new_world()
    life = "ov-vetting+approver-acts"
    ssl_id = world.add_order(life=life, common_name="www.acme.example").ssl_id
    async with staged(world, refresh_seconds=30) as stage:
        assert "AN SCM APPROVER" in await diagnosed(stage, ssl_id)
        await stage.wait(240)
        assert "Blocked on THE CA" in joined(stage.lines)
        assert "◐ applied" in stage.text


@on_stage
async def test_c_copies_the_records_to_publish_and_says_when_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    world, (missing, valid) = world_with("ov-dcv-missing", "ov-vetting")
    async with staged(world) as stage:
        copied: list[str] = []
        monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
        await diagnosed(stage, missing)
        await stage.press("c")
        (record,) = copied
        name, kind, value = record.split(" ")
        assert name.endswith(".n0.acme.example.")
        assert (kind, value.endswith(".sectigo.com.")) == ("CNAME", True)
        await stage.press("escape")
        await diagnosed(stage, valid)
        await stage.press("c")
        assert stage.footer == "SCM lists no record to publish."
        assert copied == [record]


@on_stage
async def test_a_recheck_after_publishing_changes_the_verdict() -> None:
    world, (ssl_id,) = world_with("ov-dcv-missing")
    async with staged(world) as stage:
        await diagnosed(stage, ssl_id)
        world.publish_record("n0.acme.example")
        await stage.press("R")
        await stage.wait(2)
        assert stage.site.wire.count("POST .*/recheck") == 1
        assert "THE DNS OWNER" not in joined(stage.lines[:4])


@on_stage
async def test_read_only_explains_why_nothing_is_rechecked() -> None:
    world, (ssl_id,) = world_with("ov-dcv-missing")
    async with staged(site=Site(world=world, read_only=True)) as stage:
        await diagnosed(stage, ssl_id)
        await stage.press("R")
        assert stage.footer.startswith("Read-only: a DCV recheck")
        assert "Start without --read-only." in stage.footer
        assert stage.site.wire.count("recheck") == 0


@on_stage
async def test_a_recheck_that_fails_is_told_here_until_it_is_acknowledged() -> None:
    world, (ssl_id,) = world_with("ov-dcv-missing")
    async with staged(world) as stage:
        await diagnosed(stage, ssl_id)
        world.faults.add("error", path="recheck", code=-3, description="You are not authorized.")
        await stage.press("R")
        await stage.wait(1.5)
        assert "DCV recheck" in joined(stage.lines[-7:])
        await stage.press("x")
        assert "acknowledge" not in stage.text


@on_stage
async def test_history_tells_its_progress_stops_at_escape_and_says_what_is_normal() -> None:
    world = demo_world()
    world.account.credentials.without = {"report"}
    async with staged(world) as stage:
        await diagnosed(stage, 2100356)
        assert "no history of this profile yet" in joined(stage.lines)
        stage.world.faults.add("latency", method="GET", path=r"/ssl/v1/\d+$", seconds=2)
        await stage.press("h")
        await stage.wait(9)
        assert "of 60 issued orders asked for" in stage.text
        assert stage.footer == "Esc stop asking for history"
        await stage.press("escape")
        await stage.wait(10)
        assert "issued orders asked for" not in stage.text
        assert isinstance(stage.app.screen, Diagnose)
        stage.world.faults.clear()
        await stage.press("h")
        await stage.wait(30)
        assert "issued orders asked for" not in stage.text
        assert "Normal? no history" not in joined(stage.lines)
        assert "(n=" in stage.text
        await stage.press("escape")
        assert not isinstance(stage.app.screen, Diagnose)


@on_stage
async def test_history_comes_from_the_report_in_the_background_with_its_age() -> None:
    async with staged(demo_world(), settle_seconds=30) as stage:
        shown = await diagnosed(stage, 2100356)
        assert "(n=" in shown
        await stage.press("end")
        assert "the account's last 90 days, as of" in joined(stage.lines)


@on_stage
async def test_from_the_diagnosis_a_view_is_one_key_away_and_so_is_the_menu() -> None:
    world, (ssl_id,) = world_with("ov-approval")
    async with staged(world) as stage:
        await diagnosed(stage, ssl_id)
        await stage.press("a")
        assert f"Actions: {ssl_id} n0.acme.example" in stage.text
        await stage.press("escape", "1")
        assert "view: Pending" in stage.footer


@on_stage
async def test_a_shared_cause_is_listed_and_c_shows_its_orders() -> None:
    world, (one, other, alone) = world_with("ov-org-pending", "ov-org-pending", "ov-dcv-expired")
    async with staged(world, settle_seconds=3) as stage:
        assert "Shared 2 orders, organization Acme Logistics" in await diagnosed(stage, one)
        await stage.press("C", "enter")
        await stage.wait(0.5)
        assert "2 shown" in stage.header
        assert stage.row(one)
        assert stage.row(other)
        assert str(alone) not in stage.text


@on_stage
async def test_rows_that_are_scrolled_past_are_not_asked_about() -> None:
    world = new_world()
    for number in range(200):
        world.add_order(life="ov-vetting", common_name=f"n{number}.acme.example")
    async with staged(world, settle_seconds=0.05) as stage:
        await stage.wait(15)
        before = stage.site.wire.count("/dcv$")
        for _ in range(6):
            for key in ("pagedown", "pagedown", "pagedown", "pageup"):
                await stage.press(key)
        assert stage.site.wire.count("/dcv$") - before <= 1
        await stage.wait(30)
        in_sight = len(stage.view.table.visible_ids)
        assert 1 <= stage.site.wire.count("/dcv$") - before <= in_sight + 1


@on_stage
async def test_the_list_can_be_sorted_by_an_outage_that_has_no_room_beside_it() -> None:
    world, _ = world_with("ov-approval", "ov-vetting")
    async with staged(world) as stage:
        assert "OUTAGE" not in stage.lines[1]
        await stage.press("s", "o")
        assert stage.footer == "Sorted by OUTAGE, which is empty for every row."
        await stage.press("s", "p")
        assert stage.footer == "Sorted by PROFILE, which does not fit this screen."
        await stage.resize(200, 40)
        assert "PROFILE▲" in stage.lines[1]
