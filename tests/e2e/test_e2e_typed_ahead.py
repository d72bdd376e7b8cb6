"""Keys and clicks that a slow line joins into one read: none ends the installed dashboard, and none is lost."""

from __future__ import annotations

import pytest

from support.installation import Installation

OPENERS = ["a", ":", "o", "e", "P", "F", "d", "C", "?", "A", "T", "Y", "E", "H", "D", "/"]
TAILS = ["\r\r", "SAME", "\x1b\x1b"]
FRAMES = ("┌", "┏")
CLICK = "\x1b[<0;20;{line}M\x1b[<0;20;{line}m"


@pytest.mark.parametrize("tail", TAILS, ids=["enter enter", "the same again", "esc esc"])
def test_keys_joined_in_one_write_never_end_the_dashboard(program: Installation, tail: str) -> None:
    program.place("ov-vetting", "shop.acme.example")
    with program.terminal(columns=100, lines=30) as terminal:
        terminal.until(r"APL ◐", r"shop\.acme")
        for opener in OPENERS:
            terminal.press(opener + (opener * 2 if tail == "SAME" else tail))
        terminal.press_until("\x1b", lambda: not any(frame in terminal.text for frame in FRAMES))
        terminal.press_until("1", lambda: terminal.shows(r"view: Pending"))
        terminal.until(r"shop\.acme")


def test_two_clicks_in_one_read_never_end_the_dashboard(program: Installation) -> None:
    program.place("ov-vetting", "shop.acme.example")
    with program.terminal(columns=100, lines=30) as terminal:
        terminal.until(r"APL ◐", r"shop\.acme")
        for line in (10, 11, 12, 13, 14):
            terminal.press_until("a", lambda: terminal.shows(r"Actions:"))
            terminal.press(CLICK.format(line=line) * 2)
            terminal.press_until("\x1b", lambda: not any(frame in terminal.text for frame in FRAMES))
        terminal.until(r"shop\.acme")


def test_a_filter_its_enter_and_a_key_after_it_in_one_write_do_what_they_do_typed_slowly(
    program: Installation,
) -> None:
    program.place("ov-vetting", "shop.acme.example")
    with program.terminal(columns=100, lines=30) as terminal:
        terminal.until(r"APL ◐", r"shop\.acme")
        terminal.press("/shop\rd")
        terminal.until(r"1 shown")
        terminal.until(r"shop *$")
        terminal.until(r"Next step")
