"""Notifications of `watch`: what is told, grouped, once, and where it arrives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_site import Site, mode
from test_cli_watch import Events, ordered, watched

from sectigo_tui.cli import notifier
from sectigo_tui.cli.metrics import Metrics
from sectigo_tui.cli.notifier import Message, Notifier, Weight, is_quiet
from sectigo_tui.domain.errors import SectigoTuiError
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollWindow
from sectigo_tui.engine.account.renewals import Timing
from sectigo_tui.simulator.orders import named_life
from sectigo_tui.store.notified import NotifiedFile
from support.readme import TEXTS
from support.receiver import TOKEN, receiver
from support.virtual_time import START, in_virtual_time
from support.writing import Site as Process


def configure(site: Site, notify: str) -> None:
    path = site.home / ".config" / "sectigo-tui" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"[notify]\n{notify}\n")


class Desk:
    """A notifier before an engine, in virtual time."""

    def __init__(
        self, directory: Path, process: Process | None = None, quiet: str | None = None, *, is_shared: bool = False
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.process = process or Process()
        self.messages: list[Message] = []
        self.addresses: list[str] = []
        self.failures: list[str] = []
        self.errors: dict[str, str] = {}
        self.notifier = Notifier(
            NotifiedFile(directory),
            self.process.clock,
            account="acme PROD",
            quiet=quiet,
            addresses=self._addresses,
            failed=self._failed,
            is_shared=is_shared,
            send=self._send,
        )

    async def _addresses(self) -> list[str]:
        return ["one://", "two://"]

    def _failed(self, failure: SectigoTuiError) -> None:
        self.failures.append(str(failure))

    async def _send(self, address: str, message: Message) -> str:
        self.addresses.append(address)
        error = self.errors.get(address, "")
        if not error and address == "one://":
            self.messages.append(message)
        return error

    async def run(self, seconds: float) -> None:
        async with self.notifier.running(), self.notifier.reading(self.process.engine):
            await self.process.follow_for(seconds, polling=True)

    @property
    def text(self) -> str:
        return "\n".join(message.body for message in self.messages)


def plant(process: Process, number: int, state: OrderState = OrderState.PENDING, **facts: Any) -> None:
    order = Order(
        id=f"order-{number}",
        state=state,
        state_since=START,
        created_at=START,
        origin=Origin.ENROLLED,
        ssl_id=2_100_000 + number,
        common_name=f"host{number}.acme.example",
        window=PollWindow(opened_at=START, deadline_seconds=600.0, next_poll_at=START),
        **facts,
    )
    process.store.plant(order)


@in_virtual_time
async def test_what_becomes_of_orders_within_a_minute_comes_in_one_message_and_once(tmp_path: Path) -> None:
    NotifiedFile(tmp_path).begin(())
    desk = Desk(tmp_path)
    await desk.process.an_order(OrderState.COLLECTED, "one.acme.example")
    await desk.process.an_order(OrderState.COLLECTED, "two.acme.example")
    await desk.run(3600)
    (message,) = desk.messages
    assert message.title == "sectigo-tui acme PROD: 2 changes"
    assert "one.acme.example: issued" in message.body
    assert "two.acme.example: issued" in message.body
    assert message.weight is Weight.GOOD
    restarted = Desk(tmp_path, desk.process)
    await restarted.run(3600)
    assert restarted.addresses == []
    assert mode(tmp_path / "notified.json") == 0o600


@in_virtual_time
async def test_orders_that_were_issued_before_the_first_start_are_not_told_and_those_that_wait_for_you_are(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    plant(desk.process, 1, OrderState.COLLECTED)
    plant(desk.process, 2, OrderState.FAILED)
    plant(desk.process, 3, OrderState.UNCONFIRMED)
    await desk.run(600)
    (message,) = desk.messages
    assert "host3.acme.example: blocked on you: " in message.body
    assert message.weight is Weight.WARNING
    assert len(message.body.splitlines()) == 1


@in_virtual_time
async def test_an_approver_a_passed_deadline_and_a_failure_are_told_each_at_its_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    world = desk.process.world
    approval = await desk.process.engine.enrolling.enroll(drafted("approve.acme.example", "approval"))
    declined = await desk.process.engine.enrolling.enroll(drafted("declined.acme.example", "approval"))
    async with desk.notifier.running(), desk.notifier.reading(desk.process.engine):
        await desk.process.follow_for(120, polling=True)
        assert desk.text.count("blocked on an SCM approver: ") == 2
        assert declined.order.ssl_id is not None
        await desk.process.engine.approving.decline(declined.order.ssl_id, "no")
        await desk.process.engine.read_again([declined.order.ssl_id])
        await desk.process.follow_for(200, polling=True)
        assert desk.messages[-1].body == f"{declined.order.ssl_id} declined.acme.example: failed: Declined"
        assert desk.messages[-1].weight is Weight.BAD
        await desk.process.follow_for(900, polling=True)
        assert "approve.acme.example: deadline passed" in desk.messages[-1].body
    assert len(desk.messages) == 3
    assert approval.order.ssl_id in world.statuses()


@in_virtual_time
async def test_a_renewal_is_told_and_counted_as_late_from_the_day_on_by_which_it_was_to_be_ordered(
    tmp_path: Path,
) -> None:
    process = Process()
    issued_long_ago = replace(named_life("ov-instant"), gated=False)
    for name, days_ago in (("late", 187), ("ahead", 100)):
        requested = process.world.now() - timedelta(days=days_ago)
        process.world.add_order(life=issued_long_ago, common_name=f"{name}.acme.example", requested=requested)
    await process.engine.renewals.refresh()
    (first, second) = await process.engine.renewals.due(within_days=199)
    assert (first.timing, second.timing) == (Timing.DUE, Timing.AHEAD)
    metrics = Metrics("acme", process.clock)

    async def count() -> dict[str, str]:
        text = (await metrics.text()).decode()
        return dict(re.findall(r'^sectigo_tui_renewals\{.*timing="(\w+)"\} ([0-9.]+)$', text, re.MULTILINE))

    midnight = datetime.combine(first.order_by + timedelta(days=1), time(), UTC)
    await process.clock.sleep((midnight - process.clock.now()).total_seconds() - 600)
    desk = Desk(tmp_path, process)
    async with desk.notifier.running(), desk.notifier.reading(process.engine), metrics.reading(process.engine):
        await process.clock.sleep(300)
        assert desk.messages == []
        assert await count() == {"late": "0.0", "due": "1.0"}
        await process.clock.sleep(900)
        assert await count() == {"late": "1.0", "due": "0.0"}
        await process.clock.sleep(900)
    (message,) = desk.messages
    assert f"late.acme.example: renewal late: it was to be ordered by {first.order_by}" in message.body
    assert message.weight is Weight.BAD


@in_virtual_time
async def test_a_fact_that_comes_again_is_told_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    placed = await desk.process.engine.enrolling.enroll(drafted("approve.acme.example", "approval"))
    async with desk.notifier.running(), desk.notifier.reading(desk.process.engine):
        await desk.process.follow_for(1200, polling=True)
        await desk.process.engine.scheduler.open_window(placed.order.id)
        await desk.process.follow_for(1200, polling=True)
    assert desk.text.count("deadline passed") == 2


@in_virtual_time
async def test_rejected_credentials_are_told_while_nothing_is_polled(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    plant(desk.process, 1)
    desk.process.change_elsewhere("another password")
    async with desk.notifier.running():
        async with desk.notifier.reading(desk.process.engine):
            await desk.process.follow_for(20, polling=True)
        await desk.process.clock.sleep(120)
        (message,) = desk.messages
    assert message.body.startswith("SCM rejects the credentials, and polling is paused: ")
    assert message.weight is Weight.BAD


@in_virtual_time
async def test_a_quiet_time_holds_messages_back_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = (START.astimezone() - timedelta(minutes=1)).strftime("%H:%M")
    end = (START.astimezone() + timedelta(hours=2)).strftime("%H:%M")
    desk = Desk(tmp_path, quiet=f"{start}-{end}")
    plant(desk.process, 1, OrderState.UNCONFIRMED)
    async with desk.notifier.running(), desk.notifier.reading(desk.process.engine):
        await desk.process.clock.sleep(2 * 3600 - 60)
        assert desk.messages == []
        await desk.process.clock.sleep(120)
        assert len(desk.messages) == 1


@in_virtual_time
async def test_a_service_that_fails_is_tried_again_alone_and_its_failure_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.errors = {"two://": "two://...: error=500"}
    plant(desk.process, 1, OrderState.UNCONFIRMED)
    async with desk.notifier.running(), desk.notifier.reading(desk.process.engine):
        await desk.process.clock.sleep(100)
        assert desk.addresses == ["one://", "two://"]
        desk.errors = {}
        await desk.process.clock.sleep(600)
        assert desk.addresses == ["one://", "two://", "two://"]
    assert len(desk.failures) == 1
    assert "two://...: error=500" in desk.failures[0]


@in_virtual_time
async def test_what_no_service_takes_is_sent_by_the_next_process(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.errors = {"one://": "down", "two://": "down"}
    plant(desk.process, 1, OrderState.UNCONFIRMED)
    await desk.run(3600)
    assert desk.messages == []
    assert len(desk.failures) > 3
    after = Desk(tmp_path, desk.process)
    await after.run(120)
    assert len(after.messages) == 1


@in_virtual_time
async def test_a_message_that_was_under_way_at_a_kill_is_not_sent_again_and_that_is_said(tmp_path: Path) -> None:
    killed = NotifiedFile(tmp_path)
    killed.begin(["you order-1"])
    killed.close()
    desk = Desk(tmp_path)
    plant(desk.process, 1, OrderState.UNCONFIRMED)
    await desk.run(600)
    assert desk.messages == []
    assert "a notification of 1 changes may not have arrived" in desk.failures[0]


@in_virtual_time
async def test_only_the_poller_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)
    plant(desk.process, 2, OrderState.UNCONFIRMED)
    monkeypatch.setattr(desk.process.store, "poller", lambda: "pid 4711 on tty pts/3")
    await desk.run(600)
    assert desk.addresses == []


@in_virtual_time
async def test_another_host_that_polls_from_now_on_sends_nothing_twice(tmp_path: Path) -> None:
    first = Desk(tmp_path / "first", is_shared=True)
    plant(first.process, 1, OrderState.UNCONFIRMED)
    await first.run(600)
    assert len(first.messages) == 1
    plant(first.process, 2, OrderState.COLLECTED)
    second = Desk(tmp_path / "second", first.process, is_shared=True)
    await second.run(600)
    (message,) = second.messages
    assert message.body == "2100002 host2.acme.example: issued"
    third = Desk(tmp_path / "first", first.process, is_shared=True)
    await third.run(600)
    assert third.messages == []


@in_virtual_time
async def test_credentials_that_are_rejected_on_two_hosts_are_told_by_one(tmp_path: Path) -> None:
    first = Desk(tmp_path / "first", is_shared=True)
    plant(first.process, 1)
    first.process.change_elsewhere("another password")
    second = Desk(tmp_path / "second", first.process, is_shared=True)
    async with first.notifier.running(), second.notifier.running():
        async with first.notifier.reading(first.process.engine):
            await first.process.follow_for(20, polling=True)
        async with second.notifier.reading(second.process.engine):
            await second.process.clock.sleep(1)
        await first.process.clock.sleep(300)
    assert len(first.messages) == 1
    assert second.messages == []


@in_virtual_time
async def test_a_disk_that_is_full_keeps_nobody_from_being_told_once(tmp_path: Path) -> None:
    (tmp_path / "notified.json").mkdir()
    desk = Desk(tmp_path)
    plant(desk.process, 1, OrderState.UNCONFIRMED)
    await desk.run(600)
    assert len(desk.messages) == 1
    assert len(desk.failures) == 1


def test_names_in_a_message_call_nobody_and_many_lines_are_counted() -> None:
    facts = [notifier.Fact(f"issued {number}", "<!channel> @everyone \x1b[1m", Weight.GOOD) for number in range(50)]
    message = notifier.message_of(facts, "acme")
    assert not set("<>@\x1b") & set(message.body)
    assert message.body.endswith("and 20 more: sectigo-tui orders lists them")


@pytest.mark.parametrize(
    ("quiet", "at", "expected"),
    [
        ("22:00-06:30", "23:10", True),
        ("22:00-06:30", "06:29", True),
        ("22:00-06:30", "06:30", False),
        ("12:00-13:00", "12:00", True),
        ("12:00-13:00", "13:00", False),
        (None, "03:00", False),
    ],
)
def test_a_quiet_time_may_reach_past_midnight(quiet: str | None, at: str, expected: bool) -> None:
    assert is_quiet(quiet, datetime.strptime(at, "%H:%M")) is expected  # noqa: DTZ007 - a time of day alone


def drafted(name: str, life: str) -> Any:
    from support.writing import ready

    return ready(name, comments=f"[sim:{life}]")


def test_watch_sends_to_a_real_server_and_after_a_restart_never_the_same(site: Site) -> None:
    with receiver() as told:
        configure(site, f'urls_command = ["echo", "{told.address}"]')
        ssl_id = ordered(site, life="approval")

        def drive(events: Events) -> None:
            events.until("poll", ssl_id=ssl_id)

        assert watched(site, drive)[0] == 0
        (message,) = told.received
        assert message["title"] == "sectigo-tui acme: 1 change"
        assert message["message"].startswith(f"{ssl_id} www.acme.example: blocked on an SCM approver: ")
        assert message["type"] == "warning"
        assert watched(site, drive)[0] == 0
        assert len(told.received) == 1


def test_a_test_message_goes_to_each_address_and_a_failure_names_the_service_without_its_token(site: Site) -> None:
    with receiver() as told:
        configure(site, f'urls = ["{told.address}", "json://127.0.0.1:{told.port}/other"]')
        assert site.make("notify", "test").out == "json://...  sent\njson://...  sent\n"
        assert [message["title"] for message in told.received] == ["sectigo-tui acme: test"] * 2
        told.status = 500
        ended = site.run("notify", "test", "--json")
        assert ended.code == 1
        services = ended.document("array of tried service")
        assert [service["service"] for service in services] == ["json://..."] * 2
        assert "500" in services[0]["error"]
        assert TOKEN not in ended.out + ended.err


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ("", "notify.urls (not set): there is no address to send to"),
        (f'urls = ["{TOKEN}"]', "has an address that is no SCHEME://"),
        ('urls = ["a://b"]\nurls_command = ["c"]', "urls_command is set in the same section"),
        ('urls_command = ["/nowhere/none"]', "notify.urls_command ("),
        ('quiet = "22-6"', "'22-6' is no time of day from HH:MM-HH:MM"),
        (f'urls = ["unheard-of://{TOKEN}"]', "has an address that is no SCHEME://"),
        (f'urls = ["unheardof://{TOKEN}"]', "unheardof://...: Apprise knows no such address"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_without_a_token(site: Site, notify: str, expected: str) -> None:
    configure(site, notify)
    ended = site.run("notify", "test")
    assert ended.code in (1, 2)
    assert expected in ended.err
    assert TOKEN not in ended.out + ended.err


def test_addresses_are_shown_nowhere_and_kept_from_commands(site: Site) -> None:
    configure(site, f'urls = ["json://127.0.0.1:9/{TOKEN}"]')
    ended = site.make("config", "show")
    assert "********" in ended.out
    assert TOKEN not in ended.out
    path = site.home / ".config" / "sectigo-tui" / "config.toml"
    path.chmod(0o644)
    assert "holds a password or key" in site.run("config", "show").err


def test_a_missing_extra_is_answered_with_the_command_that_installs_it(site: Site) -> None:
    configure(site, f'urls = ["json://127.0.0.1:9/{TOKEN}"]')
    site.monkeypatch.setitem(sys.modules, "apprise", None)
    site.monkeypatch.delitem(sys.modules, "sectigo_tui.cli.notifier")
    for command in (("notify", "test"), ("watch",)):
        ended = site.run(*command)
        assert ended.code == 2
        assert "pip install 'sectigo-tui[notify]'" in ended.err


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not here")
@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_recipe_for_on_event_sends_a_failed_order_as_json(tmp_path: Path, number: int) -> None:
    recipes = re.findall(r"```bash\n(.*?)```", TEXTS["docs/notifications.md"], re.DOTALL)
    assert len(recipes) == 3
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/bash\nfor each; do case "$each" in "{"*) printf %s "$each" ;; @-) cat ;; esac; done\n')
    curl.chmod(0o755)
    keys = tmp_path / ".config" / "sectigo-tui"
    keys.mkdir(parents=True)
    for name in ("slack-webhook", "teams-webhook", "pagerduty-key"):
        (keys / name).write_text("secret")
    change = {"event": "order", "order_id": "ab", "ssl_id": 7, "common_name": 'a"b', "summary": "APL -> REJ"}
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    for state, is_sent in (("failed", True), ("pending", number < 2)):
        done = subprocess.run(
            ["bash", "-c", recipes[number]],
            input=json.dumps({**change, "to_state": state}),
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stderr, bool(done.stdout)) == ("", is_sent)
        assert not is_sent or 'a"b' in json.dumps(json.loads(done.stdout)).replace("\\", "")
