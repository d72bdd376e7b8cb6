"""Commands run without a shell, and never for longer than they may."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sectigo_tui.cli.outside import run_command

ENVIRON = {"PATH": "/usr/bin:/bin", "GREETING": "hello"}


def run(*arguments: str, stdin: bytes = b"", timeout_seconds: float = 20.0) -> str:
    return asyncio.run(run_command(arguments, stdin, environ=ENVIRON, timeout_seconds=timeout_seconds))


def test_a_command_is_given_its_input_and_its_environment_alone(tmp_path: Path) -> None:
    script = f"cat > {tmp_path}/given; echo $GREETING $HOME >> {tmp_path}/given"
    assert run("sh", "-c", script, stdin=b"an order\n") == ""
    assert (tmp_path / "given").read_text() == "an order\nhello\n"


def test_arguments_are_no_shell_s_business(tmp_path: Path) -> None:
    assert run("touch", f"{tmp_path}/$(id);x") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["$(id);x"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("sh", "-c", "echo 'no such pager\nsecond line' >&2; exit 3"), "sh ended with exit code 3: no such pager"),
        (("sh", "-c", "printf '\\033]0;title\\007' >&2; exit 1"), "sh ended with exit code 1: ]0;title"),
        (("/nonexistent/pager", "--token", "canary"), "/nonexistent/pager cannot be run: No such file or directory"),
        (("sh", "-c", "kill -9 $$"), "sh ended with exit code -9"),
    ],
    ids=["fails", "complains in control characters", "is not there", "is killed"],
)
def test_what_goes_wrong_is_told_in_one_line(arguments: tuple[str, ...], reason: str) -> None:
    assert run(*arguments) == reason


def test_a_command_that_reads_nothing_has_not_failed_by_that() -> None:
    assert run("true", stdin=b"x" * 1_000_000) == ""


def test_a_command_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    line = tmp_path / "line"
    os.mkfifo(line)
    reading = os.open(line, os.O_RDONLY | os.O_NONBLOCK)
    script = f"exec 3> {line}; echo started >&3; sleep 60 & cat; wait"
    assert run("sh", "-c", script, timeout_seconds=0.5) == "sh did not end within 0.5 s"
    os.set_blocking(reading, True)
    # The end of the file comes when nobody is left who could write.
    with os.fdopen(reading, "rb") as left:
        assert left.read() == b"started\n"
