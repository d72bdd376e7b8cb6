"""What the detail pane says of an order, and in which order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace
from rich.cells import cell_len

from sectigo_tui.domain.certificates import CertificateFacts, ListingRow, OrderDetails
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, PendingEnroll, Revocation
from sectigo_tui.domain.polling import PollOutcome, PollResult, WindowEnd
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.content.detail import detail_content, detail_text
from sectigo_tui.ui.content.lines import labelled
from support.stored_orders import an_order
from support.ui_pieces import Pieces
from support.virtual_time import START

NOW = Pieces().now()


def order_row(order: Order, **changes: object) -> OrderRow:
    known = OrderRow("#1001", order, None, order.scm_status, order.details, order.last_answer_at)
    return replace(known, **changes)


def text(order: Order, *entries: TimelineEntry) -> str:
    return detail_text(order_row(order), entries, NOW)


def test_what_an_on_call_needs_first_comes_first() -> None:
    entry = TimelineEntry(at=START, order_id="order-0001", kind=EventKind.NOTE, summary="placed")
    told = text(an_order(1), entry)
    wanted = [
        "APL ◐ applied  host1.example.com  sslId 1001",
        "Blocked on",
        "Next step",
        "SCM status",
        "Here",
        "Next poll",
    ]
    wanted += ["Order\n", "Timeline (UTC)", "placed"]
    places = [told.index(word) for word in wanted]
    assert places == sorted(places)


def test_a_long_text_is_wrapped_beside_its_label() -> None:
    details = OrderDetails(ssl_id=1001, status="Applied", comments="word " * 60)
    lines = detail_content(order_row(replace(an_order(1), details=details)), (), NOW, 60).plain.split("\n")
    assert all(cell_len(line) <= 60 for line in lines)
    first = next(number for number, line in enumerate(lines) if line.startswith("Comments"))
    assert lines[first + 1].startswith(" " * 14 + "word")


def test_a_long_token_is_never_broken_within_itself() -> None:
    token = "_" + "0123456789abcdef" * 3 + ".comodoca.example"
    facts = labelled([("  CNAME", f"{token}  (NOT in DNS)"), ("Note", "short")], 70).plain.split("\n")
    assert facts == ["  CNAME", f"    {token}", "    (NOT in DNS)", "Note          short"]


def test_the_copied_text_is_not_wrapped() -> None:
    details = OrderDetails(ssl_id=1001, status="Applied", comments="word " * 60)
    assert "Comments      " + ("word " * 60).rstrip() in text(replace(an_order(1), details=details))


def test_a_remote_order_says_how_it_comes_to_be_polled() -> None:
    remote = OrderRow("#7", row=ListingRow(7, "www.example.com"), status="Requested")
    told = detail_content(remote, (), NOW).plain
    assert "Remote, not polled: t tracks it." in told
    assert "Timeline" not in told
    assert "tracks it" not in detail_text(remote, (), NOW), "a key is of no use in what was copied"


def test_an_order_without_ssl_id_says_so_and_why() -> None:
    order = replace(
        an_order(1),
        ssl_id=None,
        details=None,
        state=OrderState.UNCONFIRMED,
        pending_enroll=PendingEnroll(asked_at=START, error="the answer was lost"),
    )
    told = text(order)
    assert "no sslId yet" in told
    assert "the answer was lost" in told


@pytest.mark.parametrize("ended", [WindowEnd.DEADLINE, WindowEnd.STOPPED])
def test_a_window_that_ended_says_why_and_how_to_go_on(ended: WindowEnd) -> None:
    plain = an_order(1)
    assert plain.window is not None
    order = replace(plain, window=plain.window.end(ended))
    assert f"ended: {ended}; r polls it again" in detail_content(order_row(order), (), NOW).plain
    assert f"ended: {ended}\n" in text(order)


def test_the_last_poll_is_told_with_status_and_time() -> None:
    order = replace(an_order(1), last_poll=PollResult(START, PollOutcome.SERVER_FAILURE, "HTTP 503", 1.5, 503))
    assert "03:00:00Z  503 HTTP 503  HTTP 503  1.50s" in text(order)


def test_a_collected_order_shows_its_certificate() -> None:
    facts = CertificateFacts(
        subject="CN=host1.example.com",
        issuer="CN=Sectigo",
        subject_alternative_names=("host1.example.com", "www.host1.example.com"),
        serial_number="01AB",
        not_before=START,
        not_after=START.replace(year=2027),
        key="EC P-256",
        sha256="AA" * 32,
        sha1="BB" * 20,
    )
    told = text(replace(an_order(1), state=OrderState.COLLECTED, certificate=facts, certificate_path="/certs/1.pem"))
    for word in ("CN=Sectigo", "www.host1.example.com", "2026-03-02 03:00Z to 2027-03-02 03:00Z", "AA" * 32, "/certs"):
        assert word in told


@pytest.mark.parametrize(
    ("confirmed", "told"), [(START, "SCM confirmed 2026-03-02 03:00Z"), (None, "UNKNOWN, verifying: time-out")]
)
def test_a_revocation_is_never_told_as_more_than_it_is(confirmed: object, told: str) -> None:
    revocation = Revocation(4, "superseded", START, confirmed_at=confirmed, error="UNKNOWN, verifying: time-out")  # type: ignore[arg-type]
    assert told in text(replace(an_order(1), state=OrderState.REVOKING, revocation=revocation))


@pytest.mark.parametrize(
    ("status", "state", "told"),
    [
        ("Revoked", OrderState.REVOKED, "Revoked"),
        ("Issued", OrderState.COLLECTED, "Issued; collecting may still say not ready"),
        ("Issued", OrderState.REVOKED, "Issued; collecting may still say not ready (told before it was revoked)"),
        ("Applied", OrderState.COLLECTED, "human vetting (told before it was collected)"),
    ],
)
def test_a_status_is_said_once_and_told_as_past_where_the_state_is_newer(
    status: str, state: OrderState, told: str
) -> None:
    order = an_order(1)
    assert order.details is not None
    shown = " ".join(text(replace(order, state=state, details=replace(order.details, status=status))).split())
    assert told in shown
    assert f"{status}: {status.casefold()}" not in shown


def test_an_unconfirmed_revocation_says_when_it_is_sent_again() -> None:
    revocation = Revocation(4, "superseded", START, next_attempt_at=START)
    told = text(replace(an_order(1), state=OrderState.REVOKING, revocation=revocation))
    assert "UNKNOWN, verifying: SCM has not answered yet" in told
    assert "Told again    03:00:00Z" in told


def test_a_revoked_order_is_polled_no_more_and_its_old_status_is_told_as_old() -> None:
    revocation = Revocation(4, "superseded", START, confirmed_at=START)
    order = replace(an_order(1), state=OrderState.REVOKED, revocation=revocation)
    told = text(order)
    assert "(told before it was revoked)" in told
    assert "Next poll" not in told
    assert "Deadline" not in told


def test_a_day_has_no_hour() -> None:
    details = OrderDetails(ssl_id=1001, status="Applied", requested=date(2026, 3, 1), issued=START)
    told = text(replace(an_order(1), details=details))
    assert "Requested     2026-03-01\n" in told
    assert "Issued        2026-03-02 03:00Z" in told


def test_codes_of_the_timeline_are_told() -> None:
    entry = TimelineEntry(at=START, order_id="x", kind=EventKind.NOTE, summary="refused", code=-1400)
    assert "2026-03-02 03:00:00  refused (code -1400)" in text(an_order(1), entry)


@given(st.text(max_size=80))
def test_nothing_of_any_text_reaches_the_terminal_as_control(hostile: str) -> None:
    plain = an_order(1)
    assert plain.details is not None
    words = {
        field.name: hostile for field in fields(OrderDetails) if isinstance(getattr(plain.details, field.name), str)
    }
    details = replace(plain.details, **words, subject_alternative_names=(hostile,))
    order = replace(plain, details=details, common_name=hostile, rejection=hostile)
    entry = TimelineEntry(at=START, order_id="x", kind=EventKind.NOTE, summary=hostile)
    content = detail_content(order_row(order), (entry,), NOW, 70)
    for line in content.plain.split("\n"):
        assert line.isprintable(), repr(line)
        assert cell_len(line) <= 70
