"""What the header line says."""

from __future__ import annotations

from datetime import datetime, timedelta

from sectigo_tui.domain.errors import CredentialsRefused
from sectigo_tui.engine.engine import Engine
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.text import printable
from sectigo_tui.ui.view_model import Surroundings

AGE_STEP_SECONDS = 5
"""Below ten minutes the age of what is shown moves in these steps: a header that ticks costs bytes."""

STALE_INTERVALS = 2.0

Segment = tuple[str, str]


def header_segments(
    engine: Engine,
    surroundings: Surroundings,
    *,
    pending: int,
    acts: int,
    is_frozen: bool,
    note: str,
    refresh_seconds: float,
) -> tuple[Segment, ...]:
    """Return the header's segments, each a text and a style.

    Args:
        engine: Where API state and ages come from.
        surroundings: The settled facts of this run.
        pending: How many orders are pending.
        acts: How many of them somebody on this side must act on.
        is_frozen: Whether the list is frozen.
        note: What the view says of its list; empty for nothing.
        refresh_seconds: The time between two listings of the account.
    """
    now = engine.context.clock.now()
    segments = [
        _who(surroundings),
        _api(engine, now),
        _updated(engine, now, refresh_seconds),
        (f"{pending} pend {acts} act", "$state-waiting" if acts else ""),
    ]
    poller = engine.context.book.store.poller()
    if poller:
        segments.append((f"polled by {printable(poller, limit=40)}", "$state-muted"))
    if note:
        segments.append((note, ""))
    if is_frozen:
        segments.append(("FROZEN", "$state-warning"))
    segments.append((fmt.clock(now), ""))
    return tuple(segments)


def _who(surroundings: Surroundings) -> Segment:
    words = [surroundings.band, surroundings.customer, surroundings.profile, "[R]" if surroundings.read_only else ""]
    return " ".join(printable(word, limit=24) for word in words if word), "bold"


def _api(engine: Engine, now: datetime) -> Segment:
    health = engine.health
    if engine.context.gate.refusal is not None or isinstance(health.failure, CredentialsRefused):
        return "AUTH refused: rotate", "$state-failed"
    if health.failing_since is not None:
        return f"OFFLINE since {fmt.clock(health.failing_since)}", "$state-failed"
    if health.last is None:
        return "API ...", "$state-muted"
    if health.held_until is not None and health.held_until > now:
        return f"API 429 until {fmt.clock(health.held_until)}", "$state-warning"
    return f"API OK {fmt.latency(health.last.latency_seconds).strip()}", "$state-done"


def _updated(engine: Engine, now: datetime, refresh_seconds: float) -> Segment:
    at = engine.account.refreshed_at
    if at is None:
        failed = engine.account.failure is not None
        return ("NOT LOADED", "$state-failed") if failed else ("loading", "$state-muted")
    seconds = (now - at) / timedelta(seconds=1)
    text = fmt.age(seconds, step_seconds=AGE_STEP_SECONDS).strip()
    if seconds > STALE_INTERVALS * refresh_seconds:
        return f"STALE {text}", "$state-warning"
    return f"upd {text}", ""
