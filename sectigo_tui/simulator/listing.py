"""Listing an account: filters over orders of which most are only computed when they are read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol

from sectigo_tui.simulator.account import Profile
from sectigo_tui.simulator.bulk import Block, serial_of, serial_text
from sectigo_tui.simulator.requests import invalid
from sectigo_tui.simulator.world import Dialect, World

STATUSES = (
    "Init", "Requested", "SAApproved", "Approved", "Applied", "Issued",
    "Declined", "Rejected", "Invalid", "Revoked", "Expired", "Replaced", "Unmanaged",
)  # fmt: skip
"""The statuses a listing can be filtered by. Source: SCM manual 25.5, "List SSL certificates"."""

LARGEST_PAGE = 200
_REMEMBERED = 32
_KNOWN = {
    "joined": {status.lower(): status for status in STATUSES},
    "spaced": {status.replace("SAA", "SA A").lower(): status for status in STATUSES},
}


class Row(Protocol):
    """What listings show of an order and filter by."""

    @property
    def ssl_id(self) -> int: ...  # noqa: D102
    @property
    def common_name(self) -> str: ...  # noqa: D102
    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def profile(self) -> Profile: ...  # noqa: D102
    @property
    def organization_id(self) -> int: ...  # noqa: D102
    @property
    def requester(self) -> str: ...  # noqa: D102
    @property
    def external_requester(self) -> str: ...  # noqa: D102
    @property
    def requested_via(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing, newest orders first.

    Args:
        rows: What each row shows.
        total: How many match in all.
    """

    rows: tuple[dict[str, object], ...]
    total: int


class Listing:
    """The listing of a world.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._scanned: dict[tuple[object, ...], list[int]] = {}

    def page(self, query: Mapping[str, str]) -> Page:
        """Return the page that a query asks for.

        Args:
            query: `size`, `position` and filters; names that are no filter are ignored.

        Raises:
            ApiError: A value is not acceptable.

        Source: SCM manual 25.5, "List SSL certificates"; the largest size is the OpenAPI's, the order of rows, the
        size where none is given and matching by part of a name are assumed.
        """
        size = whole(query, "size", LARGEST_PAGE, largest=LARGEST_PAGE)
        position = whole(query, "position", 0)
        segments = self._segments(query)
        rows = tuple(self._show(ssl_id) for ssl_id in _cut(segments, position, size))
        return Page(rows, sum(len(one) for one in segments))

    def count(self, query: Mapping[str, str]) -> int:
        """Return how many orders match a query."""
        return sum(len(one) for one in self._segments(query))

    def find_serial(self, serial: str) -> int | None:
        """Return the sslId of the certificate with a serial number, however that is written."""
        return next(chain.from_iterable(self._segments({"serialNumber": serial})), None)

    def _segments(self, query: Mapping[str, str]) -> list[Sequence[int]]:
        """Return runs of matching sslIds, newest first, without touching more orders than the filters need."""
        search = _Search(
            self._world, _status(query, self._world.dialect), _tests(query, self._world), self._world.now()
        )
        key = tuple(sorted((name, query[name]) for name in _FILTERS if query.get(name)))
        kept = sorted(self._world.orders, reverse=True)
        segments: list[Sequence[int]] = []
        for block in reversed(self._world.blocks):
            newer = [ssl_id for ssl_id in kept if ssl_id >= block.ids.stop]
            segments += [(ssl_id,) for ssl_id in newer if search.finds(ssl_id)]
            changed = [ssl_id for ssl_id in kept[len(newer) :] if ssl_id >= block.first_id]
            kept = kept[len(newer) + len(changed) :]
            for part in search.parts(block, changed):
                segments.append(self._scan(block, part, search, key) if isinstance(part, range) else part)
        segments += [(ssl_id,) for ssl_id in kept if search.finds(ssl_id)]
        return segments

    def _scan(self, block: Block, ids: range, search: "_Search", key: tuple[object, ...]) -> Sequence[int]:
        if not search.tests:
            return ids
        found = self._scanned.get((ids, key))
        if found is None:
            found = [ssl_id for ssl_id in ids if all(test(block.row(ssl_id)) for test in search.tests)]
            if len(self._scanned) >= _REMEMBERED:
                self._scanned.clear()
            self._scanned[ids, key] = found
        return found

    def _show(self, ssl_id: int) -> dict[str, object]:
        order = self._world.orders.get(ssl_id)
        row: Row
        if order is not None:
            row, serial = order, self._world.serial_text(order)
        else:
            block = next(one for one in self._world.blocks if ssl_id in one.ids)
            row, serial = block.row(ssl_id), serial_text(serial_of(self._world.seed, ssl_id))
        return {
            "sslId": ssl_id,
            "commonName": row.common_name,
            "subjectAlternativeNames": list(row.names),
            "serialNumber": serial,
        }


@dataclass(frozen=True, slots=True)
class _Search:
    """What a query looks for.

    Args:
        world: Where.
        status: The status it asks for, if it does.
        tests: What else a row must pass.
        now: The moment at which statuses are judged.
    """

    world: World
    status: str | None
    tests: Sequence[Callable[[Row], bool]]
    now: datetime

    def finds(self, ssl_id: int) -> bool:
        """Tell whether an order that is kept as such matches."""
        order = self.world.orders[ssl_id]
        if self.status is not None and self.world.course(order, self.now).status != self.status:
            return False
        return all(test(order) for test in self.tests)

    def parts(self, block: Block, changed: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield the runs of a block that have the status, newest first, and between them its changed orders.

        Args:
            block: The block.
            changed: Those of its sslIds which are kept as orders by now, newest first.
        """
        first_issued = block.first_id + block.expired(self.now)
        low, high = {
            None: (block.ids.start, block.ids.stop),
            "Issued": (first_issued, block.ids.stop),
            "Expired": (block.ids.start, first_issued),
        }.get(self.status, (block.ids.start, block.ids.start))
        for ssl_id in changed:
            if max(low, ssl_id + 1) < high:
                yield range(high - 1, max(low, ssl_id + 1) - 1, -1)
            if self.finds(ssl_id):
                yield (ssl_id,)
            high = min(high, ssl_id)
        if low < high:
            yield range(high - 1, low - 1, -1)


