"""Ordering, deciding, collecting and revoking, as the operator types it and SCM hears it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.simulator.faults import Fault
from sectigo_tui.simulator.world import World
from sectigo_tui.ui.workflows.actions import ACTIONS
from support.ui_stage import Stage, demo_world, on_stage, staged, type_text
from support.writing import Site, csr_pem

ISSUED = 2100368
COLLECTABLE = 2100330
REQUESTED = 2100354
ANOTHER_REQUESTED = 2100362
OTHERS_REQUESTED = 2100366


def enrolled(world: World) -> int:
    return world.traffic.count("POST", "enroll$")


async def open_form(stage: Stage, csr: Path) -> None:
    """Open the form for an order, with a CSR from a file."""
    await stage.press("a", "e")
    await stage.wait(1)
    assert "Enroll: order a certificate" in stage.text
    source = stage.app.screen.query_one("#source")
    source.value = "file"  # type: ignore[attr-defined] # a Select; choosing by keys is Textual's to test
    await stage.wait()
    stage.app.screen.query_one("#csr-path").focus()
    await stage.wait()
    await type_text(stage, str(csr))


@pytest.fixture
def csr(tmp_path: Path) -> Path:
    path = tmp_path / "r.csr"
    path.write_bytes(csr_pem("new.acme.example"))
    return path


@on_stage
async def test_an_order_is_shown_before_it_is_placed_and_placed_once(csr: Path) -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, csr)
        await stage.press("enter")
        await stage.wait(1)
        assert "Order this certificate?" in stage.text
        assert "new.acme.example" in stage.text
        assert "No other order of this name is pending" in stage.text
        assert enrolled(stage.world) == 0
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert enrolled(stage.world) == 1
        assert "Ordered: sslId" in stage.text
        (order,) = stage.site.engine.context.repository.store.orders()
        assert order.ssl_id in stage.world.enrolled
        assert str(order.ssl_id) in stage.text


@on_stage
async def test_cancel_has_the_focus_before_an_order_is_placed(csr: Path) -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, csr)
        await stage.press("enter")
        await stage.wait(1)
        await stage.press("enter")
        await stage.wait(1)
        assert enrolled(stage.world) == 0
        assert str(csr) in stage.app.screen.query_one("#csr-path").value  # type: ignore[attr-defined] # an Input


@on_stage
async def test_a_refusal_is_explained_and_the_form_stays_filled_in(csr: Path) -> None:
    world = demo_world()
    world.faults.add("error", path="enroll$", count=1, status=400, code=-1021, description="Organization not found.")
    async with staged(world) as stage:
        await open_form(stage, csr)
        await stage.press("enter")
        await stage.wait(1)
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert "-1021" in stage.text
        assert stage.app.screen.query_one("#csr-path").value == str(csr)  # type: ignore[attr-defined] # an Input
        await stage.press("escape", "tab", "tab", "enter")
        await stage.wait()
        assert "Enroll" not in stage.text


@on_stage
async def test_a_file_without_a_csr_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, tmp_path / "absent.csr")
        await stage.press("enter")
        await stage.wait(1)
        assert "No such file" in stage.text
        assert enrolled(stage.world) == 0


@on_stage
async def test_an_order_of_the_same_name_is_shown_first(tmp_path: Path) -> None:
    path = tmp_path / "again.csr"
    path.write_bytes(csr_pem("online-banking.acme.example"))
    async with staged(demo_world()) as stage:
        await open_form(stage, path)
        await stage.press("enter")
        await stage.wait(2)
        assert "Orders of the same name" in stage.text
        assert "Order another, billed" in stage.text
        assert "Acme Holdings (1001)" in stage.text
        assert "sslId 2100342  Applied" in stage.text


@on_stage
async def test_a_lost_answer_is_unconfirmed_then_found_and_never_sent_again(csr: Path) -> None:
    world = demo_world()
    world.faults.add("lost", path="enroll$", count=1)
    async with staged(world) as stage:
        await open_form(stage, csr)
        await stage.press("enter")
        await stage.wait(1)
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "UNKNOWN, verifying" in stage.text
        await stage.press("enter")
        await stage.wait(120)
        assert enrolled(stage.world) == 1
        (order,) = stage.site.engine.context.repository.store.orders()
        assert order.ssl_id in stage.world.enrolled


async def order_lost_before_scm_saw_it(stage: Stage, csr: Path) -> str:
    """Order, with the connection cut before SCM has read the request; return the order's id."""
    stage.world.faults.add("drop", path="enroll$", count=1)
    await open_form(stage, csr)
    await stage.press("enter")
    await stage.wait(1)
    await stage.press("tab", "enter")
    await stage.wait(2)
    assert "UNKNOWN, verifying" in stage.text
    await stage.press("enter", "2")
    await stage.wait(1)
    (order,) = stage.site.engine.context.repository.store.orders()
    return order.id


