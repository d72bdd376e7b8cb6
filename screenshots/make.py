"""Makes the pictures that the documents show, from the demo's account in virtual time: always the same ones.

Run `python screenshots/make.py` in the environment of the tests; it writes beside itself, or into the directory given.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from rich.cells import cell_len

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))  # the stage on which the dashboard stands is that of the tests

from support.ui_stage import demo_world, on_stage, staged, tracked_by_demo  # noqa: E402 - found by the line above

SEED = 7
LATENCY_SECONDS = 0.118
PAUSE_SECONDS = 3.0
SECONDS_IN = 200.0
"""How long the dashboard has run: some orders became certificates, and countdowns of all lengths are seen."""

_FETCHED_FONT = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
_DIGEST = re.compile(r"terminal-\d+")
_TEXT = re.compile(r'<text class="(.*?)" x="(.*?)" y="(.*?)" textLength="(.*?)" clip-path="(.*?)">(.*?)</text>')
_WORDS = re.compile(r"[^\xa0]+(?:\xa0[^\xa0]+)*")


@dataclass(frozen=True, slots=True)
class Sitting:
    """One run of the dashboard, of which pictures are taken.

    Args:
        columns: The terminal's width.
        lines: The terminal's height.
        pictures: What is pressed before each, by the picture's name, in order.
        theme: As in the configuration.
    """

    columns: int
    lines: int
    pictures: Mapping[str, Sequence[str]]
    theme: str = "dark"


VIEWS: Mapping[str, Sequence[str]] = {
    "pending": (),
    "detail": ("d",),
    "local": ("escape", "2"),
    "remote": ("3",),
    "events": ("4",),
    "budget": ("5",),
    "validations": ("6",),
    "renewals": ("7",),
    "diagnose": ("1", "D"),
    "help": ("escape", "question_mark"),
    "actions": ("escape", "a"),
    "enroll": ("e",),
    "rotate": ("escape", "a", "o"),
    "revoke": ("escape", "3", "a", "v"),
}

SITTINGS = (
    Sitting(120, 40, VIEWS),
    Sitting(120, 40, {f"{name}-light": keys for name, keys in VIEWS.items()}, theme="light"),
    Sitting(80, 24, {"pending-80x24": ()}),
)


def make(directory: Path) -> list[Path]:
    """Make all pictures.

    Args:
        directory: Where they are written.

    Returns:
        The files.
    """
    taken: dict[str, str] = {}
    for sitting in SITTINGS:
        _take(sitting, taken)
    made = {directory / f"{name}.svg": _settled(svg) for name, svg in taken.items()}
    for path, svg in made.items():
        path.write_text(svg)
    return list(made)


@on_stage
async def _take(sitting: Sitting, taken: dict[str, str]) -> None:
    world = demo_world(seed=SEED)
    world.faults.add("latency", seconds=LATENCY_SECONDS)
    size = (sitting.columns, sitting.lines)
    tracked = tracked_by_demo(world)
    async with staged(world, size=size, track=tracked, settle_seconds=SECONDS_IN, theme=sitting.theme) as stage:
        for name, keys in sitting.pictures.items():
            await stage.press(*keys)
            await stage.wait(PAUSE_SECONDS)
            taken[name] = stage.svg()


def _settled(svg: str) -> str:
    """Return a picture that fetches no font, and whose columns stand where they do whatever font is there.

    Every name in it holds a digest of the whole, so that each change would be one of every line: that goes. And not
    every viewer heeds a text's length, or spaces at its start: what wide gaps part is placed apart.
    """
    settled = _TEXT.sub(_apart, _DIGEST.sub("terminal", _FETCHED_FONT.sub("", svg)))
    return "\n".join(line.rstrip() for line in settled.strip().splitlines()) + "\n"


def _apart(text: re.Match[str]) -> str:
    style, x, y, length, clip, escaped = text.groups()
    content = unescape(escaped)
    cell = float(length) / cell_len(content)
    return "".join(
        f'<text class="{style}" x="{float(x) + cell_len(content[: words.start()]) * cell:g}" y="{y}"'
        f' textLength="{cell_len(words[0]) * cell:g}" clip-path="{clip}">{escape(words[0], quote=False)}</text>'
        for words in _WORDS.finditer(content)
    )


def main() -> int:
    """Make the pictures that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=HERE, help="where they are written")
    for path in make(parser.parse_args().directory):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
