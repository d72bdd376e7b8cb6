"""Whatever bytes come from the terminal, they are keys, pastes and reports, or nothing: they end nothing."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from textual import _parser, _time, events
from textual.message import Message

from sectigo_tui.ui.terminal.input import PASTE_SECONDS, REST_SECONDS, TerminalInput
from support.ui_stage import on_stage, staged

J = ["j"]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def time(self) -> float:
        return self.seconds


def told(messages: list[Message]) -> list[str]:
    """Return keys by their name, what is pasted in quotes, and other messages by their kind."""
    names = []
    for message in messages:
        match message:
            case events.Key(key=key):
                names.append(key)
            case events.Paste(text=text):
                names.append(repr(text))
            case _:
                names.append(type(message).__name__)
    return names


def read(*chunks: bytes | float) -> list[str]:
    """Return what bytes mean that come one after another, numbers being seconds in which none come."""
    clock = Clock()
    with mock.patch.object(_time, "get_time", clock.time), mock.patch.object(_parser, "get_time", clock.time):
        source, messages = TerminalInput(), list[Message]()
        for chunk in (*chunks, 1.0):
            if isinstance(chunk, bytes):
                messages += source.feed(chunk)
            else:
                clock.seconds += chunk
                messages += source.tick()
    return told(messages)


@pytest.mark.parametrize(
    ("chunks", "meant"),
    [
        ([b"j"], J),
        ([b"\x1b"], ["escape"]),
        ([b"\x1b[A\x1bOB\x1b[[A\x1b[23$\x1bj"], ["up", "down", "f1", "f23", "alt+j"]),
        ([b"\x1b", b"[", b"A"], ["up"]),
        ([b"\x1b\x1b[A"], ["escape", "up"]),
        ([b"\xc3", b"\xa4"], ["ä"]),
        ([b"\x1b[13;5u\x1b[97;;229u"], ["ctrl+enter", "å"]),
        ([b"\x1b[<0;5;5M\x1b[<0;5;5m"], ["MouseDown", "MouseUp"]),
        ([b"\x1b[200~a\nb\x1b[201~j\x1b[200~x\x1b[20", b"1~j"], ["'a\\nb'", "j", "'x'", "j"]),
        ([b"\x1b[20", b"0~x", b"y\x1b[201~"], ["'xy'"]),
        ([b"\x1b[200~x", PASTE_SECONDS, b"j"], ["'x'", "j"]),
    ],
)
def test_what_is_typed_and_pasted_is_understood_however_it_comes(chunks: list[bytes | float], meant: list[str]) -> None:
    assert read(*chunks) == meant


@pytest.mark.parametrize(
    "chunks",
    [
        [b"\x1b[M \xc3\xa1"],
        [b"\x1b[M", b"\xe4", b"\xff\xfe"],
        [b"\x1b[M \xe4\x1b"],
        [b"\x1b[M#\xe0\xa0"],
        [b"\x1b[M#", REST_SECONDS],
        [b"\x1b[32;120;40M"],
        [b"\x1b[<0;99999999999;1M"],
        [b"\x1b[<0;--5;3M"],
        [b"\x1b[97:65;2u"],
        [b"\x1b[97;1:3u"],
        [b"\x1b[1;5:3A"],
        [b"\x1b[1114112u"],
        [b"\x1b[55296u"],
        [b"\x1b[97;;55296u"],
        [b"\x1b[97;;1114112u"],
        [b"\x1b[" + b"9" * 30 + b"u"],
        [b"\x1b[" + b"9" * 90 + b"u"],
        [b"\x1b[" + b"9" * 90, b"9" * 90 + b"~"],
        [b"\x1b[48;0;0;0;0t"],
        [b"\x1b[48;99999;99999;1;1t"],
        [b"\x1b[48;24;80;0;0t\x1b[?2048;4$y\x1b[48;0;0;0;0t\x1b[<0;5;5x"],
        [b"\x1b[?62;4;22c"],
        [b"\x1b[>41;354;0c"],
        [b"\x1b[?1u"],
        [b"\x1b[8;24;80t"],
        [b"\x1b]11;rgb:1e1e/1e1e/1e1e\x07"],
        [b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\"],
        [b"\x1b]11;rgb:1e1e", b"/1e1e/1e1e", b"\x1b", b"\\"],
        [b"\x1b]52;c;" + b"qq" * 9_000 + b"\x07"],
        [b"\x1b]11;rgb:1e1e", REST_SECONDS],
        [b"\x1bP>|XTerm(380)\x1b\\"],
        [b"\x1bP1+r544e=787465726d\x1b\\"],
        [b"\x1b_Gi=1;OK\x1b\\"],
        [b"\x1bOz"],
        [b"\x1b[1;", REST_SECONDS],
        [b"\x1b[1;\x1b[?25;1$y"],
    ],
    ids=repr,
)
def test_what_nobody_understands_is_dropped_and_the_key_after_it_is_not(chunks: list[bytes | float]) -> None:
    assert [name for name in read(*chunks, b"j") if name not in ("Resize", "InBandWindowResize")] == J


def test_a_letter_of_another_encoding_is_seen_to_be_one() -> None:
    assert read(b"m\xfcll\xe4") == ["m", "replacement_character", "l", "l", "replacement_character"]


def test_an_answer_that_ends_as_a_key_begins_leaves_the_key() -> None:
    assert read(b"\x1b]11;rgb:1e1e\x1b[Aj") == ["up", "j"]


PIECES = (
    *(b"\x1b", b"\x1b[", b"\x1b[M", b"\x1b[<", b"\x1bO", b"\x1b]", b"\x1bP", b"\x1b[200~", b"\x1b[201~", b"\x1b[48;"),
    *(b";", b":", b"0", b"1", b"-5", b"2026", b"1114112", b"55296", b"99999999999999999999", b"?", b"$y", b"u", b"~"),
    *(b"M", b"m", b"t", b"R", b"A", b"\xc3", b"\xa4", b"\xff", b"\x80", b"\x00", b"\r", b"\x07", b"\\", b"a"),
)
ANY_BYTES = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=30).map(b"".join)


@given(st.lists(st.one_of(ANY_BYTES, st.sampled_from((0.2, 1.0, 11.0))), max_size=10))
@example([b"\xe4"])
@example([b"\x1b[M \xe1\xe1"])
@example([b"\x1b[97:65;2u"])
@example([b"\x1b[48;1;1;1;1t\x1b[?2048;1$y\x1b[48;0;0;0;0t\x1b[<0;5;5M"])
@settings(max_examples=300, deadline=None)
def test_no_bytes_are_too_much_for_it_and_a_key_after_a_pause_is_one(chunks: list[bytes | float]) -> None:
    assert read(*chunks, b"\x1b\\\x18", PASTE_SECONDS, PASTE_SECONDS, PASTE_SECONDS, b"j")[-1:] == J


@given(st.lists(ANY_BYTES, min_size=1, max_size=5))
@example([b"\xe4\xff", b"/\xe4\xed\xa0\x80\x1b[55296u\r"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_dashboard_survives_whatever_is_typed(chunks: list[bytes]) -> None:
    @on_stage
    async def story() -> None:
        async with staged() as stage:
            source = TerminalInput()
            for chunk in chunks:
                for message in (*source.feed(chunk), *source.tick()):
                    stage.app.post_message(message)
                await stage.wait(0.3)
            assert stage.app.fatal_error is None

    story()
