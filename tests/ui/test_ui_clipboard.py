"""Copying: through tmux where it runs, else by asking the terminal."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence

import pytest

from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.terminal.clipboard import LOAD, LOAD_AND_SEND, Clipboard, request
from support.ui_stage import on_stage, staged, written_to_terminal

TMUX = {"TMUX": "/tmp/tmux-1000/default,1,0"}


class Commands:
    """The commands of a machine.

    Args:
        failing: Those that fail.
    """

    def __init__(self, *failing: Sequence[str]) -> None:
        self.failing = failing
        self.ran: list[tuple[Sequence[str], bytes]] = []

    async def run(self, arguments: Sequence[str], stdin: bytes) -> str:
        self.ran.append((arguments, stdin))
        return "tmux ended with exit code 1" if arguments in self.failing else ""


@pytest.mark.parametrize(
    ("environ", "failing", "ran", "is_asked", "is_confirmed"),
    [
        ({}, (), [], True, False),
        (TMUX, (), [LOAD_AND_SEND], False, True),
        (TMUX, (LOAD_AND_SEND,), [LOAD_AND_SEND, LOAD], True, True),
        (TMUX, (LOAD_AND_SEND, LOAD), [LOAD_AND_SEND, LOAD], True, False),
    ],
    ids=["no tmux", "tmux", "old tmux", "tmux that fails"],
)
async def test_a_text_goes_by_the_first_way_that_works(
    environ: dict[str, str],
    failing: tuple[Sequence[str], ...],
    ran: list[Sequence[str]],
    is_asked: bool,
    is_confirmed: bool,
) -> None:
    commands, asked = Commands(*failing), list[str]()
    clipboard = Clipboard(environ, commands.run, asked.append)
    assert await clipboard.copy("sslId 7 \ud800") is is_confirmed
    assert commands.ran == [(command, b"sslId 7 ?") for command in ran]
    assert asked == (["sslId 7 ?"] if is_asked else [])


@on_stage
async def test_c_asks_the_terminal_for_its_clipboard() -> None:
    async with staged() as stage:
        with written_to_terminal() as written:
            await stage.press("c")
        (sequence,) = [text for text in written if text.startswith("\x1b]52;c;")]
        assert b"2100342" in b64decode(sequence.removeprefix("\x1b]52;c;").removesuffix("\a"))


@on_stage
async def test_c_in_tmux_fills_its_buffer_and_says_nothing_to_the_terminal() -> None:
    commands = Commands()
    async with staged(outside=Outside(environ=TMUX, run=commands.run)) as stage:
        with written_to_terminal() as written:
            await stage.press("c")
        assert not [text for text in written if "\x1b]52" in text]
        ((command, stdin),) = commands.ran
        assert command == LOAD_AND_SEND
        assert b"2100342" in stdin


@on_stage
async def test_what_was_copied_can_be_seen_and_selected_by_hand() -> None:
    async with staged() as stage:
        await stage.press("Y")
        assert "Nothing was copied yet." in stage.text
        await stage.press("escape", "c", "Y")
        assert "To select, where it did not reach the clipboard:" in stage.text
        shown = [line for line in stage.lines if "sslId 2100342" in line]
        assert shown
        assert not [line for line in stage.lines[2:-1] if "│" in line], "a frame would be selected with the text"


SCREEN = {"STY": "1234.pts-0.host"}


def passed_on_by_screen(written: str) -> str:
    """Return what GNU screen passes on of a text: what stands in each DCS, of which it takes 256 characters at most."""
    parts = re.findall(r"\x1bP(.*?)\x1b\\", written, re.DOTALL)
    assert "".join(f"\x1bP{part}\x1b\\" for part in parts) == written
    assert all(len(part) <= 256 for part in parts)
    return "".join(parts)


@pytest.mark.parametrize("text", ["sslId 7", "x" * 5_000, "日本"])
def test_gnu_screen_is_asked_to_pass_the_request_on(text: str) -> None:
    asked = passed_on_by_screen(request(text, SCREEN))
    assert b64decode(asked.removeprefix("\x1b]52;c;").removesuffix("\a")).decode() == text
    assert request(text, {}) == asked


@on_stage
async def test_c_in_gnu_screen_says_that_it_was_sent_and_which_key_shows_it() -> None:
    async with staged(outside=Outside(environ=SCREEN)) as stage:
        with written_to_terminal() as written:
            await stage.press("c")
        (sequence,) = [text for text in written if text.startswith("\x1bP")]
        assert passed_on_by_screen(sequence).startswith("\x1b]52;c;")
        assert "Sent through GNU screen" in stage.text
        assert "Y shows it" in " ".join(stage.text.split())