@on_stage
async def test_what_is_not_found_at_scm_is_ordered_again_only_when_the_operator_says_so(csr: Path) -> None:
    async with staged(demo_world()) as stage:
        await order_lost_before_scm_saw_it(stage, csr)
        await stage.press("a", "g")
        assert "it is still searched for" in stage.text
        await stage.press("escape")
        await stage.wait(1200)
        assert "order it again, or give it up" in stage.text
        assert enrolled(stage.world) == 1
        await stage.press("a", "g")
        await stage.wait()
        assert "Not found at SCM: order again, billed?" in stage.text
        await stage.press("enter")
        await stage.wait(1)
        assert enrolled(stage.world) == 1
        await stage.press("a", "g")
        await stage.wait()
        await stage.press("tab", "enter")
        await stage.wait(3)
        assert "Ordered: sslId" in stage.text
        assert enrolled(stage.world) == 2
        (order,) = stage.site.engine.context.repository.store.orders()
        assert order.ssl_id in stage.world.enrolled


@on_stage
async def test_what_is_not_found_at_scm_can_be_given_up_and_is_then_taken_off_the_list(csr: Path) -> None:
    async with staged(demo_world()) as stage:
        order_id = await order_lost_before_scm_saw_it(stage, csr)
        await stage.wait(1200)
        await stage.press("a", "u")
        await stage.wait()
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "Given up; its timeline is kept." in stage.text
        await stage.press("a", "m")
        await stage.wait()
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "Removed 1 from the list." in stage.text
        store = stage.site.engine.context.repository.store
        assert store.orders() == []
        assert store.timeline(order_id)
        assert enrolled(stage.world) == 1


async def open_revoke(stage: Stage, ssl_id: int) -> None:
    await stage.press("3")
    await stage.wait(1)
    stage.view.table.move_to_id(f"#{ssl_id}")
    await stage.wait(1)
    await stage.press("a", "v")
    await stage.wait(1)
    assert "Revoke a certificate, for good" in stage.text


async def fill_revoke(stage: Stage, typed: str, *, code: str = "4", reason: str = "superseded by a new one") -> None:
    screen = stage.app.screen
    if code:
        screen.query_one("#reason-code").value = code  # type: ignore[attr-defined] # a Select
    screen.query_one("#reason").focus()
    await stage.wait()
    await type_text(stage, reason)
    screen.query_one("#typed").focus()
    await stage.wait()
    await type_text(stage, typed)


def revoked(world: World) -> int:
    return world.traffic.count("POST", "revoke/")


@on_stage
async def test_revoke_shows_the_certificate_and_wants_reason_and_name() -> None:
    async with staged(demo_world()) as stage:
        await open_revoke(stage, ISSUED)
        for shown in ("mail-gw.acme.example", str(ISSUED), "Serial", "Order number", "Expires", "PROD acme"):
            assert shown in stage.text
        await fill_revoke(stage, "mail-gw.acme.example", code="")
        await stage.press("tab", "enter")
        assert "Choose a reason code" in stage.text
        assert revoked(stage.world) == 0


@pytest.mark.parametrize("typed", ["", "mail-gw.acme.exampl", "MAIL-GW.ACME.EXAMPLE", "mail\u2010gw.acme.example"])
@on_stage
async def test_another_name_than_the_certificates_revokes_nothing(typed: str) -> None:
    async with staged(demo_world()) as stage:
        await open_revoke(stage, ISSUED)
        await fill_revoke(stage, typed)
        await stage.press("tab", "enter")
        assert "is not the common name" in stage.text
        assert revoked(stage.world) == 0


