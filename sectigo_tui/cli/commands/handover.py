"""`sectigo-tui handover`: who all open orders wait for, without a screen."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import show_message

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.diagnosis.evidence.known import Target


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_json(parser, "one JSON object (docs/json.md)")


def run(options: Namespace) -> int:
    """Print all that is open, grouped by cause, as Markdown or JSON, after asking SCM about each order.

    Raises:
        ScmFailure: The account's pending orders could not be listed; what is known here was printed.
    """
    import asyncio

    return asyncio.run(_handover(settings_from(options), options))


async def _handover(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.domain.explain import explain
    from sectigo_tui.domain.status import StatusClass, classify

    async with session(settings) as engine:
        await engine.account.refresh_pending()
        failure = engine.account.failure
        orders = [order for order in engine.orders.orders() if order.is_waiting]
        local = {order.ssl_id for order in orders}
        remote = [
            ssl_id
            for ssl_id, listed in engine.account.pending().items()
            if ssl_id not in local and classify(listed.status) is StatusClass.PENDING
        ]
        targets: list[Target] = [*orders, *remote]
        missing_part = ""
        if failure is not None:
            failed = [status for status, query in engine.account.queries.items() if query.failure is not None]
            which = f"orders with status {', '.join(failed)}" if engine.account.refreshed_at else "the account"
            missing_part = f"SCM did not list {which}: {explain(failure).meaning}"
        if engine.account.refreshed_at is not None:
            await engine.diagnoser.attend(targets, lambda _target, _verdict: None)
        if options.json:
            sys.stdout.write(f"{engine.diagnoser.handover_json(targets, missing_part=missing_part)}\n")
        else:
            show_message(engine.diagnoser.handover(targets, missing_part=missing_part).rstrip("\n"))
        if failure is not None:
            raise failure
    return FINE
