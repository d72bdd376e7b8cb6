"""Files are whole or absent."""

import os
from pathlib import Path

import pytest

from sectigo_tui.durable import create_file, replace_file


def test_a_failed_write_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_content_and_name_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append("directory" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    replace_file(tmp_path / "a", b"")
    create_file(tmp_path / "b", b"")
    assert synced == ["file", "directory", "file", "directory"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_is_what_was_asked_for_under_any_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        create_file(tmp_path / "a", b"", mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_a_name_in_use_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "dangling", b"mine")
    assert [entry.name for entry in tmp_path.iterdir()] == ["dangling"]