_FILTERS = (
    "commonName", "subjectAlternativeName", "sslTypeId", "orgId", "serialNumber", "requester",
    "externalRequester", "requestedVia", "issuer", "~requested", "~issued", "~expires", "~renewed",
)  # fmt: skip

_LONGEST_SPAN_DAYS = 200


def date_spans(query: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return the filters by date of a query as spans of times, which a listing knows.

    Args:
        query: `requestedIn`, `issuedIn`, `renewedIn` (days back) and `expiresIn` (days ahead) among others.
        now: The time.

    Raises:
        ApiError: A value is not 1 to 200.

    Source: SCM OpenAPI 26.7, `/ssl/v2`.
    """
    spans = {}
    for name in ("requested", "issued", "expires", "renewed"):
        days = whole(query, f"{name}In", 0, largest=_LONGEST_SPAN_DAYS)
        if not days:
            if query.get(f"{name}In"):
                raise invalid(f"{name}In")
            continue
        first, last = (now, now + timedelta(days=days)) if name == "expires" else (now - timedelta(days=days), now)
        spans[f"~{name}"] = f"{first.isoformat()}/{last.isoformat()}"
    return spans


def _tests(query: Mapping[str, str], world: World) -> list[Callable[[Row], bool]]:
    """Return what a row must pass, for the filters that a query has."""
    tests: list[Callable[[Row], bool]] = []
    wanted = {name: query[name].strip().lower() for name in _FILTERS if query.get(name, "").strip()}

    def add(name: str, make: Callable[[str], Callable[[Row], bool]]) -> None:
        if name in wanted:
            tests.append(make(wanted[name]))

    add("commonName", lambda text: lambda row: text in row.common_name.lower())
    add("subjectAlternativeName", lambda text: lambda row: any(text in name.lower() for name in row.names))
    add("sslTypeId", lambda text: lambda row: str(row.profile.id) == text)
    add("orgId", lambda text: lambda row: str(row.organization_id) == text)
    add("requester", lambda text: lambda row: text in row.requester.lower())
    add("externalRequester", lambda text: lambda row: text in row.external_requester.lower())
    add("requestedVia", lambda text: lambda row: row.requested_via.lower() == text)
    add("issuer", lambda text: lambda _: text in "simulated organization validation secure server ca")
    spans = [name for name in ("requested", "issued", "expires", "renewed") if query.get(f"~{name}")]
    tests.extend(_span_test(name, query[f"~{name}"], world) for name in spans)
    add("serialNumber", lambda text: _serial_test(text, world))
    return tests


def _span_test(name: str, span: str, world: World) -> Callable[[Row], bool]:
    first, last = (datetime.fromisoformat(end) for end in span.split("/"))
    now = world.now()

    def test(row: Row) -> bool:
        order = world.order(row.ssl_id)
        if order is None:
            return False
        course = world.course(order, now)
        dates = {
            "requested": order.requested,
            "issued": course.issued,
            "expires": course.expires,
            "renewed": order.renewed,
        }
        at = dates[name]
        return at is not None and first <= at <= last

    return test


def _serial_test(text: str, world: World) -> Callable[[Row], bool]:
    try:
        wanted = int(text.replace(":", ""), 16)
    except ValueError:
        return lambda _: False

    def test(row: Row) -> bool:
        order = world.orders.get(row.ssl_id)
        if order is None:
            return serial_of(world.seed, row.ssl_id) == wanted
        return world.serial(order) == wanted and world.course(order).issued is not None

    return test


def _status(query: Mapping[str, str], dialect: Dialect) -> str | None:
    text = query.get("status", "").lower()
    if not text:
        return None
    known = _KNOWN[dialect.status_filter]
    if text not in known:
        raise invalid("status")
    return known[text]


def whole(query: Mapping[str, str], name: str, default: int, *, largest: int | None = None) -> int:
    """Return a whole number of a query.

    Args:
        query: The query.
        name: Its parameter.
        default: What counts where it is absent.
        largest: More is refused; None for no bound.

    Raises:
        ApiError: It is none.
    """
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or (largest is not None and int(text) > largest):
        raise invalid(name)
    return int(text)


def _cut(segments: Iterable[Sequence[int]], position: int, size: int) -> Iterator[int]:
    for segment in segments:
        if size <= 0:
            return
        if position >= len(segment):
            position -= len(segment)
            continue
        part = segment[position : position + size]
        yield from part
        size -= len(part)
        position = 0
