"""What can be done with orders, and why not where it cannot: the action menu's table."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.status import is_same
from sectigo_tui.engine.removing import is_removable
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.menu import MenuItem
from sectigo_tui.ui.flows import collect, decide, enroll, renew, revoke, rotate, tidy
from sectigo_tui.ui.flows.flow import Flow

Subjects = Sequence[Subject]
Run = Callable[[Flow, Subjects], Coroutine[Any, Any, None]]
WhyNot = Callable[[Subject], str]


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the menu.

    Args:
        id: What it is called.
        key: The key that chooses it in the menu.
        title: What it does.
        run: Does it, asking what it needs to know.
        why_not: Why an order is no case for it; empty when it is one.
        for_orders: Whether it is about orders at all.
        for_many: Whether several marked orders may be done at once.
        is_write: Whether it changes something at SCM, and is locked in read-only mode.
    """

    id: str
    key: str
    title: str
    run: Run
    why_not: WhyNot = lambda _subject: ""
    for_orders: bool = True
    for_many: bool = False
    is_write: bool = True


def _alone(run: Callable[[Flow, Subject], Coroutine[Any, Any, None]]) -> Run:
    return lambda flow, subjects: run(flow, subjects[0])


def _waits_for_approval(subject: Subject) -> str:
    if subject.ssl_id is None:
        return "not at SCM yet"
    waits = is_same(subject.status, "Requested") or is_same(subject.status, "SA Approved")
    return "" if waits or not subject.status else f"{subject.status}: not waiting for approval"


def _can_be_collected(subject: Subject) -> str:
    if subject.ssl_id is None:
        return "not at SCM yet"
    order = subject.order
    if order is not None and (order.state in (OrderState.ISSUED, OrderState.COLLECTED) or order.certificate_path):
        return ""
    return "" if is_same(subject.status, "Issued") or not subject.status else f"{subject.status}: not issued"


def _can_be_revoked(subject: Subject) -> str:
    if subject.ssl_id is None:
        return "not at SCM yet"
    if subject.order is not None and subject.order.state in (OrderState.REVOKED, OrderState.REVOKING):
        return f"it is {subject.order.state}"
    return "" if is_same(subject.status, "Issued") or not subject.status else f"{subject.status}: not issued"


def _can_be_renewed(subject: Subject) -> str:
    if subject.ssl_id is None:
        return "not at SCM yet"
    wanted = is_same(subject.status, "Issued") or is_same(subject.status, "Expired") or not subject.status
    return "" if wanted else f"{subject.status}: not issued"


def _can_be_removed(subject: Subject) -> str:
    if subject.order is None:
        return "not a local order"
    return "" if is_removable(subject.order) else f"{subject.order.state}: not finished"


def _in_doubt(subject: Subject) -> str:
    order = subject.order
    if order is None or order.state is not OrderState.UNCONFIRMED:
        return "its answer was not lost"
    return "it is still searched for" if order.placement is not None and order.placement.is_searched_for else ""


ACTIONS = (
    Action("enroll", "e", "Enroll: order a certificate", lambda flow, _: enroll.enroll(flow), for_orders=False),
    Action("approve", "p", "Approve", decide.approve, _waits_for_approval, for_many=True),
    Action("decline", "d", "Decline", _alone(decide.decline), _waits_for_approval),
    Action("collect", "c", "Collect and save", collect.collect, _can_be_collected, for_many=True, is_write=False),
    Action("renew", "n", "Renew: order again", _alone(renew.renew), _can_be_renewed),
    Action("revoke", "v", "Revoke", _alone(revoke.revoke), _can_be_revoked),
    Action(
        "rotate", "o", "Rotate the credentials", lambda flow, _: rotate.rotate(flow), for_orders=False, is_write=False
    ),
    Action("order_again", "g", "Order a lost order again", _alone(tidy.order_again), _in_doubt),
    Action("give_up", "u", "Give a lost order up", _alone(tidy.give_up), _in_doubt, is_write=False),
    Action("remove", "m", "Remove from the list", tidy.remove, _can_be_removed, for_many=True, is_write=False),
)


def menu_items(subjects: Subjects, *, locked: str = "") -> tuple[MenuItem, ...]:
    """Return the menu for the marked orders, or the one under the cursor.

    Args:
        subjects: The orders; none when there are none.
        locked: Why nothing is changed at SCM now, and what unlocks it; empty when nothing is locked.
    """
    return tuple(
        MenuItem(action.id, action.key, action.title, _why_not(action, subjects, locked)) for action in ACTIONS
    )


def action_of(action_id: str) -> Action:
    """Return an action by its id."""
    return next(action for action in ACTIONS if action.id == action_id)


def _why_not(action: Action, subjects: Subjects, locked: str) -> str:
    if locked and action.is_write:
        return locked
    if not action.for_orders:
        return ""
    if not subjects:
        return "no order is chosen"
    if len(subjects) > 1 and not action.for_many:
        return f"one at a time: {len(subjects)} are marked"
    reasons = [reason for subject in subjects if (reason := action.why_not(subject))]
    if not reasons:
        return ""
    return reasons[0] if len(subjects) == 1 else f"{len(reasons)} of {len(subjects)}: {reasons[0]}"
