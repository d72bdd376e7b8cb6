"""`sectigo-tui store`, and the other commands with a team's database in the place of a directory."""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from cli_site import Site, cli_site
from msgspec.structs import replace

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.simulator.world import World
from sectigo_tui.store.local import copying as to_directory
from sectigo_tui.store.local.journal import ClosedSegments
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.store.local.shared_orders import SharedOrders
from sectigo_tui.store.postgres import copying as to_database
from sectigo_tui.store.postgres.team_store import TeamStore
from support.postgres import Databases, execute
from support.stored_orders import HandClock, an_entry, an_order, looked_at


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    with cli_site(tmp_path, monkeypatch, capsys, World()) as made:
        yield made


@pytest.fixture
def url(databases: Databases) -> str:
    return databases.address()


def use_database(site: Site, url: str, *lines: str) -> None:
    path = site.home / "team.toml"
    path.write_text("\n".join(("[store]", f'url = "{url}"', *lines)))
    site.monkeypatch.setenv("SECTIGO_TUI_CONFIG", str(path))


def use_directory(site: Site) -> None:
    site.monkeypatch.delenv("SECTIGO_TUI_CONFIG")


def contents(site: Site) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in site.files("*") if "/accounts/" in str(path)}


def test_orders_placed_on_one_host_are_listed_audited_and_verified_on_another(site: Site, url: str) -> None:
    use_database(site, url)
    assert site.order("one.acme.example").code == 0
    site.monkeypatch.setenv("SECTIGO_TUI_DATA_DIR", str(site.home / "another host"))
    assert [order["common_name"] for order in site.orders()] == ["one.acme.example"]
    records = site.make("audit", "--json").lines("entry")
    assert [record["to_state"] for record in records] == ["intent", "submitted"]
    assert site.make("audit", "verify", "--json").document("proof")["lines"] == 2


def test_what_was_changed_in_the_database_by_hand_is_told_by_audit_verify(site: Site, url: str) -> None:
    use_database(site, url)
    assert site.order("one.acme.example").code == 0
    execute(url, "update sectigo_tui.orders set document = replace(document::text, 'one.acme', 'two.acme')::json")
    changed = site.run("audit", "verify")
    assert changed.code == 1
    assert "it was changed without one" in changed.out
    assert "NOT intact" in changed.err
    execute(
        url,
        "alter table sectigo_tui.entries disable trigger all; "
        "update sectigo_tui.entries set body = replace(body::text, 'enroll', 'unroll')::json where seq = 1; "
        "delete from sectigo_tui.entries where seq = 2",
    )
    told = site.run("audit", "verify").out
    assert "line 1 is not what was written" in told
    assert "the timeline ends with number 1" in told


def test_orders_are_copied_to_a_database_and_back_and_the_source_is_as_it_was(site: Site, url: str) -> None:
    for name in ("one.acme.example", "two.acme.example"):
        assert site.order(name).code == 0
    site.make("orders")
    before, orders = contents(site), site.orders()
    copied = site.make("store", "copy", "--to", url)
    assert "copied and verified: 2 orders, 4 timeline entries, 0 collected bundles" in copied.out
    assert contents(site) == before
    assert "4 of them copied before" in site.make("store", "copy", "--to", url).out

    use_database(site, url)
    assert [{**order, "revision": 0} for order in site.orders()] == [{**order, "revision": 0} for order in orders]
    site.make("audit", "verify")
    site.make("store", "copy", "--to", site.home / "back")
    use_directory(site)
    site.monkeypatch.setenv("SECTIGO_TUI_DATA_DIR", str(site.home / "back"))
    assert [order["id"] for order in site.orders()] == [order["id"] for order in orders]
    site.make("audit", "verify")


class Killed(BaseException):
    """Stands for a SIGKILL: nothing handles it."""


async def fill(directory: Path) -> None:
    """Write orders with polls and bundles as the program does."""
    store = JournalStore.open(directory, HandClock())
    for number in range(5):
        stored = await store.put(an_order(number), an_entry(an_order(number)))
        for times in (1, 2):
            looked, poll = looked_at(stored, times)
            store.note(looked, poll)
    await store.save_certificate(an_order(0).id, b"a bundle")
    await store.close()


def copy_killed_at(site: Site, to: object, steps: Sequence[tuple[type | ModuleType, str]]) -> None:
    """Copy again and again, each time killed after another step that is durable, then to the end."""
    for owner, name in steps:
        with pytest.MonkeyPatch.context() as patch:
            made = getattr(owner, name)

            def then_die(*args: object, _made: Callable[..., object] = made, **more: object) -> object:
                done = _made(*args, **more)
                if inspect.isawaitable(done):

                    async def finish() -> None:
                        await done
                        raise Killed

                    return finish()
                raise Killed

            patch.setattr(owner, name, then_die)
            with pytest.raises(Killed):
                site.run("store", "copy", "--to", to)
    copied = site.make("store", "copy", "--to", to)
    assert "copied and verified: 7 orders, 9 timeline entries" in copied.out
    assert "9 of them copied before, 1 collected bundles" in copied.out


def test_a_copy_that_was_killed_at_any_step_is_taken_up_again_both_ways(site: Site, url: str) -> None:
    for name in ("one.acme.example", "two.acme.example"):
        assert site.order(name).code == 0
    (account,) = {path.parent for path in site.files("journal.jsonl")}
    asyncio.run(fill(account))
    site.make("orders")
    before = contents(site)
    site.monkeypatch.setattr(to_database, "_AT_ONCE", 3)
    site.monkeypatch.setattr(to_directory, "_AT_ONCE", 3)
    there = [(TeamStore, "record_all"), (TeamStore, "record_all"), (TeamStore, "put_all"), (TeamStore, "flush")]
    copy_killed_at(site, url, [*there, *there[2:]])
    assert contents(site) == before

    use_database(site, url)
    back = site.home / "back"
    here = [(SharedOrders, "append_entries"), (SharedOrders, "commit"), (SharedOrders, "append_notes")]
    copy_killed_at(site, back, [*here[:1], *here, *here[1:], (to_directory, "replace_file")])
    site.make("audit", "verify")
    use_directory(site)
    site.monkeypatch.setenv("SECTIGO_TUI_DATA_DIR", str(back))
    assert len(site.orders()) == 7
    site.make("audit", "verify")


