"""New credentials, and keys that were typed before anybody could read the question."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen

from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.credentials.certctl import HandOverStep
from sectigo_tui.simulator.world import World
from sectigo_tui.ui.dialogs.confirm import Reading
from sectigo_tui.ui.dialogs.enroll import EnrollForm
from sectigo_tui.ui.dialogs.menu import Menu
from sectigo_tui.ui.workflows.rotate import Rotate
from support.fake_certctl import FakeCertctl
from support.ui_stage import Stage, demo_world, on_stage, staged, type_text
from support.writing import Site

CANARY = "Canary-Pass-4711"


def logins(world: World) -> int:
    return world.traffic.count("GET", "ssl/v1/types$")


def writes(world: World) -> int:
    return world.traffic.count("POST", "enroll|revoke|renew|replace|approve|decline|changepassword")


def dialog_words(stage: Stage) -> str:
    """Return what the dialog says, in one line, without the list beside it."""
    return " ".join(" ".join(line.split("│")[1] for line in stage.lines if line.count("│") == 2).split())


def everything_seen(stage: Stage) -> str:
    """Return what a person or a file could have of this session: screen, picture, events, timeline."""
    store = stage.site.engine.context.repository.store
    return "\n".join([stage.text, stage.svg(), *map(repr, stage.site.received), *map(repr, store.entries(1_000))])


@on_stage
async def test_a_401_offers_rotation_by_itself_with_the_focus_where_keys_do_no_harm() -> None:
    world = demo_world()
    async with staged(world, track=[2100342]) as stage:
        world.account.credentials.password = CANARY
        await stage.wait(15)
        assert isinstance(stage.app.screen, Rotate)
        assert "SCM rejects them" in stage.text
        await type_text(stage, "jjj")
        assert stage.app.screen.query_one("#password").value == ""  # type: ignore[attr-defined] # an Input
        await stage.press("enter")
        assert not isinstance(stage.app.screen, Rotate)
        assert "AUTH rejected" in stage.header


@on_stage
async def test_rotation_tries_once_then_replaces_and_says_how_many_workers_go_on() -> None:
    world = demo_world()
    async with staged(world, track=[2100342, 2100348]) as stage:
        world.account.credentials.password = CANARY
        await stage.wait(15)
        await stage.press("escape", "a", "o")
        await stage.wait()
        before = len(stage.site.wire.sent)
        await type_text(stage, CANARY)
        assert CANARY not in stage.text
        await stage.press("enter")
        await stage.wait(1)
        assert "2 poll workers go on" in stage.text
        assert "Kept in credentials.toml [sectigo]" in stage.text
        assert stage.site.kept.present.password.reveal() == CANARY
        assert [password for _, password in stage.site.wire.sent[before:]][:1] == [CANARY]
        await stage.press("enter")
        await stage.wait(20)
        assert "API OK" in stage.header
        assert CANARY not in everything_seen(stage)


@on_stage
async def test_wrong_credentials_leave_the_old_ones_and_are_not_tried_again_unasked() -> None:
    world = demo_world()
    async with staged(world) as stage:
        await stage.press("a", "o")
        await stage.wait()
        tries = logins(world)
        await type_text(stage, CANARY)
        await stage.press("enter")
        await stage.wait(1)
        assert "-16" in stage.text
        assert "the credentials from before stay" in stage.text
        assert "Next: Rotate" not in stage.text
        assert logins(world) == tries + 1
        assert "API OK" in stage.header
        await type_text(stage, CANARY)
        await stage.press("enter")
        await stage.wait(1)
        assert logins(world) == tries + 1
        assert "Test it anyway" in stage.text
        await stage.press("escape")
        await stage.press("R")
        await stage.wait(1)
        assert "API OK" in stage.header
        assert CANARY not in everything_seen(stage)


@on_stage
async def test_nothing_typed_rotates_nothing() -> None:
    async with staged(demo_world()) as stage:
        await stage.press("a", "o")
        await stage.wait()
        tries = logins(stage.world)
        await stage.press("enter")
        assert "Type a new login or password." in stage.text
        assert logins(stage.world) == tries


@on_stage
async def test_the_program_can_make_a_password_that_nobody_sees() -> None:
    world = demo_world()
    async with staged(world) as stage:
        await stage.press("a", "o")
        await stage.wait()
        stage.app.screen.query_one("#make-new").value = True  # type: ignore[attr-defined] # a Tick
        await stage.press("enter")
        await stage.wait(2)
        assert "SCM accepts login" in stage.text
        made = world.account.credentials.password
        assert made != "Simulated-1-Secret"
        assert stage.site.kept.present.password.reveal() == made
        assert made not in everything_seen(stage)


@on_stage
async def test_what_would_win_at_the_next_start_is_said() -> None:
    world = demo_world()
    async with staged(world) as stage:
        stage.site.kept.overriding = "environment CERTCTL_SECTIGO_PASSWORD"
        world.account.credentials.password = CANARY
        await stage.press("a", "o")
        await stage.wait()
        assert "Change there too     environment CERTCTL_SECTIGO_PASSWORD" in stage.text
        await type_text(stage, CANARY)
        await stage.press("enter")
        await stage.wait(1)
        assert "The next start would take them from environment CERTCTL_SECTIGO_PASSWORD" in dialog_words(stage)


@pytest.mark.parametrize(
    ("typed", "opened"), [(("a", "v"), Menu), (("a", "enter"), Reading), (("a", "e", "enter"), EnrollForm)]
)
@on_stage
async def test_keys_typed_before_a_dialog_was_seen_open_what_they_name_and_answer_nothing(
    typed: tuple[str, ...], opened: type[Screen[object]]
) -> None:
    async with staged(demo_world()) as stage:
        for key in typed:
            stage.post(key)
        await asyncio.sleep(0)
        await stage.wait(1)
        assert isinstance(stage.app.screen, opened)
        assert writes(stage.world) == 0


@on_stage
async def test_keys_typed_while_an_answer_is_late_do_nothing() -> None:
    world = demo_world()
    async with staged(world) as stage:
        world.faults.add("latency", path="ssl/v1/types$", seconds=20.0)
        await stage.press("a", "e")
        await stage.wait(1)
        assert "Asking SCM what may be ordered" in stage.text
        await stage.press("v", "enter")
        await stage.wait(1)
        assert "Please wait" not in stage.text
        await stage.wait(30)
        assert "Enroll" not in stage.text
        assert writes(stage.world) == 0


@on_stage
async def test_a_write_under_way_cannot_be_cancelled_by_escape() -> None:
    world = demo_world()
    async with staged(world) as stage:
        world.account.credentials.password = CANARY
        world.faults.add("latency", path="ssl/v1/types$", seconds=20.0)
        await stage.press("a", "o")
        await stage.wait()
        await type_text(stage, CANARY)
        await stage.press("enter")
        await stage.wait(1)
        assert "cannot be cancelled" in stage.text
        await stage.press("escape", "enter", "q")
        assert "cannot be cancelled" in stage.text
        await stage.wait(30)
        assert "SCM accepts login" in stage.text


@on_stage
async def test_a_change_that_was_cut_short_is_settled_before_anything_else_is_asked() -> None:
    world = demo_world()
    async with staged(world) as stage:
        present = stage.site.kept.present
        await stage.site.kept.save_unproven(replace(present, password=SecretText(CANARY)))
        world.account.credentials.password = CANARY
        await stage.press("a", "o")
        await stage.wait()
        assert "A change of the password was interrupted" in stage.text
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "The pending password works" in stage.text
        assert stage.site.kept.present.password.reveal() == CANARY
        assert stage.site.kept.pending is None


async def refused_then_rotated_elsewhere(stage: Stage, *, typed: str) -> None:
    stage.world.account.credentials.password = CANARY
    await stage.wait(15)
    assert isinstance(stage.app.screen, Rotate)
    if typed:
        stage.app.screen.query_one("#login").focus()
        await type_text(stage, typed)
    stage.site.kept.present = replace(stage.site.kept.present, password=SecretText(CANARY))
    await stage.wait(5)
    assert "AUTH" not in stage.header


@on_stage
async def test_the_offer_to_rotate_is_withdrawn_once_another_process_has_rotated() -> None:
    async with staged(demo_world(), track=[2100342]) as stage:
        await refused_then_rotated_elsewhere(stage, typed="")
        assert not isinstance(stage.app.screen, Rotate)
        assert stage.app.is_running


@on_stage
async def test_an_offer_in_which_something_was_typed_stays_and_says_that_the_credentials_work_again() -> None:
    async with staged(demo_world(), track=[2100342]) as stage:
        await refused_then_rotated_elsewhere(stage, typed="other")
        assert "in use again: rotated elsewhere" in stage.text
        assert "SCM rejects them" not in stage.text
        await stage.press("escape")
        assert not isinstance(stage.app.screen, Rotate)


async def rotate_and_hand_over(stage: Stage) -> str:
    """Rotate with the box for certctl-server ticked; return what is said of it, in one line."""
    stage.world.account.credentials.password = CANARY
    await stage.press("a", "o")
    await stage.wait()
    await type_text(stage, CANARY)
    stage.app.screen.query_one("#hand-over").focus()
    await stage.press("space", "tab", "enter")
    await stage.wait(2)
    return dialog_words(stage)


@on_stage
async def test_certctl_server_is_told_where_its_box_is_ticked_and_each_step_is_shown() -> None:
    certctl = FakeCertctl()
    async with staged(site=Site(world=demo_world(), certctl=certctl)) as stage:
        said = await rotate_and_hand_over(stage)
        assert "SCM accepts login" in said, said
        for step in ("read the issuer: done", "new credentials: done", "test it: done", "connection_successful"):
            assert step in said, said
        assert certctl.credentials[1] == CANARY
        assert CANARY not in everything_seen(stage)


@on_stage
async def test_a_failure_of_certctl_server_says_what_is_left_and_the_rotation_here_stands() -> None:
    async with staged(site=Site(world=demo_world(), certctl=FakeCertctl(fails_at=HandOverStep.PUT))) as stage:
        said = await rotate_and_hand_over(stage)
        assert "SCM accepts login" in said, said
        assert "read the issuer: done" in said
        assert "FAILED" in said
        assert "Left to do:" in said
        assert stage.site.kept.present.password.reveal() == CANARY


@on_stage
async def test_the_login_alone_can_be_changed_by_mouse() -> None:
    world = demo_world()
    async with staged(world) as stage:
        await stage.press("a", "o")
        await stage.wait()
        pilot = Pilot(stage.app)
        await pilot.click("#login")
        await type_text(stage, "other-login")
        world.account.credentials.login = "other-login"
        await pilot.click("#rotate")
        await stage.wait(2)
        assert "SCM accepts login other-login" in stage.text
        assert stage.site.kept.present.login == "other-login"
        await pilot.click("#cancel")
        await stage.wait(1)
        assert "API OK" in stage.header


@on_stage
async def test_a_password_that_expires_soon_is_told_in_the_header_and_in_the_dialog() -> None:
    world = demo_world()
    world.account.credentials.expires = world.now() + timedelta(days=9)
    async with staged(world, size=(120, 40)) as stage:
        assert "password 9d" in stage.header
        await stage.press("a", "o")
        await stage.wait()
        assert "ALIVE, expires" in stage.text


async def refused_while(stage: Stage, *keys: str) -> None:
    """Have SCM refuse the credentials while something is open."""
    await stage.press(*keys)
    stage.world.account.credentials.password = CANARY
    await stage.wait(15)
    assert stage.site.engine.context.limiter.rejection is not None


@pytest.mark.parametrize("opened_by", ["a", "question_mark", "colon", "e", "F"])
@on_stage
async def test_an_offer_to_rotate_waits_until_what_is_open_is_closed_and_is_made_once(opened_by: str) -> None:
    async with staged(demo_world(), track=[2100342]) as stage:
        await refused_while(stage, opened_by)
        assert not isinstance(stage.app.screen, Rotate)
        await stage.press("escape")
        await stage.wait(1)
        assert isinstance(stage.app.screen, Rotate), stage.text
        assert stage.app.screen.focused is stage.app.screen.query_one("#cancel")
        await stage.press("escape", opened_by, "escape")
        await stage.wait(1)
        assert not isinstance(stage.app.screen, Rotate)


@on_stage
async def test_an_offer_to_rotate_is_made_over_a_diagnosis_which_is_no_question() -> None:
    async with staged(demo_world(), track=[2100342]) as stage:
        await refused_while(stage, "D")
        assert isinstance(stage.app.screen, Rotate)


@on_stage
async def test_an_offer_to_rotate_is_not_made_any_more_once_the_credentials_work_again() -> None:
    async with staged(demo_world(), track=[2100342]) as stage:
        await refused_while(stage, "a")
        stage.site.kept.present = replace(stage.site.kept.present, password=SecretText(CANARY))
        await stage.wait(5)
        assert stage.site.engine.context.limiter.rejection is None
        await stage.press("escape")
        await stage.wait(1)
        assert not isinstance(stage.app.screen, Rotate)


@on_stage
async def test_a_flow_that_meets_the_refusal_itself_asks_for_new_credentials_once() -> None:
    async with staged(demo_world()) as stage:
        stage.view.table.move_to_id("#2100354")
        await stage.press("a", "d")
        await type_text(stage, "no")
        stage.world.account.credentials.password = CANARY
        stage.world.faults.add("latency", path="decline", seconds=2.0)
        await stage.press("tab", "enter")
        await stage.wait(5)
        assert isinstance(stage.app.screen, Rotate)
        await stage.press("escape")
        await stage.wait(1)
        assert "Decline this order?" in stage.text
        await stage.press("escape", "tab", "tab", "enter")
        await stage.wait(1)
        assert len(stage.app.screen_stack) == 1, stage.text
