"""The subcommands that change something: each write once, each answer told by its exit code."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from cli_site import CANARY, ENROLL, TERM, Site, mode
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sectigo_tui.cli import outcomes
from sectigo_tui.engine.orders import recover as recovery
from support.terminal import PROGRAM, Terminal
from support.writing import csr_pem

NAME = "www.acme.example"


def csr_file(site: Site, *names: str) -> Path:
    path = site.home / "request.csr"
    path.write_bytes(csr_pem(*names))
    return path


def issued(site: Site, name: str = NAME) -> int:
    return site.world.add_order(life="ov-instant", common_name=name).ssl_id


def waiting(site: Site, name: str = NAME) -> int:
    return site.world.add_order(life="ov-approval", common_name=name).ssl_id


def tracked(site: Site, ssl_id: int) -> int:
    site.make("track", ssl_id)
    return ssl_id


# What is ordered


def test_a_csr_is_ordered_once_and_the_order_is_local(site: Site) -> None:
    ended = site.run(
        "enroll", "--csr", csr_file(site, NAME, "a.acme.example"), TERM, "--comments=for the shop", "--yes"
    )
    assert ended.code == 0
    (ssl_id,) = site.world.enrolled
    assert ended.out == f"{ssl_id}  submitted  -  {NAME}\n"
    at_scm = site.world.orders[ssl_id]
    assert at_scm.names == (NAME, "a.acme.example")
    (local,) = site.orders()
    assert at_scm.comments == f"for the shop [sectigo-tui:{local['id']}]"
    assert len(site.posts()) == 1


def test_a_csr_comes_from_a_pipe_too(site: Site) -> None:
    site.on_stdin(csr_pem(NAME, "a.acme.example"))
    site.make("enroll", "--csr", "-", TERM, "--yes", "--san", "b.acme.example", "--requester", "a@acme.example")
    (ssl_id,) = site.world.enrolled
    assert site.world.orders[ssl_id].names == (NAME, "a.acme.example", "b.acme.example")
    assert site.world.orders[ssl_id].external_requester == "a@acme.example"


def test_a_key_made_here_is_private_and_its_place_is_told(site: Site) -> None:
    ended = site.make("enroll", "--make-key=RSA:2048", f"--cn={NAME}", "--san=a.acme.example", TERM, "--yes")
    (key,) = site.files("*.key")
    assert f"private key: {key}" in ended.err
    assert mode(key) == 0o600
    assert load_pem_private_key(key.read_bytes(), None)
    assert site.orders()[0]["key_path"] == str(key)


def test_a_key_is_encrypted_by_a_passphrase_from_a_file_or_typed_twice(site: Site) -> None:
    secret = site.home / "passphrase"
    secret.write_text("open sesame\n")
    site.order(NAME, "--passphrase-file", secret, "--key-file", "mine.key")
    assert load_pem_private_key(Path("mine.key").read_bytes(), b"open sesame")
    site.secrets_typed("one", "another")
    differing = site.order("b.acme.example", "--ask-passphrase", "--key-file", "other.key")
    assert (differing.code, Path("other.key").exists()) == (2, False)
    site.secrets_typed("the same", "the same")
    site.order("b.acme.example", "--ask-passphrase", "--key-file", "other.key")
    assert load_pem_private_key(Path("other.key").read_bytes(), b"the same")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "199 proposed; give --term 199"),
        ([TERM, "--profile-id=9"], "may not order profile 9; offered are 501"),
        ([TERM, "--make-key=RSA:512"], "does not allow the CSR's key, RSA 512"),
        ([TERM, "--dcv-mode=email"], "needs an address"),
        ([TERM, "--custom=Ticket=", "--requester=nobody"], "is no e-mail address"),
        ([TERM, "--passphrase-file=/nowhere"], "No such file"),
        ([TERM, "--cn="], "give --cn NAME"),
        ([TERM, "--san=not a name"], "is no DNS name"),
    ],
)
def test_what_cannot_be_ordered_is_refused_before_a_key_is_made(site: Site, arguments: list[str], told: str) -> None:
    ended = site.run("enroll", "--make-key=RSA:2048", f"--cn={NAME}", "--yes", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert site.files("*.key") == []
    assert site.posts() == []


def test_a_mandatory_custom_field_is_asked_for_and_sent(site: Site) -> None:
    from sectigo_tui.simulator.acme import acme

    site.world.account.custom_fields = acme(site.world.now(), mandatory_fields=["Ticket"]).custom_fields
    missing = site.order(NAME)
    assert missing.code == 2
    assert "'Ticket' is empty" in missing.err
    assert site.order(NAME, "--custom", "Ticket=OPS-7").code == 0
    assert [dict(site.world.orders[ssl_id].custom_fields) for ssl_id in site.world.enrolled] == [{"Ticket": "OPS-7"}]


# Never twice


def test_an_order_of_the_same_name_keeps_another_from_being_placed(site: Site) -> None:
    first = site.order(NAME)
    before = site.files("*.key")
    second = site.order(NAME)
    assert (first.code, second.code) == (0, 6)
    assert second.out.startswith(f"{site.world.enrolled[0]}  Approved  requested")
    assert "--allow-duplicate" in second.err
    assert len(site.posts(ENROLL)) == 1
    assert site.files("*.key") == before
    assert site.order(NAME, "--allow-duplicate").code == 0
    assert len(site.posts(ENROLL)) == 2


def test_a_name_is_the_same_in_either_spelling(site: Site) -> None:
    assert site.order("bücher.acme.example").code == 0
    assert site.order("XN--BCHER-KVA.acme.example").code == 6
    assert len(site.posts(ENROLL)) == 1


def test_an_issued_certificate_far_from_expiry_is_a_duplicate_as_json_too(site: Site) -> None:
    ssl_id = issued(site)
    ended = site.order(NAME, "--json")
    told = ended.document("placed order")
    assert (ended.code, told["outcome"], told["order"]) == (6, "duplicates", None)
    assert [each["ssl_id"] for each in told["duplicates"]["remote"]] == [ssl_id]
    assert site.posts() == []


def test_without_a_poll_at_the_account_nothing_is_ordered(site: Site) -> None:
    site.world.faults.add("unavailable", path="/ssl/v1$")
    ended = site.order(NAME)
    assert ended.code == 4
    assert "nothing was ordered" in ended.err
    assert site.posts() == []


def test_an_order_whose_answer_was_lost_is_found_at_once_and_never_sent_again(site: Site) -> None:
    site.world.faults.add("lost", path=ENROLL)
    ended = site.order(NAME)
    (ssl_id,) = site.world.enrolled
    assert ended.code == 0
    assert ended.out.startswith(f"{ssl_id}  ")
    assert len(site.posts(ENROLL)) == 1


@pytest.fixture
def doubtful(site: Site) -> str:
    """An order that was cut off before SCM had it, and that one search has not found."""
    site.monkeypatch.setattr(outcomes, "SEARCH_SECONDS", 0.5)
    site.world.faults.add("drop", path=ENROLL, count=1)
    ended = site.order(NAME)
    assert ended.code == 5
    assert "never sent again by itself" in ended.err
    assert "sectigo-tui recover" in ended.err
    (order,) = site.orders()
    assert order["state"] == "unconfirmed"
    return str(order["id"])


def test_an_unconfirmed_order_counts_as_a_duplicate(site: Site, doubtful: str) -> None:
    again = site.order(NAME)
    assert again.code == 6
    assert again.out.startswith(f"{doubtful}  unconfirmed")
    assert len(site.posts(ENROLL)) == 1


def test_an_unconfirmed_order_is_searched_for_until_there_is_something_to_decide(site: Site, doubtful: str) -> None:
    early = site.run("recover", "--order-again", doubtful, "--yes")
    assert early.code == 2
    assert "still being searched for" in early.err
    site.monkeypatch.setattr(recovery, "SEARCHES", 1)
    ended = site.run("recover", "--json")
    assert ended.code == 5
    (told,) = ended.document("array of unconfirmed order")
    assert (told["order"]["id"], told["is_undecided"]) == (doubtful, True)
    assert f"--order-again {doubtful}" in site.run("recover").err
    assert len(site.posts(ENROLL)) == 1


def test_what_is_not_at_scm_is_ordered_again_when_that_is_decided_or_given_up(site: Site, doubtful: str) -> None:
    site.monkeypatch.setattr(recovery, "SEARCHES", 1)
    site.run("recover")
    site.at_the_terminal("no")
    refused = site.run("recover", "--order-again", doubtful)
    assert (refused.code, len(site.posts(ENROLL))) == (2, 1)
    again = site.run("recover", "--order-again", doubtful, "--yes")
    assert again.code == 0
    assert again.out.startswith(f"{site.world.enrolled[0]}  submitted")
    assert len(site.posts(ENROLL)) == 2
    assert site.run("recover").code == 0


def test_an_order_that_is_given_up_is_no_longer_unconfirmed(site: Site, doubtful: str) -> None:
    site.monkeypatch.setattr(recovery, "SEARCHES", 1)
    site.run("recover")
    assert site.make("recover", "--give-up", doubtful).out.startswith(f"{doubtful}  failed")
    assert "no order is unconfirmed" in site.make("recover").err


# Refusals and failures


def test_a_refusal_is_told_in_words_beside_its_code(site: Site) -> None:
    ended = site.order(NAME, life="refuse-843")
    assert (ended.code, ended.out) == (1, "")
    assert "SCM code -843" in ended.err
    assert "next: " in ended.err


def test_refused_credentials_and_an_unreachable_scm_have_codes_of_their_own(site: Site) -> None:
    site.world.faults.add("unauthorized")
    assert site.order(NAME).code == 3
    assert len(site.world.traffic.requests) == 1
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    site.monkeypatch.setenv("CERTCTL_SECTIGO_BASE_URL", f"http://127.0.0.1:{port}/api")
    assert site.order(NAME).code == 4


def test_one_bad_password_is_one_bad_login_whatever_is_run_until_the_operator_insists(site: Site) -> None:
    right = site.world.account.credentials.password
    site.world.account.credentials.password = "set-in-the-portal"
    requests = site.world.traffic.requests
    assert site.run("check").code == 3
    assert len(requests) == 1
    for arguments in (["check"], ["track", "2100001"], ["approve", "2100001", "--message=x"], ["diagnose", "2100001"]):
        ended = site.run(*arguments)
        assert ended.code == 3, arguments
        assert "refused exactly these credentials at" in ended.err
        assert "sectigo-tui rotate" in ended.err
        assert "sectigo-tui check --insist" in ended.err
    assert site.order(NAME).code == 3
    site.secrets_typed(right)
    ended = site.run("rotate")
    assert ended.code == 2
    assert "--insist" in ended.err
    assert len(requests) == 1, "nothing is sent again by itself"
    assert site.run("check", "--insist").code == 3
    assert len(requests) == 2
    assert site.run("check").code == 3
    assert len(requests) == 2
    site.world.account.credentials.password = right
    assert "credentials accepted" in site.make("check", "--insist").out
    site.make("check")
    assert site.order(NAME).code == 0


WRITES: dict[str, list[str]] = {
    "enroll": ["--make-key=EC:P-256", f"--cn={NAME}", TERM, "--yes"],
    "renew": ["2100001", "--yes"],
    "recover": ["--order-again=1", "--yes"],
    "approve": ["2100001", "--message=x"],
    "decline": ["2100001", "--message=x"],
    "revoke": ["2100001", "--reason-code=1", "--reason=x", f"--confirm={NAME}"],
    "rotate": ["--at-sectigo"],
}


@pytest.mark.parametrize("subcommand", WRITES)
def test_read_only_refuses_every_write_before_anything_is_sent(site: Site, subcommand: str) -> None:
    issued(site)
    ended = site.run(subcommand, "--read-only", *WRITES[subcommand])
    assert (ended.code, ended.out) == (2, "")
    assert "locked in read-only mode" in ended.err
    assert "start without --read-only" in ended.err
    assert list(site.world.traffic.requests) == []


def test_writes_that_the_configuration_locks_are_refused_with_how_to_arm_them(site: Site) -> None:
    config = site.home / "read-only.toml"
    config.write_text("[sectigo]\nread_only = true\n")
    ended = site.run("approve", f"--config={config}", *WRITES["approve"])
    assert ended.code == 2
    assert "Arm writes" in ended.err
    assert "read-only.toml" in ended.err


def test_what_changes_nothing_at_scm_is_done_in_read_only_mode(site: Site, tmp_path: Path) -> None:
    tracked(site, issued(site))
    assert site.run("collect", "--read-only", "2100001", f"--directory={tmp_path}").code == 0
    assert list(tmp_path.glob("*.pem"))
    assert site.run("remove", "--read-only", "2100001").code == 0


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [
        (["enroll", "--make-key=EC:P-256", f"--cn={NAME}", TERM], "--yes"),
        (["renew", "2100001"], "--yes"),
        (["recover", "--order-again=1"], "--yes"),
        (["revoke", "2100001", "--reason-code=1", "--reason=x"], "--confirm"),
        (["rotate"], "--password-file"),
    ],
)
def test_a_script_is_told_what_to_give_where_a_person_would_be_asked(
    site: Site, arguments: list[str], instead: str
) -> None:
    ended = site.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert instead in ended.err
    assert list(site.world.traffic.requests) == []


@pytest.mark.parametrize(("word", "code", "orders"), [("order", 0, 1), ("yes", 2, 0), ("", 2, 0)])
def test_at_a_terminal_the_word_order_is_typed_below_a_summary(site: Site, word: str, code: int, orders: int) -> None:
    site.at_the_terminal(word)
    ended = site.run("enroll", "--csr", csr_file(site, NAME), TERM)
    assert ended.code == code
    assert len(site.posts(ENROLL)) == orders
    for told in (NAME, "Sectigo SSL OV (502)", "Acme Holdings (1001)", "199 days", "billed"):
        assert told in ended.err
    assert "billed" not in ended.out


# Waiting


def test_a_wait_ends_with_the_certificate(site: Site) -> None:
    ended = site.order(NAME, "--wait=30", "--json", life="instant")
    told = ended.document("placed order")
    assert (ended.code, told["outcome"]) == (0, "certificate")
    assert Path(told["order"]["certificate_path"]).read_bytes().startswith(b"-----BEGIN CERTIFICATE")


@pytest.mark.parametrize(("life", "code", "outcome"), [("vetting", 7, "pending"), ("invalid", 1, "ended")])
def test_a_wait_that_ends_without_a_certificate_says_why(site: Site, life: str, code: int, outcome: str) -> None:
    ended = site.order(NAME, "--wait=1", "--json", life=life)
    assert (ended.code, ended.document("placed order")["outcome"]) == (code, outcome)


def test_a_wait_goes_on_past_the_end_of_a_poll_window(site: Site) -> None:
    site.monkeypatch.setenv("CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS", "1")
    assert site.order(NAME, "--wait=3").code == 7
    kinds = [line["kind"] for line in site.make("audit", "--json").lines("entry")]
    assert "window opened" in kinds


def test_a_wait_ends_when_scm_refuses_the_credentials(site: Site) -> None:
    site.world.faults.add("unauthorized", path=r"/ssl/v1/\d+$")
    ended = site.order(NAME, "--wait=30", "--json")
    assert (ended.code, ended.document("placed order")["outcome"]) == (3, "credentials rejected")
    assert "rotate" in ended.err


def test_only_a_terminal_gets_a_line_of_progress(site: Site) -> None:
    assert "\r" not in site.order(NAME, "--wait=0.5").err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    site.monkeypatch.setattr("sys.stderr", terminal)
    site.run("track", site.world.enrolled[0], "--wait=0.5")
    assert f"\r{NAME}  Approved  next poll 00:0" in terminal.getvalue()
    assert terminal.getvalue().split("\r")[-2].isspace()


def test_track_waits_for_several_orders_at_once(site: Site) -> None:
    ssl_ids = [issued(site, "a.acme.example"), waiting(site, "b.acme.example")]
    ended = site.run("track", *ssl_ids, "--wait=1", "--json")
    assert ended.code == 7
    assert {each["order"]["ssl_id"]: each["outcome"] for each in ended.document("array of order outcome")} == dict(
        zip(ssl_ids, ("certificate", "pending"), strict=True)
    )


def test_an_ssl_id_is_not_taken_for_the_seconds_of_a_wait(site: Site) -> None:
    ended = site.run("track", "--wait", "2100001", "2100002")
    assert ended.code == 2
    assert "--wait=SECONDS" in ended.err


# Renewing, deciding


@pytest.mark.parametrize("as_json", [False, True])
def test_no_text_promises_what_the_run_does_not_do(site: Site, as_json: bool) -> None:
    ssl_id = site.world.add_order(life="vetting", common_name="slow.acme.example").ssl_id
    flags = ["--json"] if as_json else []
    site.world.faults.add("unavailable")
    for command in (["track", str(ssl_id)], ["collect", str(ssl_id)], ["diagnose", str(ssl_id)], ["check"]):
        ended = site.run(*command, *flags)
        assert "schedule" not in ended.out + ended.err
        assert "Run it again later; it is not repeated automatically." in ended.err
    assert site.orders() == []


def test_a_diagnosis_says_who_polls_the_order_that_is_to_be_waited_for(site: Site) -> None:
    ssl_id = site.world.add_order(life="vetting", common_name="slow.acme.example").ssl_id
    site.run("track", str(ssl_id))
    assert "polled        by nobody now" in site.run("diagnose", str(ssl_id)).out


def test_a_renewal_is_ordered_once(site: Site) -> None:
    old = issued(site)
    ended = site.run("renew", old, "--yes", "--json")
    assert ended.code == 0
    assert ended.document("placed order")["order"]["renews_ssl_id"] == old
    assert site.run("renew", old, "--yes").code == 6
    assert site.run("renew", old, "--yes", "--allow-duplicate").code == 2
    assert len(site.posts("/renewById/")) == 1


def test_a_renewal_takes_a_new_csr_and_shows_what_it_renews(site: Site) -> None:
    old = issued(site)
    site.at_the_terminal("order")
    ended = site.run("renew", old, "--csr", csr_file(site, NAME))
    assert ended.code == 0
    assert f"sslId {old}, Issued" in ended.err
    assert "a new one, EC P-256" in ended.err
    (new,) = site.world.enrolled
    assert site.world.orders[new].csr == csr_pem(NAME).decode()


def test_several_orders_are_approved_and_one_that_fails_keeps_no_other_from_it(site: Site) -> None:
    ssl_ids = [waiting(site, "a.acme.example"), issued(site, "b.acme.example"), waiting(site, "c.acme.example")]
    ended = site.run("approve", *ssl_ids, "--message", "asked for in OPS-7")
    assert ended.code == 1
    assert ended.out == f"{ssl_ids[0]}  approved\n{ssl_ids[2]}  approved\n"
    assert f"sslId {ssl_ids[1]}: Approving" in ended.err


@pytest.mark.parametrize(
    ("life", "code", "state"), [("ov-approval+instant", 0, "collected"), ("ov-approval", 7, "pending")]
)
def test_an_approved_order_is_waited_for(site: Site, life: str, code: int, state: str) -> None:
    ssl_id = site.world.add_order(life=life, common_name=NAME).ssl_id
    ended = site.run("approve", ssl_id, "--message", "CHG-1", "--wait=3")
    assert (ended.code, ended.out) == (code, f"{ssl_id}  approved\n")
    assert [(order["ssl_id"], order["state"]) for order in site.orders()] == [(ssl_id, state)]
    assert ("still" in ended.err) is (code == 7)


def test_an_approval_whose_answer_is_lost_and_cannot_be_seen_is_unknown(site: Site) -> None:
    ssl_id = waiting(site)
    site.world.faults.add("lost", path="/approve/")
    site.world.faults.add("unavailable", path=r"/ssl/v1/\d+$")
    ended = site.run("approve", ssl_id, "--message", "x", "--json")
    assert ended.code == 5
    assert ended.document("array of result")[0]["outcome"] == "unknown"


def test_a_decline_ends_the_order(site: Site) -> None:
    ssl_id = tracked(site, waiting(site))
    assert site.make("decline", ssl_id, "--message", "not ours").out == f"{ssl_id}  declined\n"
    assert site.world.statuses()[ssl_id] == "Declined"


# Certificates


def test_a_certificate_is_saved_and_no_other_file_is_written_over(site: Site) -> None:
    ssl_id = issued(site)
    ended = site.make("collect", ssl_id, "--directory", "out")
    paths = [Path(line) for line in ended.out.splitlines()]
    assert [path.name for path in paths] == [f"{NAME}.{part}.pem" for part in ("crt", "chain", "fullchain")]
    site.make("collect", ssl_id, "--directory", "out")
    paths[0].write_text("mine")
    kept = site.run("collect", ssl_id, "--directory", "out")
    assert (kept.code, paths[0].read_text()) == (2, "mine")
    site.make("collect", ssl_id, "--directory", "out", "--overwrite")
    assert "BEGIN CERTIFICATE" in paths[0].read_text()


def test_a_certificate_that_is_not_ready_is_no_failure_and_can_be_waited_for(site: Site) -> None:
    ssl_id = site.world.add_order(life="ov-vetting", common_name=NAME).ssl_id
    early = site.run("collect", ssl_id, "--json")
    assert (early.code, early.document("array of collected certificate")[0]["outcome"]) == (7, "not ready")
    assert site.run("collect", ssl_id, "--wait=1").code == 7
    ready = issued(site, "b.acme.example")
    assert site.make("collect", ready, "--wait=30").out.count(".pem\n") == 3


def test_a_certificate_is_revoked_when_its_name_is_confirmed(site: Site) -> None:
    ssl_id = issued(site)
    arguments = ("revoke", ssl_id, "--reason-code=4", "--reason=replaced")
    assert site.run(*arguments, "--confirm=www").code == 2
    assert site.posts() == []
    ended = site.make(*arguments, f"--confirm={NAME}", "--json")
    told = ended.document("order outcome")
    assert (told["outcome"], told["order"]["state"]) == ("revoked", "revoked")
    assert site.world.statuses()[ssl_id] == "Revoked"
    assert site.run(*arguments, f"--confirm={NAME}").code == 2
    assert len(site.posts("/revoke/")) == 1


def test_at_a_terminal_the_name_is_typed_below_what_is_revoked(site: Site) -> None:
    ssl_id = issued(site)
    arguments = ("revoke", ssl_id, "--reason-code=1", "--reason=stolen")
    site.at_the_terminal("no")
    assert site.run(*arguments).code == 2
    assert site.posts() == []
    site.at_the_terminal(NAME)
    ended = site.make(*arguments)
    assert "1 keyCompromise: stolen" in ended.err
    assert "confirmed by SCM" in ended.err


def test_a_revocation_whose_answer_is_lost_is_unknown_until_scm_has_answered(site: Site) -> None:
    ssl_id = tracked(site, issued(site))
    site.world.faults.add("drop", path="/revoke/", count=1)
    ended = site.run("revoke", ssl_id, "--reason-code=1", "--reason=stolen", f"--confirm={NAME}")
    assert ended.code == 5
    assert ended.err.count("UNKNOWN, verifying") == 1
    assert [order["state"] for order in site.orders()] == ["revoking"]


def test_a_revocation_that_scm_was_not_told_yet_is_not_called_unknown(site: Site) -> None:
    ssl_id = tracked(site, issued(site))
    site.world.faults.add("rate-limit", path="/revoke/", count=1, retry_after=30)
    ended = site.run("revoke", ssl_id, "--reason-code=1", "--reason=stolen", f"--confirm={NAME}")
    assert "not told yet: " in ended.err
    assert "UNKNOWN" not in ended.err


def test_a_status_older_than_the_revocation_is_told_as_past(site: Site) -> None:
    ssl_id = tracked(site, issued(site))
    ended = site.make("revoke", ssl_id, "--reason-code=1", "--reason=stolen", f"--confirm={NAME}")
    assert f"{ssl_id}  revoked  Issued" not in ended.out
    assert not [
        line
        for line in site.make("orders").out.splitlines()
        if "revoked" in line and " Issued" in line and "was Issued" not in line
    ]


def test_a_revocation_can_be_waited_for(site: Site) -> None:
    ssl_id = tracked(site, issued(site))
    site.world.faults.add("unavailable", path="/revoke/", count=1)
    ended = site.run("revoke", ssl_id, "--reason-code=1", "--reason=stolen", f"--confirm={NAME}", "--wait=30")
    assert ended.code == 0
    assert site.world.statuses()[ssl_id] == "Revoked"


def test_finished_orders_are_removed_by_either_id(site: Site) -> None:
    done, other, pending = (
        tracked(site, make(site, name))
        for make, name in [(issued, "a.acme.example"), (issued, "b.acme.example"), (waiting, "c.acme.example")]
    )
    site.make("collect", done, other, "--directory", "out")
    by_id = next(order["id"] for order in site.orders() if order["ssl_id"] == other)
    ended = site.run("remove", done, by_id, pending, "9")
    assert ended.code == 2
    assert [line.split()[0] for line in ended.out.splitlines()] == [str(done), str(other)]
    assert [order["ssl_id"] for order in site.orders()] == [pending]


def test_notes_and_owners_are_written_on_local_and_remote_orders_in_read_only_mode_too(site: Site) -> None:
    local, remote = tracked(site, waiting(site, "a.acme.example")), waiting(site, "b.acme.example")
    by_id = site.orders()[0]["id"]
    ended = site.run("note", "--read-only", by_id, remote, "9", "x", "--text", "CA called\x1b[2J\nback at 9")
    assert ended.code == 2
    assert ended.out.splitlines() == [
        f"{local}  a.acme.example  noted: CA called [2J back at 9",
        f"{remote}  b.acme.example  noted: CA called [2J back at 9",
    ]
    assert "order 9" in ended.err
    assert "there is no local order x" in ended.err
    site.make("owner", local)
    (mine,) = site.make("orders", "--filter", "owner:me", "--json").document("array of order")
    you = mine["owner"]
    assert mine["ssl_id"] == local
    assert f"owner: bob, before that {you}" in site.make("owner", local, "--to", "bob").out
    told = site.make("handover").out
    assert "CA called" in told
    assert "bob" in told
    results = site.make("owner", local, remote, "--none", "--json").document("array of result")
    assert [(one["target"], one["outcome"]) for one in results] == [(str(local), "done"), (str(remote), "done")]
    assert not any(order["owner"] for order in site.orders())


@pytest.mark.parametrize(
    ("arguments", "error_text"),
    [
        (["note", "2100001"], "--text"),
        (["note", "2100001", "--text", " "], "the note is empty"),
        (["owner", "2100001", "--to", " "], "--to names nobody"),
        (["owner", "2100001", "--to", "bob", "--none"], "not allowed with"),
    ],
)
def test_a_note_or_an_owner_that_says_nothing_changes_nothing(
    site: Site, arguments: list[str], error_text: str
) -> None:
    tracked(site, waiting(site))
    ended = site.run(*arguments)
    assert ended.code == 2
    assert error_text in ended.err
    assert site.orders()[0]["owner"] is None


# Credentials


def test_new_credentials_are_tried_once_and_kept(site: Site) -> None:
    site.world.account.credentials.password = "another-" + CANARY
    site.on_stdin(f"another-{CANARY}\n".encode())
    ended = site.make("rotate", "--password-file", "-")
    assert len(site.world.traffic.requests) == 1
    (file,) = site.files("credentials.toml")
    assert mode(file) == 0o600
    assert f"another-{CANARY}" in file.read_text()
    assert "environment CERTCTL_SECTIGO_PASSWORD" in ended.err
    site.monkeypatch.delenv("CERTCTL_SECTIGO_PASSWORD")
    site.make("check")


def test_credentials_that_scm_refuses_are_not_kept(site: Site) -> None:
    site.secrets_typed("wrong-" + CANARY)
    ended = site.run("rotate", "--login", "other")
    assert ended.code == 3
    assert len(site.world.traffic.requests) == 1
    assert site.files("credentials.toml") == []


def test_the_password_is_changed_at_scm_and_nobody_sees_it(site: Site) -> None:
    ended = site.make("rotate", "--at-sectigo", "--json")
    new = site.world.account.credentials.password
    assert new != CANARY
    assert new not in ended.out + ended.err
    assert ended.document("rotation")["kept_in"].endswith("credentials.toml [sectigo]")
    assert "no change of the password was interrupted" in site.run("rotate", "--settle").err


def test_certctl_server_is_only_told_where_there_is_one(site: Site) -> None:
    ended = site.run("rotate", "--at-sectigo", "--certctl")
    assert ended.code == 2
    assert "no certctl-server is configured" in ended.err
    assert list(site.world.traffic.requests) == []


class Certctl(ThreadingHTTPServer):
    """A certctl-server with one issuer, which its own test may refuse."""

    def __init__(self, *, is_broken: bool) -> None:
        super().__init__(("127.0.0.1", 0), CertctlAnswers)
        self.is_broken = is_broken
        self.puts: list[dict[str, Any]] = []


class CertctlAnswers(BaseHTTPRequestHandler):
    """Answers as certctl-server does."""

    server: Certctl

    def do_GET(self) -> None:
        self._answer({"id": "iss", "name": "prod", "type": "Sectigo", "config": {"customer_uri": "acme", "login": "x"}})

    def do_PUT(self) -> None:
        self.server.puts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(self.server.puts[-1])

    def do_POST(self) -> None:
        self._answer({"status": "connection_successful"}, 500 if self.server.is_broken else 200)

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _answer(self, document: object, status: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.mark.parametrize(("is_broken", "code"), [(False, 0), (True, 1)])
def test_certctl_server_is_told_step_by_step_and_undoes_nothing(site: Site, is_broken: bool, code: int) -> None:
    with Certctl(is_broken=is_broken) as certctl:
        serving = threading.Thread(target=certctl.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        config = site.home / "config.toml"
        config.touch(mode=0o600)
        section = {"url": f"http://127.0.0.1:{certctl.server_port}", "issuer_id": "iss", "api_key": "key-" + CANARY}
        config.write_text(tomli_w.dumps({"certctl": section}))
        ended = site.run("rotate", "--at-sectigo", "--certctl", "--json", "--config", config)
        certctl.shutdown()
        serving.join()
    new = site.world.account.credentials.password
    assert ended.code == code
    assert [put["config"]["password"] for put in certctl.puts] == [new]
    assert new not in ended.out + ended.err
    steps = ended.document("rotation")["certctl"]
    assert [step["failure"] is None for step in steps] == [True, True, not is_broken]
    assert ("left to do" in ended.err) is is_broken


# At a real terminal, and beside other processes


def switched(site: Site, *arguments: str) -> Terminal:
    return Terminal([str(PROGRAM), *arguments], {**os.environ, "PATH": "/usr/bin:/bin"})


def test_an_operator_reads_the_summary_types_the_word_and_sees_the_wait(site: Site) -> None:
    path = csr_file(site, NAME)
    with switched(site, "enroll", "--csr", str(path), TERM, "--comments=[sim:vetting]", "--wait=60") as terminal:
        terminal.until(r"Type 'order' to go on:")
        assert site.posts() == []
        terminal.press("order\n")
        terminal.until(rf"{NAME} +Approved +next poll 00:0\d +waited \d+s")
        terminal.press("\x03")
        assert terminal.end() == 130
    assert [order["ssl_id"] for order in site.orders()] == site.world.enrolled


def test_ctrl_c_at_the_question_ends_the_program_with_nothing_ordered(site: Site) -> None:
    with switched(site, "enroll", "--csr", str(csr_file(site, NAME)), TERM) as terminal:
        terminal.until(r"Type 'order' to go on:")
        terminal.press("\x03")
        assert terminal.end() == 130
    assert site.posts() == []


def test_a_wait_leaves_polling_to_whoever_polls_already(site: Site) -> None:
    with subprocess.Popen([PROGRAM, "watch", "--json"], stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        assert any('"is_this_process": true' in line for line in watch.stdout)
        ended = site.order(NAME, "--wait=30", "--json", life="instant")
        watch.terminate()
        told = watch.stdout.read()
    assert ended.document("placed order")["outcome"] == "certificate"
    assert told.count('"event": "poll"') == site.world.traffic.count("GET", r"/ssl/v1/\d+$")


# What a CSR says, told before it is sent


def made_by_openssl(site: Site, *arguments: str, subject: str = f"/CN={NAME}") -> Path:
    path = site.home / "request.csr"
    made = ["openssl", "req", "-new", "-nodes", "-keyout", str(site.home / "k"), "-subj", subject, "-out", str(path)]
    subprocess.run([*made, *arguments], check=True, capture_output=True)
    return path


OTHER_NAMES = f"subjectAltName=DNS:{NAME},otherName:1.3.6.1.4.1.311.20.2.3;UTF8:web@example.net,URI:https://x.example/"


def test_names_that_cannot_be_ordered_are_named_and_left_out_when_that_was_said(site: Site) -> None:
    csr = made_by_openssl(site, "-newkey", "rsa:2048", "-addext", OTHER_NAMES)
    refused = site.run("enroll", "--csr", csr, TERM, "--yes")
    assert refused.code == 2
    assert "otherName:1.3.6.1.4.1.311.20.2.3;web@example.net, URI:https://x.example/" in refused.err
    assert "--drop-other-names" in refused.err
    assert site.posts() == []
    site.make("enroll", "--csr", csr, TERM, "--yes", "--drop-other-names")
    (ssl_id,) = site.world.enrolled
    assert site.world.orders[ssl_id].names == (NAME,)


def test_names_that_cannot_be_ordered_are_asked_about_at_a_terminal(site: Site) -> None:
    csr = made_by_openssl(site, "-newkey", "rsa:2048", "-addext", OTHER_NAMES)
    site.at_the_terminal("order")
    asked = site.make("enroll", "--csr", csr, TERM)
    assert "left out, not ordered: otherName" in asked.err
    assert len(site.posts(ENROLL)) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-newkey", "rsa:2048", "-sha1"], "signed with SHA-1"),
        (["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], "RSA-PSS 2048, which public CAs may not certify"),
    ],
)
def test_a_sound_csr_that_a_ca_may_refuse_is_told_and_sent(site: Site, arguments: list[str], told: str) -> None:
    ended = site.run("enroll", "--csr", made_by_openssl(site, *arguments), TERM, "--yes")
    assert told in ended.err
    assert "not signed by the key" not in ended.err
    assert len(site.posts(ENROLL)) == 1


def test_a_csr_with_two_common_names_is_ordered_for_both(site: Site) -> None:
    csr = made_by_openssl(site, "-newkey", "rsa:2048", subject=f"/CN={NAME}/CN=b.acme.example")
    site.make("enroll", "--csr", csr, TERM, "--yes")
    (ssl_id,) = site.world.enrolled
    assert set(site.world.orders[ssl_id].names) == {NAME, "b.acme.example"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--san=a.acme.example b.acme.example"], "is no DNS name"),
        (["--san=a.acme.example,b.acme.example"], "is no DNS name"),
        (["--san=https://a.acme.example/"], "is a URL or a path"),
        (["--san=*"], "is no DNS name"),
        (["--requester=a@acme.example b@acme.example"], "is no e-mail address"),
        (["--custom=ticket=1"], "there is no custom field 'ticket'"),
    ],
)
def test_with_a_csr_too_what_cannot_be_ordered_is_refused(site: Site, arguments: list[str], told: str) -> None:
    ended = site.run("enroll", "--csr", csr_file(site, NAME), TERM, "--yes", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert site.posts() == []


def test_a_name_given_beside_the_csr_is_no_second_one_for_its_spelling(site: Site) -> None:
    names = ["--san=A.ACME.example.", "--san=b\u00fccher.acme.example", "--san=xn--bcher-kva.acme.example"]
    site.make("enroll", "--csr", csr_file(site, NAME, "a.acme.example"), TERM, "--yes", *names)
    (ssl_id,) = site.world.enrolled
    assert site.world.orders[ssl_id].names == (NAME, "a.acme.example", "xn--bcher-kva.acme.example")


def test_a_csr_without_a_common_name_is_not_ordered_twice(site: Site) -> None:
    site.make("enroll", "--csr", csr_file(site, "", "a.acme.example", "b.acme.example"), TERM, "--yes")
    again = site.run("enroll", "--csr", csr_file(site, "", "b.acme.example"), TERM, "--yes")
    assert again.code == 6
    assert len(site.posts(ENROLL)) == 1


def test_of_two_enrolls_started_together_one_orders(site: Site) -> None:
    csr = csr_file(site, NAME)
    site.world.faults.add("latency", method="GET", path="ssl/v1$", seconds=0.3)
    command = [str(PROGRAM), "enroll", "--csr", str(csr), TERM, "--yes"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [each.communicate(timeout=60) for each in both]
    assert sorted(each.returncode for each in both) == [0, 6], told
    assert len(site.posts(ENROLL)) == 1
    assert len(site.orders()) == 1


def test_of_two_renewals_started_together_one_orders(site: Site) -> None:
    ssl_id = issued(site)
    site.world.faults.add("latency", method="GET", path="ssl/v1$", seconds=0.3)
    command = [str(PROGRAM), "renew", str(ssl_id), "--yes"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [each.communicate(timeout=60) for each in both]
    assert min(each.returncode for each in both) == 0, told
    assert max(each.returncode for each in both) > 0, told
    assert len(site.posts(r"/ssl/v1/renewById/")) == 1


def test_a_leaf_without_its_issuer_is_saved_with_a_warning(site: Site) -> None:
    ssl_id = tracked(site, issued(site))
    site.make("collect", ssl_id, "--directory", "whole")
    (leaf,) = Path("whole").glob("*.crt.pem")
    (local,) = site.orders()
    Path(str(local["certificate_path"])).write_bytes(leaf.read_bytes())
    alone = site.make("collect", ssl_id, "--directory", "alone")
    assert f"warning: sslId {ssl_id}: issuer CN=" in alone.err
    assert "is not in the bundle" in alone.err
    assert list(Path("alone").glob("*.chain.pem")) == []
