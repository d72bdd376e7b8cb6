"""Copies of secrets that a kill left, and keys that nothing was ordered with."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_site import Site

NAME = "www.acme.example"


@pytest.mark.parametrize("command", ["orders", "check"])
def test_copies_of_secrets_are_removed_at_the_next_start(site: Site, command: str) -> None:
    paths = site.make("config", "path", "--json").document("paths")
    data, config = Path(paths["data_directory"]), Path(paths["config_file"]).parent
    left = [
        data / "keys" / ".www.acme.example.key.k3_9xz0q",
        data / "packs" / ".pack.md.k3_9xz0q",
        data / ".screen.json.k3_9xz0q",
        config / ".credentials.toml.k3_9xz0q",
        config / ".config.toml.k3_9xz0q",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text("a secret")
        path.chmod(0o600)
    stranger = config / ".notes.txt.k3_9xz0q"
    stranger.write_text("not ours")
    site.make(command)
    assert [path for path in left if path.exists()] == []
    assert stranger.exists()


def test_a_key_that_nothing_was_ordered_with_is_named_by_check(site: Site) -> None:
    site.order(NAME)
    (used,) = site.home.rglob("keys/*.key")
    unused = used.with_name("forgotten.key")
    unused.write_text("a key")
    ended = site.make("check", "--json")
    assert ended.document("check")["keys_without_order"] == [str(unused)]
    assert f"{unused} is a private key that no local order was placed with" in ended.err
    assert str(used) not in ended.err


def test_a_key_whose_order_was_taken_off_the_list_is_no_forgotten_one(site: Site) -> None:
    site.order(NAME, life="rejected")
    (order,) = site.orders()
    site.run("remove", order["id"], "--yes")
    assert site.make("check", "--json").document("check")["keys_without_order"] == []
