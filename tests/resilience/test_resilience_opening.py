"""A data directory to which something has happened: all orders are listed, or none and why, never fewer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from sectigo_tui.cli.main import run
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.local.journal_store import JournalStore
from support.stored_orders import HandClock, an_entry, an_order

SSL_IDS = {"1001", "1002", "1003"}

Damage = Callable[[Path], object]


def cut(name: str, share: float) -> Damage:
    def damage(directory: Path) -> None:
        path = directory / name
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return damage


def filled(name: str, content: bytes) -> Damage:
    def damage(directory: Path) -> None:
        (directory / name).write_bytes(content)
        # A mode that is too wide is told, and is another damage.
        (directory / name).chmod(0o600)

    return damage


def with_more(name: str, content: bytes) -> Damage:
    return lambda directory: (directory / name).write_bytes((directory / name).read_bytes() + content)


def gone(*names: str) -> Damage:
    def damage(directory: Path) -> None:
        for name in names:
            (directory / name).unlink(missing_ok=True)

    return damage


def a_directory(name: str) -> Damage:
    def damage(directory: Path) -> None:
        (directory / name).unlink(missing_ok=True)
        (directory / name).mkdir()

    return damage


def changed(name: str, before: bytes, after: bytes) -> Damage:
    def damage(directory: Path) -> None:
        path = directory / name
        content = path.read_bytes()
        assert before in content
        path.write_bytes(content.replace(before, after))

    return damage


def newer(name: str) -> Damage:
    def damage(directory: Path) -> None:
        path = directory / name
        content = path.read_bytes()
        for before in (b'"schema":1', b'"v":1'):
            content = content.replace(before, before[:-1] + b"99")
        assert content != path.read_bytes()
        path.write_bytes(content)

    return damage


DAMAGES: dict[str, Damage] = {
    "nothing": lambda _: None,
    "orders.json half": cut("orders.json", 0.5),
    "orders.json empty": filled("orders.json", b""),
    "orders.json an empty document": filled("orders.json", b"{}"),
    "orders.json zeros": filled("orders.json", b"\0" * 5000),
    "orders.json of another program": filled("orders.json", b'{"orders": []}'),
    "orders.json changed by hand": changed("orders.json", b"host2.example.com", b"host2.example.net"),
    "orders.json gone": gone("orders.json"),
    "orders.json and its copies gone": gone("orders.json", "orders.previous.json", "orders.json.previous"),
    "orders.json a directory": a_directory("orders.json"),
    "orders.json of a newer program": newer("orders.json"),
    "journal's end cut": cut("journal.jsonl", 0.999),
    "journal with zeros behind": with_more("journal.jsonl", b"\0" * 4096),
    "journal a directory": a_directory("journal.jsonl"),
    "journal of a newer program": newer("journal.jsonl"),
    "a lock left behind": lambda directory: (directory / "lock").write_bytes(b"4711"),
    "a lease left behind": filled("leases.json", b'{"token": "x", "host": "h", "birth": "", "by": {}, "expires": ""}'),
    "bookkeeping of nonsense": filled("polls-000001.jsonl", b"\xff\x00nonsense\n" * 100),
    "bookkeeping gone": gone("polls-000001.jsonl"),
}

TOLD = {
    *("orders.json half", "orders.json empty", "orders.json an empty document", "orders.json zeros"),
    *("orders.json of another program", "orders.json changed by hand"),
    *("journal's end cut", "journal with zeros behind", "journal of a newer program"),
}
"""What the operator is told about, besides reading all orders."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write three orders into an account's directory; return that."""
    monkeypatch.setenv("HOME", str(tmp_path))
    config = tmp_path / "config.toml"
    config.write_text('[sectigo]\ncustomer_uri = "acme"\nlogin = "robot"\npassword = "p"\n')
    config.chmod(0o600)
    assert run(arguments(tmp_path)) == 0
    (journal,) = (tmp_path / "data").rglob("journal.jsonl")
    directory = journal.parent

    async def fill() -> None:
        store = JournalStore.open(directory, HandClock())
        for number in (1, 2, 3):
            await store.put(an_order(number), an_entry(an_order(number)))
        await store.save()
        await store.put(store.orders()[0], an_entry(an_order(1), "again"))
        await store.close()

    asyncio.run(fill())
    return directory


def arguments(home: Path) -> list[str]:
    return ["orders", "--config", str(home / "config.toml"), "--data-dir", str(home / "data")]


@pytest.mark.parametrize("name", DAMAGES)
def test_all_orders_are_listed_or_none_and_why(
    name: str,
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[..., None],
) -> None:
    DAMAGES[name](place)
    capsys.readouterr()
    code = run(arguments(tmp_path))
    told = capsys.readouterr()
    listed = SSL_IDS & set(told.out.split())
    if code == 0:
        assert listed == SSL_IDS, (told, sorted(path.name for path in place.iterdir()))
        assert bool(told.err) is (name in TOLD)
        store = JournalStore.open(place, HandClock())
        assert {str(order.ssl_id) for order in store.orders()} == SSL_IDS
        store.let_go()
    else:
        assert not told.out
        assert str(place) in told.err
        with pytest.raises(StoreError, match=r".+; .+"):
            JournalStore.open(place, HandClock())
    record_property("faults_tried", 1)
