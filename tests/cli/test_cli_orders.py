"""`sectigo-tui orders`: what scripts are promised, and what a person reads."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sectigo_tui.cli.main import run
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.orders import Order, OrderState, Origin, Revocation
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WaitReason, WindowEnd
from sectigo_tui.presentation.json import order_json
from sectigo_tui.wiring.settings import settings_of
from support.account_store import open_store
from support.documented import DOCS, differences, documented
from support.stored_orders import an_entry, an_order
from support.virtual_time import START

DOCUMENT = DOCS / "orders-json.md"
ENVIRON = {"CERTCTL_SECTIGO_CUSTOMER_URI": "acme", "CERTCTL_SECTIGO_LOGIN": "api", "CERTCTL_SECTIGO_PASSWORD": "secret"}

UNWANTED = {"asyncio", "httpx", "pydantic", "rich", "shutil", "textual", "tinydb", "typing_extensions"}

PENDING = an_order(1)
REVOKED = replace(
    an_order(2),
    created_at=START - timedelta(days=1),
    state=OrderState.REVOKED,
    window=PollWindow(START, 600.0, attempts=4, ended=WindowEnd.SETTLED),
    last_poll=PollResult(START, PollOutcome.FINAL, "Revoked", 0.25, 200, None),
    revocation=Revocation(1, "the key was seen elsewhere", START, START),
    certificate_path="/var/certificates/2.pem",
    key_path="/var/keys/2.key",
)
UNCONFIRMED = Order(
    id="order-0003",
    state=OrderState.UNCONFIRMED,
    state_since=START,
    created_at=START + timedelta(days=1),
    origin=Origin.ENROLLED,
)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SECTIGO_TUI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    store_all(tmp_path, [PENDING, REVOKED, UNCONFIRMED])
    return tmp_path


def store_all(data_dir: Path, orders: Sequence[Order]) -> None:
    async def put() -> None:
        store = open_store(settings_of(data_dir=data_dir, environ=ENVIRON), SystemClock())
        for order in orders:
            await store.put(order, an_entry(order))
        await store.close()

    asyncio.run(put())


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert run(["orders", "--json"]) == 0
    orders: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return orders


@pytest.mark.usefixtures("stored")
def test_the_shape_is_the_documented_one(capsys: pytest.CaptureFixture[str]) -> None:
    fields = documented(DOCUMENT.name)
    assert differences(printed(capsys), "array of order", fields, "order") == []
    assert differences([{"id": 1}], "array of order", fields, "order"), "the check itself sees differences"


@pytest.mark.usefixtures("stored")
def test_orders_come_oldest_first_with_what_is_known_and_null_for_what_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    revoked, pending, unconfirmed = printed(capsys)
    assert [revoked["state"], pending["state"], unconfirmed["state"]] == ["revoked", "pending", "unconfirmed"]
    assert pending["requested"] == "2026-03-02", "a day never becomes a false hour"
    assert pending["window"]["deadline_at"] == "2026-03-02T03:10:00Z"
    assert revoked["window"]["ended"] == "settled"
    assert revoked["revocation"]["reason_code"] == 1
    assert {unconfirmed[key] for key in ("ssl_id", "scm_status", "common_name", "window", "last_poll")} == {None}


@pytest.mark.parametrize(
    ("field", "values"),
    [("state", OrderState), ("origin", Origin), ("reason", WaitReason), ("ended", WindowEnd), ("outcome", PollOutcome)],
)
def test_every_value_that_a_reader_may_meet_is_documented(
    field: str, values: type[OrderState | Origin | WaitReason | WindowEnd | PollOutcome]
) -> None:
    rows = re.findall(rf"^\| `{field}` \|.*$", DOCUMENT.read_text(), re.MULTILINE)
    assert {field, *values} in [set(re.findall(r"`([^`]+)`", row)) for row in rows]


@pytest.mark.usefixtures("stored")
def test_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["orders"]) == 0
    title, revoked, pending, unconfirmed = capsys.readouterr().out.splitlines()
    assert title.split() == ["SSLID", "STATE", "SCM", "STATUS", "NEXT", "POLL", "COMMON", "NAME"]
    assert revoked.split() == ["1002", "revoked", "was", "Applied", "settled", "host2.example.com"]
    assert pending.split() == ["1001", "pending", "Applied", "2026-03-02T03:00:00Z", "host1.example.com"]
    assert unconfirmed.split() == ["-", "unconfirmed", "-", "-", "-"]


def test_a_name_cannot_act_on_the_terminal(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_all(stored, [replace(an_order(9), common_name="\x1b]0;owned\x07.example\nsecond line")])
    run(["orders"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 5


def test_json_is_printable_ascii_in_the_shape_that_every_command_has(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = timezone(timedelta(hours=-7))
    orders = [
        replace(PENDING, id=f"order-9{number}", ssl_id=None, common_name=name, created_at=at)
        for number, (name, at) in enumerate(
            [
                ("a\x7f\x1b[2J\x9b.example", START + timedelta(days=2)),
                ("b\u00fc\u202e.example", START + timedelta(days=3)),
                ("c.example", (START + timedelta(days=4, microseconds=7)).astimezone(elsewhere)),
            ]
        )
    ]
    store_all(stored, orders)
    assert run(["orders", "--json"]) == 0
    out = capsys.readouterr().out
    assert all(line.isascii() and line.isprintable() for line in out.splitlines())
    shown = json.loads(out)[-3:]
    assert shown == [json.loads(json.dumps(order_json(order))) for order in orders]
    assert shown[-1]["created_at"] == "2026-03-06T03:00:00Z"


@pytest.mark.usefixtures("stored")
def test_orders_of_another_account_are_not_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTCTL_SECTIGO_CUSTOMER_URI", "globex")
    assert printed(capsys) == []


@pytest.mark.usefixtures("stored")
def test_scripts_that_want_json_wait_for_nothing_that_only_a_screen_needs() -> None:
    run_it = "from sectigo_tui.cli.main import run; run(['orders', '--json'])"
    program = f"import sys; {run_it}; print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(json.loads(ended.stdout)) == 3
    assert not UNWANTED & set(ended.stderr.split())
