"""Keeps what is in memory there: a core dump would hold the password."""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4


def forbid_dumps() -> None:
    """Let neither a crash nor another program of the same user copy this process's memory.

    A limit of 0 keeps the kernel from writing a core file. One that is piped to a collector is not bound by it, so
    that on Linux the process is marked as not to be dumped too, which closes it to debuggers other than root's.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # Where it is refused there is nothing left to do: the limit holds.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
