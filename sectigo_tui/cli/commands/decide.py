"""`sectigo-tui approve` and `sectigo-tui decline`: orders that wait for an administrator."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable

from sectigo_tui.cli.batch import code_of, complain_of, outcome_json
from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.output import show_message
from sectigo_tui.cli.placed import wait_for_certificates
from sectigo_tui.cli.results import code_of_ending
from sectigo_tui.cli.session import check_writable, session, settings_from
from sectigo_tui.config.settings import Settings
from sectigo_tui.engine.engine import Engine
from sectigo_tui.engine.orders.approve import Decision
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.presentation.json import print_json

Decide = Callable[[Engine, int, str], Awaitable[Decision]]


def approve(options: Namespace) -> int:
    """Approve each order; failures are reported, and the others are approved nevertheless."""
    settings = settings_from(options)
    check_writable(settings, "approving")

    def decide(engine: Engine, ssl_id: int, message: str) -> Awaitable[Decision]:
        return engine.approving.approve(ssl_id, message)

    return asyncio.run(_each(settings, options, "approved", decide, options.wait))


def decline(options: Namespace) -> int:
    """Decline an order, which ends it."""
    settings = settings_from(options)
    check_writable(settings, "declining")
    return asyncio.run(_each(settings, options, "declined", lambda engine, *told: engine.approving.decline(*told)))


async def _each(
    settings: Settings, options: Namespace, word: str, decide: Decide, wait_seconds: float | None = None
) -> int:
    def print_result(outcome: Outcome[int, Decision]) -> None:
        if outcome.failure is not None:
            complain_of(f"sslId {outcome.target}", outcome.failure)
        elif not options.json:
            show_message(f"{outcome.target}  {word}")

    async with session(settings) as engine:

        async def one(ssl_id: int) -> Decision:
            decision = await decide(engine, ssl_id, options.message)
            order = engine.orders.by_ssl_id(ssl_id)
            if order is not None and order.state.is_polled:
                # The poller polls it at once.
                await engine.scheduler.open_window(order.id, at_once=True)
            return decision

        outcomes = await each(options.ssl_ids, one, print_result)
        done = [outcome.target for outcome in outcomes if outcome.failure is None]
        endings = await wait_for_certificates(engine, done, wait_seconds) if wait_seconds is not None else []
    if options.json:
        print_json([outcome_json(each.target, each.failure, is_write=True) for each in outcomes])
    codes = [code_of(each.failure, is_write=True) for each in outcomes]
    return max(*codes, *(code_of_ending(ending) for ending in endings), FINE)