@on_stage
async def test_enter_in_a_field_never_revokes() -> None:
    async with staged(demo_world()) as stage:
        await open_revoke(stage, ISSUED)
        await fill_revoke(stage, "mail-gw.acme.example")
        await stage.press("enter", "enter")
        await stage.wait(1)
        assert revoked(stage.world) == 0
        assert "Tab leads to 'Revoke it'" in stage.text
        assert stage.app.screen.query_one("#typed").value == "mail-gw.acme.example"  # type: ignore[attr-defined] # an Input


@on_stage
async def test_a_revocation_is_recorded_told_and_confirmed() -> None:
    async with staged(demo_world()) as stage:
        await open_revoke(stage, ISSUED)
        await fill_revoke(stage, "mail-gw.acme.example")
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert revoked(stage.world) == 1
        assert "Revoked, and confirmed by SCM" in stage.text
        order = stage.site.engine.context.repository.store.by_ssl_id(ISSUED)
        assert order is not None
        assert order.state is OrderState.REVOKED
        assert order.revocation is not None
        assert order.revocation.confirmed_at is not None


@on_stage
async def test_a_revocation_without_an_answer_is_unknown_until_scm_has_said() -> None:
    world = demo_world()
    world.faults.add("lost", path="revoke/", count=1)
    world.faults.add("unavailable", path=f"ssl/v1/{ISSUED}$", after=2, count=2)
    async with staged(world) as stage:
        await open_revoke(stage, ISSUED)
        await fill_revoke(stage, "mail-gw.acme.example")
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert stage.text.count("UNKNOWN, verifying") == 1
        assert "next at " in stage.text
        await stage.press("enter")
        assert "RVG" in stage.row(ISSUED)
        await stage.wait(120)
        order = stage.site.engine.context.repository.store.by_ssl_id(ISSUED)
        assert order is not None
        assert order.state is OrderState.REVOKED


@on_stage
async def test_the_typed_name_is_empty_on_every_opening() -> None:
    async with staged(demo_world()) as stage:
        await open_revoke(stage, ISSUED)
        await fill_revoke(stage, "mail-gw.acme.example")
        await stage.press("escape", "tab", "enter", "a", "v")
        await stage.wait(1)
        assert "This draft was not sent" in stage.text
        assert stage.app.screen.query_one("#typed").value == ""  # type: ignore[attr-defined] # an Input


@on_stage
async def test_several_marked_orders_are_approved_after_one_confirmation_that_lists_them() -> None:
    async with staged(demo_world()) as stage:
        for ssl_id in (REQUESTED, ANOTHER_REQUESTED):
            stage.view.table.move_to_id(f"#{ssl_id}")
            await stage.press("space")
        await stage.press("a", "p")
        await stage.wait()
        assert "Approve 2 orders?" in stage.text
        assert str(REQUESTED) in stage.text
        assert str(ANOTHER_REQUESTED) in stage.text
        await type_text(stage, "fine")
        await stage.press("enter")
        await stage.wait(2)
        assert stage.world.traffic.count("POST", "approve/") == 2


@on_stage
async def test_the_rows_of_approved_orders_tell_so_at_once_local_or_remote() -> None:
    world = demo_world()
    async with staged(world, size=(100, 50), track=[OTHERS_REQUESTED], settle_seconds=2.0) as stage:
        for ssl_id in (OTHERS_REQUESTED, ANOTHER_REQUESTED):
            stage.view.table.move_to_id(f"#{ssl_id}")
            assert "REQ" in stage.row(ssl_id)
            await stage.press("space")
        await stage.press("a", "p")
        await stage.wait()
        await type_text(stage, "fine")
        await stage.press("enter")
        await stage.wait(1)
        for ssl_id in (OTHERS_REQUESTED, ANOTHER_REQUESTED):
            stage.view.table.move_to_id(f"#{ssl_id}")
            await stage.wait()
            assert "APR" in stage.row(ssl_id)
            assert "approver" not in stage.row(ssl_id)


