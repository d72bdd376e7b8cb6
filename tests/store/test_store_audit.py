"""Audit: who did what and when, and proof that nothing of it was changed or removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sectigo_tui.store.local.audit import records, verify
from sectigo_tui.store.local.lease import this_process
from support.stored_orders import an_entry, an_order, opened, stores_let_go  # noqa: F401 - stores_let_go is a fixture that acts by itself
from support.virtual_time import START

Lines = list[bytes]


async def a_journal_of(directory: Path, count: int) -> None:
    store = opened(directory)
    for number in range(count):
        await store.put(an_order(number), an_entry(an_order(number), f"entry {number}"))
    await store.close()


async def test_an_untouched_journal_is_proven_over_restarts(tmp_path: Path) -> None:
    for _ in range(3):
        store = opened(tmp_path)
        await store.record(an_entry(an_order()))
        await store.close()
    report = verify(tmp_path)
    assert report.is_intact
    assert (report.lines, report.last.seq) == (3, 3)


def changed(lines: Lines) -> Lines:
    return [line.replace(b"entry 2", b"entry X") for line in lines]


def removed(lines: Lines) -> Lines:
    return lines[:2] + lines[3:]


def removed_first(lines: Lines) -> Lines:
    return lines[1:]


def swapped(lines: Lines) -> Lines:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def newest_removed(lines: Lines) -> Lines:
    return lines[:-1]


def all_removed(lines: Lines) -> Lines:
    return []


def repeated(lines: Lines) -> Lines:
    return [*lines, lines[-1]]


@pytest.mark.parametrize(
    ("tamper", "lines"),
    [
        (changed, [3]),
        (removed, [3]),
        (removed_first, [1]),
        (swapped, [2, 3, 4]),
        (newest_removed, [5]),
        (all_removed, [1]),
        (repeated, [6]),
    ],
    ids=lambda each: getattr(each, "__name__", "lines").replace("_", " "),
)
async def test_every_tampering_is_found_and_its_line_named(
    tmp_path: Path, tamper: Callable[[Lines], Lines], lines: list[int]
) -> None:
    await a_journal_of(tmp_path, 5)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(tamper(journal.read_bytes().splitlines(keepends=True))))
    report = verify(tmp_path)
    assert not report.is_intact
    assert [fault.line for fault in report.faults] == lines


async def test_a_chain_written_anew_does_not_end_in_the_line_that_orders_json_knows(tmp_path: Path) -> None:
    await a_journal_of(tmp_path / "real", 3)
    store = opened(tmp_path / "other")
    for number in range(3):
        await store.put(an_order(number), an_entry(an_order(number), f"forged {number}"))
    await store.close()
    forged = (tmp_path / "other" / "journal.jsonl").read_bytes()
    (tmp_path / "real" / "journal.jsonl").write_bytes(forged)
    report = verify(tmp_path / "real")
    assert [fault.line for fault in report.faults] == [3]
    assert "orders.json" in report.faults[0].reason


async def test_a_line_being_written_is_no_fault(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.record(an_entry(an_order()))
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"v":1,"seq":2')
    assert verify(tmp_path).is_intact


async def test_records_say_who_did_what_since_when(tmp_path: Path) -> None:
    await a_journal_of(tmp_path, 3)
    found = list(records(tmp_path))
    assert [record.entry.summary for record in found] == ["entry 0", "entry 1", "entry 2"]
    assert {record.by for record in found} == {this_process()}
    assert list(records(tmp_path, since=START + timedelta(seconds=1))) == []
    assert list(records(tmp_path / "nowhere")) == []


def test_an_actor_is_the_user_the_terminal_and_where_ssh_came_from() -> None:
    actor = this_process({"SSH_CONNECTION": "192.0.2.7 50022 198.51.100.4 22"})
    assert actor.ssh == "192.0.2.7"
    assert actor.user
    assert this_process({}).ssh == ""
