"""Rotation keeps credentials in the account's own section, and knows after a restart what was under way."""

import os
from pathlib import Path

import pytest

from sectigo_tui.config.credentials import CredentialsFile
from sectigo_tui.config.load import load_settings
from sectigo_tui.config.paths import Paths
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.credentials import Candidate, CredentialsKeeper
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.ports import Credentials, SecretText

CONFIG = '[sectigo]\ncustomer_uri = "acme"\nlogin = "api"\npassword = "old"\n[profile.own]\nlogin = "api-own"\n'


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return Paths(path, tmp_path / "data")


def keeper(paths: Paths, environ: dict[str, str] | None = None, profile: str | None = None) -> CredentialsKeeper:
    return CredentialsFile(load_settings(paths, environ or {}, profile=profile), SystemClock())


def credentials(password: str) -> Credentials:
    return Credentials("acme", "api", SecretText(password))


def stored_password(paths: Paths, profile: str | None = None) -> str:
    return load_settings(paths, {}, profile=profile).resolve_password().reveal()


async def test_what_is_saved_is_used_at_the_next_start(paths: Paths) -> None:
    await keeper(paths).save(credentials("new"))
    assert stored_password(paths) == "new"


async def test_a_profile_with_its_own_login_keeps_its_own_credentials(paths: Paths) -> None:
    own = keeper(paths, profile="own")
    await own.save(credentials("new"))
    assert own.place == f"{paths.credentials_file} [profile.own]"
    assert stored_password(paths, "own") == "new"
    assert stored_password(paths) == "old"


async def test_an_unproven_password_is_known_after_a_restart_with_what_was_tried(paths: Paths) -> None:
    await keeper(paths).save_unproven(credentials("new"))
    await keeper(paths).mark_tried(Candidate.PENDING)
    await keeper(paths).mark_refused(Candidate.PENDING)
    unproven = await keeper(paths).unproven()
    assert unproven is not None
    assert unproven.refused == {Candidate.PENDING}
    assert unproven.credentials.password.reveal() == "new"
    assert unproven.credentials.customer_uri == "acme"
    assert unproven.tried == {Candidate.PENDING}
    assert stored_password(paths) == "old"


async def test_a_proven_password_is_promoted_and_a_refused_one_forgotten(paths: Paths) -> None:
    await keeper(paths).save_unproven(credentials("refused"))
    await keeper(paths).discard()
    assert stored_password(paths) == "old"
    await keeper(paths).save_unproven(credentials("proven"))
    await keeper(paths).promote()
    assert stored_password(paths) == "proven"
    assert await keeper(paths).unproven() is None


def test_what_would_win_at_the_next_start_is_named(paths: Paths) -> None:
    assert keeper(paths).overridden_by() == ""
    exported = {"CERTCTL_SECTIGO_LOGIN": "a", "CERTCTL_SECTIGO_PASSWORD": "b"}
    assert keeper(paths, exported).overridden_by() == (
        "environment CERTCTL_SECTIGO_LOGIN, environment CERTCTL_SECTIGO_PASSWORD"
    )


async def test_a_full_disk_is_explained_and_the_old_credentials_stay(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keeper(paths).save(credentials("kept"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="the credentials cannot be written: No space left on device"):
            await keeper(paths).save(credentials("lost"))
    assert stored_password(paths) == "kept"


async def test_what_is_kept_now_is_told_by_whichever_process_it_was_kept(paths: Paths) -> None:
    one, two, own = keeper(paths), keeper(paths), keeper(paths, profile="own")
    assert await one.kept() is None
    await two.save(credentials("new"))
    assert await one.kept() == credentials("new")
    await two.save_unproven(credentials("not yet"))
    assert await one.kept() == credentials("new")
    assert await own.kept() is None
