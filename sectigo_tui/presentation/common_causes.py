"""What several orders wait for together."""

from __future__ import annotations

from collections.abc import Iterable

from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.rules.causes import Cause

_NO_CAUSE = frozenset({Cause.NOT_FETCHED, Cause.UNKNOWN_STATUS, Cause.SETTLED})
"""Findings that say what is not known: orders do not share that."""


def shared_causes(diagnoser: Diagnoser, targets: Iterable[Target]) -> list[CommonCause]:
    """Return the causes that at least two orders share by what is known, the one of most orders first.

    Args:
        diagnoser: Says who orders wait for.
        targets: The orders.
    """
    causes = diagnoser.common_causes(targets)
    return [cause for cause in causes if len(cause.orders) > 1 and cause.cause not in _NO_CAUSE]


def filter_of(cause: CommonCause) -> str:
    """Return the filter that lists the orders of a cause."""
    return "|".join(map(str, cause.orders))
