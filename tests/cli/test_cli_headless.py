"""The account without a screen: pending and remote orders by filter, several diagnoses, a line a poll."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cli_site import CANARY, Site, cli_site

from sectigo_tui.simulator.world import World
from support.documented import differences, documented

LIVES = (
    *("ev-approval", "ov-approval", "ov-sa-approved", "ov-vetting", "ev-vetting", "ov-not-taken", "dv-dcv-missing"),
    *("ov-init", "ov-declined"),
)
DIAGNOSIS = documented("diagnose-json.md")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    world = World(seed=5)
    for number, life in enumerate(LIVES):
        name = f"{life}.{'login' if number % 2 else 'shop'}.acme.example"
        world.add_order(life=life, common_name=name, requested=world.now() - timedelta(hours=25))
    with cli_site(tmp_path, monkeypatch, capsys, world) as made:
        yield made


def with_status(site: Site, *statuses: str) -> list[int]:
    return sorted(ssl_id for ssl_id, status in site.world.statuses().items() if status in statuses)


def test_pending_lists_every_pending_order_of_the_account_and_whom_it_is_blocked_on(site: Site) -> None:
    pending = with_status(site, "Init", "Requested", "SAApproved", "Approved", "Applied")
    requested = with_status(site, "Requested")
    site.make("track", requested[0])
    orders = site.make("orders", "--pending", "--json").document("array of listed order")
    assert sorted(order["ssl_id"] for order in orders) == pending
    assert {order["ssl_id"] for order in orders if order["blocked_on"] == "an SCM approver"} >= set(requested)
    (tracked,) = [order for order in orders if order["id"]]
    assert (tracked["ssl_id"], tracked["state"]) == (requested[0], "pending")
    table = site.make("orders", "--pending").out.splitlines()
    assert table[0].split() == ["SSLID", "STATE", "SCM", "STATUS", "BLOCKED", "ON", "VAL", "AGE", "COMMON", "NAME"]
    assert len(table) == 1 + len(pending)


def test_a_filter_asks_scm_for_what_its_terms_need(site: Site) -> None:
    orders = site.make("orders", "--pending", "--json", "--filter", "on:approver val:ev").document(
        "array of listed order"
    )
    waiting = with_status(site, "Requested", "SAApproved")
    assert orders
    assert {order["validation"] for order in orders} == {"EV"}
    assert {order["ssl_id"] for order in orders} <= set(waiting)
    rest = site.make("orders", "--pending", "--json", "--filter", "! on:approver val:ev")
    assert len(rest.document("array of listed order")) + len(orders) == len(
        with_status(site, "Init", "Requested", "SAApproved", "Approved", "Applied")
    )


def test_remote_lists_the_whole_account_and_a_filter_that_would_ask_about_each_order_is_refused(site: Site) -> None:
    orders = site.make("orders", "--remote", "--json").document("array of listed order")
    assert {order["ssl_id"] for order in orders} == set(site.world.statuses())
    named = site.make("orders", "--remote", "--json", "--filter", "name:login").document("array of listed order")
    assert named
    assert all("login" in json.dumps(order) for order in named)
    site.world.add_issued(250)
    asked = len(site.world.traffic.requests)
    refused = site.run("orders", "--remote", "--filter", "val:ev")
    assert refused.code == 2
    assert re.search(r"SCM would be asked about \d+ orders, one by one; add a name to it", refused.err)
    assert len(site.world.traffic.requests) - asked < 20


def test_local_orders_are_filtered_without_asking_scm(site: Site) -> None:
    first, second, *_ = with_status(site, "Applied")
    site.make("track", first, second)
    before = len(site.world.traffic.requests)
    orders = site.make("orders", "--json", "--filter", f"id:{first}").document("array of order")
    assert [order["ssl_id"] for order in orders] == [first]
    assert str(second) in site.make("orders", "--filter", f"!id:{first}").out
    assert site.run("orders", "--filter", "name:nobody").err == "sectigo-tui: no order is found\n"
    assert len(site.world.traffic.requests) == before


@pytest.mark.parametrize("command", ["orders", "diagnose", "handover"])
def test_a_term_with_a_wrong_value_is_told_before_anything_is_sent(site: Site, command: str) -> None:
    ended = site.run(command, "--filter", "age>soon")
    assert ended.code == 2
    assert "--filter: age> takes a time such as 30m, 12h or 7d" in ended.err
    assert not site.world.traffic.requests


def test_diagnose_takes_several_orders_and_a_filter(site: Site) -> None:
    first, second, *_ = with_status(site, "Requested")
    several = json.loads(site.make("diagnose", first, second, "--json").out)
    assert [diagnosis["order"]["ssl_id"] for diagnosis in several] == [first, second]
    assert [differences(diagnosis, "diagnosis", DIAGNOSIS) for diagnosis in several] == [[], []]
    text = site.make("diagnose", first, second).out
    assert len(re.findall(r"^order  ", text, re.MULTILINE)) == 2
    filtered = json.loads(site.make("diagnose", "--filter", f"id:{first}", "--json").out)
    assert [diagnosis["order"]["ssl_id"] for diagnosis in filtered] == [first]
    assert site.run("diagnose").code == 2


def test_a_handover_of_some_orders_says_that_it_is_of_some(site: Site) -> None:
    handover = site.make("handover", "--json", "--filter", "on:approver").document("handover")
    assert {group["blocked_on"] for group in handover["groups"]} == {"an SCM approver"}
    assert handover["incomplete"] == "only the orders that `on:approver` finds"


def test_waiting_tells_each_poll_in_a_line(site: Site) -> None:
    ended = site.order("quick.acme.example", "--wait=1", life="vetting")
    assert ended.code == 7
    (line,) = [line for line in ended.err.splitlines() if "next poll in" in line]
    assert re.fullmatch(r"20\S+Z  \d+  quick\.acme\.example  A\w+  next poll in 00:0[4-6]", line)


@pytest.mark.parametrize(
    "arguments",
    [
        ("orders", "--pending", "--filter", "on:ca|dns"),
        ("orders", "--remote"),
        ("diagnose", "2100001", "2100002"),
        ("message", "2100001"),
        ("handover",),
        ("validations",),
        ("renewals",),
        ("note", "2100001", "--text", "CA called"),
        ("owner", "2100001"),
        ("adopt", "--certctl", "--list"),
    ],
    ids=" ".join,
)
def test_what_a_subcommand_asks_is_logged_without_the_password(site: Site, arguments: tuple[str, ...]) -> None:
    log = site.home / "debug.log"
    site.run(*arguments, f"--debug-log={log}")
    text = log.read_text(encoding="ascii")
    assert '"url"' in text
    assert '"password": "********"' in text
    assert CANARY not in text
