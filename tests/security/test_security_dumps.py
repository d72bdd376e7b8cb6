"""The memory of a process that holds the password is copied by no crash and no other program of the same user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.installation import Installation

PR_GET_DUMPABLE = 3
CRASHES = f"""
import ctypes, os, resource
_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
{{forbid}}
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl({PR_GET_DUMPABLE}), flush=True)
os.abort()
"""
FORBID = "from sectigo_tui.cli.session import forbid_dumps; forbid_dumps()"


def crashed(directory: Path, forbid: str) -> tuple[str, int]:
    """Return what a process that crashes has printed, and the status it ended with."""
    command = [sys.executable, "-c", CRASHES.format(forbid=forbid)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=directory, text=True)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    assert process.stdout is not None
    with process.stdout as stdout:
        return stdout.read().strip(), status


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux marks a process as not to be dumped")
def test_a_crash_leaves_no_copy_of_the_memory(tmp_path: Path) -> None:
    told, status = crashed(tmp_path, FORBID)
    assert told == "(0, 0) 0"
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    assert list(tmp_path.iterdir()) == []
    assert crashed(tmp_path, "")[0].endswith(" 1")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the limits of other processes")
def test_the_running_dashboard_may_not_be_dumped(program: Installation) -> None:
    with program.terminal() as terminal:
        # The list may be painted before the password is read; an answer comes only after that.
        terminal.until("API OK")
        assert core_limit(terminal._process.pid) == ["0", "0"]
        terminal.signal(signal.SIGTERM)
        terminal.end()


def core_limit(pid: int) -> list[str]:
    (line,) = (each for each in Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in each)
    return line.split()[4:6]
