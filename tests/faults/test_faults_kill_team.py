"""SIGKILL of clients on three hosts, and of the database between them: nothing lost, and nothing ordered twice."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest
from test_faults_kill import SEED, Rig, a_rig, check_orders, check_revocations

from sectigo_tui.simulator.world import Dialect
from support.postgres import Databases, Server

SCALE = float(os.environ.get("SECTIGO_TUI_TEST_KILLS", "1"))
"""How many times as many kills as usual: `SECTIGO_TUI_TEST_KILLS=11` has 172 of clients and 39 of the server."""


def work(rig: Rig, server: Server, kind: str, chance: random.Random) -> int:
    """Let lives order, renew or revoke, each killed at another step; return how often the server was killed."""
    server_kills = 0
    for number in range(round(10 * SCALE)):
        common_name, ssl_id = f"{kind}-{number}.acme.example", 0
        if kind != "enroll":
            ssl_id = rig.world.add_order(common_name=common_name, life="instant").ssl_id
        if number % 3 == 2:
            rig.world.faults.add("lost", method="POST", path="enroll|renewById|revoke", count=1)
        killing = None
        if number % 8 == 7:
            server_kills += 1
            killing = threading.Timer(chance.uniform(0.0, 0.25), restart, (server,))
            killing.start()
        rig.live(
            kind,
            may_fail=killing is not None,
            common_name=common_name,
            ssl_id=ssl_id,
            step=0 if killing is not None else chance.randint(1, 22),
            from_start=number % 5 == 4,
        )
        if killing is not None:
            killing.join()
    rig.world.faults.clear()
    assert rig.live("nothing") == "done"
    return server_kills


def restart(server: Server) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize("kind", ["enroll", "renew", "revoke"])
def test_nothing_is_lost_or_done_twice_on_three_hosts_whoever_is_killed(
    kind: str, tmp_path: Path, server: Server, own_databases: Databases, record_property: object
) -> None:
    dialect = Dialect(already_revoked_code=-102) if kind == "revoke" else None
    with a_rig(tmp_path, dialect=dialect, store_url=own_databases.address()) as rig:
        server_kills = work(rig, server, kind, random.Random(f"{SEED} {kind}"))
        (check_revocations if kind == "revoke" else check_orders)(rig, rig.check_the_disk())
        assert rig.kills >= 4 * SCALE
        record_property("kills_survived", rig.kills + server_kills)  # type: ignore[operator]  # pytest's own
        print(f"{kind}: {rig.kills} kills of clients, {server_kills} of the server")  # noqa: T201 - for who runs it long
