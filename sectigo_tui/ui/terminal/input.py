"""What comes from the terminal as messages, whatever bytes they are: nothing that comes can end the program.

Textual's parser ends with an exception at bytes that are no UTF-8 and at some sequences, and has what it does not know
typed as keys. Here bytes of another encoding become a replacement character, and sequences that nobody understands,
such as answers that nobody asked for, are dropped as a whole.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable, Iterator
from typing import Literal

from textual import _time, events
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message

LARGEST = (1_000, 500)
"""Columns and lines of the largest terminal that is believed."""
FURTHEST = 10_000
"""The furthest cell that the mouse is believed to be at."""
REST_SECONDS = 0.5
"""How long the rest of a sequence that is no key may take, over a slow line."""
PASTE_SECONDS = 10.0
"""How long a paste may stall before it counts as ended: its end was lost, and no key would be one any more."""

_ESC = "\x1b"
_PASTE, _PASTE_END = "\x1b[200~", "\x1b[201~"
_X10_MOUSE = b"\x1b[M"
_X10_BYTES = 3
_LONGEST_SEQUENCE = 31
_WHOLE_SEQUENCE = re.compile(r"\x1b\[(?![\[M])[0-?]*[ -/]*[@-~]|\x1b\[M...|\x1b\[\[.|\x1bO[0-9;]*[@-~]")
# How answers begin that end where they say so: OSC, DCS, APC. Alt with one of these keys begins so too, but not with
# what follows here.
_ANSWER = re.compile(r"\x1b\][0-9]+[;\x07]|\x1bP[0-9>!$+|]|\x1b_G")
_ANSWER_ENDS = "\x07\x18\x1a"


class _Parser(XTermParser):
    """Textual's parser, for which what it cannot read is nothing."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        try:
            keys = list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError, LookupError):
            # A kitty form that nobody asked for, or numbers that are no characters.
            return [] if len(sequence) == 1 else [events.Key(Keys.Ignore, sequence)]
        return [key for key in keys if key.key and _is_text(key.key + (key.character or ""))]

    def parse_mouse_code(self, code: str) -> Message | None:
        try:
            return super().parse_mouse_code(code)
        except (ValueError, ArithmeticError, LookupError):
            return None

    @property
    def is_within(self) -> bool:
        """Whether it has a part of a sequence, and waits for the rest."""
        return self._awaiting.timeout is not None


