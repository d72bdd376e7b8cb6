"""Filling in the form for an order: what may be pasted, where the focus is, and what is kept between two tries."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_csr
from msgspec.structs import replace
from textual import events

from sectigo_tui.simulator.account import CustomField
from sectigo_tui.simulator.world import World
from support.ui_stage import Stage, demo_world, on_stage, staged, type_text
from support.writing import csr_pem

KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAcanarycanarycanarycanary\nSecretSecretSecret==\n"
    "-----END RSA PRIVATE KEY-----\n"
)
ISSUED = 2100368


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def open_form(stage: Stage, source: str = "make") -> None:
    await stage.press("a", "e")
    await stage.wait(1)
    await choose(stage, "source", source)
    field = {"make": "cn", "file": "csr-path", "paste": "csr-text"}[source]
    stage.app.screen.query_one(f"#{field}").focus()
    await stage.wait()


async def ask_to_renew(stage: Stage) -> None:
    await stage.press("3")
    await stage.wait(1)
    stage.view.table.move_to_id(f"#{ISSUED}")
    await stage.wait(1)
    await stage.press("a", "n")
    await stage.wait(2)


async def choose(stage: Stage, field: str, value: str) -> None:
    stage.app.screen.query_one(f"#{field}").value = value  # type: ignore[attr-defined] # a Select
    await stage.wait()


async def confirm_form(stage: Stage) -> None:
    stage.app.screen.query_one("#confirm").press()  # type: ignore[attr-defined] # a Button
    await stage.wait(2)


def focused(stage: Stage) -> str | None:
    widget = stage.app.screen.focused
    return widget.id if widget is not None else None


def pasted(stage: Stage) -> str:
    return str(stage.app.screen.query_one("#csr-text").text)  # type: ignore[attr-defined] # a text area


@on_stage
async def test_a_csr_pasted_in_many_lines_is_ordered() -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, "paste")
        text = csr_pem("new.acme.example").decode().replace("\n", "\r\n")
        stage.app.post_message(events.Paste(text))
        await stage.wait()
        assert sum("│" in line for line in stage.lines) <= 22
        await confirm_form(stage)
        assert "Order this certificate?" in stage.text
        assert "new.acme.example" in stage.text


@pytest.mark.parametrize("with_csr", [False, True])
@on_stage
async def test_a_pasted_private_key_is_neither_kept_nor_shown(*, with_csr: bool) -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, "paste")
        stage.app.post_message(events.Paste(KEY + (csr_pem("new.acme.example").decode() if with_csr else "")))
        await stage.wait()
        assert "That is a private key" in stage.text
        assert "canary" not in stage.text
        assert pasted(stage) == ""


@on_stage
async def test_a_private_key_that_a_terminal_types_is_taken_away_again() -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, "paste")
        await type_text(stage, "-----BEGIN RSA PRIVATE KEY-----\n")
        await type_text(stage, KEY.split("\n", 1)[1])
        assert "That is a private key" in stage.text
        assert pasted(stage).strip() == ""
        await type_text(stage, "after it")
        assert pasted(stage).strip() == "after it"
        await stage.press("ctrl+z")
        assert "canary" not in pasted(stage)
        assert "PRIVATE" not in pasted(stage)


@pytest.mark.parametrize(("source", "field"), [("make", "cn"), ("file", "csr-path"), ("paste", "csr-text")])
@on_stage
async def test_after_a_refusal_the_focus_is_where_the_csr_comes_from(source: str, field: str) -> None:
    async with staged(demo_world()) as stage:
        await open_form(stage, source)
        await confirm_form(stage)
        assert "Nothing was done" in stage.text
        assert focused(stage) == field


def with_mandatory_fields() -> World:
    world = demo_world()
    world.account.custom_fields = (CustomField(1, "Cost center"), CustomField(2, "Ticket", mandatory=True))
    return world


@on_stage
async def test_all_that_is_wrong_is_told_at_once_and_the_first_of_it_has_the_focus(tmp_path: Path) -> None:
    path = tmp_path / "r.csr"
    path.write_bytes(csr_pem("new.acme.example"))
    async with staged(with_mandatory_fields()) as stage:
        await open_form(stage, "file")
        await type_text(stage, str(path))
        await choose(stage, "dcv", "EMAIL")
        await confirm_form(stage)
        said = str(stage.app.screen.query_one("#dialog-problem").render())
        assert "the mandatory custom field 'Ticket' is empty" in said
        assert "the DCV mode EMAIL needs an address" in said
        assert focused(stage) == "custom-1"


@on_stage
async def test_a_form_that_nothing_can_be_chosen_in_is_not_shown() -> None:
    world = demo_world()
    async with staged(world) as stage:
        world.faults.add("unavailable", path="types$", count=1)
        await stage.press("a", "e")
        await stage.wait(1)
        assert "The order form could not be loaded" in stage.text
        assert "HTTP 503" in stage.text
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "Enroll: order a certificate" in stage.text


@on_stage
async def test_a_passphrase_given_at_the_second_try_encrypts_the_key_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "keys"
    async with staged(with_mandatory_fields()) as stage:
        await open_form(stage)
        await type_text(stage, "new.acme.example")
        await confirm_form(stage)
        assert "mandatory custom field" in stage.text
        stage.app.screen.query_one("#passphrase").focus()
        await stage.wait()
        await type_text(stage, "open sesame")
        assert "open sesame" not in stage.text
        stage.app.screen.query_one("#custom-1").focus()
        await stage.wait()
        await type_text(stage, "CHG-1")
        await confirm_form(stage)
        assert "Order this certificate?" in stage.text
        keys = sorted(directory.glob("*.key"))
        (used,) = [key for key in keys if f"keys/{key.name} " in stage.text]
        assert load_pem_private_key(used.read_bytes(), b"open sesame")
        await stage.press("escape")
        await stage.wait()
        await confirm_form(stage)
        assert sorted(directory.glob("*.key")) == keys
        await stage.press("escape", "escape", "tab", "tab", "enter")
        await stage.wait()
        assert "The private key" in stage.text


@pytest.mark.parametrize(
    ("names", "said"),
    [(("{old}",), "It has every name"), (("other.acme.example",), "It lacks names")],
)
@on_stage
async def test_a_renewal_with_another_csr_shows_that_csr_first(
    names: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    async with staged(demo_world()) as stage:
        old = stage.world.orders[ISSUED]
        wanted = [name.format(old=old.common_name) for name in names]
        path = tmp_path / "r.csr"
        path.write_bytes(csr_pem(*itertools.chain(wanted, old.names if said == "It has every name" else ())))
        await ask_to_renew(stage)
        stage.app.screen.query_one("#csr-source").value = "file"  # type: ignore[attr-defined] # a Select
        await stage.wait()
        stage.app.screen.query_one("#csr-path").focus()
        await type_text(stage, str(path))
        await stage.press("tab", "enter")
        await stage.wait(1)
        assert "Renew with this CSR?" in stage.text
        assert said in stage.text
        assert stage.world.traffic.count("POST", "renewById/") == 0
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert stage.world.traffic.count("POST", "renewById/") == 1


@on_stage
async def test_a_renewal_can_have_a_new_key_that_is_made_here_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with staged(demo_world()) as stage:
        old = stage.world.orders[ISSUED]
        await ask_to_renew(stage)
        await choose(stage, "csr-source", "make")
        stage.app.screen.query_one("#confirm").focus()
        await stage.press("enter")
        await stage.wait(2)
        assert "Renew with this CSR?" in stage.text
        assert "It has every name" in stage.text
        assert "Private key" in stage.text
        await stage.press("escape")
        await stage.wait()
        assert "Renew: order it again, billed" in stage.text, "going back keeps the form and the key"
        stage.app.screen.query_one("#confirm").focus()
        await stage.press("enter")
        await stage.wait(1)
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert stage.world.traffic.count("POST", "renewById/") == 1
        (order,) = [one for one in stage.site.engine.orders.orders() if one.renews_ssl_id == ISSUED]
        (key,) = (tmp_path / "keys").glob("*.key")
        assert order.key_path.endswith(key.name)
        assert mode(key) == 0o600
        placed = stage.world.orders[order.ssl_id or 0]
        assert placed.csr is not None
        csr = load_pem_x509_csr(placed.csr.encode())
        assert csr.public_key() == load_pem_private_key(key.read_bytes(), None).public_key()
        assert set(placed.names) == set(old.names)


@on_stage
async def test_a_401_in_the_middle_of_a_form_is_rotated_away_and_the_form_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "r.csr"
    path.write_bytes(csr_pem("new.acme.example"))
    async with staged(demo_world()) as stage:
        await open_form(stage, "file")
        await type_text(stage, str(path))
        stage.site.change_elsewhere("Changed-Elsewhere-1")
        await confirm_form(stage)
        assert "Rotate the credentials" in stage.text
        await type_text(stage, "Changed-Elsewhere-1")
        await stage.press("enter")
        await stage.wait(1)
        assert "Rotated" in stage.text
        await stage.press("enter")
        await stage.wait(1)
        assert "go on from here" in stage.text
        assert str(path) in stage.app.screen.query_one("#csr-path").value  # type: ignore[attr-defined] # an Input
        await confirm_form(stage)
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert stage.world.traffic.count("POST", "enroll$") == 1
        assert "Rotate the credentials" not in stage.text


@on_stage
async def test_a_lookup_that_failed_is_not_shown_as_orders_of_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "r.csr"
    path.write_bytes(csr_pem("new.acme.example"))
    async with staged(demo_world()) as stage:
        await open_form(stage, "file")
        await type_text(stage, str(path))
        stage.world.faults.add("unavailable", path="ssl/v1$")
        await confirm_form(stage)
        assert "Orders of this name could not be looked up" in stage.text
        assert "Orders of the same name" not in stage.text
        assert "Order it, billed" in stage.text


@on_stage
async def test_what_is_wrong_and_the_field_to_go_on_with_are_both_in_sight_in_a_small_terminal() -> None:
    async with staged(demo_world(), size=(80, 24)) as stage:
        await stage.press("a", "e")
        await stage.wait(1)
        await stage.resize(60, 12)
        await confirm_form(stage)
        assert "the common name is empty" in stage.text
        assert "Common name" in stage.text
        assert focused(stage) == "cn"
        await stage.resize(60, 24)
        await stage.resize(60, 12)
        assert "the common name is empty" in stage.text
        assert "Common name" in stage.text


@on_stage
async def test_a_configured_term_that_the_profile_does_not_offer_is_said_with_the_nearest_one() -> None:
    async with staged(demo_world()) as stage:
        stage.app._defaults = replace(stage.app._defaults, term_days=365)
        await stage.press("a", "e")
        await stage.wait(1)
        assert "Sectigo SSL OV does not offer 365 days but 90, 199: 199 proposed" in stage.text
        (row,) = [line for line in stage.lines if "Term (days)" in line]
        assert " 199 " in row


@on_stage
async def test_organizations_are_offered_with_their_departments() -> None:
    async with staged(demo_world(), size=(120, 40)) as stage:
        await stage.press("a", "e")
        await stage.wait(1)
        stage.app.screen.query_one("#organization").focus()
        await stage.press("enter")
        await stage.wait(1)
        departments = [each.name for one in stage.world.account.organizations for each in one.departments]
        assert departments
        for name in departments:
            assert name in stage.text


def field_of(stage: Stage, name: str) -> str:
    return str(stage.app.screen.query_one(f"#{name}").selection or "")  # type: ignore[attr-defined] # a Select


async def order_by_form(stage: Stage, name: str) -> None:
    stage.app.screen.query_one("#cn").value = name  # type: ignore[attr-defined] # an Input
    await confirm_form(stage)
    assert "Order this certificate?" in stage.text
    await stage.press("tab", "enter")
    await stage.wait(4)


@on_stage
async def test_a_single_organization_is_chosen_already(tmp_path: Path) -> None:
    world = demo_world()
    del world.account.organizations[1:]
    async with staged(world) as stage:
        workflow = stage.app.workflows.workflow
        defaults = replace(workflow.defaults, organization_id=None, profile_id=None, key_directory=tmp_path)
        stage.app.workflows.workflow = replace(workflow, defaults=defaults)
        await stage.press("a", "e")
        await stage.wait(1)
        assert field_of(stage, "organization") == str(world.account.organizations[0].id)
        assert focused(stage) == "profile"


@on_stage
async def test_the_last_choice_is_remembered_and_the_cursor_goes_to_the_new_order(tmp_path: Path) -> None:
    async with staged(demo_world()) as stage:
        workflow = stage.app.workflows.workflow
        defaults = replace(workflow.defaults, key_directory=tmp_path)
        stage.app.workflows.workflow = replace(workflow, defaults=defaults)
        await open_form(stage)
        other = next(
            each for each in stage.world.account.organizations if str(each.id) != field_of(stage, "organization")
        )
        await choose(stage, "organization", str(other.id))
        await choose(stage, "dcv", "TXT")
        await choose(stage, "key-kind", "EC P-256")
        await order_by_form(stage, "new.acme.example")
        assert stage.view.row is not None
        assert stage.view.row.common_name == "new.acme.example"
        await open_form(stage)
        chosen = [field_of(stage, name) for name in ("organization", "dcv", "key-kind")]
        assert chosen == [str(other.id), "TXT", "EC P-256"]
        assert stage.app.screen.query_one("#cn").value == ""  # type: ignore[attr-defined] # an Input


@on_stage
async def test_the_new_order_is_shown_among_the_pending_ones_where_the_list_has_it_not(tmp_path: Path) -> None:
    async with staged(demo_world()) as stage:
        workflow = stage.app.workflows.workflow
        stage.app.workflows.workflow = replace(workflow, defaults=replace(workflow.defaults, key_directory=tmp_path))
        await stage.press("4")
        await open_form(stage)
        await order_by_form(stage, "new.acme.example")
        assert "view: Pending" in stage.footer
        assert stage.view.row is not None
        assert stage.view.row.common_name == "new.acme.example"
