"""Everything of this package behind one port, and certificates as files for a server; cryptography loads when used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sectigo_tui.domain.errors import InputError, unwritable
from sectigo_tui.domain.pki import CSR_BYTES_AT_MOST, CertificateBundle, CsrFacts, KeyOrder
from sectigo_tui.durable import create_file, replace_file
from sectigo_tui.pki import bundle as bundles
from sectigo_tui.pki import csr
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
        return csr.make_csr(order)

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


_PUBLIC_MODE = 0o644


def save_certificate(
    bundle: CertificateBundle, directory: Path, stem: str, *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write `STEM.crt.pem`, `STEM.chain.pem` where a chain came with it, and `STEM.fullchain.pem`.

    A file that already has exactly this content is left as it is, so saving twice is saving once.

    Args:
        bundle: The certificate.
        directory: Where to; made when missing.
        stem: What the names begin with, from `names.file_stem`.
        overwrite: Replace files with other content, and remove a chain that is not this certificate's: the operator
            was asked.

    Returns:
        The files, in this order.

    Raises:
        InputError: A file with other content is there, and nothing was written; or one cannot be written.
        NoRoom: The disk is full, or failed.
    """
    contents = {
        directory / f"{stem}.crt.pem": bundle.leaf_pem.encode(),
        directory / f"{stem}.chain.pem": bundle.chain_pem.encode(),
        directory / f"{stem}.fullchain.pem": bundle.full_chain_pem.encode(),
    }
    without = [path for path, content in contents.items() if not content]
    contents = {path: content for path, content in contents.items() if content}
    try:
        stale = [path for path in without if path.exists() or path.is_symlink()]
        pending = {path: content for path, content in contents.items() if not _holds(path, content)}
        taken = [path for path in pending if path.exists() or path.is_symlink()] + stale
        if taken and not overwrite:
            raise _already_there(taken)
        for path, content in pending.items():
            if overwrite:
                replace_file(path, content, mode=_PUBLIC_MODE)
            else:
                create_file(path, content, mode=_PUBLIC_MODE)
        for path in stale:
            # Last: a server that reads the files meanwhile finds the old chain rather than none.
            path.unlink()
    except FileExistsError as error:
        raise _already_there([Path(str(error.filename2 or error.filename))]) from None
    except OSError as error:
        raise unwritable(Path(error.filename or directory), error, "name another directory") from error
    return tuple(contents)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def _already_there(paths: list[Path]) -> InputError:
    return InputError(
        f"{', '.join(map(str, paths))} exists with other content",
        "overwrite it (--overwrite), or name another directory",
    )