def test_a_copy_into_what_holds_other_orders_is_refused_and_changes_nothing(site: Site, url: str) -> None:
    use_database(site, url)
    assert site.order("theirs.acme.example").code == 0
    use_directory(site)
    assert site.order("ours.acme.example").code == 0
    refused = site.run("store", "copy", "--to", url)
    assert refused.code == 1
    assert "holds something that the source has not" in refused.err
    use_database(site, url)
    assert [order["common_name"] for order in site.orders()] == ["theirs.acme.example"]


def test_no_password_of_the_database_is_taken_from_a_file_or_an_argument(site: Site, url: str) -> None:
    secret = url.replace("postgres@", "postgres:hunter2@")
    refused = site.run("store", "copy", "--to", secret)
    assert refused.code == 2
    assert "has a password in it" in refused.err
    use_database(site, secret)
    refused = site.run("orders")
    assert refused.code == 2
    assert "PGPASSFILE" in refused.err
    assert "hunter2" not in refused.err + refused.out


def test_the_command_that_prints_the_address_is_run_and_its_output_not_shown(site: Site, url: str) -> None:
    path = site.home / "team.toml"
    secret = url.replace("postgres@", "postgres:hunter2@")
    path.write_text(f'[store]\nurl_command = ["echo", "{secret}"]\n')
    site.monkeypatch.setenv("SECTIGO_TUI_CONFIG", str(path))
    status = site.make("store", "status")
    assert "hunter2" not in status.out + status.err
    assert "PostgreSQL" in status.out
    path.write_text('[store]\nurl_command = ["echo", "hunter2"]\n')
    refused = site.run("store", "status")
    assert refused.code == 2
    assert "no postgresql:// address" in refused.err
    assert "hunter2" not in refused.err


def test_status_tells_schema_role_size_and_who_polls(site: Site, url: str) -> None:
    use_database(site, url)
    assert site.order("one.acme.example").code == 0
    status = site.make("store", "status", "--json").document("store status")
    assert (status["schema"], status["rights"], status["orders"], status["entries"]) == (1, "owner", 1, 2)
    assert status["poller"] is None
    assert status["tables"]["orders"] > 0


def test_what_is_over_its_time_is_removed_and_the_rest_stays_proven(site: Site, url: str) -> None:
    use_database(site, url, "[sectigo]", "retention_days = 1")
    assert site.order("one.acme.example").code == 0
    assert "0 timeline entries removed" in site.make("store", "prune").out
    execute(
        url,
        "alter table sectigo_tui.entries disable trigger all; "
        "update sectigo_tui.entries set at = at - interval '3 days' where seq = 1; "
        "alter table sectigo_tui.entries enable trigger all; "
        "update sectigo_tui.orders set document = "
        "jsonb_set(document::jsonb, '{state}', '\"failed\"')::json",
    )
    assert "1 timeline entries removed" in site.make("store", "prune").out
    told = site.run("audit", "verify").out
    assert "removed, and not after their time" not in told
    execute(url, "set sectigo_tui.pruning = 'on'; delete from sectigo_tui.entries where seq = 2")
    assert "removed, and not after their time" in site.run("audit", "verify").out


async def add_old(directory: Path) -> None:
    """Write orders that came to nothing long ago, each in a part of the journal that is closed after it."""
    store = JournalStore.open(directory, HandClock())
    for number in range(12):
        order = replace(an_order(number), state=OrderState.FAILED, window=None)
        await store.put(order, an_entry(order))
        await store.save()
    await store.close()


def test_old_parts_of_a_directorys_journal_are_removed_and_the_rest_stays_proven(site: Site) -> None:
    site.monkeypatch.setattr("sectigo_tui.store.local.journal.LARGEST_SEGMENT_BYTES", 3000)
    path = site.home / "kept.toml"
    path.write_text("[sectigo]\nretention_days = 30")
    site.monkeypatch.setenv("SECTIGO_TUI_CONFIG", str(path))
    assert site.order("first.acme.example").code == 0
    (account,) = {path.parent for path in site.files("journal.jsonl")}
    # What can still become something keeps all that came after it.
    shutil.rmtree(account)
    asyncio.run(add_old(account))
    assert len(list(account.glob("journal-*.jsonl.gz"))) >= 3
    orders = site.orders()
    with site.monkeypatch.context() as patch:
        # Killed before the last ones: each of two saves removes the two oldest.
        remove = ClosedSegments.remove
        patch.setattr(ClosedSegments, "remove", lambda segments, gone: remove(segments, gone[:2]))
        site.make("store", "prune")
    proof = site.make("audit", "verify", "--json").document("proof")
    assert (proof["removed"], proof["faults"]) == (8, [])

    assert site.make("store", "prune").out.startswith("4 timeline entries removed")
    assert list(account.glob("journal-*")) == []
    assert site.orders() == orders
    proof = site.make("audit", "verify", "--json").document("proof")
    assert (proof["removed"], proof["faults"]) == (12, [])


def test_without_the_extra_the_command_that_installs_it_is_named(site: Site, url: str) -> None:
    use_database(site, url)
    site.monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    refused = site.run("orders")
    assert refused.code == 2
    assert "pip install 'sectigo-tui[postgres]'" in refused.err