@on_stage
async def test_approving_an_ev_order_warns_when_the_login_in_use_has_requested_it() -> None:
    async with staged(demo_world(), size=(100, 40)) as stage:
        for ssl_id in (REQUESTED, ANOTHER_REQUESTED, OTHERS_REQUESTED):
            stage.view.table.move_to_id(f"#{ssl_id}")
            await stage.press("space")
            await stage.wait(1)
        await stage.press("a", "p")
        await stage.wait()
        flat = " ".join(" ".join(line.strip("│▌ ") for line in stage.lines).split())
        assert f"! {REQUESTED}: EV, requested by certctl-api, the login in use here: SCM refuses its approval" in flat
        assert f"! {ANOTHER_REQUESTED}: EV: an administrator other than its requester, l.brandt@acme.example" in flat
        assert f"! {OTHERS_REQUESTED}: EV" not in flat


@on_stage
async def test_an_order_that_somebody_else_approved_meanwhile_tells_so_once_it_was_refused() -> None:
    async with staged(demo_world()) as stage:
        stage.view.table.move_to_id(f"#{OTHERS_REQUESTED}")
        await stage.press("a", "p")
        await stage.wait()
        await stage.site.scm.approve(OTHERS_REQUESTED, "by somebody else")
        await type_text(stage, "fine")
        await stage.press("enter")
        await stage.wait(1)
        assert "SCM code" in stage.text
        await stage.press("escape")
        assert "APR" in stage.row(OTHERS_REQUESTED)


@on_stage
async def test_a_declined_order_leaves_the_list_at_once() -> None:
    async with staged(demo_world()) as stage:
        stage.view.table.move_to_id(f"#{REQUESTED}")
        await stage.press("a", "d")
        await stage.wait()
        await type_text(stage, "not ours")
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert stage.world.traffic.count("POST", "decline/") == 1
        assert not any(f" {REQUESTED} " in line for line in stage.lines)
        assert not stage.view.shows(f"#{REQUESTED}")


@on_stage
async def test_marked_orders_are_never_revoked_together() -> None:
    async with staged(demo_world()) as stage:
        await stage.press("space", "space", "a", "v")
        assert "one at a time: 2 are marked" in stage.text
        assert "for good" not in stage.text


@on_stage
async def test_decline_asks_for_words_and_ends_the_order() -> None:
    async with staged(demo_world()) as stage:
        stage.view.table.move_to_id(f"#{REQUESTED}")
        await stage.press("a", "d")
        await stage.wait()
        await stage.press("tab", "enter")
        assert "Write 1 to 512 characters." in stage.text
        stage.app.screen.query_one("#text").focus()
        await stage.wait()
        await type_text(stage, "not ours")
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert stage.world.traffic.count("POST", "decline/") == 1
        assert f"Declined: sslId {REQUESTED}." in stage.text


@on_stage
async def test_a_refused_approval_says_why_in_plain_words() -> None:
    world = demo_world()
    world.faults.add(Fault("error", path="approve/", status=400, code=-1140, description="Requester cannot approve."))
    async with staged(world) as stage:
        stage.view.table.move_to_id(f"#{REQUESTED}")
        await stage.press("a", "p")
        await stage.wait()
        await type_text(stage, "fine")
        await stage.press("enter")
        await stage.wait(1)
        assert "-1140" in stage.text
        assert "Next:" in stage.text


@on_stage
async def test_of_several_approvals_the_one_that_fails_is_told_and_the_others_are_done() -> None:
    world = demo_world()
    world.faults.add("error", path=f"approve/{REQUESTED}", status=400, code=-1140, description="Cannot approve.")
    async with staged(world, size=(120, 40)) as stage:
        for ssl_id in (REQUESTED, ANOTHER_REQUESTED):
            stage.view.table.move_to_id(f"#{ssl_id}")
            await stage.press("space")
        await stage.press("a", "p")
        await stage.wait()
        await type_text(stage, "fine")
        await stage.press("enter")
        await stage.wait(2)
        assert f"{ANOTHER_REQUESTED}: done" in stage.text
        (refused,) = [line for line in stage.lines if f"{REQUESTED}: " in line]
        assert "-1140" in refused


