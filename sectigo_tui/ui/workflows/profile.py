"""Going on with another profile, and arming writes in this one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import zip_longest

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.engine.context import ARMED_SECONDS
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

NO_PROFILE = "(no profile)"
_KEYS = "123456789bcdfghijklmnoprstuvwxyz"


async def switch_profile(workflow: Workflow, outside: Outside, leave: Callable[[str], None]) -> None:
    """Let the operator choose a profile; the present one goes on untouched unless the other can be opened.

    Args:
        workflow: What every workflow works with.
        outside: Knows the profiles.
        leave: Ends this dashboard, to go on with a profile.
    """
    present = workflow.surroundings.profile
    try:
        profiles = await asyncio.to_thread(outside.profiles)
    except ConfigError as wrong:
        await workflow.ask(Notice("The configuration cannot be read", in_words(wrong)))
        return
    if not profiles:
        text = "There is no other: [profile.NAME] of config.toml makes one."
        await workflow.ask(Notice("Profiles", text))
        return
    items = [
        MenuItem(name or NO_PROFILE, key, name or NO_PROFILE, "this is it" if name == present else "")
        for key, name in zip_longest(_KEYS[: len(profiles)], profiles, fillvalue="")
    ]
    chosen = await workflow.ask(Menu("Go on with which profile?", items))
    if chosen is None:
        return
    await go_on_with(workflow, outside, "" if chosen == NO_PROFILE else chosen, leave)


async def go_on_with(workflow: Workflow, outside: Outside, name: str, leave: Callable[[str], None]) -> None:
    """Go on with a profile, if it can be opened; else the present one goes on untouched.

    Args:
        workflow: What every workflow works with.
        outside: Sees whether it can be opened.
        name: The profile; empty for none.
        leave: Ends this dashboard, to go on with a profile.
    """
    shown = name or NO_PROFILE
    try:
        await workflow.during(f"Reading profile {shown} ...", outside.check_profile(name), can_stop=False)
    except ConfigError as wrong:
        await workflow.ask(Notice(f"Profile {shown} cannot be opened; this one goes on", in_words(wrong)))
        return
    leave(name)


async def arm_writes(workflow: Workflow) -> None:
    """Arm writes for a limited time in a read-only profile, or lock them again."""
    engine = workflow.engine
    minutes = f"{ARMED_SECONDS / 60:.0f} minutes"
    if not engine.options.read_only:
        await workflow.ask(Notice("Writes", "Writes are not locked: read_only = true in config.toml locks them."))
    elif not engine.options.may_arm:
        await workflow.ask(Notice("Writes", "This dashboard was started with --read-only: start it without, to write."))
    elif not engine.is_read_only:
        engine.arming.lock()
        workflow.notify("Writes are locked again.")
    elif await workflow.ask(
        Confirm(
            "Arm writes?",
            f"{workflow.surroundings.band} {workflow.surroundings.customer}\n\n"
            f"Everything that changes something at SCM can be done for {minutes}; then writes are locked again.",
            f"Arm for {minutes}",
            is_danger=True,
        )
    ):
        engine.arming.arm(engine.clock.now())
        workflow.notify(f"Writes are armed for {minutes}.")
