"""Writing a note on orders, and taking or giving them; a remote order becomes local by that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual.content import Content

from sectigo_tui.domain.events import NAME_AT_MOST
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import AskText, Notice
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.workflows.orders import done, outcomes_content, rows_content
from sectigo_tui.ui.workflows.workflow import Workflow

_TAKE, _RELEASE, _OTHER, _GIVE = "take", "release", "other", "give "
_NAMED_AT_MOST = 9


async def note(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Write a note on one order or several.

    Args:
        workflow: What every workflow works with.
        rows: The orders.
    """
    if not rows:
        workflow.notify("There is no order here to write a note on.")
        return
    form = AskText(f"Note on {_named(rows)}", _known(rows), label="Note", button="Write note")
    text = await workflow.ask(form)
    if text is None:
        return
    outcomes = await _each(workflow, rows, lambda order: workflow.engine.people.note(order.id, text))
    await _report(workflow, outcomes, "Note", f"Noted on {_named(rows)}.")


async def own(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Take one order or several, give them to somebody, or let them go.

    Args:
        workflow: What every workflow works with.
        rows: The orders.
    """
    if not rows:
        workflow.notify("There is no order here to take.")
        return
    people = workflow.engine.people
    chosen = await workflow.ask(
        Menu(f"Owner of {_named(rows)}: {_owners(rows)}", _items(rows, people.owners(), people.you))
    )
    if chosen is None:
        return
    owner: str | None = people.you if chosen == _TAKE else chosen.removeprefix(_GIVE)
    if chosen == _RELEASE:
        owner = ""
    elif chosen == _OTHER:
        owner = await workflow.ask(
            AskText("Give it to whom?", rows_content(rows), label="Name", button="Give", longest=NAME_AT_MOST)
        )
    if owner is None:
        return
    name, owners = owner, {row.row_id: row.owner for row in rows}
    before = {row.ssl_id: owners[row.row_id] for row in rows}

    async def give(order: Order) -> Order:
        return await people.give(order.id, name, instead_of=before.get(order.ssl_id))

    outcomes = await _each(workflow, rows, give)
    is_you = name.casefold() == people.you.casefold()
    words = f"{_named(rows)} {'is' if len(rows) == 1 else 'are'} {'yours' if is_you else 'given to ' + name}."
    await _report(workflow, outcomes, "Owner", words if name else f"{_named(rows)}: owned by nobody now.")


def _items(rows: Sequence[OrderRow], owners: Sequence[str], you: str) -> tuple[MenuItem, ...]:
    others = [name for name in owners if name.casefold() != you.casefold()]
    all_yours = all(row.is_yours for row in rows)
    return (
        MenuItem(_TAKE, "t", f"Take {'it' if len(rows) == 1 else 'them'}", "yours already" if all_yours else ""),
        *(
            MenuItem(f"{_GIVE}{name}", str(number), f"Give to {name}", _has_all(rows, name))
            for number, name in enumerate(others[:_NAMED_AT_MOST], 1)
        ),
        MenuItem(_OTHER, "o", "Give to somebody else ..."),
        MenuItem(_RELEASE, "r", "Let go: nobody owns it", "" if any(row.owner for row in rows) else "nobody owns it"),
    )


def _has_all(rows: Sequence[OrderRow], name: str) -> str:
    return "has it already" if all(row.owner == name for row in rows) else ""


def _named(rows: Sequence[OrderRow]) -> str:
    return f"{rows[0].ssl_id or '-'} {rows[0].common_name}" if len(rows) == 1 else f"{len(rows)} orders"


def _owners(rows: Sequence[OrderRow]) -> str:
    names = dict.fromkeys("you" if row.is_yours else row.owner or "nobody" for row in rows)
    return ", ".join(names)


def _known(rows: Sequence[OrderRow]) -> Content:
    """Return the orders, and the newest note of a single one."""
    order = rows[0].order if len(rows) == 1 else None
    if order is None or order.note is None:
        return rows_content(rows)
    last = f"Last note, {format_when(order.note.at)} by {order.note.by}: {order.note.text}"
    return Content("\n").join([rows_content(rows), Content.styled(printable(last, limit=800), "$state-muted")])


async def _each(
    workflow: Workflow, rows: Sequence[OrderRow], action: Callable[[Order], Awaitable[Order]]
) -> Sequence[Outcome[int | str, Order]]:
    """Do it for each order; what only SCM knows is tracked first, for only a local order is written on."""
    local = {(row.ssl_id or row.order.id): row.order for row in rows if row.order is not None}

    async def one(target: int | str) -> Order:
        order = local.get(target)
        if order is None and isinstance(target, int):
            order = await workflow.engine.tracking.track(target)
        assert order is not None  # noqa: S101 - a row is local, or has an sslId
        return await action(order)

    targets = [row.ssl_id or (row.order.id if row.order is not None else "") for row in rows]
    work = each([target for target in targets if target], one)
    return await workflow.during("Writing it down ...", work, can_stop=False) or ()


async def _report(workflow: Workflow, outcomes: Sequence[Outcome[int | str, Order]], title: str, words: str) -> None:
    workflow.unmark(done(outcomes))
    if any(outcome.failure for outcome in outcomes):
        await workflow.ask(Notice(title, outcomes_content(outcomes)))
    else:
        workflow.notify(printable(words, limit=200))