def saved(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def overwrite_all(directory: Path) -> None:
    for path in directory.iterdir():
        path.write_text("somebody else's\n")


@on_stage
async def test_a_certificate_is_collected_and_never_saved_over_another_unasked(tmp_path: Path) -> None:
    async with staged(demo_world()) as stage:
        await stage.press("3")
        await stage.wait(1)
        stage.view.table.move_to_id(f"#{COLLECTABLE}")
        await stage.wait(1)
        for expected in ("Saved:", "Save over what is there?"):
            await stage.press("a", "c")
            await stage.wait()
            field = stage.app.screen.query_one("#text")
            field.value = str(tmp_path)  # type: ignore[attr-defined] # an Input
            await stage.press("enter")
            await stage.wait(2)
            if expected == "Saved:":
                assert any("BEGIN CERTIFICATE" in content for content in saved(tmp_path).values())
                overwrite_all(tmp_path)
            else:
                assert expected in stage.text
                await stage.press("enter")
                await stage.wait()
                assert set(saved(tmp_path).values()) == {"somebody else's\n"}


@on_stage
async def test_a_renewal_is_a_new_order_placed_once() -> None:
    async with staged(demo_world()) as stage:
        await stage.press("3")
        await stage.wait(1)
        stage.view.table.move_to_id(f"#{COLLECTABLE}")
        await stage.wait(1)
        await stage.press("a", "n")
        await stage.wait(2)
        assert "Renew: order it again, billed" in stage.text
        assert f"sslId {COLLECTABLE}" in stage.text
        source = stage.app.screen.query_one("#csr-source")
        source.value = "file"  # type: ignore[attr-defined] # a Select
        await stage.wait()
        stage.app.screen.query_one("#csr-path").focus()
        await stage.press("enter")
        assert "Enter does not confirm this: Tab leads to 'Order it, billed'." in stage.text
        assert stage.world.traffic.count("POST", "renewById/") == 0
        source.value = "same"  # type: ignore[attr-defined] # a Select
        source.focus()
        await stage.press("enter", "enter")
        assert stage.world.traffic.count("POST", "renewById/") == 0
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert stage.world.traffic.count("POST", "renewById/") == 1
        (order,) = [
            one for one in stage.site.engine.context.repository.store.orders() if one.renews_ssl_id == COLLECTABLE
        ]
        assert order.ssl_id != COLLECTABLE


@on_stage
async def test_a_finished_order_is_taken_off_the_list_and_its_timeline_kept() -> None:
    async with staged(demo_world(), track=[COLLECTABLE]) as stage:
        await stage.press("2")
        await stage.wait(3)
        (order,) = stage.site.engine.context.repository.store.orders()
        assert order.state is OrderState.COLLECTED
        await stage.press("a", "m")
        await stage.wait()
        await stage.press("tab", "enter")
        await stage.wait(1)
        store = stage.site.engine.context.repository.store
        assert store.orders() == []
        assert store.timeline(order.id)


@on_stage
async def test_the_menu_keeps_one_line_an_action_in_a_narrow_terminal() -> None:
    async with staged(demo_world(), size=(44, 20)) as stage:
        await stage.press("a")
        first = next(at for at, line in enumerate(stage.lines) if line.startswith("─Actions: ")) + 1
        shown = [line.split()[0] for line in stage.lines[first : first + len(ACTIONS)]]
        assert shown == list("xeotwpdcnvgurm")
        assert sorted(shown) == sorted(action.key for action in ACTIONS)


@on_stage
async def test_read_only_lists_what_changes_something_at_scm_with_the_reason() -> None:
    async with staged(site=Site(world=demo_world(), read_only=True), size=(100, 30)) as stage:
        await stage.press("a")
        rows = [line.rsplit("│", 2)[1] for line in stage.lines if "locked: started with --read-only" in line]
        locked = {row.split()[0] for row in rows}
        assert locked == set("epdnvg")
        await stage.press("e")
        assert "Enroll: order a certificate  read-only" not in stage.text
        assert "#profile" not in stage.text
        assert stage.world.traffic.count("GET", "types") == 0
