"""What a kill leaves between a temporary file and its name: removed at the next start, and never what is in use."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sectigo_tui.durable import leftovers, remove_leftovers, replace_file
from support.stored_orders import an_entry, an_order, opened, stores_let_go  # noqa: F401 - stores_let_go is a fixture that acts by itself

KILLED_BEFORE_THE_NAME = """
import os, signal, sys
from pathlib import Path
from sectigo_tui import durable

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

os.link = die
Path.replace = die
{before}
durable.{function}(Path(sys.argv[1]), b"a secret")
"""


def killed_while_writing(path: Path, function: str, before: str = "") -> None:
    """Write a file in a process that is killed when all but its name is written."""
    script = KILLED_BEFORE_THE_NAME.format(function=function, before=before)
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_a_key_that_is_killed_before_its_name_leaves_nothing_anywhere(tmp_path: Path) -> None:
    killed_while_writing(tmp_path / "site.key", "create_file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("function", ["create_file", "replace_file"])
def test_what_a_kill_left_is_removed(tmp_path: Path, function: str) -> None:
    killed_while_writing(tmp_path / "site.key", function, "durable._created_unnamed = lambda *_: False")
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == b"a secret"
    assert leftovers(tmp_path) == [left]
    assert remove_leftovers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    being_written = tmp_path / ".site.key.abcd1234"
    being_written.write_bytes(b"half")
    with being_written.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remove_leftovers(tmp_path)
        assert being_written.exists()
    remove_leftovers(tmp_path)
    assert not being_written.exists()


def test_a_write_whose_file_is_cleaned_up_before_it_is_locked_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    cleaned: list[int] = []

    def late(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX and not cleaned:
            cleaned.append(descriptor)
            for path in leftovers(tmp_path):
                path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    replace_file(tmp_path / "credentials.toml", b"new")
    assert cleaned
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("credentials.toml", b"new")]


def test_the_operators_own_hidden_files_are_kept(tmp_path: Path) -> None:
    own = [".site.key.20260301", ".site.key.bak", "site.key.abcd1234", ".abcd1234", ".site.key.ABCD1234"]
    for name in own:
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / ".site.key.abcdefgh").symlink_to(tmp_path / own[0])
    (tmp_path / ".dir.key.abcdefgh").mkdir()
    assert remove_leftovers(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == len(own) + 2


async def test_what_the_store_had_begun_to_write_is_removed_when_it_is_opened(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.put(an_order(), an_entry(an_order()))
    await store.save_certificate("order-0001", b"pem")
    await store.close()
    unfinished = [".orders.json.abcd123_", ".orders.json.bak.abcd123_", ".leases.json.abcd123_"]
    for name in unfinished:
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "certificates" / ".1001.pem.abcd123_").write_bytes(b"half")
    again = opened(tmp_path)
    assert sorted(path.name for path in (tmp_path / "certificates").iterdir()) == ["1001.pem"]
    assert [name for name in unfinished if (tmp_path / name).exists()] == []
    assert len(again.orders()) == 1


async def test_what_another_process_is_saving_is_left_alone(tmp_path: Path) -> None:
    await opened(tmp_path).close()
    being_saved = tmp_path / ".orders.json.abcd123_"
    being_saved.write_bytes(b"half")
    with (tmp_path / "orders.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        opened(tmp_path)
        assert being_saved.exists()
    opened(tmp_path)
    assert not being_saved.exists()
