"""An operator at the installed dashboard, over a real port, in a real terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_site import Site, simulated_site

ESCAPE = "\x1b"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with simulated_site(tmp_path) as made:
        yield made


def test_orders_of_the_account_are_seen_tracked_filtered_and_left(site: Site) -> None:
    site.place("ov-vetting", "shop.acme.example", age_seconds=7200)
    pay = site.place("ev-approval", "pay.acme.example")
    with site.terminal(columns=80, lines=24) as terminal:
        terminal.until(r"2 pend 1 act")
        assert "acme" in terminal.lines[0]
        assert "[R]" not in terminal.lines[0]
        terminal.until(r"APL . .*shop\.acme\.example")
        terminal.press("/")
        terminal.until(r"filter: words")
        terminal.press("pay")
        terminal.until(r"1 shown")
        assert not terminal.line_of("shop.acme.example")
        terminal.press("\r")
        terminal.until(r"d Detail")
        terminal.press("t")
        terminal.until(r"REQ . 00:0\d .*pay\.acme")
        terminal.press(ESCAPE)
        terminal.until(r"shop\.acme\.example")
        terminal.press("d")
        terminal.until(r"Who acts +your approver")
        terminal.press("q")
        terminal.until(lambda: "Who acts" not in terminal.text)
        terminal.press("q")
        assert terminal.end() == 0
    assert [(order["ssl_id"], order["state"], order["origin"]) for order in site.orders()] == [
        (pay, "pending", "tracked")
    ]


def test_an_order_is_polled_until_it_is_a_certificate(site: Site) -> None:
    ssl_id = site.place("ov-straight", "www.acme.example", age_seconds=0)
    assert site.run("track", str(ssl_id)).returncode == 0
    with site.terminal(lines=70) as terminal:
        terminal.until(r"AP[RL] . 00:0\d .*www\.acme\.example")
        site.advance(3600)
        # The second look comes by itself, 4 to 6 seconds after the first.
        terminal.until(r"No order is pending")
        terminal.press("2")
        terminal.until(r"COL . .*www\.acme\.example.*collec")
        terminal.press("d")
        terminal.until(r"SHA-?256")
        terminal.press("4")
        terminal.until(r"WHAT")
        assert "issued" in terminal.text.lower()
        terminal.press("1")
        terminal.until(r"No order is pending")
        terminal.press("q")
        assert terminal.end() == 0
    (order,) = site.orders()
    assert order["state"] == "collected"
    bundle = Path(order["certificate_path"])
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 1
    assert bundle.stat().st_mode & 0o077 == 0


def test_an_order_that_was_issued_meanwhile_is_collected_at_the_first_look(site: Site) -> None:
    ssl_id = site.place("ov-instant", "api.acme.example")
    site.run("track", str(ssl_id))
    with site.terminal() as terminal:
        terminal.until(r"No order is pending")
    assert [order["state"] for order in site.orders()] == ["collected"]


def test_the_operator_asks_for_a_look_but_never_sooner_than_the_schedule_s_spacing(site: Site) -> None:
    ssl_id = site.place("ov-vetting", "slow.acme.example")
    site.run("track", str(ssl_id))
    with site.terminal() as terminal:
        terminal.until(r"00:0\d .*slow\.acme\.example")
        terminal.press("rrrrr")
        terminal.until(lambda: site.looks() == 2)
        assert terminal.line_of("slow.acme.example")
    first, second = site.requests(r"^/api/ssl/v1/\d+$")
    assert second["at"] > first["at"]


def test_a_read_only_dashboard_says_so(site: Site) -> None:
    with site.terminal("--read-only") as terminal:
        terminal.until(r"acme \[R\]")


def test_refused_credentials_stop_everything_and_say_what_to_do(site: Site) -> None:
    site.run("track", *(str(site.place("ov-vetting", f"host-{number}.acme.example")) for number in range(6)))
    site.control.post("/password", json={"password": "changed-at-scm"})
    site.forget_requests()
    with site.terminal() as terminal:
        terminal.until(r"AUTH refused")
        terminal.until(r"Rotate the credentials")
        sent = len(site.requests())
        terminal.press(ESCAPE)
        terminal.until(lambda: "Rotate the credentials" not in terminal.text.replace("Rotate the credentials.", ""))
        assert " auth " in terminal.line_of("host-0.acme.example")
        terminal.press("Rr")
        # Nothing is sent by a list that is refreshed, nor by an order that is polled at once.
        terminal.press("q")
        assert terminal.end() == 0
    assert len(site.requests()) == sent <= 4


def test_without_an_answer_nothing_looks_empty(site: Site) -> None:
    site.add_fault("unavailable")
    with site.terminal() as terminal:
        terminal.until(r"OFFLINE since \d\d:\d\dZ")
        terminal.until(r"Could not load the account's orders")
        assert "No order is pending" not in terminal.text
