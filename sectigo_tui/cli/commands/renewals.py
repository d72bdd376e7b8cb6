"""`sectigo-tui renewals`: until when each certificate's renewal is to be ordered."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE, LATE
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.domain.limits import HORIZON_DAYS, REACH_DAYS

if TYPE_CHECKING:
    from datetime import datetime

    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.account.in_use import Renewals
    from sectigo_tui.engine.account.renewals import Renewal


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument(
        "--within",
        metavar="DAYS",
        type=_days,
        default=HORIZON_DAYS,
        help=f"certificates that expire within 1 to {REACH_DAYS} days (default {HORIZON_DAYS})",
    )
    parser.add_argument("--late", action="store_true", help="only those whose last safe day to order has passed")
    parser.add_argument(
        "--filter", metavar="TERMS", help="only those that all terms find, such as 'late|due val:ov by<14d'"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object (docs/json.md)")
    shape.add_argument("--calendar", action="store_true", help="the orders to place in each of the coming 26 weeks")
    shape.add_argument("--icalendar", action="store_true", help="the last days to order as an iCalendar file")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= REACH_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to {REACH_DAYS}")
    return int(text)


def run(options: Namespace) -> int:
    """Tell until when renewals are to be ordered; what was read within a quarter of an hour is not read again.

    Returns:
        `LATE` when the last safe day of a renewal that is not ordered yet has passed.

    Raises:
        ScmFailure: The certificates in use could not be read.
    """
    import asyncio

    return asyncio.run(_run(settings_from(options), options))


async def _run(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.cli.terminal import complain
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.domain.errors import InputError
    from sectigo_tui.engine.account.renewals import Timing
    from sectigo_tui.presentation.renewals import RenewalFilter

    wanted = RenewalFilter(options.filter or "", SystemClock().now().date())
    if wanted.error_text:
        raise InputError(f"--filter: {wanted.error_text.rstrip('.')}", "write it as the dashboard's / takes it")

    async with session(settings) as engine:
        renewals = engine.renewals
        await engine.account.refresh_pending()
        await engine.diagnoser.samples.learn_local()
        await engine.diagnoser.samples.learn_kept()
        await renewals.refresh()
        await renewals.learn()
        within = REACH_DAYS if options.calendar else options.within
        found = await renewals.due(within_days=within)
        found = [one for one in found if wanted.test(one)]
        is_any_late = any(one.timing is Timing.LATE for one in found)
        if options.late:
            found = [one for one in found if one.timing is Timing.LATE]
        _print(renewals, found, options, engine.clock.now())
        if renewals.in_use.to_read:
            words = f"{renewals.in_use.to_read:,} certificates are not read yet: each run reads some more"
            complain(f"incomplete: {words}")
    return LATE if is_any_late else FINE


def _print(renewals: Renewals, found: list[Renewal], options: Namespace, now: datetime) -> None:
    from sectigo_tui.cli.terminal import complain, show_message, table
    from sectigo_tui.presentation import renewals as shown
    from sectigo_tui.presentation.json import moment_json, print_json

    in_use, today = renewals.in_use, now.date()
    if options.json:
        print_json(
            {
                "read_at": moment_json(in_use.read_at),
                "source": in_use.source,
                "requests": in_use.requests,
                "until": moment_json(in_use.until),
                "not_read": in_use.to_read,
                "margin_days": renewals.margin_days,
                "renewals": [shown.renewal_json(one, today) for one in found],
            }
        )
    elif options.calendar:
        show_message("\n".join(shown.calendar_lines(found, today, margin_days=renewals.margin_days)))
    elif options.icalendar:
        sys.stdout.write(shown.icalendar(found, now))
    elif found:
        heads = tuple(column.title for column in shown.COLUMNS)
        rows = [tuple(shown.renewal_cell(one, column.key, today).text for column in shown.COLUMNS) for one in found]
        show_message(table([heads, *rows]))
    else:
        complain("no renewal is late" if options.late else f"no certificate expires within {options.within} days")
