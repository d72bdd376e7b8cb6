"""What is done with chosen orders, one or several: approve, decline, collect, remove, and settle lost ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from textual.content import Content

from sectigo_tui.domain.errors import InputError, Refused, ScmFailure, Unreachable
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.status import is_same
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.collect import Collected
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import AskText, Confirm, Notice
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.workflows.enroll import show_placed
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

SHOWN_AT_MOST = 200


def rows_content(rows: Sequence[OrderRow]) -> Content:
    """Return orders as lines of sslId, status and common name."""
    lines = [
        Content.assemble(
            (f"{row.ssl_id or '-':>9}  ", "bold"),
            (f"{printable(_status(row)):<12} ", "$state-muted"),
            printable(row.common_name, limit=120),
        )
        for row in rows[:SHOWN_AT_MOST]
    ]
    if len(rows) > SHOWN_AT_MOST:
        lines.append(Content(f"and {len(rows) - SHOWN_AT_MOST} more"))
    return Content("\n").join([*lines, Content("")])


def _status(row: OrderRow) -> str:
    order = row.order
    return row.status if order is None else order.status_text or order.state


def done(outcomes: Sequence[Outcome[Any, Any]] | None) -> list[Any]:
    """Return the orders for which it was done: their marks go, those of the others stay."""
    return [outcome.target for outcome in outcomes or () if outcome.failure is None]


def outcomes_content(outcomes: Sequence[Outcome[Any, Any]]) -> Content:
    """Return what came of each: done, or why not."""
    lines = []
    for outcome in outcomes:
        if outcome.failure is None:
            lost = getattr(outcome.result, "lost", None)
            what = ("done", "$state-done") if lost is None else ("UNKNOWN, verifying", "$state-warning")
            lines.append(Content.assemble((f"{outcome.target}: ", "bold"), what))
            continue
        told = explain(outcome.failure)
        lines.append(
            Content.assemble(
                (f"{outcome.target}: ", "bold"),
                (f"{printable(told.what)}{told.code_text} ", "$state-failed"),
                printable(f"{told.meaning} Next: {told.next_step}", limit=600),
            )
        )
    return Content("\n").join(lines)


LONGEST_WARNING = 600
WARNED_OF = 50
"""Of how many orders it is said what stands against their approval."""


async def approve(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Approve one order or several, after one confirmation that lists them all."""
    words: str | None = ""
    while rows and words is not None:
        words, rows = await _approve(workflow, rows, words)


async def _approve(workflow: Workflow, rows: Sequence[OrderRow], words: str) -> tuple[str | None, Sequence[OrderRow]]:
    """Approve once; return the message to go on with, and the orders for which SCM could not be reached."""
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    form = AskText(
        f"Approve {len(ssl_ids)} order{'s' if len(ssl_ids) > 1 else ''}?",
        Content("\n").join([rows_content(rows), *_warnings(workflow, rows)]),
        label="Message",
        button="Approve",
        value=words,
    )
    form.was_filled = bool(words)
    message = await workflow.ask(form)
    if message is None:
        return None, ()
    outcomes = await workflow.during(
        "Approving ...", workflow.engine.approving.approve_all(ssl_ids, message), can_stop=False
    )
    await _read_again(workflow, rows)
    workflow.unmark(done(outcomes))
    if outcomes and any(outcome.failure for outcome in outcomes):
        await workflow.ask(Notice("Approve", outcomes_content(outcomes)))
    else:
        workflow.notify(f"Approved: {', '.join(map(str, ssl_ids))}.")
    unreached = {outcome.target for outcome in outcomes or () if isinstance(outcome.failure, Unreachable)}
    return message, [row for row in rows if row.ssl_id in unreached]


def _warnings(workflow: Workflow, rows: Sequence[OrderRow]) -> Iterator[Content]:
    """Return what is known to stand against an approval, or to be left in its way after it."""
    login = workflow.engine.credentials.login
    for row in rows[:WARNED_OF]:
        known = [_of_ev(row, login)] if is_same(row.validation, "EV") else []
        if row.target is not None:
            others = workflow.engine.diagnoser.cheap(row.target).others
            known += [other.sentence for other in others if other.is_certain]
        for words in known:
            text = printable(f"! {row.ssl_id}: {words}", limit=LONGEST_WARNING)
            yield Content.styled(text, "$state-warning")


def _of_ev(row: OrderRow, login: str) -> str:
    requester = row.requester
    if requester and is_same(requester, login):
        return f"EV, requested by {requester}, the login in use here: SCM refuses its approval (-1140)."
    if requester:
        return f"EV: an administrator other than its requester, {requester}, has to approve it."
    return "EV: whoever requested it may not approve it."


async def decline(workflow: Workflow, row: OrderRow) -> None:
    """Decline an order, which ends it."""
    message, error_text = "", ""
    while True:
        text = await workflow.ask(
            AskText(
                "Decline this order? That ends it.",
                rows_content([row]),
                label="Message",
                button="Decline it",
                value=message,
                is_danger=True,
                error_text=error_text,
            )
        )
        if text is None or row.ssl_id is None:
            return
        message = text
        try:
            await workflow.during("Declining ...", workflow.engine.approving.decline(row.ssl_id, text), can_stop=False)
        except (InputError, ScmFailure) as failure:
            if isinstance(failure, Refused):
                await _read_again(workflow, [row])  # somebody may have decided meanwhile
            error_text = await after_rejection(workflow, failure)
            continue
        await _read_again(workflow, [row])
        workflow.unmark([row.ssl_id])
        workflow.notify(f"Declined: sslId {row.ssl_id}.")
        return


