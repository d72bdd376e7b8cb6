"""What became of the orders that a subcommand was about: the wait, the report, and the exit code."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import DUPLICATE, FAILED, FINE, REFUSED, UNKNOWN, WAITING, exit_code
from sectigo_tui.cli.terminal import complain, failure_text, show_message, table
from sectigo_tui.domain.errors import DoneUnsaved, NotReady, ScmFailure, SectigoTuiError, StoreError

if TYPE_CHECKING:
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.engine.orders.lookup import Duplicates
    from sectigo_tui.engine.orders.place import Placed
    from sectigo_tui.presentation.json import Ending, Json


def code_of_ending(ending: Ending) -> int:
    """Return the exit code that a subcommand ends with."""
    from sectigo_tui.presentation.json import Ending

    match ending:
        case Ending.ORDERED | Ending.CERTIFICATE | Ending.REVOKED:
            return FINE
        case Ending.PENDING:
            return WAITING
        case Ending.ENDED | Ending.STOPPED:
            return FAILED
        case Ending.UNCONFIRMED | Ending.REVOKING:
            return UNKNOWN
        case Ending.CREDENTIALS_REJECTED:
            return REFUSED


def order_line(order: Order) -> str:
    """Return an order as one line: sslId (or local id), state, SCM's status, common name."""
    return f"{order.ssl_id or order.id}  {order.state}  {order.status_text or '-'}  {order.common_name or '-'}"


def code_of(failure: SectigoTuiError | None, *, is_write: bool) -> int:
    """Return the exit code of one order's outcome.

    Args:
        failure: Why it failed; None when it did not.
        is_write: Whether something may have been done at SCM although it failed.
    """
    from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of

    match failure:
        case None:
            return FINE
        case NotReady():
            return WAITING
        case ScmFailure() if is_write and write_outcome_of(failure) is WriteOutcome.UNKNOWN:
            return UNKNOWN
        case _:
            return exit_code(failure)


def complain_of(target: object, failure: SectigoTuiError) -> None:
    """Report why an action failed for one order."""
    complain(f"{target}: {failure_text(failure)}")


def outcome_json(target: Json, failure: SectigoTuiError | None, *, is_write: bool) -> dict[str, Json]:
    """Return the JSON fields that every outcome has; subcommands add to them."""
    from sectigo_tui.presentation.json import failure_json

    word = {FINE: "done", UNKNOWN: "unknown", WAITING: "not ready"}.get(code_of(failure, is_write=is_write), "failed")
    return {"target": target, "outcome": word, "failure": failure_json(failure)}


SEARCH_SECONDS = 20.0
"""How long the command that placed an unconfirmed order searches for it; the dashboard and `watch` continue."""

_UNCONFIRMED = """\
UNKNOWN: SCM's answer was lost, and the order may have been placed. It is never sent again by itself.
It is searched for at SCM by whichever of these runs next: the dashboard, `sectigo-tui watch`, `sectigo-tui recover`.
When SCM is found not to have it, `sectigo-tui recover` says so, and --order-again or --give-up decides."""


def reject_duplicates(duplicates: Duplicates, *, as_json: bool) -> int:
    """Report that there are orders of the same name, and that nothing was ordered.

    Args:
        duplicates: The orders.
        as_json: Whether stdout gets JSON.

    Returns:
        The exit code.

    Raises:
        ScmFailure: They could not be looked up, and none is known.
    """
    from sectigo_tui.presentation.json import placed_json, print_json

    is_known = duplicates.local or duplicates.remote or duplicates.not_examined
    if duplicates.failure is not None and not is_known:
        complain("nothing was ordered: SCM could not be searched for orders of the same name")
        raise duplicates.failure
    complain("nothing was ordered, there are orders of the same name; --allow-duplicate orders another")
    if as_json:
        print_json(placed_json(None, None, duplicates))
    else:
        show_message("\n".join(duplicate_lines(duplicates)))
    return DUPLICATE


def duplicate_lines(duplicates: Duplicates) -> list[str]:
    """Return the orders of the same name, a line each."""
    from sectigo_tui.presentation.json import moment_json

    lines = [
        f"{each.ssl_id}  {each.status}  requested {moment_json(each.requested) or '-'}  "
        f"expires {moment_json(each.expires) or '-'}  {each.common_name}"
        for each in duplicates.remote
    ]
    lines += [
        f"{order.id}  {order.state}  placed here {moment_json(order.created_at)}  {order.common_name}"
        for order in duplicates.local
    ]
    if duplicates.not_examined:
        lines.append(f"and {duplicates.not_examined} more of this name that were not examined")
    if duplicates.failure is not None:
        lines.append(f"the lookup is incomplete: {duplicates.failure.reason}")
    return lines


def facts(*pairs: tuple[str, str]) -> list[str]:
    """Return names and values as aligned lines, without those that are empty."""
    return table([(name, value) for name, value in pairs if value]).split("\n")


async def placed_by(engine: Engine, placing: Awaitable[Placed]) -> Placed:
    """Place an order; one that may have reached SCM is never reported as failed.

    Args:
        engine: The engine.
        placing: What places it.

    Raises:
        InputError: It cannot be placed; nothing was sent.
        ScmFailure: SCM rejected it, or it certainly was not sent.
        StoreError: It could not be written down; nothing was sent.
    """
    from sectigo_tui.engine.orders.place import Placed

    store = engine.orders
    before = {order.id for order in store.orders() if order.state.is_unconfirmed}
    try:
        return await placing
    except DoneUnsaved as done:
        complain(
            f"warning: SCM has taken the order, and its sslId {done.order.ssl_id} could not be saved here; write "
            f"it down: once that works again, `sectigo-tui track {done.order.ssl_id}` keeps it"
        )
        return Placed(done.order)
    except StoreError as error:
        doubtful = [order for order in store.orders() if order.state.is_unconfirmed and order.id not in before]
        if len(doubtful) != 1:
            raise
        complain(str(error))
        return Placed(doubtful[0])


