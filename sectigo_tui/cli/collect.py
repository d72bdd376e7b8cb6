"""`sectigo-tui collect`: certificates as files for a server."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass

from sectigo_tui.cli.batch import code_of, complain_of, outcome_json
from sectigo_tui.cli.common import settings_from
from sectigo_tui.cli.output import complain, say
from sectigo_tui.cli.placed import tell_ending
from sectigo_tui.cli.results import Ending
from sectigo_tui.cli.session import check_writable, session
from sectigo_tui.cli.shapes import Json
from sectigo_tui.cli.wait import current, wait_for
from sectigo_tui.cli.write_shapes import say_json
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.errors import NotReady, ScmFailure
from sectigo_tui.engine.batches import Outcome, each
from sectigo_tui.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class _Saved:
    """A certificate's files."""

    common_name: str
    paths: tuple[str, ...]


def run(options: Namespace) -> int:
    """Collect each certificate; those that fail are told, and the others are saved nevertheless."""
    settings = settings_from(options)
    check_writable(settings, "collecting")
    return asyncio.run(_collect(settings, options))


async def _collect(settings: Settings, options: Namespace) -> int:
    def tell(outcome: Outcome[int, _Saved]) -> None:
        if outcome.failure is not None:
            complain_of(f"sslId {outcome.target}", outcome.failure)
            if isinstance(outcome.failure, NotReady) and options.wait is None:
                complain(f"sslId {outcome.target}: collect --wait polls until it is")
        elif outcome.result is not None and not options.json:
            say("\n".join(outcome.result.paths))

    async with session(settings) as engine:
        if options.wait is not None:
            await _wait(engine, options.ssl_ids, options.wait)

        async def one(ssl_id: int) -> _Saved:
            collected = await engine.collecting.collect(ssl_id)
            paths = await engine.collecting.save(collected, options.directory, overwrite=options.overwrite)
            return _Saved(collected.common_name, paths)

        outcomes = await each(options.ssl_ids, one, tell)
    if options.json:
        say_json([_json(outcome) for outcome in outcomes])
    return max(code_of(outcome.failure, is_write=False) for outcome in outcomes)


async def _wait(engine: Engine, ssl_ids: Sequence[int], seconds: float) -> None:
    """Poll those that are no certificates yet; an order that is not local becomes so."""
    order_ids = []
    for ssl_id in dict.fromkeys(ssl_ids):
        try:
            order = await engine.tracking.track(ssl_id)
        except ScmFailure:
            continue  # collecting it tells what is wrong
        if order.is_waiting:
            order_ids.append(order.id)
    endings = await wait_for(engine, order_ids, seconds) if order_ids else {}
    for order_id, ending in endings.items():
        left = current(engine, order_id)
        if left is not None and ending is not Ending.CERTIFICATE:
            tell_ending(ending, left)


def _json(outcome: Outcome[int, _Saved]) -> dict[str, Json]:
    saved = outcome.result
    return outcome_json(outcome.target, outcome.failure, is_write=False) | {
        "common_name": saved.common_name if saved else None,
        "paths": list(saved.paths) if saved else [],
    }
