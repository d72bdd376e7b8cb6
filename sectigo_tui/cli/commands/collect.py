"""`sectigo-tui collect`: certificates as files for a server."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from msgspec import Struct

from sectigo_tui.cli.outcomes import code_of, complain_of, outcome_json, wait_for_certificates
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import complain, show_message
from sectigo_tui.domain.errors import NotReady

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.orders.batch import Outcome
    from sectigo_tui.presentation.json import Json


class _Saved(Struct, frozen=True):
    """A certificate's files."""

    common_name: str
    paths: tuple[str, ...]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("ssl_ids", metavar="SSLID", type=int, nargs="+", help="the order's sslId")
    parser.add_argument("--directory", metavar="DIR", default=".", help="where they are saved; by default here")
    parser.add_argument("--overwrite", action="store_true", help="replace files with other content")
    add_wait(parser, "poll until they are certificates, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser, "one JSON array (docs/json.md)")


def run(options: Namespace) -> int:
    """Collect each certificate; failures are reported, and the others are saved nevertheless."""
    import asyncio

    settings = settings_from(options)
    return asyncio.run(_collect(settings, options))


async def _collect(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.engine.orders.batch import each
    from sectigo_tui.presentation.json import print_json

    def print_result(outcome: Outcome[int, _Saved]) -> None:
        if outcome.failure is not None:
            complain_of(f"sslId {outcome.target}", outcome.failure)
            if isinstance(outcome.failure, NotReady) and options.wait is None:
                complain(f"sslId {outcome.target}: collect --wait polls until it is")
        elif outcome.result is not None and not options.json:
            show_message("\n".join(outcome.result.paths))

    async with session(settings) as engine:
        if options.wait is not None:
            await wait_for_certificates(engine, options.ssl_ids, options.wait)

        async def one(ssl_id: int) -> _Saved:
            collected = await engine.collecting.collect(ssl_id)
            if collected.bundle.facts.warning:
                complain(f"warning: sslId {ssl_id}: {collected.bundle.facts.warning}")
            paths = await engine.collecting.save(collected, options.directory, overwrite=options.overwrite)
            return _Saved(collected.common_name, paths)

        outcomes = await each(options.ssl_ids, one, print_result)
    if options.json:
        print_json([_json(outcome) for outcome in outcomes])
    return max(code_of(outcome.failure, is_write=False) for outcome in outcomes)


def _json(outcome: Outcome[int, _Saved]) -> dict[str, Json]:
    saved = outcome.result
    return outcome_json(outcome.target, outcome.failure, is_write=False) | {
        "common_name": saved.common_name if saved else None,
        "paths": list(saved.paths) if saved else [],
    }
