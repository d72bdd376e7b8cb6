"""`sectigo-tui demo`: the dashboard before a simulated account."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.cli.commands.simulator import add_course
from sectigo_tui.cli.exit_codes import USAGE
from sectigo_tui.cli.screen_flags import add_screen_flags, screen_flags_of
from sectigo_tui.cli.terminal import complain

if TYPE_CHECKING:
    from sectigo_tui.simulator.world import World


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_screen_flags(parser)
    add_course(parser)


def run(options: Namespace) -> int:
    """Show the dashboard against the simulator, in a data directory that is gone afterwards."""
    import tempfile

    from sectigo_tui.cli.commands.dashboard import show
    from sectigo_tui.simulator.scenarios import make_world
    from sectigo_tui.simulator.server import MissingExtraError, served
    from sectigo_tui.wiring.settings import settings_of

    world = make_world("demo", speed=options.speed, seed=options.seed)
    try:
        with served(world) as base_url, tempfile.TemporaryDirectory(prefix="sectigo-tui-demo-") as directory:
            settings = settings_of(
                config=_demo_config(Path(directory), world, base_url),
                data_dir=Path(directory) / "data",
                flags={"read_only": vars(options).get("read_only"), **screen_flags_of(options)},
                debug_log=vars(options).get("debug_log"),
                environ={},
            )
            return show(settings, track=_orders_to_track(world))
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
    from sectigo_tui.domain.status import StatusClass, classify

    pending = [ssl_id for ssl_id, status in world.statuses().items() if classify(status) is StatusClass.PENDING]
    return sorted(pending)[::2]
