"""Validations that end soon, in words: for the screen and the command line."""

from __future__ import annotations

from datetime import datetime

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.engine.diagnosis.ending import EndingValidation
from sectigo_tui.engine.diagnosis.stages import When
from sectigo_tui.presentation.text import printable

_DAY_SECONDS = 86_400.0


def left_text(row: EndingValidation, now: datetime) -> str:
    """Return how long a validation still lasts, in whole days, or that it has ended."""
    if row.has_ended:
        return "ended"
    days = int(max(0.0, seconds_between(now, When.of(row.expires).latest)) // _DAY_SECONDS)
    return f"{days} d"


def what_text(row: EndingValidation) -> str:
    """Return what was validated, such as `domain acme.example` or `Acme Bank OV`."""
    name = printable(row.name)
    return f"{name} {row.level}" if row.level else f"domain {name}"


def certificates_text(row: EndingValidation) -> str:
    """Return how many certificates will need it; `?` where that is not known."""
    if row.certificates is None:
        return "?"
    return f"{row.certificates}+" if row.are_more else str(row.certificates)
