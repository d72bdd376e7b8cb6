"""What Prometheus reads of `watch`: over HTTP and from a file, by its own parser, with bounded series."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from cli_site import Site, mode
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families
from test_cli_watch import Events, ordered, watched

from sectigo_tui.cli.metrics import NAMED_ORDERS, PREFIX, Metrics, exported
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollWindow, WindowEnd
from support.documented import DOCS
from support.readme import quoted, table
from support.virtual_time import START, in_virtual_time
from support.writing import Site as Process
from support.writing import new_world

ACCOUNT = "acme"
METRICS_TABLE = "| metric | type | labels | what it is |"
STATUSES = ("Requested", "SA Approved", "Approved", "Applied", "Init", "")
PENDING = tuple(state for state in OrderState if state.is_open)
Samples = dict[str, dict[tuple[str, ...], float]]


def samples(text: str) -> Samples:
    """Return each series by name and label values, the account's left out, as Prometheus' parser reads them."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            if sample.name.startswith(PREFIX):
                assert sample.labels["account"] == ACCOUNT
                key = tuple(value for name, value in sample.labels.items() if name != "account")
                found.setdefault(sample.name.removeprefix(PREFIX), {})[key] = sample.value
    return found


def an_order(number: int, status: str = "", **changes: object) -> Order:
    order = Order(
        id=f"order-{number}",
        state=PENDING[number % len(PENDING)],
        state_since=START,
        created_at=START,
        last_answer_at=START,
        origin=Origin.ENROLLED,
        ssl_id=2_100_000 + number,
        common_name=f"host{number}.acme.example",
        details=OrderDetails(
            ssl_id=2_100_000 + number,
            status=status or STATUSES[number % len(STATUSES)],
            validation=("DV", "OV", "EV", "Something else")[number % 4],
        ),
        window=PollWindow(opened_at=START, deadline_seconds=600.0, next_poll_at=START + timedelta(seconds=number)),
    )
    return replace(order, **changes)


def unexpected(failure: InputError) -> None:
    raise failure


async def read(process: Process, **options: bool) -> Samples:
    metrics = Metrics(ACCOUNT, process.clock, **options)
    async with metrics.reading(process.engine):
        return samples((await metrics.text()).decode())


@in_virtual_time
async def test_a_thousand_orders_are_read_by_prometheus_own_parser_in_fewer_than_500_series() -> None:
    process = Process()
    for number in range(1000):
        process.store.plant(an_order(number))
    found = await read(process)
    assert sum(map(len, found.values())) < 500
    assert sum(found["orders_pending"].values()) == sum(found["orders"].values()) == 1000
    assert {labels[2] for labels in found["orders_pending"]} <= set(PENDING) | {"DV", "OV", "EV", "unknown"}
    assert "order_pending_age_seconds" not in found
    assert found["polls_scheduled"] == {(): 500}, "those in a state that is polled"


@in_virtual_time
async def test_names_are_exported_where_they_are_asked_for_and_of_the_oldest_orders_alone() -> None:
    process = Process()
    for number in range(NAMED_ORDERS + 5):
        process.store.plant(an_order(number, created_at=START - timedelta(hours=number)))
    named = (await read(process, names_orders=True))["order_pending_age_seconds"]
    assert len(named) == NAMED_ORDERS
    oldest = max(named, key=lambda labels: named[labels])
    assert "host104.acme.example" in oldest
    assert not any("host0.acme.example" in labels for labels in named)


@in_virtual_time
async def test_what_each_figure_counts_is_what_the_list_shows() -> None:
    process = Process()
    passed = PollWindow(opened_at=START, deadline_seconds=600.0).end(WindowEnd.DEADLINE)
    hour_ago = START - timedelta(hours=1)
    process.store.plant(an_order(0, state=OrderState.PENDING, status="Requested", created_at=hour_ago))
    process.store.plant(an_order(1, state=OrderState.PENDING, status="Applied", window=passed))
    process.store.plant(an_order(2, state=OrderState.COLLECTED))
    found = await read(process)
    approval = {key: value for key, value in found["orders_pending"].items() if "approver" in key}
    assert list(approval.values()) == [1]
    assert found["orders_needing_you"] == found["orders_past_deadline"] == {(): 1}
    assert found["oldest_pending_age_seconds"]["approver",] == 3600.0
    assert found["orders"]["collected",] == 1
    assert found["credentials_accepted"] == found["store_saving"] == found["poller"] == {(): 1}


@in_virtual_time
async def test_pending_orders_that_are_not_local_count_too() -> None:
    world = new_world()
    hours_ago = world.now() - timedelta(hours=5)
    for life in ("ev-approval", "ov-sa-approved", "ov-vetting", "ov-instant"):
        world.add_order(life=life, common_name=f"{life}.acme.example", requested=hours_ago)
    process = Process(world=world)
    process.store.plant(an_order(0, state=OrderState.PENDING, status="Requested"))
    metrics = Metrics(ACCOUNT, process.clock)
    async with metrics.reading(process.engine):
        assert sum(samples((await metrics.text()).decode())["orders_pending"].values()) == 1
        polling = asyncio.create_task(process.engine.poll(watches_blockers=True, lists_every_seconds=60.0))
        await process.clock.sleep(45)
        polling.cancel()
        found = samples((await metrics.text()).decode())
    remote = {key: value for key, value in found["orders_pending"].items() if "remote" in key}
    assert sum(remote.values()) == 3
    assert sum(value for key, value in remote.items() if "approver" in key) == 2
    assert any("EV" in key for key in remote)
    assert found["orders_needing_you"] == {(): 3}
    assert found["oldest_pending_age_seconds"]["approver",] >= 5 * 3600
    assert sum(found["orders"].values()) == 1


