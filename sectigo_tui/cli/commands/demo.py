"""`sectigo-tui demo` and `sectigo-tui simulator`: the simulated account, with a dashboard or without."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from sectigo_tui.cli.exit_codes import USAGE
from sectigo_tui.cli.output import complain
from sectigo_tui.cli.screen_flags import with_screen_flags
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.simulator.server import MissingExtraError, run_simulator, served
from sectigo_tui.simulator.world import Dialect, World
from sectigo_tui.wiring.settings import settings_of


def run_server(options: Namespace) -> int:
    """Serve the simulator until SIGINT or SIGTERM, printing the lines that point a client at it."""
    try:
        return run_simulator(
            port=options.port,
            speed=options.speed,
            seed=options.seed,
            scenario=options.scenario,
            faults=options.fault,
            dialect=Dialect(status_filter=options.status_filter),
            out=sys.stdout,
        )
    except MissingExtraError as missing:
        complain(str(missing))
        return USAGE
    except ValueError as wrong:
        raise InputError(str(wrong), "see sectigo-tui simulator --help") from wrong
    except OSError as error:
        raise InputError(f"port {options.port}: {error.strerror}", "choose another with --port") from error


def run_demo(options: Namespace) -> int:
    """Show the dashboard against the simulator, in a data directory that is gone afterwards."""
    from sectigo_tui.cli.commands.dashboard import show

    world = make_world("demo", speed=options.speed, seed=options.seed)
    try:
        with served(world) as base_url, tempfile.TemporaryDirectory(prefix="sectigo-tui-demo-") as directory:
            settings = settings_of(
                config=_demo_config(Path(directory), world, base_url),
                data_dir=Path(directory) / "data",
                read_only=vars(options).get("read_only", False),
                debug_log=vars(options).get("debug_log"),
                environ={},
            )
            return show(with_screen_flags(settings, options), track=_orders_to_track(world))
    except MissingExtraError as missing:
        complain(str(missing))
        return USAGE


def _demo_config(directory: Path, world: World, base_url: str) -> Path:
    import tomli_w

    credentials = world.account.credentials
    section = {
        "customer_uri": credentials.customer_uri,
        "login": credentials.login,
        "password": credentials.password,
        "org_id": world.account.organizations[0].id,
        "cert_type": world.account.profile_of("OV").id,
        "base_url": base_url,
        "environment": "DEMO",
    }
    path = directory / "config.toml"
    path.touch(mode=0o600)
    path.write_text(tomli_w.dumps({"sectigo": section}))
    return path


def _orders_to_track(world: World) -> list[int]:
    pending = [ssl_id for ssl_id, status in world.statuses().items() if classify(status) is StatusClass.PENDING]
    return sorted(pending)[::2]