async def _read_again(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Read the orders again at once, those that were rejected too: the rows are to tell what is."""
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    await workflow.during("Reading the orders again ...", workflow.engine.read_again(ssl_ids), can_stop=True)


async def collect(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Collect one certificate or several, and save leaf, chain and full chain of each in one directory."""
    directory = await workflow.ask(
        AskText(
            f"Collect {len(rows)} certificate{'s' if len(rows) > 1 else ''}, and save as PEM",
            rows_content(rows),
            label="Directory",
            button="Collect and save",
            value=str(workflow.defaults.save_directory),
            longest=4_096,
        )
    )
    if directory is None:
        return
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    outcomes = await workflow.during("Collecting ...", workflow.engine.collecting.collect_all(ssl_ids), can_stop=True)
    if outcomes is None:
        return
    workflow.unmark(done(outcomes))
    failed: list[Outcome[int, Collected]] = []
    for outcome in outcomes:
        if outcome.result is None:
            failed.append(outcome)
        else:
            await _save(workflow, outcome.result, directory)
    if failed:
        await workflow.ask(Notice("Collect", outcomes_content(failed)))


async def _save(workflow: Workflow, collected: Collected, directory: str) -> None:
    try:
        paths = await workflow.engine.collecting.save(collected, directory)
    except InputError as there:
        if not await workflow.ask(Confirm("Save over what is there?", in_words(there), "Overwrite", is_danger=True)):
            return
        try:
            paths = await workflow.engine.collecting.save(collected, directory, overwrite=True)
        except InputError as refused:
            await workflow.ask(Notice("Not saved", in_words(refused)))
            return
    warning = collected.bundle.facts.warning
    workflow.notify("Saved: " + ", ".join(paths) + (f". Warning: {printable(warning)}" if warning else ""))


async def remove(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Take finished orders off the local list, after one confirmation that lists them all."""
    order_ids = [row.order.id for row in rows if row.order is not None]
    if not await workflow.ask(
        Confirm("Remove these from the list? Their timelines are kept.", rows_content(rows), "Remove")
    ):
        return
    outcomes = await workflow.engine.tracking.remove_all(order_ids)
    workflow.unmark(done(outcomes))
    if any(outcome.failure for outcome in outcomes):
        await workflow.ask(Notice("Remove", outcomes_content(outcomes)))
    else:
        workflow.notify(f"Removed {len(outcomes)} from the list.")


LENGTHS: dict[str, tuple[str, float | None]] = {
    "minutes": ("for 10 minutes", 600.0),
    "day": ("for a day", 86_400.0),
    "issued": ("until it is issued, or has ended", None),
}
"""For how long orders may be polled from now on, in words and in seconds; None for no end."""


async def poll_longer(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Poll one order or several for as long as the operator chooses; a remote one becomes local by that.

    Args:
        workflow: What every workflow works with.
        rows: The orders.
    """
    polled = [row for row in rows if row.ssl_id is not None and (row.order is None or row.order.state.is_polled)]
    if not polled:
        workflow.notify("Only pending orders are polled." if rows else "There is no order here to poll.")
        return
    about = f"{polled[0].ssl_id} {polled[0].common_name}" if len(polled) == 1 else f"{len(polled)} orders"
    items = [MenuItem(name, str(number), title) for number, (name, (title, _)) in enumerate(LENGTHS.items(), 1)]
    chosen = await workflow.ask(Menu(f"Poll from now on: {about}", items))
    if chosen is None:
        return
    words, seconds = LENGTHS[chosen]

    async def poll(ssl_id: int) -> None:
        order = await workflow.engine.tracking.track(ssl_id)
        if order.state.is_polled:
            await workflow.engine.scheduler.poll_for(order.id, seconds)

    work = each([row.ssl_id for row in polled if row.ssl_id is not None], poll)
    outcomes = await workflow.during("Setting the deadline ...", work, can_stop=False)
    workflow.unmark(done(outcomes))
    if any(outcome.failure for outcome in outcomes or ()):
        await workflow.ask(Notice("Poll longer", outcomes_content(outcomes or ())))
    else:
        workflow.notify(printable(f"Polled {words}: {about}.", limit=200))


async def order_again(workflow: Workflow, row: OrderRow) -> None:
    """Order once more what was not found at SCM; SCM is searched a last time first."""
    if row.order is None or not await workflow.ask(
        Confirm("Not found at SCM: order again, billed?", rows_content([row]), "Search, then order")
    ):
        return
    work = workflow.engine.recovery.order_again(row.order.id)
    try:
        placed = await workflow.during("Searching SCM, then ordering ...", work, can_stop=False)
    except (InputError, ScmFailure) as failure:
        await workflow.ask(Notice("Not ordered", in_words(failure)))
        return
    if placed is not None:
        await show_placed(workflow, placed)


async def give_up(workflow: Workflow, row: OrderRow) -> None:
    """End the search for an order whose answer was lost."""
    if row.order is None or not await workflow.ask(
        Confirm("Give this order up? The search for it ends.", rows_content([row]), "Give it up")
    ):
        return
    await workflow.engine.recovery.give_up(row.order.id)
    workflow.notify("Given up; its timeline is kept.")
