"""Reading a CSR that the operator names."""

from __future__ import annotations

from pathlib import Path

from sectigo_tui.domain.errors import InputError

BYTES_AT_MOST = 100_000


def read_csr_file(path: str) -> bytes:
    """Return the beginning of a file, as much as any CSR has.

    Args:
        path: The file; `~` is the home directory.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with Path(path).expanduser().open("rb") as file:
            return file.read(BYTES_AT_MOST)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "name a file with a CSR in it") from error
