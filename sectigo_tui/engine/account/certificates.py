"""Certificates in use, compressed: thousands of them take little memory, and the first ones are at hand at once."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import Certificate
from sectigo_tui.domain.clock import Moment, moment_from
from sectigo_tui.domain.names import name_keys
from sectigo_tui.domain.status import StatusClass, classify

_PAGE = 200
_NO_KEY = 0


class CertificateInUse(Struct, frozen=True):
    """The certificate in use for some names.

    Args:
        ssl_id: Its sslId.
        expires: When it ends.
    """

    ssl_id: int
    expires: Moment


class Certificates(Struct, frozen=True):
    """Certificates, the 600 that end soonest first and sorted: 20,000 of them take 2 MB, and 30 as records.

    Args:
        pages: What is known of each, compressed, 200 at a time.
        keys: A hash of the names of each, 8 bytes each; 0 for one that is not in use.
        ids: The sslId of each, 8 bytes each.
        ends: When each ends, as a number that sorts as the moment does, 8 bytes each.
    """

    pages: tuple[bytes, ...] = ()
    keys: bytes = b""
    ids: bytes = b""
    ends: bytes = b""

    def __len__(self) -> int:
        """How many they are."""
        return len(self.ids) // 8

    def __iter__(self) -> Iterator[Certificate]:
        """Yield each, made anew."""
        for page in self.pages:
            yield from _unpacked(page)

    def first(self, count: int) -> tuple[list[Certificate], Moment | None]:
        """Return the first ones, and of all others for the same names as much as shows that they take their place.

        Args:
            count: How many, at least; not those for the same names.

        Returns:
            They, and when the first one ends that is left out; None where none is.
        """
        pages = -(-count // _PAGE)
        found = [one for page in self.pages[:pages] for one in _unpacked(page)]
        keys, ids, ends = map(_numbers, (self.keys, self.ids, self.ends))
        rest = range(len(found), len(self))
        of_key = {key: one for key, one in zip(keys, found, strict=False) if key != _NO_KEY}
        # Their pages are left alone: what is in use is issued, and its names are known by their hash.
        found += [
            replace(of_key[keys[at]], ssl_id=ids[at], status="Issued", expires=_moment_of(ends[at]))
            for at in rest
            if keys[at] in of_key
        ]
        return found, _moment_of(min(ends[rest.start :])) if rest else None


class ByNames:
    """Finds the certificate in use for some names.

    Args:
        certificates: Among these.
    """

    def __init__(self, certificates: Certificates) -> None:
        keys, ids, ends = map(_numbers, (certificates.keys, certificates.ids, certificates.ends))
        order = sorted(range(len(keys)), key=ends.__getitem__)
        order.sort(key=keys.__getitem__)
        self._keys, self._ids, self._ends = (array("q", map(one.__getitem__, order)) for one in (keys, ids, ends))

    def find(self, names: Iterable[str]) -> CertificateInUse | None:
        """Return the one of some names that ends last; None for none."""
        key = _key_of(name_keys(names)) if self._keys else _NO_KEY
        at = bisect_right(self._keys, key) - 1
        if key == _NO_KEY or at < 0 or self._keys[at] != key:
            return None
        return CertificateInUse(self._ids[at], _moment_of(self._ends[at]))


class Packing:
    """Compresses certificates while they are read, and keeps apart those that end soonest."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._soonest: list[_Row] = []
        self._later = Certificates()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ids)

    def add(self, certificate: Certificate) -> None:
        """Take a certificate, unless it was taken before."""
        if certificate.ssl_id in self._ids:
            return
        self._ids.add(certificate.ssl_id)
        is_in_use = certificate.expires is not None and classify(certificate.status) is StatusClass.ISSUED
        names = (certificate.common_name, *certificate.subject_alternative_names)
        key = _key_of(name_keys(names)) if is_in_use else _NO_KEY
        end = _number_of(certificate.expires)
        self._soonest.append((end, certificate.ssl_id, key, msgspec.json.encode(certificate)))
        if len(self._soonest) >= 2 * _SOONEST:
            self._soonest.sort()
            self._later = _joined(self._later, _packed(self._soonest[_SOONEST:]))
            del self._soonest[_SOONEST:]

    def certificates(self) -> Certificates:
        """Return what was taken."""
        return _joined(_packed(sorted(self._soonest)), self._later)


_SOONEST = 600
_Row = tuple[int, int, int, bytes]
"""When a certificate ends, its sslId, the hash of its names, and it as JSON."""


def _packed(rows: Sequence[_Row]) -> Certificates:
    pages = (rows[first : first + _PAGE] for first in range(0, len(rows), _PAGE))
    ends, ids, keys = (
        array("q", numbers).tobytes()
        for numbers in ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    )
    return Certificates(
        tuple(zlib.compress(b"[" + b",".join(row[-1] for row in page) + b"]") for page in pages), keys, ids, ends
    )


def _joined(one: Certificates, other: Certificates) -> Certificates:
    return Certificates(one.pages + other.pages, one.keys + other.keys, one.ids + other.ids, one.ends + other.ends)


def _unpacked(page: bytes) -> Sequence[Certificate]:
    return msgspec.json.decode(zlib.decompress(page), type=list[Certificate], dec_hook=moment_from)


def _numbers(told: bytes) -> array[int]:
    return array("q", told)


def _key_of(names: frozenset[str]) -> int:
    """Return a hash of names, of 64 bits: that two of 20,000 are the same by chance is out of the question."""
    if not names:
        return _NO_KEY
    told = hashlib.blake2b("\0".join(sorted(names)).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(told, "big", signed=True)


_YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_LAST_DAY = (date.max.toordinal() - 1) * 86_400 * 2


def _number_of(moment: Moment | None) -> int:
    """Return a moment as a number that sorts as it does: twice the seconds since year 1, odd where it is no day."""
    if moment is None:
        return _LAST_DAY
    if isinstance(moment, datetime):
        return (moment - _YEAR_1) // _SECOND * 2 + 1
    return (moment.toordinal() - 1) * 86_400 * 2


def _moment_of(number: int) -> Moment:
    at = _YEAR_1 + number // 2 * _SECOND
    return at if number % 2 else at.date()
