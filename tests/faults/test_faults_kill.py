"""SIGKILL at every step of ordering, revoking and changing credentials: nothing lost, nothing twice, nothing unknown.

Each life is a real process with the real client, store and credentials file against the simulator on a loopback
port. The next life recovers, as every start does, and is often killed itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from sectigo_tui.config.credentials import read_credentials, write_credentials
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.orders.lookup import tagged_orders
from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import Dialect, World
from sectigo_tui.wiring.settings import settings_of
from sectigo_tui.wiring.store import open_store, verify
from support.kill_child import Job

CHILD = Path(__file__).parent.parent / "support" / "kill_child.py"
SEED = 20_260_302
MOST_STEPS = 80


class Rig:
    """The simulator, the disk, and a process from which lives are forked.

    Attributes:
        world: SCM.
        kills: How many lives were cut short.
    """

    def __init__(
        self, home: Path, world: World, base_url: str, forks: subprocess.Popen[str], store_url: str = ""
    ) -> None:
        self.world = world
        self.homes = [home / f"host-{number}" for number in range(3)] if store_url else [home]
        self.kills = 0
        self._forks = forks
        self._number = 0
        account = world.account.credentials
        config = f'[sectigo]\ncustomer_uri = "{account.customer_uri}"\nbase_url = "{base_url}"\n'
        if store_url:
            config += f'[store]\nurl = "{store_url}"\n'
        password = SecretText(account.password)
        for each in self.homes:
            each.mkdir(exist_ok=True)
            (each / "config.toml").write_text(config)
            write_credentials(each / "credentials.toml", None, login=account.login, password=password)

    def live(self, kind: str, *, may_fail: bool = False, **settings: object) -> str:
        """Run one life, each on the next host where there are several, and return how it ended."""
        self._number += 1
        home = self.homes[self._number % len(self.homes)]
        job = Job(number=self._number, home=str(home), kind=kind, **settings)  # type: ignore[arg-type] # Job's own fields
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(json.dumps(asdict(job)) + "\n")
        self._forks.stdin.flush()
        ended = self._forks.stdout.readline().strip()
        assert ended in ("done", "killed") or may_fail, (ended, job)
        self.kills += ended == "killed"
        self.world.faults.clear()
        return ended

    @property
    def present_password(self) -> str:
        """The password that a start would use."""
        entry = read_credentials(self.homes[0] / "credentials.toml")[None]
        assert entry.password is not None
        assert entry.pending is None
        return entry.password.reveal()

    def check_the_disk(self) -> list[Order]:
        """See that the disk knows all that was ever shown, and return its orders, removed ones included."""
        home = self.homes[0]
        settings = settings_of(config=home / "config.toml", data_dir=home / "data", environ={})
        report, _ = verify(settings)
        assert report.is_intact, report.faults[:3]
        every = {order.id: order for order in asyncio.run(all_orders(settings))}
        logs = [each / "shown.log" for each in self.homes]
        shown = [line.split() for log in logs if log.exists() for line in log.read_text().splitlines()]
        orders = {order.id: order for order in every.values() if not order.removed}
        for order_id, revision, state in shown:
            order = every.get(order_id)
            assert order is not None, (order_id, revision, state)
            assert order.revision >= int(revision)
            orders[order_id] = order
        in_doubt = (OrderState.INTENT, OrderState.UNCONFIRMED, OrderState.REVOKING)
        assert not [order for order in orders.values() if order.state in in_doubt]
        return list(orders.values())


async def all_orders(settings: Settings) -> list[Order]:
    """Return all orders, removed ones included."""
    store = await open_store(settings, SystemClock())
    found = store.all_orders()
    await store.close()
    return found


@contextmanager
def a_rig(home: Path, *, dialect: Dialect | None = None, store_url: str = "") -> Iterator[Rig]:
    world = World(seed=SEED, dialect=dialect)
    world.default_lives = {"DV": "vetting", "OV": "vetting", "EV": "vetting"}
    forks = subprocess.Popen([sys.executable, str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with served(world) as base_url:
            yield Rig(home, world, base_url, forks, store_url)
    finally:
        assert forks.stdin is not None
        assert forks.stdout is not None
        forks.stdin.close()
        forks.wait(10)
        forks.stdout.close()


Record = Callable[[str, object], None]
"""Keeps a figure beside the test's result."""

