"""What an operator types to confirm what cannot be undone, so that no poll-alike can pass for it."""

from __future__ import annotations

import unicodedata
from enum import Enum

from sectigo_tui.domain.errors import InputError

_UNSEEN_LETTERS = frozenset(
    chr(code)
    for first, last in ((0x115F, 0x11FF), (0x3164, 0x3164), (0xD7B0, 0xD7FB), (0xFFA0, 0xFFA0))
    for code in range(first, last + 1)
)
"""Hangul fillers, vowels and finals: letters by their category, and on the screen nothing, or over what is before."""


class ConfirmBy(Enum):
    """What is typed."""

    COMMON_NAME = "common name"
    SSL_ID = "sslId"


def confirm_by(common_name: str) -> ConfirmBy:
    """Return what confirms an order of a common name: the name, or its sslId where the name cannot be seen whole.

    A name counts as seen when every character of it shows: no space, control, bidi or zero-width character, no
    combining mark, no filler.
    """
    if common_name and all(map(_shows, common_name)):
        return ConfirmBy.COMMON_NAME
    return ConfirmBy.SSL_ID


def check_typed(typed: str, common_name: str, ssl_id: int) -> None:
    """Refuse what is not exactly what confirms, character by character as it was typed.

    Args:
        typed: What the operator typed.
        common_name: The order's common name; untrusted.
        ssl_id: The order.

    Raises:
        InputError: It is not exactly that.
    """
    by = confirm_by(common_name)
    if typed != (common_name if by is ConfirmBy.COMMON_NAME else str(ssl_id)):
        raise InputError(f"what was typed is not the {by.value}", f"type the {by.value} exactly as it is shown")


def _shows(character: str) -> bool:
    if character.isascii():
        return "!" <= character <= "~"
    return unicodedata.category(character)[0] in "LN" and character not in _UNSEEN_LETTERS
