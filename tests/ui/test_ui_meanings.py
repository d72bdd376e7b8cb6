"""Help that teaches where it is asked for, the drawn lines, and what the menu recommends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from textual import events

from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import PollOutcome, PollResult, WindowEnd
from sectigo_tui.engine.diagnosis.normal import Comparison, Figure, Leg, Pace
from sectigo_tui.engine.diagnosis.rules.causes import Party
from sectigo_tui.engine.diagnosis.stages import Span
from sectigo_tui.presentation.columns import COLUMNS
from sectigo_tui.presentation.glyphs import ASCII, STATE_CELLS, UNICODE, state_glyphs
from sectigo_tui.presentation.meanings import NEXT_WORDS, PARTIES, SHORT_PARTIES, meanings_of
from sectigo_tui.presentation.pictures import bars, pace_scale, pending_by_day
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.content.pictures import pace_content, pending_lines, poll_lines
from support.stored_orders import an_order
from support.ui_pieces import Pieces
from support.ui_stage import Stage, on_stage, staged
from support.virtual_time import START


def test_every_column_state_party_and_word_is_explained() -> None:
    assert all(column.meaning for column in COLUMNS)
    assert all(glyph.meaning and len(glyph.in_words(UNICODE)) <= STATE_CELLS for glyph in state_glyphs())
    assert list(PARTIES) == [str(party) for party in Party]
    assert SHORT_PARTIES.keys() <= PARTIES.keys()
    assert list(NEXT_WORDS) == ["poll", "hold", "429", "auth", "-"]


@pytest.mark.parametrize(
    ("ended", "words"),
    [(WindowEnd.STOPPED, "Polling was stopped"), (WindowEnd.DEADLINE, "The polling window has passed")],
)
def test_a_row_s_values_are_explained_the_most_urgent_first(ended: WindowEnd, words: str) -> None:
    order = an_order(1)
    assert order.window is not None
    order = replace(order, window=replace(order.window, ended=ended, next_poll_at=None), last_answer_at=START)
    pieces = Pieces()
    pieces.store.plant(order)
    told = meanings_of(OrderRow("#1001", order, None, "Applied", order.details, START), pieces.now())
    assert [one.title for one in told] == ["STATE", "BLOCKED ON", "NEXT", "DEADLINE", "AGE"]
    assert told[0][1:] == ("APL ◐ applied", "With the CA (Applied).")
    assert told[2].value == "hold"
    assert told[3].text.startswith(words)


def hover(stage: Stage, x: int, y: int) -> None:
    stage.app.post_message(
        events.MouseMove(None, x, y, 0, 0, 0, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y)
    )


@on_stage
async def test_question_mark_explains_the_row_and_under_the_mouse_the_value_or_title() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.wait(10)
        await stage.press("j", "f1")
        assert "DNS owner +1: Whoever may change the domain's DNS" in stage.text
        await stage.press("escape")
        table = stage.view.table
        (age,) = [placed for placed in table.placed_columns if placed.column.key == "age"]
        hover(stage, age.x, table.region.y)
        await stage.wait()
        await stage.press("?")
        assert " AGE          How long ago it was requested" in stage.text.replace("│", "")
        await stage.press("escape")
        (state,) = [placed for placed in table.placed_columns if placed.column.key == "state"]
        row = next(number for number, line in enumerate(stage.lines) if "REQ ○" in line)
        hover(stage, state.x, row)
        await stage.wait()
        await stage.press("?")
        assert "REQ ○ requested: Waits for an approver (Requested)." in stage.text


def test_bars_are_drawn_in_both_sets_and_nothing_stands_for_nothing() -> None:
    assert bars([0.1, None, 0.5, 1.0, 0], is_ascii=False) == "▁ ▅█ "
    assert bars([0.1, None, 0.5, 1.0, 0], is_ascii=True) == "1 58 "
    assert bars([], is_ascii=True) == ""


def compared(elapsed_hours: float, pace: Pace) -> Comparison:
    hours = [Span(3600.0 * each, 3600.0 * each) for each in (10, 20, elapsed_hours)]
    figure = Figure(Leg.WHOLE, "profile", 12, hours[0], hours[1])
    return Comparison(Leg.WHOLE, hours[2], is_running=True, figure=figure, pace=pace)


def test_an_order_stands_on_the_scale_of_its_profile() -> None:
    assert pace_scale(compared(5, Pace.USUAL), is_ascii=False, cells=20) == "━━━━────┃───────┃───"
    assert pace_scale(compared(40, Pace.SLOW), is_ascii=True, cells=20) == "#####|####|#########"
    told = pace_content(compared(40, Pace.SLOW), UNICODE)
    assert "slow: 1d16h; p50 10h00m, p90 20h00m (n=12; profile)" in str(told)
    assert pace_content(replace(compared(1, Pace.NO_HISTORY), figure=None), UNICODE) == ""


def test_slow_answers_stand_out_in_the_line_of_the_last_polls() -> None:
    polls = [PollResult(START, PollOutcome.PENDING, "Applied", 0.2, 200), PollResult(START, PollOutcome.RATE_LIMITED)]
    polls.append(PollResult(START, PollOutcome.PENDING, "Applied", 1.6, 200))
    latency, outcome, legend = poll_lines(polls, ASCII)
    assert str(latency[1]) == "2 8  slowest 1.60s"
    assert [span.style for span in latency[1].spans] == ["$state-warning"]  # type: ignore[union-attr]
    assert (outcome[1], legend[1]) == (".4.", ". pending, 4 429")


def happened(day: int, order: str, state: OrderState, status: str = "") -> TimelineEntry:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    return TimelineEntry(
        at=at, order_id=order, kind=EventKind.CHANGED, summary="", to_state=state, scm_status=status, ssl_id=1
    )


def test_what_was_pending_is_counted_day_by_day_by_whom_it_waited_for() -> None:
    entries = [
        happened(1, "a", OrderState.PENDING, "Requested"),
        happened(2, "b", OrderState.PENDING, "Applied"),
        happened(3, "a", OrderState.PENDING, "Applied"),
        happened(4, "b", OrderState.COLLECTED, "Issued"),
    ]
    now = datetime(2026, 3, 5, 1, tzinfo=UTC)
    counted = pending_by_day(entries, now, is_all=True)
    assert {blocker: counts[-6:] for blocker, counts in counted.items()} == {
        "you": [0, 0, 0, 0, 0, 0],
        "approver": [0, 1, 1, 0, 0, 0],
        "CA side": [0, 0, 1, 2, 1, 1],
    }
    unknown = pending_by_day(entries, now, is_all=False)["approver"]
    assert (len(unknown), unknown[-6:]) == (30, [None, 1, 1, 0, 0, 0])
    lines = list(pending_lines(counted, ASCII))
    assert [label for label, _ in lines] == ["on approver", "on CA side"]
    assert str(lines[1][1]).endswith("5855 1 now, 2 at most in 30 days")


@on_stage
async def test_the_menu_begins_with_what_the_verdict_recommends_and_the_cursor_is_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.wait(10)
        assert "DNS owner" in stage.lines[3]
        copied: list[str] = []
        monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
        await stage.press("j", "a")
        menu = [line for line in stage.lines if "│" in line and " r  Copy the DNS record" in line]
        assert menu
        await stage.press("enter")
        await stage.wait(2)
        assert copied
        assert "CNAME" in copied[0]


@on_stage
async def test_marks_change_the_footer_and_a_notice_stands_above_it() -> None:
    async with staged(size=(80, 24)) as stage:
        assert "D Why" in stage.lines[-1]
        await stage.press("space", "space")
        assert stage.lines[-1].startswith("2 marked:  a Actions")
        await stage.press("escape")
        assert "marked" not in stage.lines[-1]
        await stage.press("r")
        assert stage.lines[-2] == "This order is remote: t tracks it, then it is polled."
        assert "D Why" in stage.lines[-1]
        await stage.wait(7)
        assert "remote: t tracks it" not in stage.text
