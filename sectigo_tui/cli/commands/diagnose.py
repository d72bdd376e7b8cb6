"""`sectigo-tui diagnose`: who an order waits for, without a screen."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import show_message
from sectigo_tui.domain.errors import InputError, NotFound

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.diagnosis.evidence.known import Target
    from sectigo_tui.engine.diagnosis.normal import Comparison
    from sectigo_tui.engine.diagnosis.result import Diagnosis
    from sectigo_tui.engine.engine import Engine


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("order", metavar="ID", help="an sslId, or a local order's id")
    parser.add_argument("--history", action="store_true", help="first ask SCM how long issued orders took")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object (docs/diagnose-json.md)")
    shape.add_argument("--markdown", action="store_true", help="the escalation pack for the CA's support")


def run(options: Namespace) -> int:
    """Diagnose one order, by its sslId or local id.

    A call that fails is listed as missing evidence.

    Raises:
        InputError: There is no such order.
        ScmFailure: It is only remote, and SCM did not tell it; or the dates of issued orders could not be had.
    """
    import asyncio

    return asyncio.run(_diagnose(settings_from(options), options))


async def _diagnose(settings: Settings, options: Namespace) -> int:
    async with session(settings) as engine:
        target = target_of(engine, options.order)
        await check_known(engine, target)
        if options.history:
            await engine.diagnoser.samples.learn_remote(lambda _done, _total: None)
        diagnosis = await engine.diagnoser.diagnose(target)
        await engine.orders.changes()  # by which it is known who polls
        if options.json:
            sys.stdout.write(f"{engine.diagnoser.as_json(diagnosis)}\n")
        elif options.markdown:
            show_message(engine.diagnoser.pack(diagnosis).rstrip("\n"))
        else:
            show_message(_text(diagnosis))
            show_message(f"polled        {_polled_by(engine, diagnosis)}")
    return FINE


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
