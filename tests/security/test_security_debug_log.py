"""`--debug-log`: what was sent and answered, for whoever looks for a fault, and no secret in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest
from sectigo_tui.scm.debug_log import LONGEST_BODY_CHARACTERS, DebugLog
from support.installation import CANARY, Installation

URL = "https://scm.example/api"
SECRET = "Geheim-4711"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def logged(path: Path, request: HttpRequest, answer: HttpAnswer | HttpFailure) -> str:
    log = DebugLog(path, URL, SystemClock())
    log.answered(log.asked(request), request, answer, seconds=0.25)
    log.close()
    return path.read_text(encoding="ascii")


def post(body: object, *headers: tuple[bytes, bytes]) -> HttpRequest:
    return HttpRequest("POST", "/ssl/v1/enroll", headers, json.dumps(body).encode())


def test_a_request_and_its_answer_are_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    request = post({"orgId": 7}, (b"login", b"api-user"), (b"password", SECRET.encode()), (b"x-new", b"anything"))
    logged(path, request, HttpAnswer(400, {"Retry-After": "5", "Set-Cookie": "s=1"}, b'{"code": -36}'))
    asked, answered = lines(path)
    assert (asked["request"], asked["method"], asked["url"]) == (1, "POST", f"{URL}/ssl/v1/enroll")
    assert asked["headers"] == {"login": "api-user", "password": "********", "x-new": "********"}
    assert asked["body"] == {"orgId": 7}
    assert (answered["answer"], answered["status"], answered["seconds"], answered["bytes"]) == (1, 400, 0.25, 13)
    assert answered["headers"] == {"Retry-After": "5", "Set-Cookie": "********"}
    assert answered["body"] == {"code": -36}


@pytest.mark.parametrize("secret", [SECRET, 'quo"te\\d-9', "ünïcode-77", "<tag>&-5"])
@pytest.mark.parametrize(
    "echo", ['{{"description": {json}}}', "<h1>{plain}</h1>", "{plain}", '{{"a": [{{"newPassword": {json}}}]}}']
)
def test_a_secret_that_the_answer_echoes_is_masked(tmp_path: Path, secret: str, echo: str) -> None:
    path = tmp_path / "debug.log"
    body = echo.format(plain=secret, json=json.dumps(secret)).encode()
    sent_in_header = post({}, (b"password", secret.encode("latin-1")))
    sent_in_body = post({"config": {"login": "x", "api_key": secret, "password": secret}})
    for request in (sent_in_header, sent_in_body):
        text = logged(path, request, HttpAnswer(200, {"Location": secret}, body))
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
        assert "********" in text


def test_a_bearer_token_is_masked_without_its_scheme_too(tmp_path: Path) -> None:
    request = HttpRequest("GET", "/api/v1/issuers/x", ((b"authorization", f"Bearer {SECRET}".encode()),))
    assert SECRET not in logged(tmp_path / "debug.log", request, HttpAnswer(401, {}, f"no {SECRET}".encode()))


def test_what_an_answer_holds_cannot_act_on_the_terminal_that_shows_the_log(tmp_path: Path) -> None:
    hostile = '{"commonName": "\\u001b[2J\\u202e\\u009b\\u007f", "x": "\u202e\x7f"}'.encode()
    text = logged(tmp_path / "debug.log", post({}), HttpAnswer(200, {"server": "\x1b[2J"}, hostile))
    assert all(line.isprintable() and line.isascii() for line in text.splitlines())


def test_a_long_or_deep_body_is_cut(tmp_path: Path) -> None:
    for body in (b'["%s"]' % (b"x" * 50_000), b"[" * 900 + b"]" * 900, b'{"a":' * 300 + b"1" + b"}" * 300):
        text = logged(tmp_path / "debug.log", post({}), HttpAnswer(200, {}, body))
    assert all(len(line) < 2 * LONGEST_BODY_CHARACTERS for line in text.splitlines())


def test_a_lost_answer_says_whether_the_request_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    logged(path, post({}), HttpFailure("connection reset", sent=True))
    answered = lines(path)[1]
    assert (answered["status"], answered["error"], answered["sent"]) == (None, "connection reset", True)


def test_the_file_is_made_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        logged(tmp_path / "debug.log", post({}), HttpAnswer(200, {}, b""))
    finally:
        os.umask(before)
    assert (tmp_path / "debug.log").stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    path.touch(0o644)
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        DebugLog(path, URL, SystemClock())
    assert path.read_bytes() == b""


def test_a_full_disk_ends_the_log_and_not_the_request(tmp_path: Path) -> None:
    log = DebugLog(Path("/dev/full"), URL, SystemClock())
    log.answered(log.asked(post({})), post({}), HttpAnswer(200, {}, b""), seconds=0)
    log.close()


def test_every_subcommand_that_asks_scm_logs_it_without_a_password(program: Installation, tmp_path: Path) -> None:
    path, new, fresh = tmp_path / "debug.log", "canary-New-5566", tmp_path / "password"
    fresh.write_text(f"{new}\n")
    fresh.chmod(0o600)
    ssl_id = str(program.place("ov-vetting", "www.acme.example"))
    told = ""

    def run(*arguments: str, password: str = "") -> None:
        nonlocal told
        ended = program.run(*arguments, "--debug-log", str(path), changes={"CERTCTL_SECTIGO_PASSWORD": password})
        assert ended.returncode == 0, ended.stderr
        told += ended.stdout + ended.stderr

    for arguments in (["check"], ["track", ssl_id], ["diagnose", ssl_id], ["orders"]):
        run(*arguments, password=CANARY)
    program.control.post("/password", json={"password": new})
    run("rotate", "--password-file", str(fresh), password=CANARY)
    run("rotate", "--at-sectigo")
    run("check")
    stored = next(program.home.rglob("credentials.toml")).read_text()
    (made_here,) = [line.split('"')[1] for line in stored.splitlines() if line.startswith("password")]
    sent = [urlsplit(line["url"]).path.rpartition("/")[2] for line in lines(path) if "url" in line]
    assert sent.count("types") >= 3
    assert {ssl_id, "changepassword"} <= set(sent)
    assert len(made_here) > 10
    for canary in (CANARY, new, made_here):
        assert canary not in told + path.read_text()
