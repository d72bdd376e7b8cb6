"""What the header line says, and what of it may go where there is no room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from msgspec import Struct
from rich.cells import cell_len

from sectigo_tui.domain.errors import StoreOffline
from sectigo_tui.engine.credentials.passwords import days_left, expires_soon
from sectigo_tui.engine.engine import Engine
from sectigo_tui.presentation.format import SLOW_ANSWER_SECONDS, age, clock, latency
from sectigo_tui.presentation.rows import Tally
from sectigo_tui.presentation.text import printable

AGE_STEP_SECONDS = 5
LATER_AGE_STEP_SECONDS = 15
LATER_SECONDS = 30
"""The age of what is shown moves in steps below ten minutes, longer ones from here on: each costs a line's bytes."""

STALE_INTERVALS = 2.0
SHORTENED_RANK = 2
"""Before a part of this rank goes, those that can be are said in fewer words."""
BAR = " | "


class Surroundings(Struct, frozen=True):
    """The settled facts of this run, as the header shows them.

    Args:
        band: The environment, such as `PROD`; empty for none.
        band_color: Its colour: red, yellow, green, blue, magenta, or auto for red where it is production.
        profile: The configuration's profile; empty for none.
        customer: The customer URI.
    """

    band: str = ""
    band_color: str = "auto"
    profile: str = ""
    customer: str = ""


class HeaderPart(NamedTuple):
    """A part of the line.

    Args:
        text: What it says, printable.
        style: A theme variable such as `$state-failed`, or empty.
        rank: Who goes first where there is no room: the highest. 0 stays always.
        is_joined: Whether it goes on with what stands before it, rather than behind a bar.
        short: The same in fewer words, before something of rank `SHORTENED_RANK` goes; empty for nothing shorter.
    """

    text: str
    style: str = ""
    rank: int = 0
    is_joined: bool = False
    short: str = ""

    @property
    def joint(self) -> str:
        """What stands before it: a bar, a space, or nothing where it begins with a comma."""
        return BAR if not self.is_joined else "" if self.text.startswith(",") else " "

    @property
    def cells(self) -> int:
        """How much room it takes, with what stands before it."""
        return cell_len(self.text) + len(self.joint)


def header_segments(
    engine: Engine,
    surroundings: Surroundings,
    tally: Tally,
    *,
    is_frozen: bool,
    note: str,
    refresh_seconds: float,
) -> tuple[HeaderPart, ...]:
    """Return all that the header says, from left to right.

    Args:
        engine: Where API state and ages come from.
        surroundings: The settled facts of this run.
        tally: How many orders are pending, on how many somebody on this side must act, and how many nobody polls.
        is_frozen: Whether the list is frozen.
        note: What the view says of its list; empty for nothing.
        refresh_seconds: The time between two listings of the account.
    """
    now = engine.clock.now()
    # Nobody has counted the account's orders before they were listed: a plain 0 would be a lie.
    unknown = "+?" if engine.account.refreshed_at is None or engine.account.not_loaded else ""
    poller = engine.orders.poller()
    segments = (
        *_who(surroundings),
        _writes(engine, now),
        *_api(engine, now),
        _updated(engine, now, refresh_seconds),
        *_left_out(engine),
        HeaderPart(
            f"{tally.pending}{unknown} pending{_needing_you(tally.needing_you)}",
            "$state-waiting" if tally.needing_you else "",
            1,
            short=f"{tally.pending}{unknown} pend{f', {tally.needing_you} you' if tally.needing_you else ''}",
        ),
        HeaderPart(f", {tally.unpolled} not polled" if tally.unpolled else "", "$state-muted", 5, is_joined=True),
        _password(engine, now),
        HeaderPart(f"polled by {printable(poller, limit=40)}" if poller else "", "$state-muted", 6),
        HeaderPart(printable(note, limit=60), "", 2),
        _saving(engine),
        HeaderPart("FROZEN" if is_frozen else "", "$state-warning"),
        HeaderPart(clock(engine.clock.wall()), "", 4),
    )
    return tuple(segment for segment in segments if segment.text)


def fitting(segments: tuple[HeaderPart, ...], width: int) -> tuple[HeaderPart, ...]:
    """Return the segments that fit, the least important ones dropped first.

    Args:
        segments: All of them.
        width: The cells there are.
    """
    kept = dict(enumerate(segments))
    for at in sorted(kept, key=lambda at: -segments[at].rank):
        if segments[at].rank <= SHORTENED_RANK and not _fit(kept.values(), width):
            kept = {at: one._replace(text=one.short or one.text) for at, one in kept.items()}
        if segments[at].rank == 0 or _fit(kept.values(), width):
            break
        del kept[at]
    return tuple(kept.values())


def _fit(segments: Iterable[HeaderPart], width: int) -> bool:
    return sum(one.cells for one in segments) - len(BAR) <= width


def _needing_you(orders: int) -> str:
    return f", {orders} need{'s' if orders == 1 else ''} you" if orders else ""


