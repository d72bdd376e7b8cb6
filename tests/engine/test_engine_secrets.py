"""No secret leaves the engine but in a request's header: planted canaries are looked for everywhere else."""

from __future__ import annotations

import dataclasses
import logging
import traceback
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.errors import SectigoTuiError
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import SecretText
from support.virtual_time import run_virtual
from support.writing import Site, ready

CANARIES = ("Canary-Old-1", "Canary-New-2", "Canary-Wrong-3")


def everything_said(site: Site, failures: list[BaseException]) -> str:
    """Return all text that the engine has let out: events, timelines, the disk, failures, reprs and results."""
    said = [repr(event) for event in site.received]
    said += [repr(entry) for entry in site.disk.entries]
    said += [msgspec.json.encode(order).decode() for order in site.disk.orders.values()]
    for failure in failures:
        said += [*traceback.format_exception(failure), repr(failure), repr(vars(failure))]
        said += [repr(explain(failure))]
        said += [
            repr(value)
            for frame, _ in traceback.walk_tb(failure.__traceback__)
            for value in frame.f_locals.values()
            if isinstance(value, Struct) or dataclasses.is_dataclass(value)
        ]
    said += [repr(site.engine.credentials), repr(site.kept.present), str(site.kept.present.password)]
    return "\n".join(said)


async def everything_that_can_go_wrong() -> str:
    old, new, wrong = CANARIES
    site = Site()
    site.world.account.credentials.password = old
    site.scm.use_credentials(replace(site.kept.present, password=SecretText(old)))
    failures: list[BaseException] = []

    async def tried(write: Coroutine[Any, Any, object]) -> None:
        try:
            await write
        except SectigoTuiError as failure:
            failures.append(failure)

    for fault in ("lost", "html", "unauthorized"):
        site.world.faults.add(fault, path="enroll", count=1)
        await tried(site.engine.enrolling.enroll(ready()))
        await tried(site.engine.credentials.rotate("", SecretText(wrong), insist=True))
    site.world.account.credentials.password = new
    site.kept.failing = True
    await tried(site.engine.credentials.rotate("", SecretText(new)))
    site.kept.failing = False
    site.world.faults.add("error", path="changepassword", code=-7306, description="policy", count=2)
    await tried(site.engine.credentials.change())
    site.world.faults.add("lost", path="changepassword", count=1)
    changed = await site.engine.credentials.change()
    assert len(failures) == 5
    made_here = site.world.account.credentials.password
    said = everything_said(site, failures) + repr(changed)
    assert made_here not in said
    return said


def test_no_canary_is_in_events_timelines_failures_logs_or_reprs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = run_virtual(everything_that_can_go_wrong()) + caplog.text
    assert "credentials rotated" in said
    for canary in CANARIES:
        assert canary not in said
