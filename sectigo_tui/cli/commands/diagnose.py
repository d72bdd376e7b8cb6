"""`sectigo-tui diagnose`: who an order waits for, without a screen."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.selection import add_filter, chosen, filter_of
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import complain, show_message
from sectigo_tui.domain.errors import InputError, NotFound

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.diagnosis.evidence.known import Target
    from sectigo_tui.engine.diagnosis.normal import Comparison
    from sectigo_tui.engine.diagnosis.result import Diagnosis
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.presentation.filters import Filter


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("orders", metavar="ID", nargs="*", help="an sslId, or a local order's id")
    add_filter(parser)
    parser.add_argument("--history", action="store_true", help="first ask SCM how long issued orders took")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object (docs/diagnose-json.md)")
    shape.add_argument("--markdown", action="store_true", help="the escalation pack for the CA's support")


def run(options: Namespace) -> int:
    """Diagnose orders, by sslId or local id, or the pending ones that a filter finds.

    A call that fails is listed as missing evidence.

    Raises:
        InputError: There is no such order, or none was named.
        ScmFailure: It is only remote, and SCM did not tell it; or the dates of issued orders could not be had.
    """
    import asyncio

    return asyncio.run(_diagnose(settings_from(options), options))


async def _diagnose(settings: Settings, options: Namespace) -> int:
    wanted = filter_of(options.filter)
    if not options.orders and not wanted:
        raise InputError("no order is named", "name sslIds or local ids, or choose pending orders with --filter TERMS")
    async with session(settings) as engine:
        targets = [target_of(engine, order) for order in dict.fromkeys(options.orders)]
        for target in targets:
            await check_known(engine, target)
        if wanted:
            targets += await _pending(engine, wanted)
        if options.history:
            await engine.diagnoser.samples.learn_remote(lambda _done, _total: None)
        await engine.orders.changes()  # by which it is known who polls
        documents = [await _document(engine, target, options) for target in targets]
    if options.json and (wanted or len(documents) > 1):
        sys.stdout.write("[" + ",\n".join(documents) + "]\n")
    elif options.json:
        sys.stdout.write(f"{documents[0]}\n")
    elif documents:
        show_message("\n\n".join(documents))
    else:
        complain("no order is found")
    return FINE


async def _document(engine: Engine, target: Target, options: Namespace) -> str:
    diagnosis = await engine.diagnoser.diagnose(target)
    if options.json:
        return engine.diagnoser.as_json(diagnosis)
    if options.markdown:
        return engine.diagnoser.pack(diagnosis).rstrip("\n")
    return f"{_text(diagnosis)}\npolled        {_polled_by(engine, diagnosis)}"


async def _pending(engine: Engine, wanted: Filter) -> list[Target]:
    """Return the pending orders of the account that a filter finds.

    Raises:
        ScmFailure: SCM did not list all of them.
    """
    from sectigo_tui.presentation.rows import OrderRows

    await engine.account.refresh_pending()
    if engine.account.failure is not None:
        raise engine.account.failure
    rows = await chosen(engine, OrderRows(engine).pending(), wanted)
    return [row.target for row in rows if row.target is not None]


def target_of(engine: Engine, order: str) -> Target:
    """Return the order of an sslId or a local id.

    Raises:
        InputError: There is no local order of this id.
    """
    if order.isascii() and order.isdecimal():
        return engine.orders.by_ssl_id(int(order)) or int(order)
    known = engine.orders.order(order)
    if known is None:
        raise InputError(f"there is no local order {order}", "give an sslId, or an id of sectigo-tui orders --json")
    return known


async def check_known(engine: Engine, target: Target) -> None:
    """Fetch an order that is only remote: without SCM's answer there is nothing to diagnose."""
    if isinstance(target, int):
        try:
            await engine.account.details(target)
        except NotFound as unknown:
            raise InputError(f"SCM has no order {target}", "check the sslId") from unknown


def _text(diagnosis: Diagnosis) -> str:
    verdict = diagnosis.verdict
    lines = [
        f"order         {diagnosis.ref}  {diagnosis.evidence.common_name}",
        f"blocked on    {verdict.party}",
        f"why           {verdict.sentence}",
        f"next          {verdict.next_action}",
        *(f"normal        {_compared(one)}" for one in diagnosis.normal if one.is_running),
        f"changes when  {verdict.changes_when}",
        *(f"also          {other.sentence}" for other in verdict.others),
        *(f"not known     {missing_part.what}" for missing_part in verdict.missing_evidence),
        *(f"evidence      {fact.statement} [{fact.source}]" for fact in verdict.evidence),
    ]
    return "\n".join(lines)


def _polled_by(engine: Engine, diagnosis: Diagnosis) -> str:
    """Return who polls the order from now on, since this command ends."""
    if diagnosis.evidence.order is None:
        return "no: the order is remote; `sectigo-tui track` makes it local"
    poller = engine.orders.poller()
    return f"by {poller}" if poller else "by nobody now: the dashboard or `sectigo-tui watch` polls it while it runs"


def _compared(comparison: Comparison) -> str:
    figure = f", {comparison.figure.text}" if comparison.figure is not None else "; --history asks SCM for some"
    return f"{comparison.leg} {comparison.elapsed.text} so far: {comparison.pace}{figure}"
