"""Certificate requests and collected bundles, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.domain.records import Struct

CSR_BYTES_AT_MOST = 100_000
"""As much of a file is read as any CSR has."""


class CsrFacts(Struct, frozen=True, kw_only=True):
    """A certificate request as read from itself.

    Args:
        common_name: As decoded, the last of several, empty without one.
        subject_alternative_names: DNS names and addresses as decoded.
        key_type: `RSA`, `EC`, or another algorithm's name.
        key_size: Bits, such as `2048`, or a curve, such as `P-256`.
        signature_ok: Whether the request is signed by the key in it; None where that cannot be checked here.
        pem: The request alone, freshly encoded: nothing of what stood around it.
        common_names: All common names, in order; empty where `common_name` is the only one or there is none.
        other_names: Alternative names of other kinds, each with its kind: they cannot be ordered.
        cautions: Why a public CA may reject it although it is sound, each as a sentence without its period.
    """

    common_name: str
    subject_alternative_names: tuple[str, ...]
    key_type: str
    key_size: str
    signature_ok: bool | None
    pem: str
    common_names: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Algorithm and size, such as `RSA 2048`."""
        return f"{self.key_type} {self.key_size}".strip()


class CertificateBundle(Struct, frozen=True, kw_only=True):
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


class KeyOrder(Struct, frozen=True, kw_only=True):
    """A private key to be made here, and the names to be certified for it.

    Args:
        path: Where the key goes; nothing may be there.
        common_name: A DNS name or address.
        alternative_names: More of them.
        key_type: `RSA` or `EC`.
        key_size: A size or curve, as the profile spells it.
        passphrase: What the key is encrypted with; None leaves it to the file's permissions.
    """

    path: str
    common_name: str
    alternative_names: Sequence[str] = ()
    key_type: str
    key_size: str
    passphrase: SecretText | None = None


class CertificateTools(Protocol):
    """Keys, CSRs and bundles. Every method may take seconds, and raises `InputError` with what is wrong."""

    def read_csr(self, data: bytes) -> CsrFacts:
        """Return what the one CSR in some PEM text or DER says."""
        ...

    def read_csr_file(self, path: str) -> CsrFacts:
        """Return the same of a file; `~` is the home directory."""
        ...

    def check_csr(self, facts: CsrFacts, key_types: Mapping[str, tuple[str, ...]]) -> None:
        """Reject a CSR whose signature is wrong, that names nothing, or whose key the profile does not allow."""
        ...

    def make_csr(self, order: KeyOrder) -> CsrFacts:
        """Make a private key, put it on disk (0600), and return a CSR for it."""
        ...

    def ordered_name(self, name: str) -> str:
        """Return a name as it is ordered: a lower-case DNS name with IDNs as `xn--` and no final dot, or an address."""
        ...

    def read_bundle(self, bundle: bytes, csr_pem: str) -> CertificateBundle:
        """Return a collected bundle in order: the leaf (of the CSR, where there is one) and its chain."""
        ...

    def read_kept(self, path: str, csr_pem: str) -> CertificateBundle:
        """Return the bundle that was collected to a path."""
        ...

    def save(self, bundle: CertificateBundle, directory: str, name: str, *, overwrite: bool) -> tuple[str, ...]:
        """Write leaf, chain and full chain as PEM files named after `name`, over others only when told.

        Returns:
            The paths written.
        """
        ...
