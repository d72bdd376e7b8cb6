"""What was asked of the simulator: a bounded log which tests count requests by."""

import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A request and its answer.

    Args:
        at: Simulated time of its arrival.
        method: HTTP method.
        path: Path without the query.
        query: The query, still encoded.
        status: The status that was sent; None where the connection was dropped.
        code: SCM's error code, where the answer was an error.
        fault: The fault that was injected, if one was.
    """

    at: datetime
    method: str
    path: str
    query: str
    status: int | None
    code: int | None = None
    fault: str | None = None


class Traffic:
    """The latest requests, oldest first, and how many are being answered.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int = 200_000) -> None:
        self.requests: deque[Request] = deque(maxlen=limit)
        self.total = 0
        self.in_flight = 0
        self.peak_in_flight = 0

    def count(self, method: str = "", path: str = "") -> int:
        """Return how many were made.

        Args:
            method: Only of this method.
            path: Only where this regular expression is found in the path.
        """
        return len(self.matching(method, path))

    def matching(self, method: str = "", path: str = "") -> list[Request]:
        """Return those of a method whose path has a match of a regular expression."""
        pattern = re.compile(path)
        return [one for one in self.requests if (not method or one.method == method) and pattern.search(one.path)]

    def begin(self) -> None:
        """Count a request in."""
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def end(self, request: Request) -> None:
        """Count a request out and remember it."""
        self.in_flight -= 1
        self.total += 1
        self.requests.append(request)

    def clear(self) -> None:
        """Forget what was seen; what is in flight stays counted."""
        self.requests.clear()
        self.total = 0
        self.peak_in_flight = self.in_flight
