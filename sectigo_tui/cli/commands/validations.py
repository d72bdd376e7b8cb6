"""`sectigo-tui validations`: which validations of the account end soon, without a screen."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import complain, show_message, table
from sectigo_tui.domain.limits import LONGEST_WITHIN_DAYS, WITHIN_DAYS

if TYPE_CHECKING:
    from datetime import datetime

    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.diagnosis.ending import EndingValidation, EndingValidations


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    words = f"how many days ahead; {WITHIN_DAYS} if left out"
    parser.add_argument("--within", metavar="DAYS", type=_days, default=WITHIN_DAYS, help=words)
    add_json(parser, "one JSON object (docs/json.md)")


def run(options: Namespace) -> int:
    """Print the validations of domains and organizations that end within some days, soonest first.

    Raises:
        ScmFailure: The account's pending orders could not be listed; what is known was printed.
    """
    import asyncio

    return asyncio.run(_validations(settings_from(options), options))


async def _validations(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.presentation.json import print_json, validations_json

    async with session(settings) as engine:
        await engine.account.refresh_pending()
        found = await engine.diagnoser.ending.find(options.within)
        if options.json:
            print_json(validations_json(found))
        elif found.rows:
            show_message(_text(found))
        for missing in found.missing:
            complain(f"not known: {missing}")
        if not options.json and not found.rows and not found.missing:
            show_message(f"No validation ends within {found.within_days} days.")
        if engine.account.failure is not None:
            raise engine.account.failure
    return FINE


def _text(found: EndingValidations) -> str:
    head = ("ENDS", "LEFT", "WHAT", "SCM SAYS", "PENDING", "CERTIFICATES")
    return table([head, *(_row(row, found.at) for row in found.rows)])


def _row(row: EndingValidation, now: datetime) -> tuple[str, ...]:
    from sectigo_tui.presentation.format import format_when
    from sectigo_tui.presentation.validations import certificates_text, left_text, what_text

    says = " ".join(filter(None, (row.status, f"({row.renewal})" if row.renewal else "")))
    pending = str(len(row.pending))
    return (
        format_when(row.expires)[:10],
        left_text(row, now),
        what_text(row),
        says,
        pending,
        certificates_text(row),
    )


def _days(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= LONGEST_WITHIN_DAYS:
        raise ArgumentTypeError(f"{text!r} is no number of days from 1 to {LONGEST_WITHIN_DAYS}")
    return int(text)
