"""The program as it is put together: real classes, real files, one account each."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import ConfigError, StoreError
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import World
from sectigo_tui.wiring.clients import credentials_of
from sectigo_tui.wiring.engine import opened
from sectigo_tui.wiring.settings import settings_of
from support.account_store import open_store
from support.stored_orders import an_entry, an_order


@pytest.fixture
def world() -> World:
    return World(seed=3)


@pytest.fixture
def base_url(world: World) -> Iterator[str]:
    with served(world) as url:
        yield url


def write_config(directory: Path, world: World, base_url: str, **more: str) -> Path:
    credentials = world.account.credentials
    keys = {
        "customer_uri": credentials.customer_uri,
        "login": credentials.login,
        "password": credentials.password,
        "base_url": base_url,
    } | more
    path = directory / "config.toml"
    path.touch(mode=0o600)
    path.write_text("[sectigo]\n" + "".join(f"{key} = {value!r}\n" for key, value in keys.items()))
    return path


def settings(directory: Path, world: World, base_url: str, **more: str) -> Settings:
    return settings_of(config=write_config(directory, world, base_url, **more), data_dir=directory / "data", environ={})


async def test_what_one_run_tracks_the_next_one_finds(tmp_path: Path, world: World, base_url: str) -> None:
    ssl_id = world.add_order(life="ov-vetting", common_name="www.acme.example").ssl_id
    chosen = settings(tmp_path, world, base_url)
    async with opened(chosen) as engine:
        await engine.tracking.track(ssl_id)
    async with opened(chosen) as engine:
        (order,) = engine.context.repository.store.orders()
    assert (order.ssl_id, order.state) == (ssl_id, OrderState.PENDING)


async def test_all_that_is_written_is_its_owner_s_alone(tmp_path: Path, world: World, base_url: str) -> None:
    ssl_id = world.add_order(life="ov-instant", common_name="www.acme.example").ssl_id
    chosen = settings(tmp_path, world, base_url)
    async with opened(chosen) as engine:
        await engine.tracking.track(ssl_id)
    written = [chosen.paths.data_dir, *chosen.paths.data_dir.rglob("*")]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in written}
    assert len(modes) > 3
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


async def test_the_store_is_closed_however_the_connections_end(
    tmp_path: Path, world: World, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: ScmClient) -> None:
        raise RuntimeError("the connection broke at its end")

    monkeypatch.setattr(ScmClient, "aclose", broken)
    with pytest.raises(RuntimeError, match="at its end"):
        async with opened(settings(tmp_path, world, base_url)) as engine:
            pass
    with pytest.raises(StoreError, match="closed"):
        await engine.context.repository.store.record(an_entry(an_order()))


async def test_each_account_has_its_own_orders(tmp_path: Path) -> None:
    accounts = [
        settings_of(
            data_dir=tmp_path,
            environ={
                "XDG_CONFIG_HOME": str(tmp_path),
                "CERTCTL_SECTIGO_CUSTOMER_URI": name,
                "CERTCTL_SECTIGO_LOGIN": "api",
                "CERTCTL_SECTIGO_PASSWORD": "secret",
            },
        )
        for name in ("acme", "globex")
    ]
    stores = [open_store(account, SystemClock()) for account in accounts]
    await stores[0].put(an_order(1), an_entry(an_order(1)))
    assert [len(store.orders()) for store in stores] == [1, 0]
    for store in stores:
        await store.close()


def test_the_password_is_asked_of_its_command(tmp_path: Path, world: World) -> None:
    path = tmp_path / "config.toml"
    command = [sys.executable, "-c", "print('from-the-safe')"]
    path.write_text(f'[sectigo]\ncustomer_uri = "acme"\nlogin = "api"\npassword_command = {command!r}\n')
    chosen = settings_of(config=path, data_dir=tmp_path, environ={})
    assert credentials_of(chosen).password.reveal() == "from-the-safe"
    assert "from-the-safe" not in repr(credentials_of(chosen))


def test_without_an_account_nothing_is_opened_or_made(tmp_path: Path) -> None:
    chosen = settings_of(data_dir=tmp_path / "data", environ={"XDG_CONFIG_HOME": str(tmp_path)})
    with pytest.raises(ConfigError):
        asyncio.run(opened(chosen).__aenter__())
    assert list(tmp_path.iterdir()) == []


async def test_a_data_directory_that_anybody_may_write_to_is_refused(
    tmp_path: Path, world: World, base_url: str
) -> None:
    chosen = settings(tmp_path, world, base_url)
    chosen.paths.data_dir.mkdir()
    chosen.paths.data_dir.chmod(0o777)
    with pytest.raises(ConfigError, match="writable by everybody"):
        async with opened(chosen):
            pass


async def test_read_only_reaches_the_engine(tmp_path: Path, world: World, base_url: str) -> None:
    config = write_config(tmp_path, world, base_url)
    chosen = settings_of(config=config, data_dir=tmp_path / "data", flags={"read_only": True}, environ={})
    async with opened(chosen) as engine:
        assert engine.context.options.read_only
