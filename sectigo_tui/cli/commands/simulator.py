"""`sectigo-tui simulator`: the simulated account, served for a client."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from sectigo_tui.cli.exit_codes import USAGE
from sectigo_tui.cli.terminal import complain
from sectigo_tui.domain.errors import InputError
from sectigo_tui.simulator.account import RIGHTS


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port; 0 picks a free one")
    parser.add_argument("--scenario", default="demo", metavar="NAME", help="demo, causes, empty or large")
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT", help="a fault in force from the start")
    parser.add_argument(
        "--dialect",
        default="manual",
        choices=("manual", "openapi"),
        help="answer as the vendor's manual has it, or as its OpenAPI: date-times, arrays, spaced words, string codes",
    )
    parser.add_argument(
        "--status-filter",
        choices=("joined", "spaced"),
        help="take SAApproved (joined) or SA Approved (spaced) as a listing's filter, whatever the dialect",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=RIGHTS,
        metavar="RIGHT",
        help=f"a right that the login does not have: {', '.join(RIGHTS)}; may be repeated",
    )
    parser.add_argument("--demand-reason-code", action="store_true", help="refuse a revocation without reasonCode")
    add_course(parser)


def add_course(parser: ArgumentParser) -> None:
    """Add what decides how the simulated account goes on, which `demo` takes too."""
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="simulated seconds a second")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="decides everything chance would")


def run(options: Namespace) -> int:
    """Serve the simulator until SIGINT or SIGTERM, printing the lines that point a client at it."""
    from sectigo_tui.simulator.server import MissingExtraError, run_simulator
    from sectigo_tui.simulator.world import Dialect

    changes = {"demands_reason_code": options.demand_reason_code}
    if options.status_filter is not None:
        changes["status_filter"] = options.status_filter
    try:
        return run_simulator(
            port=options.port,
            speed=options.speed,
            seed=options.seed,
            scenario=options.scenario,
            faults=options.fault,
            dialect=Dialect.named(options.dialect, **changes),
            without=options.without,
            out=sys.stdout,
        )
    except MissingExtraError as missing:
        complain(str(missing))
        return USAGE
    except ValueError as wrong:
        raise InputError(str(wrong), "see sectigo-tui simulator --help") from wrong
    except OSError as error:
        raise InputError(f"port {options.port}: {error.strerror}", "choose another with --port") from error
