"""A shortened frame does to an emulated terminal exactly what the frame does."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sectigo_tui.ui.terminal.short_frames import shortened

COLUMNS, LINES = 12, 5

inks = st.sampled_from(["", "31", "39", "97", "38;5;252", "38;2;1;2;3"])
papers = st.sampled_from(["", "42", "49", "103", "48;5;232", "48;2;9;8;7"])
flags = st.lists(st.sampled_from(["1", "2", "3", "4", "5", "7", "9"]), max_size=2, unique=True)
styles = st.builds(lambda are, ink, paper: ";".join(filter(None, [*are, ink, paper])), flags, inks, papers)
texts = st.text("a7 ◐…字é\u0301|", max_size=COLUMNS + 3)
pieces = st.builds(lambda style, text: f"\x1b[{style}m{text}\x1b[0m" if style else text, styles, texts)
places = st.builds("\x1b[{};{}H".format, st.integers(0, LINES + 1), st.integers(0, COLUMNS + 1))
styles_of_others = st.sampled_from(["\x1b[1m", "\x1b[m", "\x1b[22m", "\x1b[0;1m"])
movements = st.sampled_from(["\n", "\r", "\b", "\x1b[2A", "\x1b[5C", "\x1b7", "\x1b8"])
others = st.sampled_from(["\x1b[K", "\x1b[2J", "\x1b]0;title\x07", "\x1b[?25l", "\x1b[?25h"])


@st.composite
def lines_from_the_left(draw: st.DrawFn) -> str:
    """As Textual paints what has changed: each line in its place, and a newline behind it."""
    numbers = sorted(draw(st.sets(st.integers(1, LINES), min_size=1)))
    return "\n".join(f"\x1b[{number};1H{draw(pieces)}{draw(pieces)}" for number in numbers)


frames = st.lists(
    st.one_of(lines_from_the_left(), pieces, places, styles_of_others, movements, others), max_size=8
).map("".join)


def screen_after(*frames: str, newline: str = "\r\n") -> tuple[object, ...]:
    """Paint frames, and return all that there is to see, and what comes next would be painted with."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    for frame in frames:
        # What a terminal's line discipline makes of a newline.
        stream.feed(frame.replace("\n", newline))
    cells = [[screen.buffer[y][x] for x in range(COLUMNS)] for y in range(LINES)]
    return cells, screen.cursor.x, screen.cursor.y, screen.cursor.attrs, screen.cursor.hidden


@given(st.lists(frames, min_size=1, max_size=3), st.sampled_from(["\r\n", "\n"]))
@example(["\x1b[1;1H\x1b[1mbold\x1b[0m\n\x1b[2;1H\x1b[1;39mbold\x1b[0m"], "\r\n")
@example([f"\x1b[1;0H{'a' * COLUMNS}b\n\x1b[2;1Hc"], "\r\n")
@example([f"\x1b[1;1H{'字' * 7}\n\x1b[2;1Hc"], "\r\n")
@example([f"\x1b[{LINES};1Hlast\n\x1b[{LINES + 1};1Hbelow"], "\n")
def test_a_shortened_frame_paints_the_same(frames: list[str], newline: str) -> None:
    # Of every frame the last style is taken back, as Textual does it.
    whole = [f"{frame}\x1b[0m" for frame in frames]
    short = [shortened(frame, COLUMNS, LINES) for frame in whole]
    assert screen_after(*short, newline=newline) == screen_after(*whole, newline=newline)


@given(lines_from_the_left())
def test_a_frame_as_textual_writes_it_never_grows(frame: str) -> None:
    assert len(shortened(frame, COLUMNS, LINES)) <= len(frame)


@pytest.mark.parametrize(
    ("frame", "short"),
    [
        ("\x1b[2;1H\x1b[34m00:42\x1b[0m\n\x1b[3;1H\x1b[34m00:41\x1b[0m", "\x1b[2;1H\x1b[34m00:42\r\n00:41\x1b[0m"),
        ("\x1b[31;40mno\x1b[0m\x1b[32;40myes\x1b[0m", "\x1b[31;40mno\x1b[32myes\x1b[0m"),
        ("\x1b[1mno\x1b[0m\x1b[1;32myes\x1b[0m", "\x1b[1mno\x1b[32myes\x1b[0m"),
        ("\x1b[1;31mno\x1b[0m\x1b[32myes\x1b[0m", "\x1b[1;31mno\x1b[0;32myes\x1b[0m"),
        ("\x1b[2;1Habc\n\x1b[3;4Hx", "\x1b[2;1Habc\x1b[3;4Hx"),
        (f"\x1b[2;1H{'…' * 7}\n\x1b[3;1Hx", f"\x1b[2;1H{'…' * 7}\n\x1b[3;1Hx"),
    ],
    ids=["lines below", "one colour", "one more", "one less", "elsewhere", "of unknown width"],
)
def test_what_is_left_out(frame: str, short: str) -> None:
    assert shortened(frame, COLUMNS, LINES) == short
