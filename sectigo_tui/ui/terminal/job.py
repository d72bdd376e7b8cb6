"""Whether a shell stands behind the program, that would go on with it once it has stopped."""

from __future__ import annotations

import os
from pathlib import Path


def has_shell() -> bool:
    """Return whether a parent outside this process's job is in its session, as a shell with job control is.

    Stopped without one, as the only command of an SSH connection or of a tmux window, it would never go on.
    """
    try:
        session, job, parent = os.getsid(0), os.getpgrp(), os.getppid()
        while parent > 0 and os.getsid(parent) == session:
            if os.getpgid(parent) != job:
                return True
            parent = _parent_of(parent)
    except OSError:
        return False
    return False


def _parent_of(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])
