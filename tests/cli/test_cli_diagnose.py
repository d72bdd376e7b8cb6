"""`sectigo-tui diagnose` and `handover`: who orders wait for, for a person, a script and the next shift."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cli_site import CANARY, Ended, Site

from sectigo_tui.simulator.account import Domain
from support.documented import differences, documented

NAME = "www.acme.example"
SHAPES = documented("diagnose-json.md")


def an_order(site: Site, life: str = "ov-dcv-missing", name: str = NAME) -> int:
    order = site.world.add_order(life=life, common_name=name)
    site.world.advance(3_600)
    return order.ssl_id


def document(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    assert differences(found, "diagnosis", SHAPES) == []
    return found


def test_a_person_reads_who_it_waits_for_and_what_to_do_first(site: Site) -> None:
    ssl_id = an_order(site)
    lines = site.make("diagnose", ssl_id).out.splitlines()
    assert lines[:2] == [f"order         {ssl_id}  {NAME}", "blocked on    the DNS owner"]
    assert lines[3].startswith("next          Publish CNAME _")
    assert f"evidence      status Applied [SCM details {ssl_id}]" in lines


@pytest.mark.parametrize(
    ("life", "blocked_on"),
    [
        ("ov-approval", "an SCM approver"),
        ("ov-dcv-expired", "the DNS owner"),
        ("ov-org-failed+dcv-missing", "the DNS owner"),
        ("ev-org-pending", "the organization contact"),
        ("ov-vetting", "the CA"),
        ("dv-instant", "nobody"),
    ],
)
def test_a_script_reads_the_documented_shape(site: Site, life: str, blocked_on: str) -> None:
    found = document(site.run("diagnose", an_order(site, life), "--json"))
    assert (found["schema"], found["version"]) == ("sectigo-tui/diagnosis", 1)
    assert found["verdict"]["blocked_on"] == blocked_on


def test_a_local_orders_record_is_in_the_documented_shape_too(site: Site) -> None:
    site.order(NAME)
    (local,) = site.orders()
    by_local_id, by_ssl_id = (document(site.run("diagnose", local[key], "--json")) for key in ("id", "ssl_id"))
    assert by_local_id["order"] == by_ssl_id["order"] | {"status_at": by_local_id["order"]["status_at"]}
    assert by_local_id["order"]["local_id"] == local["id"]
    assert by_local_id["timeline"]


def test_history_is_asked_for_only_when_wanted(site: Site) -> None:
    for number in range(9):
        site.world.add_order(life="ov-instant", common_name=f"h{number}.acme.example")
    ssl_id = an_order(site, "ov-vetting")
    assert {one["pace"] for one in document(site.run("diagnose", ssl_id, "--json"))["normal"]} == {"no history"}
    found = document(site.run("diagnose", ssl_id, "--json", "--history"))
    assert 9 in {one["figure"]["n"] for one in found["normal"] if one["figure"]}
    assert found["proposed_wait"]["n"] == 9


def test_the_pack_for_support_has_the_order_number_and_no_credential(site: Site) -> None:
    order = site.world.add_order(life="ov-rejected", common_name=NAME, comments=f"password: {CANARY}")
    site.world.advance(3_600)
    out = site.make("diagnose", order.ssl_id, "--markdown").out
    assert out.startswith(f"# {NAME}: you\n\n- backendCertId: `")
    assert "## Stages (UTC)" in out
    assert "## Evidence" in out


def test_a_call_that_fails_is_missing_evidence_and_no_failure(site: Site) -> None:
    ssl_id = an_order(site, "ov-vetting")
    site.world.faults.add("unavailable", path="validations")
    found = document(site.run("diagnose", ssl_id, "--json"))
    assert (found["verdict"]["blocked_on"], found["verdict"]["strength"]) == ("unknown", "partial")
    assert any("failed to load" in missing_part["what"] for missing_part in found["missing_evidence"])
    assert 503 in {call["http_status"] for call in found["evidence"]}


@pytest.mark.parametrize("order", ["999999999", "no-such-order"])
def test_an_order_that_is_not_there_is_a_usage_error(site: Site, order: str) -> None:
    ended = site.run("diagnose", order, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert order in ended.err


@pytest.mark.parametrize(("fault", "code"), [("unauthorized", 3), ("unavailable", 4), ("drop", 4)])
def test_without_scm_the_exit_code_says_why(site: Site, fault: str, code: int) -> None:
    ssl_id = an_order(site)
    site.world.faults.add(fault)
    ended = site.run("diagnose", ssl_id)
    assert (ended.code, ended.out) == (code, "")


@pytest.mark.parametrize(("fault", "code"), [("unauthorized", 3), ("unavailable", 4), ("drop", 4)])
def test_a_handover_without_scm_tells_what_is_known_here_and_that_it_is_not_all(
    site: Site, fault: str, code: int
) -> None:
    site.order("ours.acme.example")
    an_order(site, "ov-approval", "theirs.acme.example")
    site.world.faults.add(fault)
    ended = site.run("handover")
    assert ended.code == code
    assert ": 1 open order known here" in ended.out
    assert "**Not all of it:** SCM did not list the account" in ended.out
    assert "ours.acme.example" in ended.out
    assert "theirs.acme.example" not in ended.out
    assert ended.err.startswith("sectigo-tui: ")
    assert "next: " in ended.err


def test_a_handover_of_nothing_known_without_scm_does_not_say_that_nothing_is_open(site: Site) -> None:
    site.world.faults.add("drop")
    ended = site.run("handover")
    assert ended.code == 4
    assert "Nothing that is known here is open." in ended.out


def test_a_name_cannot_act_on_the_terminal(site: Site) -> None:
    out = site.make("diagnose", an_order(site, name="\x1b]0;owned\x07.example")).out
    assert "\x1b" not in out


def test_the_handover_groups_local_and_remote_orders_by_cause(site: Site) -> None:
    site.order("ours.acme.example", life="approval")
    an_order(site, "ov-approval", "theirs.acme.example")
    an_order(site, "ov-dcv-missing", "shop.acme.example")
    an_order(site, "ov-instant", "done.acme.example")
    out = site.make("handover").out
    assert out.startswith("# Handover ")
    assert ": 3 open orders" in out
    section = out[out.index("## 2 orders, waits for approval") :]
    assert "ours.acme.example" in section
    assert "theirs.acme.example" in section
    assert "shop.acme.example: DCV not done" in out
    assert "done.acme.example" not in out


def test_the_handover_as_json_has_each_open_order_in_one_group(site: Site) -> None:
    site.order("ours.acme.example", life="approval")
    theirs = an_order(site, "ov-approval", "theirs.acme.example")
    an_order(site, "ov-dcv-missing", "shop.acme.example")
    an_order(site, "ov-instant", "done.acme.example")
    handover = site.make("handover", "--json").document("handover")
    assert handover["incomplete"] is None
    approval, dcv = handover["groups"]
    assert (approval["text"], approval["cause"]) == ("2 orders, waits for approval", "waits for approval")
    by_name = {order["common_name"]: order for order in approval["orders"]}
    assert by_name["theirs.acme.example"]["ssl_id"] == theirs
    assert by_name["theirs.acme.example"]["id"] is None
    assert by_name["ours.acme.example"]["state"] in ("submitted", "pending")
    assert dcv["about"] == "domain shop.acme.example"
    assert [order["scm_status"] for order in dcv["orders"]] == ["Applied"]
    assert "Publish" in dcv["next_action"]


def test_the_handover_as_json_without_scm_tells_what_is_known_here_and_that_it_is_not_all(site: Site) -> None:
    site.order("ours.acme.example")
    site.world.faults.add("unauthorized")
    ended = site.run("handover", "--json")
    assert ended.code == 3
    handover = ended.document("handover")
    assert handover["incomplete"].startswith("SCM did not list the account")
    assert [order["common_name"] for group in handover["groups"] for order in group["orders"]] == ["ours.acme.example"]


def test_a_handover_of_nothing_says_so(site: Site) -> None:
    assert "Nothing is open." in site.make("handover").out
    assert site.make("handover", "--json").document("handover")["groups"] == []


def test_validations_that_end_soon_are_listed_with_what_will_need_them(site: Site) -> None:
    world = site.world
    world.add_issued(30, oldest_days=30)
    for name, days in (("acme.example", 20), ("later.example", 60), ("shop.acme.example", 5)):
        world.account.register(
            Domain(name, validated=world.start - timedelta(days=90), expires=world.start + timedelta(days=days))
        )
    pending = world.add_order(life="ov-vetting", common_name="cart.shop.acme.example")
    world.advance(3_600)
    told = [line.split() for line in site.make("validations").out.splitlines()]
    assert [(" ".join(line[1:3]), line[3], line[-2:]) for line in told[1:3]] == [
        ("ended Acme", "Bank", ["0", "0"]),
        ("ended Acme", "Bank", ["0", "0"]),
    ]
    ends = f"{world.start + timedelta(days=5):%Y-%m-%d}"
    assert told[3] == [ends, "5", "d", "domain", "shop.acme.example", "VALIDATED", "(NOT_INITIATED)", "1", "0"]
    assert told[4][4:] == ["acme.example", "VALIDATED", "(NOT_INITIATED)", "0", "30"]
    assert told[5][3:6] == ["Acme", "Energy", "OV"]
    found = site.make("validations", "--within", "20", "--json").document("validations")
    first, second = (row for row in found["validations"] if row["kind"] == "domain")
    assert [order["ssl_id"] for order in first["pending_orders"]] == [pending.ssl_id]
    assert (second["name"], second["certificates"], len(second["examples"])) == ("acme.example", 30, 20)
    assert found["missing"] == []


def test_validations_that_may_not_be_listed_are_said_to_be_unknown(site: Site) -> None:
    site.world.faults.add("error", path="/dcv/v2/validation$", status=403, code=-3, description="no")
    ended = site.run("validations", "--within", "1")
    assert ended.code == 0
    assert "domain" not in ended.out
    assert "not known: SCM domain validations that end within 1 d: this login may not ask" in ended.err
    assert site.run("validations", "--within", "0").code == 2
    site.world.account.is_dcv_used = False
    site.world.faults.clear()
    assert site.make("validations", "--within", "2", "--json").document("validations")["is_dcv_used"] is False
