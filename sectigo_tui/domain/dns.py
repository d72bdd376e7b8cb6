"""What DNS says about a domain, and whether its CAA records let Sectigo issue."""

from __future__ import annotations

from typing import Protocol

from sectigo_tui.domain.records import Struct

SECTIGO_CAA_NAMES = frozenset(
    {
        "sectigo.com",
        "usertrust.com",
        "trust-provider.com",
        "comodo.com",
        "comodoca.com",
        "entrust.net",
        "affirmtrust.com",
    }
)
"""The issuer domain names by which a CAA record lets Sectigo issue.

Source: Sectigo TLS CP/CPS 6.2.2, section 4.2.4, which calls the comodo names deprecated and the last two Entrust's.
"""

_CRITICAL_FLAG = 0x80
_UNDERSTOOD_TAGS = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"})
"""Tags which may be critical without stopping an issuance. Source: RFC 8659 and the IANA registry; the CA's own list is
assumed to be no shorter."""


class CaaRecord(Struct, frozen=True):
    """One CAA record; all of it is untrusted text."""

    flags: int
    tag: str
    value: str

    def __str__(self) -> str:
        return f'{self.flags} {self.tag} "{self.value}"'


class CaaAnswer(Struct, frozen=True):
    """The CAA records that hold for a domain.

    Args:
        name: The name that was asked about, without `*.`.
        found_at: The name that has them: itself or the nearest one above it; empty when none has.
        records: The records, in any order.
    """

    name: str
    found_at: str = ""
    records: tuple[CaaRecord, ...] = ()

    def forbidding(self, *, is_wildcard: bool) -> tuple[CaaRecord, ...]:
        """Return the records that keep Sectigo from issuing; none when they let it.

        Parameters after the issuer's name (such as `accounturi`) are not judged: what Sectigo makes of them is not
        known. Source: RFC 8659, sections 4.1 to 4.5.

        Args:
            is_wildcard: Whether the certificate's name begins with `*.`.
        """
        unknown = tuple(
            record
            for record in self.records
            if record.flags & _CRITICAL_FLAG and record.tag.casefold() not in _UNDERSTOOD_TAGS
        )
        if unknown:
            return unknown
        deciding = self._tagged("issue")
        if is_wildcard:
            deciding = self._tagged("issuewild") or deciding
        return () if any(_names_sectigo(record) for record in deciding) else deciding

    def _tagged(self, tag: str) -> tuple[CaaRecord, ...]:
        return tuple(record for record in self.records if record.tag.casefold() == tag)


class Dns(Protocol):
    """The DNS as one resolver sees it. Every method raises `DnsFailure` when it cannot tell."""

    async def caa(self, domain: str) -> CaaAnswer:
        """Return the CAA records that hold for a domain: its own, else those of the nearest name above it.

        Args:
            domain: A domain name, with or without `*.`.
        """
        ...

    async def cname(self, name: str) -> str:
        """Return where a CNAME record points to, without the last dot; empty when there is none."""
        ...

    async def txt(self, name: str) -> tuple[str, ...]:
        """Return the texts of a name's TXT records."""
        ...


def _names_sectigo(record: CaaRecord) -> bool:
    return record.value.partition(";")[0].strip(" \t").casefold() in SECTIGO_CAA_NAMES
