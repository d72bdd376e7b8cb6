"""Who writes: the operating system's user, process, terminal and SSH address, for audit and for naming the poller."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from sectigo_tui.store.documents import Actor


def this_process(environment: Mapping[str, str] = os.environ) -> Actor:
    """Return who this process is.

    Args:
        environment: Where `SSH_CONNECTION` is looked up.
    """
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = f"uid {os.geteuid()}"
    address = environment.get("SSH_CONNECTION", "").split(" ", 1)[0]
    return Actor(user=user, pid=os.getpid(), tty=_terminal(), ssh=address)


def _terminal() -> str:
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor).removeprefix("/dev/")
        except OSError:
            continue
    return ""


def birth_of(pid: int) -> str:
    """Return when a process of this host was started, in words that no other process will ever have.

    Args:
        pid: The process id.

    Returns:
        The boot and the start time after it; empty where the system does not tell or the process has ended.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The name in parentheses may hold anything, spaces and parentheses included.
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = status[0], status[19]
    return "" if state in {"Z", "X"} else f"{boot} {started}"


def is_alive(pid: int, birth: str) -> bool:
    """Return whether the process that was started then still runs on this host.

    Args:
        pid: The process id.
        birth: What `birth_of` returned for it; empty where the system does not tell.
    """
    if birth:
        return birth_of(pid) == birth
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
