"""`sectigo-tui message`: to whom, where it goes, and what the operator's own templates and command get."""

from __future__ import annotations

import json

import pytest
from cli_site import Site

NAME = "www.acme.example"


def an_order(site: Site, life: str) -> int:
    order = site.world.add_order(life=life, common_name=NAME)
    site.world.advance(3_600)
    return order.ssl_id


def configured(site: Site, text: str) -> str:
    path = site.home / "config.toml"
    path.write_text(text)
    return f"--config={path}"


@pytest.mark.parametrize(
    ("life", "to"),
    [
        ("ov-approval", "approver"),
        ("ov-dcv-expired", "dns"),
        ("ev-org-pending", "organization"),
        ("ov-vetting", "sectigo"),
    ],
)
def test_it_is_for_whoever_blocks_the_order_and_has_the_documented_shape(site: Site, life: str, to: str) -> None:
    ssl_id = an_order(site, life)
    message = site.make("message", ssl_id, "--json").document("message")
    assert (message["to"], message["ssl_id"]) == (to, ssl_id)
    assert site.posts("/ssl/") == []


def test_nobody_is_written_to_unless_asked_where_nobody_blocks(site: Site) -> None:
    ssl_id = an_order(site, "dv-instant")
    ended = site.run("message", ssl_id)
    assert (ended.code, ended.out) == (2, "")
    assert "waits for nobody, who is not written to" in ended.err
    assert "give --to to write to somebody all the same" in ended.err
    assert f"sslId: `{ssl_id}`" in site.make("message", ssl_id, "--to", "sectigo").out


def test_the_operator_s_template_is_used_and_a_wrong_one_is_refused_with_its_field(site: Site) -> None:
    ssl_id = an_order(site, "ov-approval")
    config = configured(site, '[ui.messages]\napprover = """\nBitte: {common_name}\n\nNummer {ssl_id}\n"""\n')
    assert site.make("message", ssl_id, config).out == f"Bitte: {NAME}\n\nNummer {ssl_id}\n"
    config = configured(site, '[ui.messages]\napprover = "{comon_name}"\n')
    ended = site.run("message", ssl_id, config)
    assert ended.code == 2
    assert "ui.messages" in ended.err
    assert "{comon_name}, which is no field" in ended.err


def test_it_is_given_to_the_operator_s_command_and_that_is_in_the_timeline(site: Site) -> None:
    ssl_id = an_order(site, "ov-approval")
    site.make("track", ssl_id)
    config = configured(site, '[ui]\non_event = ["/bin/sh", "-c", "cat > event.json"]\n')
    ended = site.make("message", ssl_id, "--send", config)
    assert ended.out == ""
    event = json.loads((site.home / "event.json").read_text())
    assert (event["event"], event["to"], event["ssl_id"]) == ("message", "approver", ssl_id)
    assert site.make("audit", "--json").lines("entry")[-1]["summary"] == "message to the approver given to on_event"
    assert site.run("message", ssl_id, "--send").code == 2
    failing = configured(site, '[ui]\non_event = ["/bin/false"]\n')
    assert "/bin/false ended with exit code 1" in site.run("message", ssl_id, "--send", failing).err


def test_a_file_that_is_there_is_not_written_over(site: Site) -> None:
    ssl_id = an_order(site, "ov-approval")
    path = site.home / "message.txt"
    path.write_text("mine")
    ended = site.run("message", ssl_id, "--output", path)
    assert (ended.code, path.read_text()) == (2, "mine")
