"""A collected certificate as files for a server: never over others without being asked."""

from __future__ import annotations

from pathlib import Path

from sectigo_tui.domain.errors import InputError, unwritable
from sectigo_tui.domain.pki import CertificateBundle
from sectigo_tui.durable import create_file, replace_file

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
