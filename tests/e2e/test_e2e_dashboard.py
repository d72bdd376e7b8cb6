"""An operator at the installed dashboard, over a real port, in a real terminal."""

from __future__ import annotations

import signal
from pathlib import Path

from support.installation import Installation

ESCAPE = "\x1b"


def test_orders_of_the_account_are_seen_tracked_filtered_and_left(program: Installation) -> None:
    program.place("ov-vetting", "shop.acme.example", age_seconds=7200)
    pay = program.place("ev-approval", "pay.acme.example")
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until(r"2 pending, 1 needs you")
        assert "acme" in terminal.lines[0]
        assert "[R]" not in terminal.lines[0]
        terminal.until(r"APL", r"shop\.acme\.example")
        terminal.press("/")
        terminal.until(r"filter: words")
        terminal.press("pay")
        terminal.until(r"1 shown")
        assert not terminal.shows("shop.acme.example")
        terminal.press("\r")
        terminal.until(r"d Detail")
        terminal.press("t")
        terminal.until(r"REQ", r"00:\d\d", r"pay\.acme")
        terminal.press(ESCAPE)
        terminal.until(r"shop\.acme\.example")
        terminal.press("d")
        terminal.until(r"SCM status +Requested")
        terminal.press("q")
        terminal.until(lambda: not terminal.shows("SCM status"))
        terminal.press("q")
        assert terminal.end() == 0
    assert [(order["ssl_id"], order["state"], order["origin"]) for order in program.orders()] == [
        (pay, "pending", "tracked")
    ]


def test_an_order_is_polled_until_it_is_a_certificate(program: Installation) -> None:
    ssl_id = program.place("ov-straight", "www.acme.example", age_seconds=0)
    assert program.run("track", str(ssl_id)).returncode == 0
    with program.terminal(lines=70) as terminal:
        terminal.until(r"AP[RL]", r"00:\d\d", r"www\.acme\.example")
        program.advance(3600)
        # The second look comes by itself, 4 to 6 seconds after the first.
        terminal.until(r"No order is pending")
        terminal.press("2")
        terminal.until(r"COL", r"www\.acme\.example", r"collec")
        terminal.press("d")
        terminal.until(r"SHA-?256")
        terminal.press("4")
        terminal.until(r"WHAT")
        terminal.until(r"-> collected")
        terminal.press("1")
        terminal.until(r"No order is pending")
        terminal.press("q")
        assert terminal.end() == 0
    (order,) = program.orders()
    assert order["state"] == "collected"
    bundle = Path(order["certificate_path"])
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 1
    assert bundle.stat().st_mode & 0o077 == 0


def test_an_order_that_was_issued_meanwhile_is_collected_at_the_first_poll(program: Installation) -> None:
    ssl_id = program.place("ov-instant", "api.acme.example")
    program.run("track", str(ssl_id))
    with program.terminal() as terminal:
        terminal.until(r"No order is pending")
    assert [order["state"] for order in program.orders()] == ["collected"]


def test_the_operator_asks_for_a_poll_but_never_sooner_than_the_schedule_s_spacing(program: Installation) -> None:
    ssl_id = program.place("ov-vetting", "slow.acme.example")
    program.run("track", str(ssl_id))
    with program.terminal() as terminal:
        terminal.until(r"00:\d\d", r"slow\.acme\.example")
        terminal.press("rrrrr")
        terminal.until(lambda: program.polls() == 2)
    first, second = program.requests(r"^/api/ssl/v1/\d+$")
    assert second["at"] > first["at"]


def test_a_read_only_dashboard_says_so(program: Installation) -> None:
    with program.terminal("--read-only") as terminal:
        terminal.until(r"acme \[R\]")


def test_refused_credentials_stop_everything_and_say_what_to_do(program: Installation) -> None:
    program.run("track", *(str(program.place("ov-vetting", f"host-{number}.acme.example")) for number in range(6)))
    program.control.post("/password", json={"password": "changed-at-scm"})
    program.forget_requests()
    with program.terminal() as terminal:
        terminal.until(r"AUTH rejected")
        terminal.until(r"Rotate the credentials")
        sent = len(program.requests())
        terminal.press_until(ESCAPE, lambda: not terminal.shows("Cancel"))
        assert terminal.shows(" auth ", "host-0")
        terminal.press("R")
        # Another view or another offer to rotate: either way the key before has done what it does, and sent nothing.
        terminal.press_until("4", lambda: terminal.shows("WHAT") or terminal.shows("Cancel"))
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
    assert len(program.requests()) == sent <= 4


def test_without_an_answer_nothing_polls_empty(program: Installation) -> None:
    program.add_fault("unavailable")
    with program.terminal() as terminal:
        terminal.until(r"OFFLINE since \d\d:\d\dZ")
        terminal.until(r"Could not load the account's orders")
        assert "No order is pending" not in terminal.text