async def follow(engine: Engine, placed: Placed, wait_seconds: float | None) -> tuple[Ending, Order]:
    """Wait for an order that was placed, or at least search for one whose answer was lost.

    Args:
        engine: The engine.
        placed: What came of placing it.
        wait_seconds: As `--wait` gives it; None for no wait.

    Returns:
        How it was left, and the order as it stands.
    """
    from sectigo_tui.cli.wait import wait_for
    from sectigo_tui.domain.explain import explain
    from sectigo_tui.presentation.json import Ending

    order_id = placed.order.id
    if placed.lost is not None:
        told = explain(placed.lost)
        complain(f"{told.what}: {told.meaning} It is searched for at SCM ...")
    if wait_seconds is not None:
        ending = (await wait_for(engine, [order_id], wait_seconds))[order_id]
        order = as_known(engine, placed.order)
        is_ordered = ending is Ending.UNCONFIRMED and not order.state.is_unconfirmed
        return Ending.ORDERED if is_ordered else ending, order
    if placed.order.state.is_unconfirmed:
        await search_for(engine, order_id)
    order = as_known(engine, placed.order)
    return Ending.UNCONFIRMED if order.state.is_unconfirmed else Ending.ORDERED, order


def as_known(engine: Engine, told: Order) -> Order:
    """Return an order as stored, or as SCM answered where that could not be saved.

    Args:
        engine: The engine.
        told: The order as a write has left it.
    """
    from sectigo_tui.cli.wait import current

    known = current(engine, told.id)
    is_behind = known is not None and known.id == told.id and known.revision <= told.revision
    return told if known is None or (is_behind and known.state.is_unconfirmed) else known


async def search_for(engine: Engine, order_id: str, seconds: float | None = None) -> None:
    """Search for an order whose answer was lost, for a time.

    Args:
        engine: The engine, not polling.
        order_id: The order.
        seconds: The time; `SEARCH_SECONDS` when None.

    Raises:
        StoreError: What was found could not be written.
    """
    import asyncio

    try:
        async with asyncio.timeout(SEARCH_SECONDS if seconds is None else seconds):
            await engine.pending_writes.until_settled(order_id)
    except TimeoutError:
        pass  # it stays unconfirmed, and is reported so


async def wait_for_certificates(engine: Engine, ssl_ids: Iterable[int], seconds: float) -> list[Ending]:
    """Poll until orders are certificates, and report on stderr which are not; remote ones are tracked first.

    Args:
        engine: The engine, not polling yet.
        ssl_ids: The orders; those that SCM does not tell of are left out.
        seconds: As `--wait` gives it.

    Returns:
        How those were left that were waited for.

    Raises:
        StoreError: Something could not be written.
    """
    from sectigo_tui.cli.wait import current, wait_for
    from sectigo_tui.presentation.json import Ending

    order_ids = []
    for ssl_id in dict.fromkeys(ssl_ids):
        with suppress(ScmFailure):
            order = await engine.tracking.track(ssl_id)
            if order.is_waiting:
                order_ids.append(order.id)
    endings = await wait_for(engine, order_ids, seconds) if order_ids else {}
    for order_id, ending in endings.items():
        left = current(engine, order_id)
        if left is not None and ending is not Ending.CERTIFICATE:
            print_outcome(ending, left)
    return list(endings.values())


def show_placed(
    ending: Ending, order: Order, duplicates: Duplicates | None, lost: Exception | None, *, as_json: bool
) -> int:
    """Report how an order was left.

    Args:
        ending: How.
        order: The order.
        duplicates: The orders of the same name that were known before.
        lost: How SCM's answer was lost.
        as_json: Whether stdout gets JSON.

    Returns:
        The exit code.
    """
    from sectigo_tui.presentation.json import placed_json, print_json

    if as_json:
        print_json(placed_json(ending, order, duplicates, lost))
    else:
        show_message(order_line(order))
    print_outcome(ending, order)
    return code_of_ending(ending)


def print_outcome(ending: Ending, order: Order) -> None:
    """Report on stderr how an order was left, and what to do next."""
    from sectigo_tui.presentation.json import Ending

    name = f"sslId {order.ssl_id}" if order.ssl_id is not None else f"order {order.id}"
    match ending:
        case Ending.ORDERED:
            complain(f"{name}: ordered; polled while the dashboard, `sectigo-tui watch` or a --wait runs")
        case Ending.CERTIFICATE if order.certificate_path:
            complain(f"{name}: collected; `sectigo-tui collect {order.ssl_id} --directory DIR` saves it for a server")
        case Ending.PENDING:
            status = order.scm_status or order.state
            complain(f"{name}: still {status}; polled while the dashboard, `sectigo-tui watch` or a --wait runs")
        case Ending.ENDED:
            complain(f"{name}: {order.state}{f', {order.rejection}' if order.rejection else ''}")
        case Ending.STOPPED:
            poll = order.last_poll
            why = f": {poll.detail}" if poll and poll.detail else ""
            complain(f"{name}: polling has stopped, SCM refuses it{why}\n  next: --wait again, or r in the dashboard")
        case Ending.UNCONFIRMED:
            complain(f"{name}: {_UNCONFIRMED}")
        case Ending.CREDENTIALS_REJECTED:
            complain(f"{name}: SCM rejects the credentials; `sectigo-tui rotate`, then wait for it again")
        case _:
            pass
