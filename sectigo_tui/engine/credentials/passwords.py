"""Passwords: one that nobody has seen, and when one expires."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.ports import SecretText

SOON = timedelta(days=14)
"""A password that expires within this time is worth a warning."""

_LENGTH = 28
_SHORT_LENGTH = 20
_SHORTEST = 8
_LETTERS = "abcdefghijkmnopqrstuvwxyz"
_CLASSES = (_LETTERS, _LETTERS.upper(), "23456789")
_SPECIAL = "!#$%*+-=?@_"
_PLAIN_SPECIAL = "!@#$"
_AT_MOST = re.compile(r"(?:no more than|at most|maximum(?: of)?|up to|exceed)\D{0,20}(\d{1,3})", re.IGNORECASE)


def new_password(login: str, *, refused_with: str | None = None) -> SecretText:
    """Return a random password.

    Args:
        login: What it must not contain.
        refused_with: The policy's text, when SCM rejected another one by it: this one is then shorter, of plainer
            characters, and no longer than the text allows.
    """
    length, special = _LENGTH, _SPECIAL
    if refused_with is not None:
        told = _AT_MOST.search(refused_with)
        length = max(_SHORTEST, min(_SHORT_LENGTH, int(told[1]))) if told else _SHORT_LENGTH
        special = _PLAIN_SPECIAL
    classes = (*_CLASSES, special)
    everything = "".join(classes)
    while True:
        characters = [secrets.choice(each) for each in classes]
        characters += [secrets.choice(everything) for _ in range(length - len(classes))]
        secrets.SystemRandom().shuffle(characters)
        password = "".join(characters)
        # Begins with a letter, since some policies ask for it.
        if password[0].isalpha() and not (login and login.casefold() in password.casefold()):
            return SecretText(password)


def days_left(status: PasswordStatus, now: datetime) -> int | None:
    """Return the whole days until a password expires, negative after; None when it never does or SCM did not say."""
    if status.expires is None:
        return None
    if isinstance(status.expires, datetime):
        return (status.expires - now).days
    return (status.expires - now.date()).days


def expires_soon(status: PasswordStatus, now: datetime) -> bool:
    """Return whether a password has expired, or will within 14 days."""
    left = days_left(status, now)
    return status.state.upper() == "EXPIRED" or (left is not None and left < SOON.days)
