"""How long a request may take."""

from __future__ import annotations

from msgspec import Struct


class Timeouts(Struct, frozen=True):
    """How long one request may take.

    Args:
        connect_seconds: To reach the server, TLS included.
        read_seconds: From one answer of the answer to the next. Source: 15 to 60 s observed under load.
        whole_seconds: From the start to the answer's end, so that an answer in drips ends too; None for what it
            takes to connect and three times `read_seconds`.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    whole_seconds: float | None = None

    @property
    def whole_limit_seconds(self) -> float:
        """What `whole_seconds` is, or comes to."""
        if self.whole_seconds is not None:
            return self.whole_seconds
        return self.connect_seconds + 3 * self.read_seconds
