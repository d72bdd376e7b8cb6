"""Tracking what certctl left behind: listed, confirmed once, then tracked and collected."""

from __future__ import annotations

from textual.content import Content

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.engine.orders.certctl_orders import LeftBehind
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.workflows.orders import outcomes_content
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

SHOWN_AT_MOST = 200


async def track_certctl_orders(workflow: Workflow) -> None:
    """Find what certctl left behind, and make it local after one confirmation.

    Args:
        workflow: What every workflow works with.
    """
    certctl_orders = workflow.engine.certctl_orders
    try:
        left = await workflow.during(
            "Looking for orders that certctl left behind ...", certctl_orders.find(), can_stop=True
        )
    except ScmFailure as failure:
        await workflow.ask(Notice("Adopt: certctl's orders", in_words(failure)))
        return
    if left is None:
        return
    if not left.orders:
        text = f"No order of {left.login} with certctl's comment is pending, or issued and not collected."
        await workflow.ask(Notice("Adopt: certctl left nothing behind", "\n".join([text, *_notes(left)])))
        return
    count = f"{len(left.orders)} order{'s' if len(left.orders) > 1 else ''}"
    question = Confirm(f"Adopt {count} that certctl left behind?", _content(left), "Track and collect")
    if not await workflow.ask(question):
        return
    work = certctl_orders.track(details.ssl_id for details in left.orders)
    outcomes = await workflow.during("Tracking ...", work, can_stop=True)
    if any(outcome.failure for outcome in outcomes or ()):
        await workflow.ask(Notice("Adopt", outcomes_content(outcomes or ())))
    elif outcomes is not None:
        workflow.notify(f"Adopted {count}: polled, and collected as soon as issued.")


def _content(left: LeftBehind) -> Content:
    lines = [_line(details) for details in left.orders[:SHOWN_AT_MOST]]
    if len(left.orders) > SHOWN_AT_MOST:
        lines.append(Content(f"and {len(left.orders) - SHOWN_AT_MOST} more"))
    lines += [Content.styled(note, "$state-warning") for note in _notes(left)]
    return Content("\n").join([*lines, Content("\nThey become local. Nothing is ordered, and nothing changes at SCM.")])


def _line(details: OrderDetails) -> Content:
    requested = format_when(details.requested) if details.requested is not None else "-"
    return Content.assemble(
        (f"{details.ssl_id:>9}  ", "bold"),
        (f"{printable(details.status):<12} {requested:<10} ", "$state-muted"),
        printable(details.common_name, limit=120),
    )


def _notes(left: LeftBehind) -> list[str]:
    notes = []
    if not left.is_collection_known:
        notes.append("The login may read no report: an issued order that is listed may have been collected.")
    if left.unread:
        notes.append(f"{left.unread} older orders were not examined: each costs a request.")
    return notes
