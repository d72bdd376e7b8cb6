"""Certificate requests and collected bundles, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from sectigo_tui.domain.certificates import CertificateFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class CsrFacts:
    """A certificate request as read from itself.

    Args:
        common_name: As decoded, empty without one.
        subject_alternative_names: DNS names and addresses as decoded; other kinds with their kind before.
        key_type: `RSA`, `EC`, or another algorithm's name.
        key_size: Bits, such as `2048`, or a curve, such as `P-256`.
        signature_ok: Whether the request is signed by the key in it.
        public_key_sha256: Hexadecimal, of the DER of the public key.
        pem: The request alone, freshly encoded: nothing of what stood around it.
    """

    common_name: str
    subject_alternative_names: tuple[str, ...]
    key_type: str
    key_size: str
    signature_ok: bool
    public_key_sha256: str
    pem: str

    @property
    def key(self) -> str:
        """Algorithm and size, such as `RSA 2048`."""
        return f"{self.key_type} {self.key_size}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateBundle:
    """A collected certificate, put in order.

    Args:
        leaf_pem: The certificate that was ordered.
        chain_pem: Its issuer, that one's issuer and so on, as far as they came; empty when none did.
        facts: What the leaf says.
    """

    leaf_pem: str
    chain_pem: str
    facts: CertificateFacts

    @property
    def full_chain_pem(self) -> str:
        """The leaf and its chain: what most servers want in one file."""
        return self.leaf_pem + self.chain_pem