Life = Callable[[int], str]
"""Lives a life that is killed at a step (0 for never), and returns how it ended."""


def at_steps(life: Life, is_done: Callable[[], bool], *, every: int = 1) -> int:
    """Kill a life at its steps in turn, until it comes to its end; return the first step SCM had done it by.

    Args:
        life: Lives it. First it recovers, which may do at SCM what the one before was killed at.
        is_done: Tells whether SCM has done what the last life itself asked for.
        every: Every how many steps it is killed.
    """
    first = 0
    for step in range(1, MOST_STEPS, every):
        ended = life(step)
        first = first or (step if is_done() else 0)
        if ended == "done":
            return first
    raise AssertionError(f"a life has more than {MOST_STEPS} steps")


def recovering_at_steps(rig: Rig, life: Life, step: int, *, every: int = 1) -> None:
    """Cut a life short when SCM has done what it asked for, and then the life that recovers, at its steps in turn."""
    for recovering_step in range(1, MOST_STEPS, every):
        assert life(step) == "killed"
        if rig.live("nothing", step=recovering_step, from_start=True) == "done":
            return
    raise AssertionError(f"recovering has more than {MOST_STEPS} steps")


@pytest.mark.parametrize(("kind", "every"), [("enroll", 1), ("renew", 2)])
def test_no_order_is_lost_or_ordered_twice(kind: str, every: int, tmp_path: Path, record_property: Record) -> None:
    chance = random.Random(SEED)
    with a_rig(tmp_path) as rig:
        names = iter(range(10_000))
        wanted = ""

        def life(step: int, *, fault: str = "", after_milliseconds: float = 0.0) -> str:
            nonlocal wanted
            wanted = common_name = f"{kind}-{next(names)}.acme.example"
            ssl_id = 0
            if kind == "renew":
                ssl_id = rig.world.add_order(common_name=common_name, life="instant").ssl_id
            if fault:
                rig.world.faults.add(fault, method="POST", path="enroll|renewById", count=1)
            return rig.live(
                kind, common_name=common_name, ssl_id=ssl_id, step=step, after_milliseconds=after_milliseconds
            )

        def is_enrolled() -> bool:
            return any(rig.world.orders[ssl_id].common_name == wanted for ssl_id in rig.world.enrolled)

        took = at_steps(life, is_enrolled)
        at_steps(partial(life, fault="lost"), is_enrolled)
        at_steps(partial(life, fault="drop"), is_enrolled, every=5)
        recovering_at_steps(rig, life, took, every=every)
        for _ in range(8):
            life(0, fault=chance.choice(("", "lost", "drop")), after_milliseconds=chance.uniform(1, 80))
        assert rig.live("nothing") == "done"
        check_orders(rig, rig.check_the_disk())
        assert rig.kills >= 60
        record_property("kills_survived", rig.kills)


def test_two_processes_that_order_one_name_together_order_it_once(tmp_path: Path, record_property: Record) -> None:
    with a_rig(tmp_path) as rig:
        names = iter(range(10_000))

        def life(step: int) -> str:
            common_name = f"twins-{next(names)}.acme.example"
            return rig.live("enroll if alone", common_name=common_name, step=step, twin=1)

        for _ in range(6):
            assert life(0) == "done"
        assert len(rig.world.enrolled) == 6
        for step in range(1, 20):
            life(step)
        assert rig.live("nothing") == "done"
        check_orders(rig, rig.check_the_disk())
        assert set(Counter(rig.world.orders[ssl_id].common_name for ssl_id in rig.world.enrolled).values()) == {1}
        assert rig.kills > 0
        record_property("kills_survived", rig.kills)


def check_orders(rig: Rig, orders: list[Order]) -> None:
    """See that every order at SCM is one on the disk, and that none was ordered twice."""
    placed = [rig.world.orders[ssl_id] for ssl_id in rig.world.enrolled]
    asked_for = Counter(next(iter(tagged_orders(each.comments)), each.common_name) for each in placed)
    assert set(asked_for.values()) == {1}
    by_ssl_id = {order.ssl_id: order for order in orders if order.ssl_id is not None}
    for each in placed:
        order = by_ssl_id[each.ssl_id]
        assert order.state is OrderState.SUBMITTED
        assert tagged_orders(each.comments) == ({order.id} if order.origin is Origin.ENROLLED else set())
    assert {order.ssl_id for order in orders if order.state is OrderState.SUBMITTED} == set(rig.world.enrolled)


