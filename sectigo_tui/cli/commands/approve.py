"""`sectigo-tui approve`: orders that wait for an administrator."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.outcomes import code_of, code_of_ending, complain_of, outcome_json, wait_for_certificates
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import check_writable, session, settings_from
from sectigo_tui.cli.terminal import show_message

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.engine.orders.approve import Decision
    from sectigo_tui.engine.orders.batch import Outcome

    Decide = Callable[[Engine, int, str], Awaitable[Decision]]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs="+", help="the order's sslId")
    add_message(parser)
    add_wait(parser, "then poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")


def add_message(parser: ArgumentParser) -> None:
    """Add what `approve` and `decline` share."""
    parser.add_argument("--message", metavar="TEXT", required=True, help="kept by SCM")
    add_json(parser, "one JSON array (docs/json.md)")


def run(options: Namespace) -> int:
    """Approve each order; failures are reported, and the others are approved nevertheless."""
    import asyncio

    settings = settings_from(options)
    check_writable(settings, "approving")

    def decide(engine: Engine, ssl_id: int, message: str) -> Awaitable[Decision]:
        return engine.approving.approve(ssl_id, message)

    return asyncio.run(decide_each(settings, options, "approved", decide, options.wait))


async def decide_each(
    settings: Settings, options: Namespace, word: str, decide: Decide, wait_seconds: float | None = None
) -> int:
    """Decide about each order, and return the exit code.

    Args:
        settings: The settings.
        options: The arguments.
        word: The word for an order that was decided about.
        decide: What decides at SCM.
        wait_seconds: As `--wait` gives it; None for no wait.
    """
    from sectigo_tui.engine.orders.batch import each
    from sectigo_tui.presentation.json import print_json

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
