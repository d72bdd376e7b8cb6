"""The standard streams as the program needs them: open, and able to spell every text: the standard library alone."""

from __future__ import annotations

import io
import os
import sys

_OUTPUTS = ("stdout", "stderr")


class ClosedStream(io.TextIOBase):
    """Stands for a stream that was closed before the program started; what is written there is a failure when flushed.

    Attributes:
        has_lost: Whether something was written.
    """

    def __init__(self) -> None:
        self.has_lost = False

    def write(self, text: str) -> int:
        """Lose a text."""
        self.has_lost = self.has_lost or bool(text)
        return len(text)

    def flush(self) -> None:
        """Tell that something was lost.

        Raises:
            OSError: It was.
        """
        if self.has_lost:
            self.has_lost = False
            raise OSError(None, "it is closed")


def settle_streams() -> None:
    """Keep files from taking a closed stream's place, and have what the locale cannot spell written as its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest that is free is taken. Without it the next file would be: a journal that gets what is printed.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - a descriptor, and for good
    for name in _OUTPUTS:
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, ClosedStream())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