def test_no_revocation_is_lost_or_shown_as_done_before_scm_confirms_it(tmp_path: Path, record_property: Record) -> None:
    chance = random.Random(SEED)
    with a_rig(tmp_path, dialect=Dialect(already_revoked_code=-102)) as rig:
        names = iter(range(10_000))
        ssl_id = 0

        def life(step: int, *, fault: str = "", after_milliseconds: float = 0.0) -> str:
            nonlocal ssl_id
            common_name = f"revoke-{next(names)}.acme.example"
            ssl_id = rig.world.add_order(common_name=common_name, life="instant").ssl_id
            if fault:
                rig.world.faults.add(fault, method="POST", path="revoke", count=1)
            return rig.live(
                "revoke", common_name=common_name, ssl_id=ssl_id, step=step, after_milliseconds=after_milliseconds
            )

        def is_revoked() -> bool:
            return rig.world.orders[ssl_id].revoked is not None

        took = at_steps(life, is_revoked)
        for fault in ("lost", "unavailable"):
            at_steps(partial(life, fault=fault), is_revoked)
        recovering_at_steps(rig, life, took)
        for _ in range(6):
            life(0, fault=chance.choice(("", "lost")), after_milliseconds=chance.uniform(1, 80))
        assert rig.live("nothing") == "done"
        check_revocations(rig, rig.check_the_disk())
        assert rig.kills >= 55
        record_property("kills_survived", rig.kills)


def check_revocations(rig: Rig, orders: list[Order]) -> None:
    """See that the disk says revoked, confirmed by SCM, of what is revoked at SCM, and of nothing else."""
    confirmed = {
        order.ssl_id
        for order in orders
        if order.state is OrderState.REVOKED and order.revocation is not None and order.revocation.confirmed_at
    }
    assert {order.ssl_id for order in orders if order.state is OrderState.REVOKED} == confirmed
    assert {order.ssl_id for order in rig.world.orders.values() if order.revoked is not None} == confirmed


def test_no_password_made_here_is_lost_and_none_is_tried_without_end(tmp_path: Path, record_property: Record) -> None:
    with a_rig(tmp_path) as rig:
        passwords = {rig.world.account.credentials.password}

        def is_changed() -> bool:
            known = len(passwords)
            passwords.add(rig.world.account.credentials.password)
            return len(passwords) > known

        def life(step: int, *, fault: str = "") -> str:
            if fault:
                rig.world.faults.add(fault, method="POST", path="changepassword", count=1)
            before = refused_logins(rig)
            ended = rig.live("change", step=step)
            # One of two that the life before left, and one of two that this one was cut short with.
            assert refused_logins(rig) - before <= 2
            return ended

        took = at_steps(life, is_changed)
        at_steps(partial(life, fault="lost"), is_changed)
        at_steps(partial(life, fault="drop"), is_changed, every=2)
        recovering_at_steps(rig, life, took)
        assert rig.live("nothing") == "done"
        assert rig.present_password == rig.world.account.credentials.password
        assert rig.kills >= 70
        record_property("kills_survived", rig.kills)


def refused_logins(rig: Rig) -> int:
    return sum(request.status == 401 for request in rig.world.traffic.requests)


def test_a_rotation_is_done_or_not_done_and_changes_no_order(tmp_path: Path, record_property: Record) -> None:
    with a_rig(tmp_path) as rig:
        assert rig.live("enroll", common_name="www.acme.example") == "done"
        (before,) = rig.check_the_disk()
        numbers = iter(range(10_000))

        def life(step: int) -> str:
            password = rig.world.account.credentials.password = f"Changed-Elsewhere-{next(numbers)}"
            # Recovering meets the refusal, and the operator types the new one.
            return rig.live("nothing", password=password, step=step, from_start=True)

        at_steps(life, lambda: False)
        password = rig.world.account.credentials.password
        assert rig.live("nothing", password=password) == "done"
        assert rig.present_password == password
        (after,) = rig.check_the_disk()
        assert (after.state, after.ssl_id) == (before.state, before.ssl_id)
        assert rig.kills >= 10
        record_property("kills_survived", rig.kills)
        assert "Changed-Elsewhere" not in "".join(path.read_text() for path in tmp_path.rglob("*.jsonl"))
