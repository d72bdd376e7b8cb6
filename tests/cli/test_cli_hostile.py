"""Whatever requesters typed, the command line writes text, at a terminal and into a pipe, and JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_site import Ended, Site, cli_site

from sectigo_tui.simulator.world import World
from support.hostile import MARKUP, NASTY

NAMES = [f"{nasty[:3_000]}{MARKUP}" for nasty in NASTY if not any("\ud800" <= each <= "\udfff" for each in nasty)]
"""Without lone surrogates, which the simulator cannot send."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    world = World(seed=5)
    for organization in world.account.organizations:
        organization.name = NAMES[organization.id % len(NAMES)]
    with cli_site(tmp_path, monkeypatch, capsys, world) as made:
        yield made


def ordered(site: Site, *lives: str) -> list[int]:
    """Have somebody place an order for each of the texts, with the text in every field."""
    return [
        site.world.add_order(
            life=lives[at % len(lives)],
            common_name=text,
            requester=text,
            external_requester=text,
            comments=text,
        ).ssl_id
        for at, text in enumerate(NAMES)
    ]


def check(ended: Ended) -> None:
    """Fail when something was written that is no text of lines."""
    for written in (ended.out, ended.err):
        for line in written.split("\n"):
            assert line.isprintable(), repr(line)


def test_every_listing_writes_text_and_json_that_scripts_read(site: Site) -> None:
    ssl_ids = ordered(site, "ov-approval", "ov-dcv-missing", "ov-org-failed", "ov-rejected")
    check(site.make("track", *ssl_ids))
    orders = site.make("orders")
    check(orders)
    assert orders.out.count("\n") == len(NAMES) + 1
    assert MARKUP in orders.out
    as_json = site.make("orders", "--json")
    check(as_json)
    names = [order["common_name"] for order in json.loads(as_json.out)]
    assert sorted(names) == sorted(name.strip() for name in NAMES)
    for arguments in (("handover",), ("audit",), ("audit", "--json"), ("check",), ("config", "show")):
        check(site.run(*arguments))
    for ssl_id in ssl_ids[:8]:
        for how in ((), ("--json",), ("--markdown",)):
            check(site.make("diagnose", ssl_id, *how))


def test_questions_at_the_terminal_show_names_as_text(site: Site) -> None:
    for ssl_id in ordered(site, "dv-instant")[::6]:
        site.at_the_terminal("something else")
        asked = site.run("revoke", ssl_id, "--reason-code=4", "--reason=x")
        check(asked)
        assert asked.code != 0
        site.at_the_terminal("no")
        check(site.run("renew", ssl_id))
        check(site.run("collect", ssl_id, "--to", "out"))
    assert site.world.traffic.count("POST", "revoke|renew") == 0


def test_refusals_are_told_as_text(site: Site) -> None:
    (ssl_id, *_) = ordered(site, "ov-approval")
    for number, text in enumerate(NAMES[:12]):
        site.world.faults.add("error", path="approve", status=400, code=-9, description=text)
        check(site.run("approve", ssl_id, "--message=fine", "--yes"))
        check(site.run("approve", ssl_id + number, "--message=fine", "--yes", "--json"))
        site.world.faults.clear()
