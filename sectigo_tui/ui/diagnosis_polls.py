"""The newest looks at an order as a small plot: how long each answer took, and what it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sectigo_tui.domain.polling import Look, LookOutcome
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui import lines
from sectigo_tui.ui.columns import look_text
from sectigo_tui.ui.glyphs import ASCII, Glyphs
from sectigo_tui.ui.lines import untrusted

LOOKS_SHOWN = 40
_BARS = ("▁▂▃▄▅▆▇█", "12345678")
_MARKS = {
    LookOutcome.PENDING: ".",
    LookOutcome.FINAL: "!",
    LookOutcome.ISSUED: "i",
    LookOutcome.NOT_READY: "n",
    LookOutcome.COLLECTED: "C",
    LookOutcome.RATE_LIMITED: "4",
    LookOutcome.SERVER_FAILURE: "5",
    LookOutcome.UNREACHABLE: "-",
    LookOutcome.UNREADABLE: "?",
    LookOutcome.CREDENTIALS_REFUSED: "a",
    LookOutcome.NOT_FOUND: "0",
    LookOutcome.REFUSED: "r",
}


def poll_facts(looks: Sequence[Look], glyphs: Glyphs) -> Iterable[lines.Fact]:
    """Return the newest looks: latency as bars, outcome as marks with their meanings, and the newest in words."""
    if not looks:
        return
    shown = looks[-LOOKS_SHOWN:]
    slowest = max((look.latency_seconds or 0.0 for look in shown), default=0.0)
    yield "latency", f"{''.join(_bar(look, slowest, glyphs) for look in shown)}  slowest {fmt.latency(slowest).strip()}"
    yield "outcome", "".join(_MARKS[look.outcome] for look in shown)
    yield "", ", ".join(f"{_MARKS[outcome]} {outcome}" for outcome in dict.fromkeys(look.outcome for look in shown))
    newest = shown[-1]
    yield "newest", f"{newest.at:%Y-%m-%d %H:%M:%S}Z  {untrusted(look_text(newest))}"


def _bar(look: Look, slowest: float, glyphs: Glyphs) -> str:
    if look.latency_seconds is None or slowest <= 0:
        return " "
    scale = _BARS[glyphs is ASCII]
    return scale[min(len(scale) - 1, int(look.latency_seconds / slowest * len(scale)))]
