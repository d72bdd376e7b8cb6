"""Everything of this package behind one port; cryptography loads at the first call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.pki import CSR_BYTES_AT_MOST, CertificateBundle, CsrFacts, KeyOrder
from sectigo_tui.pki import bundle as bundles
from sectigo_tui.pki import csr, keys
from sectigo_tui.pki.files import save_certificate
from sectigo_tui.pki.names import file_stem, parse_name


class PkiTools:
    """Keys, CSRs and bundles by the `cryptography` library; a `CertificateTools`."""

    def read_csr(self, data: bytes) -> CsrFacts:
        """Return what the one CSR in some PEM text or DER says."""
        return csr.read_csr(data)

    def read_csr_file(self, path: str) -> CsrFacts:
        """Return the same of a file; `~` is the home directory."""
        try:
            with Path(path).expanduser().open("rb") as file:
                data = file.read(CSR_BYTES_AT_MOST)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}", "name a file with a CSR in it") from error
        return csr.read_csr(data)

    def check_csr(self, facts: CsrFacts, key_types: Mapping[str, tuple[str, ...]]) -> None:
        """Reject a CSR whose signature is wrong, that names nothing, or whose key the profile does not allow."""
        csr.check_csr(facts, key_types)

    def make_csr(self, order: KeyOrder) -> CsrFacts:
        """Make a private key, put it on disk (0600), and return a CSR for it."""
        return keys.make_csr(order)

    def ordered_name(self, name: str) -> str:
        """Return a name as it is ordered: a lower-case DNS name with IDNs as `xn--` and no final dot, or an address."""
        return str(parse_name(name))

    def read_bundle(self, bundle: bytes, csr_pem: str) -> CertificateBundle:
        """Return a collected bundle in order: the leaf (of the CSR, where there is one) and its chain."""
        return bundles.read_bundle(bundle, csr_pem)

    def read_kept(self, path: str, csr_pem: str) -> CertificateBundle:
        """Return the bundle that was collected to a path."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "collect the certificate again") from error
        return bundles.read_bundle(content, csr_pem)

    def save(self, bundle: CertificateBundle, directory: str, name: str, *, overwrite: bool) -> tuple[str, ...]:
        """Write leaf, chain and full chain as PEM files named after `name`, over others only when told.

        Returns:
            The paths written.
        """
        saved = save_certificate(bundle, Path(directory).expanduser(), file_stem(name), overwrite=overwrite)
        return tuple(map(str, saved))
