"""What can be done with orders, and why not where it cannot: the action menu's table."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.status import is_same, waits_for_approval
from sectigo_tui.engine.orders.track import is_removable
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.dialogs.menu import MenuItem
from sectigo_tui.ui.workflows import certctl_orders, enroll, orders, renew, revoke, rotate
from sectigo_tui.ui.workflows.export import copy_records, escalate_order
from sectigo_tui.ui.workflows.message import write_message
from sectigo_tui.ui.workflows.workflow import Workflow

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.verdict import Verdict

Subjects = Sequence[OrderRow]
Run = Callable[[Workflow, Subjects], Coroutine[Any, Any, None]]
WhyNot = Callable[[OrderRow], str]


class Action(Struct, frozen=True):
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
        parties: On whom an order must be blocked for this to be of use; empty for on anybody.
    """

    id: str
    key: str
    title: str
    run: Run
    why_not: WhyNot = lambda _row: ""
    for_orders: bool = True
    for_many: bool = False
    is_write: bool = True
    parties: tuple[str, ...] = ()


def _alone(run: Callable[[Workflow, OrderRow], Coroutine[Any, Any, None]]) -> Run:
    return lambda workflow, rows: run(workflow, rows[0])


def _waits_for_approval(row: OrderRow) -> str:
    if row.ssl_id is None:
        return "not at SCM yet"
    waits = waits_for_approval(row.status)
    return "" if waits or not row.status else f"{row.status}: not waiting for approval"


def _can_be_collected(row: OrderRow) -> str:
    if row.ssl_id is None:
        return "not at SCM yet"
    order = row.order
    if order is not None and (order.state in (OrderState.ISSUED, OrderState.COLLECTED) or order.certificate_path):
        return ""
    return "" if is_same(row.status, "Issued") or not row.status else f"{row.status}: not issued"


def _can_be_revoked(row: OrderRow) -> str:
    if row.ssl_id is None:
        return "not at SCM yet"
    if row.order is not None and row.order.state in (OrderState.REVOKED, OrderState.REVOKING):
        return f"it is {row.order.state}"
    return "" if is_same(row.status, "Issued") or not row.status else f"{row.status}: not issued"


def _can_be_renewed(row: OrderRow) -> str:
    if row.ssl_id is None:
        return "not at SCM yet"
    wanted = is_same(row.status, "Issued") or is_same(row.status, "Expired") or not row.status
    return "" if wanted else f"{row.status}: not issued"


def _can_be_removed(row: OrderRow) -> str:
    if row.order is None:
        return "not a local order"
    return "" if is_removable(row.order) else f"{row.order.state}: not finished"


def _is_unconfirmed(row: OrderRow) -> str:
    order = row.order
    if order is None or order.state is not OrderState.UNCONFIRMED:
        return "its answer was not lost"
    return (
        "it is still searched for" if order.pending_enroll is not None and order.pending_enroll.is_searched_for else ""
    )


def _is_pending(row: OrderRow) -> str:
    return "" if row.is_open else "not pending"


ACTIONS = (
    Action("enroll", "e", "Enroll: order a certificate", lambda workflow, _: enroll.enroll(workflow), for_orders=False),
    Action("approve", "p", "Approve", orders.approve, _waits_for_approval, for_many=True),
    Action("decline", "d", "Decline", _alone(orders.decline), _waits_for_approval),
    Action("collect", "c", "Collect and save", orders.collect, _can_be_collected, for_many=True, is_write=False),
    Action("renew", "n", "Renew: order again", renew.renew, _can_be_renewed, for_many=True),
    Action("revoke", "v", "Revoke", _alone(revoke.revoke), _can_be_revoked),
    Action(
        "rotate",
        "o",
        "Rotate the credentials",
        lambda workflow, _: rotate.rotate(workflow),
        for_orders=False,
        is_write=False,
    ),
    Action(
        "adopt",
        "t",
        "Adopt certctl's orders",
        lambda workflow, _: certctl_orders.track_certctl_orders(workflow),
        for_orders=False,
        is_write=False,
    ),
    Action("order_again", "g", "Order a lost order again", _alone(orders.order_again), _is_unconfirmed),
    Action("give_up", "u", "Give a lost order up", _alone(orders.give_up), _is_unconfirmed, is_write=False),
    Action("message", "w", "Write to whoever blocks it", write_message, _is_pending, for_many=True, is_write=False),
    Action(
        "copy_records",
        "r",
        "Copy the DNS record",
        _alone(copy_records),
        _is_pending,
        is_write=False,
        parties=("the DNS owner", "unknown"),
    ),
    Action(
        "escalate",
        "x",
        "Escalate to the CA's support",
        _alone(escalate_order),
        _is_pending,
        is_write=False,
    ),
    Action("remove", "m", "Remove from the list", orders.remove, _can_be_removed, for_many=True, is_write=False),
)


_BY_PARTY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "an SCM approver": ("message", "approve"),
        "the DNS owner": ("copy_records",),
        "the organization contact": ("message", "escalate"),
        "the CA": ("escalate",),
        "you": ("collect", "order_again", "give_up", "renew"),
    }
)
"""What helps, by whom an order is blocked on; of several the first that can be done."""


def menu_items(
    rows: Subjects, *, locked: str = "", verdicts: Sequence[Verdict] = (), recommended: tuple[str, str] = ("", "")
) -> tuple[MenuItem, ...]:
    """Return the menu for the marked orders, or the one under the cursor.

    What the verdict recommends comes first, then what can be done, and last what cannot, with the reason.

    Args:
        rows: The orders; none when there are none.
        locked: Why nothing is changed at SCM now, and what unlocks it; empty when nothing is locked.
        verdicts: Who the orders wait for, one for each; none where that is not known yet.
        recommended: What the list recommends for orders that wait for nobody: an action's id, and why.
    """
    parties = {str(verdict.party) for verdict in verdicts}
    reasons = {action.id: _why_not(action, rows, locked, parties) for action in ACTIONS}
    best = ""
    if len(parties) == 1 and len(verdicts) == len(rows):
        best = next((each for each in _BY_PARTY.get(min(parties), ()) if reasons.get(each) == ""), "")
    # A verdict of one order says what to do; of several it is each order's own.
    note = verdicts[0].next_action if len(verdicts) == 1 else f"each is blocked on {min(parties, default='')}"
    if not verdicts and reasons.get(recommended[0]) == "":
        best, note = recommended
    place = {action.id: 0 if action.id == best else 2 if reasons[action.id] else 1 for action in ACTIONS}
    return tuple(
        MenuItem(action.id, action.key, action.title, reasons[action.id], note if action.id == best else "")
        for action in sorted(ACTIONS, key=lambda action: place[action.id])
    )


def action_of(action_id: str) -> Action:
    """Return an action by its id."""
    return next(action for action in ACTIONS if action.id == action_id)


def _why_not(action: Action, rows: Subjects, locked: str, parties: set[str]) -> str:
    if locked and action.is_write:
        return locked
    if not action.for_orders:
        return ""
    if not rows:
        return "no order is chosen"
    if len(rows) > 1 and not action.for_many:
        return f"one at a time: {len(rows)} are marked"
    reasons = [reason for row in rows if (reason := action.why_not(row))]
    if not reasons:
        others = sorted(parties.difference(action.parties)) if action.parties else []
        return f"blocked on {others[0]}" if others else ""
    return reasons[0] if len(rows) == 1 else f"{len(reasons)} of {len(rows)}: {reasons[0]}"
