"""certctl-server, an optional peer whose Sectigo issuer needs the same credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sectigo_tui.domain.ports import SecretText
from sectigo_tui.domain.records import Struct


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer as it was read.

    Args:
        id: Its id.
        name: Its name.
        customer_uri: The SCM customer it orders for.
        login: The login it uses.
        document: The whole issuer as certctl-server sent it, to be sent back; nothing else reads it.
    """

    id: str
    name: str
    customer_uri: str
    login: str
    document: bytes = field(repr=False)


class IssuerTest(Struct, frozen=True):
    """The result of certctl-server's own test of an issuer, in its words (untrusted)."""

    successful: bool
    words: str


class Certctl(Protocol):
    """certctl-server. Every method raises `CertctlFailure`, and sends one request."""

    async def issuer(self, issuer_id: str) -> Issuer:
        """Return a Sectigo issuer."""
        ...

    async def put_issuer(self, issuer: Issuer, *, login: str, password: SecretText) -> None:
        """Send an issuer back as it was read, with another login and password."""
        ...

    async def test_issuer(self, issuer_id: str) -> IssuerTest:
        """Have certctl-server test the issuer."""
        ...
