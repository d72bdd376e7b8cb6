"""The garbage collector, kept from searching where there is no garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Collect nothing while much is loaded that stays: looking for garbage among it takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def loading() -> Iterator[None]:
    """Switch garbage collection off while modules are loaded, and exempt them from it: they stay."""
    with collector_paused():
        yield
        gc.freeze()


def keep_what_is_loaded() -> None:
    """Switch garbage collection on again, but exempt what is in memory now: it stays."""
    gc.freeze()
    gc.enable()
