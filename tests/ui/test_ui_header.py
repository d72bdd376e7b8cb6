"""What the header says, and what of it goes first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sectigo_tui.domain.errors import CredentialsRefused, RateLimited, ScmFailure, ServerFailure
from sectigo_tui.domain.events import Exchange
from sectigo_tui.engine.account.remote_orders import PendingQuery
from sectigo_tui.presentation.rows import Tally
from sectigo_tui.ui.content.header import HeaderPart, Surroundings, fitting, header_segments
from sectigo_tui.ui.widgets.header_line import changed_end
from support.ui_pieces import Pieces
from support.virtual_time import START

AROUND = Surroundings(band="PROD", profile="eu", customer="acme")


def header(pieces: Pieces, width: int = 200, *, note: str = "", is_frozen: bool = False) -> str:
    segments = header_segments(pieces.engine, AROUND, Tally(7, 1), is_frozen=is_frozen, note=note, refresh_seconds=60.0)
    text = ""
    for segment in fitting(segments, width):
        text += (" " if segment.is_joined else " | ") * bool(text) + segment.text
    return text


def answered(pieces: Pieces, failure: ScmFailure | None = None) -> None:
    pieces.event_source(Exchange(pieces.clock.now(), "details", 0.142, 200 if failure is None else None, failure))


def listed(pieces: Pieces) -> None:
    for status in pieces.engine.account.queries:
        pieces.engine.account.queries[status] = PendingQuery((), pieces.clock.now())


def test_all_is_well() -> None:
    pieces = Pieces(read_only=True)
    answered(pieces)
    listed(pieces)
    pieces.clock.seconds = 12
    assert header(pieces) == "PROD acme eu [R] | API OK 142ms | updated 10s ago | 7 pending, 1 needs you | 03:00Z"


def test_orders_whose_window_has_passed_are_counted_apart_in_grey() -> None:
    pieces = Pieces()
    listed(pieces)
    segments = header_segments(pieces.engine, AROUND, Tally(7, 1, 3), is_frozen=False, note="", refresh_seconds=60.0)
    (counted,) = [segment for segment in segments if "not polled" in segment.text]
    assert (counted.text, counted.style) == (", 3 not polled", "$state-muted")


def test_before_the_first_answer_the_header_claims_nothing() -> None:
    assert header(Pieces(read_only=True)) == "PROD acme eu [R] | API ... | loading | 7+? pending, 1 needs you | 03:00Z"


def test_offline_says_since_when_and_why() -> None:
    pieces = Pieces(read_only=True)
    answered(pieces)
    listed(pieces)
    pieces.clock.seconds = 120
    answered(pieces, ServerFailure("details", "HTTP 503", http_status=503))
    pieces.clock.seconds = 240
    answered(pieces, ServerFailure("details", "HTTP 502", http_status=502))
    assert "OFFLINE since 03:02Z HTTP 502 | STALE 4m00s" in header(pieces)
    answered(pieces)
    assert "API OK" in header(pieces)


def test_refused_credentials_come_before_everything() -> None:
    pieces = Pieces(read_only=True)
    answered(pieces)
    pieces.engine.context.limiter.rejection = CredentialsRefused("details", "401", http_status=401, code=-16)
    assert "AUTH rejected: rotate" in header(pieces)


def test_a_rate_limit_says_until_when() -> None:
    pieces = Pieces(read_only=True)
    answered(pieces, RateLimited("details", "429", retry_after_seconds=90.0))
    assert "API 429 until 03:01Z" in header(pieces)
    pieces.clock.seconds = 91
    assert "429" not in header(pieces)


@pytest.mark.parametrize("width", range(30, 120, 3))
def test_what_must_be_seen_is_never_dropped(width: int) -> None:
    pieces = Pieces(read_only=True)
    listed(pieces)
    pieces.clock.seconds = 300
    answered(pieces, ServerFailure("details", "HTTP 503", http_status=503))
    told = header(pieces, width, note="12,400 of 100,380", is_frozen=True)
    for words in ("OFFLINE since 03:05Z", "STALE 5m", "[R]", "FROZEN"):
        assert words in told


def test_at_80_columns_counts_and_note_come_before_time_and_customer() -> None:
    pieces = Pieces(read_only=True)
    answered(pieces)
    listed(pieces)
    told = header(pieces, 80, note="12,400 of 100,380 INCOMPLETE", is_frozen=True)
    assert len(told) <= 80
    assert "PROD" in told
    assert "7 pend, 1 you" in told
    assert "INCOMPLETE" in told


@pytest.mark.parametrize("width", range(8, 60))
def test_what_fits_fits(width: int) -> None:
    segments = (
        HeaderPart("aaaa"),
        HeaderPart("bbbbbb", rank=1),
        HeaderPart("cc", rank=2, is_joined=True),
        HeaderPart("証明", rank=3),
    )
    kept = fitting(segments, width)
    assert HeaderPart("aaaa") in kept
    assert sum(segment.cells for segment in kept) - 3 <= max(width, 4)
    assert [segment for segment in segments if segment in kept] == list(kept)


def test_the_header_does_not_jump_with_the_latency() -> None:
    pieces = Pieces(read_only=True)
    listed(pieces)
    lengths = set()
    for latency in (0.004, 0.142, 1.24, 12.4):
        pieces.event_source(Exchange(pieces.clock.now(), "details", latency, 200))
        lengths.add(len(header(pieces)))
    assert len(lengths) == 1


def test_the_clock_is_utc() -> None:
    pieces = Pieces(read_only=True)
    pieces.clock.seconds = timedelta(hours=9, minutes=12) / timedelta(seconds=1)
    assert pieces.clock.now() - START == timedelta(hours=9, minutes=12)
    assert header(pieces).endswith("12:12Z")


def test_armed_writes_say_for_how_long() -> None:
    pieces = Pieces(read_only=True)
    pieces.engine.context.arming.arm(pieces.clock.now(), 300)
    assert "[W 5m]" in header(pieces)
    pieces.clock.seconds = 299
    assert "[W 1m]" in header(pieces)
    pieces.clock.seconds = 300
    assert "[R]" in header(pieces)
    assert "[W" not in header(Pieces())


@pytest.mark.parametrize(
    ("before", "after", "is_rest_kept"),
    [
        (("acme", "49ms", "4 pend"), ("acme", "51ms", "4 pend"), True),
        (("acme", "49ms", "4 pend"), ("acme", "120ms", "4 pend"), False),
        (("acme", "49ms"), ("acme", "49ms", "4 pend"), False),
        (("acme", "49ms", "4 pend"), ("acme", "4 pend"), False),
    ],
    ids=["of the same width", "wider", "one more", "one less"],
)
def test_the_line_is_painted_as_far_as_it_changes(
    before: tuple[str, ...], after: tuple[str, ...], is_rest_kept: bool
) -> None:
    lines = [tuple(HeaderPart(text) for text in texts) for texts in (before, after)]
    texts = [" | ".join(each) for each in (before, after)]
    end = changed_end(*lines)
    assert texts[0][end:] == texts[1][end:]
    assert (end < len(texts[1])) is is_rest_kept
    assert changed_end(lines[0], lines[0]) == 0
