"""A data directory that others may change, and one that nobody may."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_site import Site

NAME = "www.acme.example"


def data_directory(site: Site) -> Path:
    return Path(site.make("config", "path", "--json").document("paths")["data_directory"])


def account(site: Site) -> Path:
    (found,) = data_directory(site).glob("accounts/*/")
    return found


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755])
def test_keys_that_others_may_get_at_are_refused_with_what_to_do(site: Site, mode: int) -> None:
    site.order(NAME)
    keys = data_directory(site) / "keys"
    keys.chmod(mode)
    ended = site.run("orders")
    assert ended.code == 2
    assert f"chmod 700 {keys}" in ended.err
    keys.chmod(0o700)
    site.make("orders")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory to somebody else")
@pytest.mark.parametrize("below", ["", "accounts"])
def test_a_directory_of_somebody_else_is_refused(site: Site, below: str) -> None:
    site.order(NAME)
    directory = data_directory(site) / below
    directory.chmod(0o770)
    os.chown(directory, 4711, 0)
    ended = site.run("orders")
    assert ended.code == 2
    assert f"{directory} belongs to user id 4711" in ended.err


@pytest.mark.parametrize("name", ["orders.json", "journal.jsonl", "orders.json.bak"])
def test_a_file_of_orders_that_others_may_change_is_mended_and_said(site: Site, name: str) -> None:
    site.order(NAME)
    site.order("b.acme.example")
    path = account(site) / name
    path.chmod(0o666)
    ended = site.make("orders")
    assert f"{name} was open to the group or others, mode 0666" in ended.err
    assert "audit verify" in ended.err
    assert path.stat().st_mode & 0o777 == 0o600
    assert "open to" not in site.make("orders").err


def test_a_directory_of_orders_that_others_may_enter_is_mended_and_said(site: Site) -> None:
    site.order(NAME)
    account(site).chmod(0o750)
    assert "mode 0750" in site.make("orders").err
    assert account(site).stat().st_mode & 0o777 == 0o700


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Make what is below a directory a read-only file system."""
    for options in ("bind", "remount,ro,bind"):
        mounted = subprocess.run(
            ["mount", "-o", options, str(directory), str(directory)], check=False, capture_output=True
        )
        if mounted.returncode != 0:
            pytest.skip("only root may mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def test_orders_are_read_from_a_read_only_file_system_without_a_password(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.order(NAME)
    for name in [name for name in os.environ if name.endswith(("_PASSWORD", "_LOGIN"))]:
        monkeypatch.delenv(name)
    with read_only(data_directory(site)):
        assert NAME in site.make("orders").out
        assert site.make("orders", "--json").document("array of order")[0]["common_name"] == NAME
        assert site.make("audit", "verify").code == 0


def test_what_only_reads_works_on_a_read_only_file_system(site: Site) -> None:
    site.order(NAME)
    (order,) = site.orders()
    with read_only(data_directory(site)):
        assert site.run("diagnose", order["ssl_id"]).code == 0
        assert NAME in site.make("handover").out


def test_what_writes_says_that_it_cannot_on_a_read_only_file_system(site: Site) -> None:
    site.order(NAME)
    with read_only(data_directory(site)):
        ended = site.order("b.acme.example")
        assert ended.code != 0
        assert "Read-only file system" in ended.err
        assert "Traceback" not in ended.err
    assert len(site.posts("enroll")) == 1
