"""The records which show control over a domain."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """What the owner of a domain publishes.

    Args:
        name: The domain.
        token: Names the record.
        secret: Its content.

    Source: SCM manual 25.5, the examples of "Get SSL certificate DCV details".
    """

    name: str
    token: str
    secret: str

    @classmethod
    def of(cls, name: str, asked_with: str) -> "Record":
        """Return the record for a domain.

        Args:
            name: The domain.
            asked_with: What makes the record unique: the CSR, or anything else of the order.
        """
        token = hashlib.blake2b(asked_with.encode(), digest_size=16).hexdigest().upper()
        return cls(name, token, hashlib.sha256(f"{name}/{asked_with}".encode()).hexdigest())

    @property
    def host(self) -> str:
        """The name of the CNAME or TXT record."""
        return f"_{self.token}.{self.name}."

    @property
    def point(self) -> str:
        """Where the CNAME record points to."""
        half = len(self.secret) // 2
        return f"{self.secret[:half]}.{self.secret[half:]}.sectigo.com.".upper().replace("SECTIGO.COM", "sectigo.com")

    def url(self, mode: str) -> str:
        """Return where the file lies, for HTTP or HTTPS."""
        return f"{mode.lower()}://{self.name}/.well-known/pki-validation/{self.token}.txt"
