"""Makes the pictures that README shows, from the demo's account in virtual time: always the same ones.

Run `python screenshots/make.py` in the environment of the tests; it writes beside itself, or into the directory given.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from rich.cells import cell_len

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))  # the stage on which the dashboard stands is that of the tests

from support.ui_stage import demo_world, on_stage, staged, tracked_by_demo  # noqa: E402 - found by the line above

SEED = 7
LATENCY_SECONDS = 0.118
SECONDS_IN = 200.0
"""How long the dashboard has run: some orders became certificates, and countdowns of all lengths are seen."""

_FETCHED_FONT = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
_TEXT = re.compile(r'<text class="(.*?)" x="(.*?)" y="(.*?)" textLength="(.*?)" clip-path="(.*?)">(.*?)</text>')
_WORDS = re.compile(r"[^\xa0]+(?:\xa0[^\xa0]+)*")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Args:
        name: The file's name, without its ending.
        keys: What is pressed before.
        columns: The terminal's width.
        lines: The terminal's height.
    """

    name: str
    keys: tuple[str, ...] = ()
    columns: int = 120
    lines: int = 40


PICTURES = (
    Picture("pending"),
    Picture("pending-80x24", columns=80, lines=24),
    Picture("detail", ("d",)),
    Picture("remote", ("3",)),
    Picture("events", ("4",)),
    Picture("help", ("question_mark",)),
)


def make(directory: Path) -> list[Path]:
    """Make all pictures.

    Args:
        directory: Where they are written.

    Returns:
        The files.
    """
    made = []
    for picture in PICTURES:
        taken: list[str] = []
        _take(picture, taken.append)
        path = directory / f"{picture.name}.svg"
        path.write_text(_settled(*taken))
        made.append(path)
    return made


@on_stage
async def _take(picture: Picture, keep: Callable[[str], None]) -> None:
    world = demo_world(seed=SEED)
    world.faults.add("latency", seconds=LATENCY_SECONDS)
    size = (picture.columns, picture.lines)
    async with staged(world, size=size, track=tracked_by_demo(world), settle_seconds=SECONDS_IN) as stage:
        await stage.press(*picture.keys)
        await asyncio.sleep(1)
        keep(stage.svg())


def _settled(svg: str) -> str:
    """Return a picture that fetches no font, and whose columns stand where they do whatever font is there.

    Not every viewer heeds a text's length, or spaces at its start; so what wide gaps part is placed apart.
    """
    settled = _TEXT.sub(_apart, _FETCHED_FONT.sub("", svg))
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
