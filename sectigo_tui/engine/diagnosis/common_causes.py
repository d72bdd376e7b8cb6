"""What many orders have in common: pending orders grouped by shared cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause, Cause, Party
from sectigo_tui.engine.diagnosis.verdict import Verdict

OrderRef = int | str
"""An order by its sslId, or by its local id while it has none."""


class CommonCause(Struct, frozen=True):
    """Orders that wait for one thing.

    Args:
        cause: Why they wait.
        party: Who must act.
        about: What they share, such as `organization 1002 OV`; empty where it is the cause alone.
        about_name: The same for a person; untrusted text, already quoted.
        orders: The orders.
        waiting_only_for_this: Those of them that wait for nothing else.
        blocking_cause: One of the blocking causes, for its text and its next action.
    """

    cause: Cause
    party: Party
    about: str
    about_name: str
    orders: tuple[OrderRef, ...]
    waiting_only_for_this: tuple[OrderRef, ...]
    blocking_cause: BlockingCause

    @property
    def text(self) -> str:
        """One line, such as `9 orders, organization Acme Logistics: its OV validation is pending`."""
        count = len(self.orders)
        orders = "1 order" if count == 1 else f"{count} orders"
        return f"{orders}, {_words(self)}"


def common_causes(verdicts: Iterable[tuple[OrderRef, Verdict]], *, primary_only: bool = False) -> list[CommonCause]:
    """Group orders by the causes they share, the largest group first.

    Args:
        verdicts: Pairs of order and verdict; what is settled is left out.
        primary_only: Whether each order is in the group of its verdict alone, rather than in that of every cause.

    Returns:
        The groups; one that a single order is in is a group too.
    """
    groups: dict[tuple[Cause, str], list[tuple[OrderRef, BlockingCause, bool]]] = {}
    for ref, verdict in verdicts:
        if verdict.cause is Cause.SETTLED:
            continue
        blocking_causes = (verdict.primary,) if primary_only else (verdict.primary, *verdict.others)
        distinct = {(blocking_cause.cause, blocking_cause.about): blocking_cause for blocking_cause in blocking_causes}
        is_only = len({blocking_cause.cause for blocking_cause in (verdict.primary, *verdict.others)}) == 1
        for key, blocking_cause in distinct.items():
            groups.setdefault(key, []).append((ref, blocking_cause, is_only))
    common = [_common(cause, about, members) for (cause, about), members in groups.items()]
    return sorted(common, key=lambda group: (-len(group.orders), group.cause.rank, group.about))


def _common(cause: Cause, about: str, members: list[tuple[OrderRef, BlockingCause, bool]]) -> CommonCause:
    blocking_cause = members[0][1]
    return CommonCause(
        cause=cause,
        party=blocking_cause.party if blocking_cause.is_certain else Party.UNKNOWN,
        about=about,
        about_name=blocking_cause.about_name or about,
        orders=tuple(sorted((ref for ref, _, _ in members), key=str)),
        waiting_only_for_this=tuple(sorted((ref for ref, _, is_only in members if is_only), key=str)),
        blocking_cause=blocking_cause,
    )


def _words(group: CommonCause) -> str:
    kind, _, rest = group.about.partition(" ")
    level = rest.rpartition(" ")[2]
    if kind == "organization" and level in _ORGANIZATION_LEVELS and group.cause in _ORGANIZATION_WORDS:
        return f"organization {group.about_name}: {_ORGANIZATION_WORDS[group.cause].format(level=level)}"
    if kind == "domain":
        return f"domain {group.about_name}: {group.cause}"
    if kind == "CAA":
        return f"zone {group.about_name}: {group.cause}"
    return str(group.cause)


_ORGANIZATION_LEVELS = ("OV", "EV")
_ORGANIZATION_WORDS = {
    Cause.ORGANIZATION_PENDING: "waiting for its {level} validation",
    Cause.ORGANIZATION_FAILED: "its {level} validation has failed",
    Cause.ORGANIZATION_EXPIRED: "its {level} validation has expired",
    Cause.ORGANIZATION_MISSING: "not validated for {level}",
}