@in_virtual_time
async def test_rejected_credentials_show_while_watch_waits_and_orders_go_on_growing_old() -> None:
    process = Process()
    process.store.plant(an_order(0, state=OrderState.PENDING, status="Requested"))
    process.change_elsewhere("another password")
    metrics = Metrics(ACCOUNT, process.clock)
    async with metrics.reading(process.engine):
        await process.follow_for(60, polling=True)
    await process.clock.sleep(3600)
    found = samples((await metrics.text()).decode())
    assert found["credentials_accepted"] == {(): 0}
    assert found["polls_total"]["credentials_refused",] == found["requests_total"]["credentials_refused",] == 1
    assert found["oldest_pending_age_seconds"]["approver",] == 3660.0


def test_watch_is_scraped_over_http_and_writes_the_same_to_a_file(site: Site) -> None:
    ordered(site)
    file = site.home / "sectigo-tui.prom"

    def drive(events: Events) -> None:
        events.until("poll", outcome="pending")
        with urlopen(events.seen[0]["metrics"]) as answer:
            text = answer.read().decode()
        found = samples(text)
        assert found["orders"]["pending",] == 1
        assert found["polls_total"]["pending",] == 1
        assert found["request_duration_seconds_count"][()] >= 1
        assert "process_start_time_seconds" in text

    arguments = ("--metrics-listen=127.0.0.1:0", f"--metrics-file={file}")
    code, _ = watched(site, drive, arguments=arguments)
    assert code == 0
    assert "orders" in samples(file.read_text())
    assert "process_" not in file.read_text(), "node_exporter has these of its own"
    assert mode(file) == 0o644


def test_the_settings_name_the_address_and_the_file_too(site: Site) -> None:
    config = site.home / ".config" / "sectigo-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[metrics]\nlisten = "127.0.0.1:0"\nfile = "metrics.prom"\n')

    def drive(events: Events) -> None:
        assert events.seen[0]["metrics"].startswith("http://127.0.0.1:")

    code, _ = watched(site, drive)
    assert code == 0
    assert (config.parent / "metrics.prom").is_file()


@in_virtual_time
async def test_an_address_in_use_and_a_directory_that_is_not_there_are_told_at_the_start(tmp_path: Path) -> None:
    metrics = Metrics(ACCOUNT, Process().clock)
    async with exported(metrics, "127.0.0.1:0", None, unexpected) as address:
        taken = re.sub(r"^http://|/metrics$", "", address)
        with pytest.raises(InputError, match=r"cannot be served at 127\.0\.0\.1:\d+: Address already in use"):
            async with exported(metrics, taken, None, unexpected):
                pass
    with pytest.raises(InputError, match="is no directory"):
        async with exported(metrics, None, tmp_path / "none" / "m.prom", unexpected):
            pass


@pytest.mark.parametrize("address", ["9808", "127.0.0.1", ":9808", "127.0.0.1:99999", "http://127.0.0.1:9808", "a b:1"])
def test_an_address_without_host_or_port_is_refused(site: Site, address: str) -> None:
    ended = site.run("watch", "--metrics-listen", address)
    assert ended.code == 2
    assert "is no HOST:PORT" in ended.err


def test_a_missing_extra_is_answered_with_the_command_that_installs_it(site: Site) -> None:
    site.monkeypatch.setitem(sys.modules, "prometheus_client", None)
    site.monkeypatch.delitem(sys.modules, "sectigo_tui.cli.metrics")
    ended = site.run("watch", "--metrics-listen=127.0.0.1:0")
    assert ended.code == 2
    assert "pip install 'sectigo-tui[metrics]'" in ended.err


@in_virtual_time
async def test_each_metric_is_documented_with_its_labels() -> None:
    process = Process()
    process.store.plant(an_order(0))
    metrics = Metrics(ACCOUNT, process.clock, names_orders=True)
    async with metrics.reading(process.engine):
        text = (await metrics.text()).decode()
    told = {quoted(row[0])[0]: (row[1], set(quoted(row[2]))) for row in table("docs/metrics.md", METRICS_TABLE)}
    shown: dict[str, tuple[str, set[str]]] = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"account", "le"}
        shown[name] = (family.type, labels)
    assert told == shown


def test_the_alert_rules_name_metrics_that_there_are(tmp_path: Path) -> None:
    document = (DOCS / "metrics.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"```yaml\n(groups:\n.*?)```", document, re.DOTALL)
    known = {quoted(row[0])[0] for row in table("docs/metrics.md", METRICS_TABLE)}
    known |= {f"{PREFIX}request_duration_seconds_bucket"}
    named = set(re.findall(rf"{PREFIX}\w+", rules))
    assert named
    assert named <= known
    promtool = shutil.which("promtool")
    if promtool is not None:
        file = tmp_path / "rules.yml"
        file.write_text(rules)
        subprocess.run([promtool, "check", "rules", file], check=True)
