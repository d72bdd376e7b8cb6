"""What all tests share."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

# The same examples in every run: a failure is found again by running the test again.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# A shell starts what is in its background with ctrl-c ignored, and each program of a test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "test_screenshots.py",
    "test_security_hostile_screens.py",
    "test_resilience_processes.py",
    "test_faults_kill.py",
)
"""The modules of the longest tests: begun last, one of them would keep one core busy and the others waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests; the others stay in their order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have half as many workers again as there are cores: many tests wait for another process."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)
