"""Going on with another profile, and arming writes in this one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import zip_longest

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.engine.arming import ARMED_SECONDS
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.flows.flow import Flow, in_words
from sectigo_tui.ui.outside import Outside

NO_PROFILE = "(no profile)"
_KEYS = "123456789bcdfghijklmnoprstuvwxyz"


async def switch_profile(flow: Flow, outside: Outside, leave: Callable[[str], None]) -> None:
    """Let the operator choose a profile; the present one goes on untouched unless the other can be opened.

    Args:
        flow: What every flow works with.
        outside: Knows the profiles.
        leave: Ends this dashboard, to go on with a profile.
    """
    present = flow.surroundings.profile
    try:
        profiles = await asyncio.to_thread(outside.profiles)
    except ConfigError as wrong:
        await flow.ask(Notice("The configuration cannot be read", in_words(wrong)))
        return
    if not profiles:
        text = "There is no other: [profile.NAME] of config.toml makes one."
        await flow.ask(Notice("Profiles", text))
        return
    items = [
        MenuItem(name or NO_PROFILE, key, name or NO_PROFILE, "this is it" if name == present else "")
        for key, name in zip_longest(_KEYS[: len(profiles)], profiles, fillvalue="")
    ]
    chosen = await flow.ask(Menu("Go on with which profile?", items))
    if chosen is None:
        return
    await go_on_with(flow, outside, "" if chosen == NO_PROFILE else chosen, leave)


async def go_on_with(flow: Flow, outside: Outside, name: str, leave: Callable[[str], None]) -> None:
    """Go on with a profile, if it can be opened; else the present one goes on untouched.

    Args:
        flow: What every flow works with.
        outside: Sees whether it can be opened.
        name: The profile; empty for none.
        leave: Ends this dashboard, to go on with a profile.
    """
    shown = name or NO_PROFILE
    try:
        await flow.during(f"Reading profile {shown} ...", outside.check_profile(name), can_stop=False)
    except ConfigError as wrong:
        await flow.ask(Notice(f"Profile {shown} cannot be opened; this one goes on", in_words(wrong)))
        return
    leave(name)


async def arm_writes(flow: Flow) -> None:
    """Arm writes for a limited time in a read-only profile, or lock them again."""
    context = flow.engine.context
    minutes = f"{ARMED_SECONDS / 60:.0f} minutes"
    if not context.policy.read_only:
        await flow.ask(Notice("Writes", "Writes are not locked: read_only = true in config.toml locks them."))
    elif not context.policy.may_arm:
        await flow.ask(Notice("Writes", "This dashboard was started with --read-only: start it without, to write."))
    elif not context.is_read_only:
        context.arming.lock()
        flow.tell("Writes are locked again.")
    elif await flow.ask(
        Confirm(
            "Arm writes?",
            f"{flow.surroundings.band} {flow.surroundings.customer}\n\nEverything that changes something at SCM can "
            f"be done for {minutes}; then it is locked again by itself.",
            f"Arm for {minutes}",
            is_danger=True,
        )
    ):
        context.arming.arm(context.clock.now())
        flow.tell(f"Writes are armed for {minutes}.")
