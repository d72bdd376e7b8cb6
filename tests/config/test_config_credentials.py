"""The program's own file: private, whole, and clear about what was proven."""

import os
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sectigo_tui.config import credentials
from sectigo_tui.config.credentials import (
    CredentialsEntry,
    discard_pending,
    mark_tried,
    promote_pending,
    read_credentials,
    write_credentials,
    write_pending,
)
from sectigo_tui.domain.credentials import Candidate
from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.durable import FileLock

NOW = datetime(2026, 5, 5, 3, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conf" / "credentials.toml"


def write(path: Path, profile: str | None, password: str, login: str = "api") -> None:
    write_credentials(path, profile, login=login, password=SecretText(password))


def pend(path: Path, profile: str | None, password: str) -> None:
    write_pending(path, profile, login="api", password=SecretText(password), made_at=NOW)


def test_what_is_written_is_read_again_and_other_profiles_are_kept(path: Path) -> None:
    write(path, "staging", "s")
    write(path, None, "p\"\\'üß")
    write(path, "staging", "s2", login="api2")
    assert read_credentials(path) == {
        None: CredentialsEntry("api", SecretText("p\"\\'üß")),
        "staging": CredentialsEntry("api2", SecretText("s2")),
    }


def test_the_file_is_its_owner_s_alone_under_any_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        write(path, None, "p")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_profile_of_any_name_is_kept_apart(path: Path) -> None:
    write(path, "a.b c]", "p")
    assert list(read_credentials(path)) == ["a.b c]"]


def test_pending_credentials_are_beside_the_current_ones_until_they_are_proven(path: Path) -> None:
    write(path, None, "old")
    pend(path, None, "new")
    entry = read_credentials(path)[None]
    assert entry.password == SecretText("old")
    assert entry.pending is not None
    assert (entry.pending.password, entry.pending.made_at) == (SecretText("new"), NOW)
    promote_pending(path, None)
    assert read_credentials(path)[None] == CredentialsEntry("api", SecretText("new"))


def test_discarded_pending_credentials_leave_the_current_ones(path: Path) -> None:
    write(path, None, "old")
    pend(path, None, "new")
    discard_pending(path, None)
    assert read_credentials(path)[None] == CredentialsEntry("api", SecretText("old"))


def test_pending_credentials_need_no_current_ones_here(path: Path) -> None:
    pend(path, "p", "new")
    assert read_credentials(path)["p"].password is None


def test_an_unsettled_change_is_not_overwritten(path: Path) -> None:
    pend(path, None, "new")
    with pytest.raises(ConfigError, match="an earlier password change is not settled"):
        pend(path, None, "newer")
    pending = read_credentials(path)[None].pending
    assert pending is not None
    assert pending.password == SecretText("new")


def test_tries_of_the_two_candidates_are_remembered(path: Path) -> None:
    pend(path, None, "new")
    mark_tried(path, None, Candidate.PENDING)
    mark_tried(path, None, Candidate.CURRENT)
    pending = read_credentials(path)[None].pending
    assert pending is not None
    assert pending.tried == {Candidate.PENDING, Candidate.CURRENT}


def test_settling_without_anything_pending_changes_nothing(path: Path) -> None:
    write(path, None, "p")
    promote_pending(path, None)
    mark_tried(path, None, Candidate.CURRENT)
    assert read_credentials(path)[None] == CredentialsEntry("api", SecretText("p"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    write(path, None, "p")
    path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        read_credentials(path)
    assert str(caught.value).endswith(f"chmod 600 {path}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[sectgo]\n", "did you mean sectigo?"),
        ('[sectigo]\npasword = "canary"\n', "did you mean password?"),
        ("[sectigo]\npassword = 1\n", 'is no text, or empty; write password = "..."'),
        ("profile = 1\n", "is no section"),
        ('[sectigo.pending]\nlogin = "a"\npassword = "canary"\n', "has no date"),
        ('[sectigo]\npassword = "canary\n', "is no valid TOML"),
    ],
)
def test_a_damaged_file_is_explained_and_left_as_it_is(path: Path, text: str, reason: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        write(path, None, "p")
    assert reason in str(caught.value)
    assert "canary" not in str(caught.value)
    assert path.read_text() == text


def test_a_file_held_by_another_process_is_not_waited_for_without_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_LOCK_TIMEOUT_SECONDS", 0.0)
    path.parent.mkdir()
    lock = FileLock(path.with_name(".credentials.toml.lock"))
    assert lock.try_acquire()
    with pytest.raises(ConfigError, match="another process held it"):
        write(path, None, "p")
    lock.close()
    assert not path.exists()


def test_a_linked_file_is_replaced_where_it_lies(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.toml"
    write(target, None, "old")
    path.parent.mkdir()
    path.symlink_to(target)
    write(path, None, "new")
    assert path.is_symlink()
    assert tomllib.loads(target.read_text())["sectigo"]["password"] == "new"