def _who(surroundings: Surroundings) -> tuple[HeaderPart, ...]:
    band, customer = printable(surroundings.band, limit=24), printable(surroundings.customer, limit=24)
    return (
        HeaderPart(band, _band_style(band, surroundings.band_color), 1),
        HeaderPart(customer, "bold", 3 if band else 1, is_joined=bool(band)),
        HeaderPart(printable(surroundings.profile, limit=24), "bold", 5, is_joined=True),
    )


def _band_style(band: str, color: str) -> str:
    """Return how the environment stands out: reversed, so that it does in a terminal without colours too."""
    if color == "auto":
        color = "red" if band.casefold().startswith("prod") else ""
    return f"bold reverse ansi_{color}" if color else "bold reverse"


def _writes(engine: Engine, now: datetime) -> HeaderPart:
    """Return whether writes are disabled, or for how long they are armed."""
    if engine.is_read_only:
        return HeaderPart("[R]", "bold", is_joined=True)
    if engine.orders.read_only is not None:
        return HeaderPart("[R] store", "bold", is_joined=True)
    until = engine.arming.until if engine.options.read_only else None
    if until is None:
        return HeaderPart("")
    minutes = max(1, ceil((until - now) / timedelta(minutes=1)))
    return HeaderPart(f"[W {minutes}m]", "$state-failed", is_joined=True)


def _saving(engine: Engine) -> HeaderPart:
    """Return whether what happens can be saved."""
    error = engine.saving_error
    if isinstance(error, StoreOffline):
        return HeaderPart(f"STORE OFFLINE since {clock(error.since)}", "$state-failed")
    return HeaderPart("NOT SAVED" if error is not None else "", "$state-failed")


def _api(engine: Engine, now: datetime) -> tuple[HeaderPart, ...]:
    health = engine.health
    if engine.rejection is not None:
        return (HeaderPart("AUTH rejected: rotate", "$state-failed"),)
    if health.failing_since is not None:
        why = health.failure.reason if health.failure is not None else ""
        return (
            HeaderPart(f"OFFLINE since {clock(health.failing_since)}", "$state-failed"),
            HeaderPart(printable(why, limit=40), "$state-failed", 5, is_joined=True),
        )
    if health.asking_since is not None:
        seconds = (now - health.asking_since) / timedelta(seconds=1)
        return (HeaderPart(f"waiting for password_command, {seconds:.0f} s", "$state-warning"),)
    if health.last is None:
        return (HeaderPart("API ...", "$state-muted"),)
    if health.retry_after_until is not None and health.retry_after_until > now:
        return (HeaderPart(f"API 429 until {clock(health.retry_after_until)}", "$state-warning"),)
    # Of one width, so that what stands behind it does not jump with every answer.
    seconds = health.last.latency_seconds
    style = "$state-warning" if (seconds or 0) > SLOW_ANSWER_SECONDS else "$state-done"
    failing = ", ".join(call.replace("_", " ") for call in sorted(health.failing_calls))
    return (
        HeaderPart(f"API OK {latency(seconds).strip():<5}", style),
        HeaderPart(f"failing: {printable(failing, limit=40)}" if failing else "", "$state-failed", 2),
    )


def _password(engine: Engine, now: datetime) -> HeaderPart:
    status = engine.password
    if status is None or not expires_soon(status, now):
        return HeaderPart("")
    left = days_left(status, now)
    return HeaderPart("password EXPIRED" if left is None or left < 0 else f"password {left}d", "$state-warning", 1)


def _left_out(engine: Engine) -> tuple[HeaderPart, ...]:
    """Return which pending statuses could never be listed, and why, and how many rows cannot be used."""
    account, segments = engine.account, []
    if account.not_loaded:
        some = account.refreshed_at is not None
        names = f"{printable(', '.join(account.not_loaded), limit=40)} " if some else ""
        segments.append(HeaderPart(f"{names}NOT LOADED", "$state-failed"))
        if engine.health.failing_since is None and engine.rejection is None:
            # What fails as a whole is told before.
            why = printable(next(iter(account.not_loaded.values())).reason, limit=80)
            segments.append(HeaderPart(why, "$state-failed", 5, is_joined=True))
    if account.unusable:
        segments.append(HeaderPart(f"{len(account.unusable)} unusable", "$state-failed", 2))
    return tuple(segments)


def _updated(engine: Engine, now: datetime, refresh_seconds: float) -> HeaderPart:
    at = engine.account.refreshed_at
    if at is None:
        failed = engine.account.failure is not None
        # What could not be loaded is told beside it.
        return HeaderPart("") if failed else HeaderPart("loading", "$state-muted", 1)
    seconds = (now - at) / timedelta(seconds=1)
    step_seconds = AGE_STEP_SECONDS if seconds < LATER_SECONDS else LATER_AGE_STEP_SECONDS
    text = age(seconds, step_seconds=step_seconds).strip()
    if seconds > STALE_INTERVALS * refresh_seconds:
        return HeaderPart(f"STALE {text}", "$state-warning")
    return HeaderPart(f"updated {text} ago", "", 3)
