"""Versions of what is stored: older ones are brought up to date as they are read, newer ones are never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.documents import Document

SCHEMA_VERSION = 2
"""What this program writes. It grows with every change of a stored document, an added field included."""


def _unchanged(document: Document) -> Document:
    return document


MIGRATIONS: Mapping[int, Callable[[Document], Document]] = {1: _unchanged}
"""From a version to the next: takes an order's document and returns it with the next version's fields.

2: a window counts how often it was opened by itself; the journal has lines with a window alone, and segments.
"""


def migrated(
    document: Document,
    version: int,
    *,
    steps: Mapping[int, Callable[[Document], Document]] = MIGRATIONS,
    newest: int = SCHEMA_VERSION,
) -> Document:
    """Return an order's document as the newest version has it.

    Args:
        document: The document, used up.
        version: The version it was written by, at most `newest`.
        steps: From each older version to the next.
        newest: The version wanted.

    Raises:
        KeyError: No step leads on from a version.
    """
    for older in range(version, newest):
        document = steps[older](document)
    return document


def too_new(path: str, version: int) -> StoreError:
    """Return the failure to report for a file that a newer program wrote: nothing of it is changed."""
    return StoreError(
        path,
        f"written by a newer sectigo-tui (schema {version}; this one knows up to {SCHEMA_VERSION})",
        "install that version again; nothing was changed",
    )
