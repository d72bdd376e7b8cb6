"""The field that a CSR is pasted into, and a private key is not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from textual import events, on
from textual.message import Message
from textual.widgets import TextArea

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")
_LONGEST_END = 80
"""The characters within which the line that ends a key is found."""


class CsrText(TextArea):
    """Holds a CSR in PEM; a private key that is pasted into it is neither kept nor shown.

    A terminal that cannot mark a paste types it: then the key's first line is taken away again, and what follows is
    dropped until the key's last line.

    Args:
        text: What it holds at first.
        id: The field's id.
    """

    DEFAULT_CSS = "CsrText { height: 8; }"

    @dataclass
    class KeyRefused(Message):
        """A private key was kept out."""

    def __init__(self, text: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(text, id=id, compact=True, soft_wrap=False)
        self._dropped: str | None = None

    async def _on_paste(self, event: events.Paste) -> None:
        if _BEGIN.search(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(self.KeyRefused())

    async def _on_key(self, event: events.Key) -> None:
        if self._dropped is None or not (event.is_printable or event.key == "enter"):
            return
        event.stop()
        event.prevent_default()
        self._dropped = (self._dropped + (event.character or ""))[-_LONGEST_END:]
        if _END.search(self._dropped):
            self._dropped = None

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        self._dropped = None

    @on(TextArea.Changed)
    def _take_key_away(self, message: TextArea.Changed) -> None:
        message.stop()
        begin = _BEGIN.search(self.text)
        if begin is None:
            return
        end = _END.search(self.text)
        self._dropped = "" if end is None else None
        # Loaded, not edited: what an edit takes away can be had back by undo.
        self.load_text(self.text[: begin.start()])
        self.move_cursor(self.document.end)
        self.post_message(self.KeyRefused())