class TerminalInput:
    """Turns bytes into messages.

    Args:
        debug: Whether Textual's parser logs.

    Attributes:
        has_answered: Whether the terminal has answered something, as it then will again.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self.has_answered = False
        self._debug = debug
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._parser = _Parser(debug)
        self._before = b""
        self._mouse_bytes = 0
        self._sequence = ""
        self._drops: Literal["", "answer", "end", "sequence"] = ""
        self._paste: str | None = None
        self._fed_at = _time.get_time()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield what some bytes mean, with those before them."""
        self._fed_at = _time.get_time()
        yield from self._read(self._decoder.decode(self._without_mouse_bytes(data)))

    def tick(self) -> Iterator[Message]:
        """Yield what is meant where nothing has followed for a while: a lone escape is the key."""
        passed = _time.get_time() - self._fed_at
        if passed >= REST_SECONDS:
            self._mouse_bytes = 0
            yield from self._read(self._decoder.decode(b"", final=True))
        if self._paste is not None:
            if passed >= PASTE_SECONDS:
                yield self._end_paste()
        elif self._drops:
            if passed >= REST_SECONDS:
                self._drops = ""
        elif not self._is_no_key():
            yield from filter(_is_sound, self._parser.tick())
        elif passed >= REST_SECONDS:
            self._forget()

    def _without_mouse_bytes(self, data: bytes) -> bytes:
        """Return data in which the coordinates of X10's mouse reports, which can be any bytes, are plain characters."""
        plain = bytearray()
        for byte in data:
            if self._mouse_bytes:
                self._mouse_bytes -= 1
                plain += b"!"
                continue
            plain.append(byte)
            self._before = (self._before + bytes((byte,)))[-len(_X10_MOUSE) :]
            if self._before == _X10_MOUSE:
                self._mouse_bytes = _X10_BYTES
        return bytes(plain)

    def _read(self, text: str) -> Iterator[Message]:
        while text:
            text = yield from (self._keys(text) if self._paste is None else self._pasted(text))

    def _keys(self, text: str) -> Generator[Message, None, str]:
        """Yield what characters mean until a paste begins, and return those that are left."""
        for position, character in enumerate(text, start=1):
            yield from self._typed(character)
            if self._paste is not None:
                return text[position:]
        return ""

    def _pasted(self, text: str) -> Generator[Message, None, str]:
        """Yield what is pasted, once its end is there, and return the characters that are left."""
        before = self._paste or ""
        self._paste = before + text
        end = self._paste.find(_PASTE_END, max(0, len(before) - len(_PASTE_END)))
        if end < 0:
            return ""
        rest, self._paste = self._paste[end + len(_PASTE_END) :], self._paste[:end]
        yield self._end_paste()
        return rest

    def _end_paste(self) -> Message:
        pasted, self._paste = self._paste or "", None
        return events.Paste(pasted.replace("\0", ""))

    def _typed(self, character: str) -> Iterator[Message]:
        if self._drops == "end" and character != "\\":
            # The escape began something else than what ends an answer.
            self._drops = ""
            yield from self._typed(_ESC)
        if self._drops and self._is_dropped(character):
            return
        if self._parser.is_within and self._is_no_key() and not " " <= character <= "~":
            # What there was is broken off; this begins anew.
            self._forget()
        self._sequence = self._sequence + character if self._parser.is_within and character != _ESC else character
        if self._sequence == _PASTE:
            self._forget()
            self._paste = ""
            return
        if character == "y" and self._sequence.startswith("\x1b[?"):
            self.has_answered = True
        yield from filter(_is_sound, self._parser.feed(character))
        if self._parser.is_within:
            self._drop_unknown()

    def _drop_unknown(self) -> None:
        """Drop a sequence that is whole or too long, and nothing that Textual knows: it would have it typed."""
        if _ANSWER.fullmatch(self._sequence):
            self._drops = "" if self._sequence.endswith("\x07") else "answer"
            self._forget()
        elif _WHOLE_SEQUENCE.fullmatch(self._sequence):
            self._forget()
        elif self._is_no_key() and len(self._sequence) >= _LONGEST_SEQUENCE:
            self._drops = "sequence"
            self._forget()

    def _is_dropped(self, character: str) -> bool:
        """Return whether a character belongs to what is being dropped."""
        dropped, self._drops = self._drops, ""
        match dropped:
            case "end":
                return True
            case "answer":
                self._drops = "end" if character == _ESC else "" if character in _ANSWER_ENDS else dropped
                return True
            case _:
                self._drops = dropped if " " <= character <= "?" else ""
                return " " <= character <= "~"

    def _is_no_key(self) -> bool:
        """Return whether what there is of a sequence can be no key that was typed."""
        return self._parser.is_within and len(self._sequence) > len("\x1b[") and self._sequence[1] == "["

    def _forget(self) -> None:
        """Begin anew after a sequence that is dropped."""
        before, self._parser, self._sequence = self._parser, _Parser(self._debug), ""
        for kept in ("last_x", "last_y", "mouse_pixels", "terminal_size", "terminal_pixel_size"):
            setattr(self._parser, kept, getattr(before, kept))


def _is_sound(message: Message) -> bool:
    """Return whether a message can be true: a terminal's size, and where its mouse is."""
    if isinstance(message, events.Resize):
        return all(1 <= given <= most for given, most in zip(message.size, LARGEST, strict=True))
    if isinstance(message, events.MouseEvent):
        return max(abs(message.x), abs(message.y)) <= FURTHEST
    return True


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
