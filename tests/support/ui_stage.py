"""The dashboard before a simulated account, in virtual time: what the operator types, and what the screen shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest import mock

from rich.cells import cell_len
from textual import _time, events
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size

from sectigo_tui.presentation.glyphs import UNICODE, Glyphs
from sectigo_tui.presentation.themes import choose_theme
from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.simulator.world import World
from sectigo_tui.ui.app import SectigoApp
from sectigo_tui.ui.content.header import Surroundings
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.widgets.key_line import KeyLine
from sectigo_tui.ui.workflows.workflow import Defaults
from support.virtual_time import LoopClock, run_virtual
from support.writing import ACME, OV, Site

P = ParamSpec("P")
T = TypeVar("T")

SETTLE_SECONDS = 0.05
"""Virtual time passes only while nothing else can happen: this much of it, and all that was due has happened."""

PAINTED_SECONDS = 5.0
LONG_WAIT_SECONDS = 150.0
"""A longer wait is painted at its beginning and at its end: each frame costs as much as what it shows."""

LONGEST_SECONDS = 3 * 3600.0
"""What no story exceeds: an application that broke would tick for a virtual week."""

_CHARACTERS = {
    "space": " ",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "exclamation_mark": "!",
    "full_stop": ".",
}
_NAMES = {character: name for name, character in _CHARACTERS.items()}


def on_stage(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, None]:
    """Make an async test run in virtual time, Textual's timers included."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        def loop_time() -> float:
            return asyncio.get_running_loop().time()

        with mock.patch.object(_time, "get_time", loop_time):
            run_virtual(test(*args, **kwargs), limit_seconds=LONGEST_SECONDS)

    return run


def demo_world(*, seed: int = 7) -> World:
    """Return the demo's account, whose time is the running loop's."""
    world = make_world("demo", seed=seed, clock=LoopClock().now)
    world.sleep = LoopClock().sleep
    return world


class Stage:
    """The running dashboard.

    Args:
        app: The application.
        site: The program below it, its disk and SCM.
        size: Columns and lines of the terminal.
    """

    def __init__(self, app: SectigoApp, site: Site, size: tuple[int, int]) -> None:
        self.app = app
        self.site = site
        self.size = size

    @property
    def world(self) -> World:
        """SCM."""
        return self.site.world

    @property
    def view(self) -> View:
        """The view that is shown, below whatever dialog."""
        (*_, view) = [screen for screen in self.app.screen_stack if isinstance(screen, View)]
        return view

    @property
    def cursor(self) -> str | None:
        """The id of the row under the cursor."""
        return self.view.table.cursor_id

    @property
    def lines(self) -> list[str]:
        """What the terminal shows, line by line, without trailing spaces."""
        self.app.screen._on_timer_update()
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        """What the terminal shows."""
        return "\n".join(self.lines)

    @property
    def header(self) -> str:
        """The line at the top."""
        return self.lines[0]

    @property
    def footer(self) -> str:
        """What is said above the keys at the bottom; the keys where nothing is."""
        lines = self.lines
        line = next(iter(self.app.screen.query(KeyLine)), None)
        return lines[-2] if line is not None and line.has_class("-saying") else lines[-1]

    def row(self, ssl_id: int | str) -> str:
        """Return the line of the list that shows an order; fail when it is not in sight."""
        lines, table = self.lines, self.view.table
        found = [line for line in lines[2:] if f" {ssl_id} " in f"{line} "]
        if not found and f"#{ssl_id}" in table.visible_ids:
            # Where there is no room for sslIds.
            return lines[table.region.y + 1 + table.visible_ids.index(f"#{ssl_id}")]
        assert found, f"{ssl_id} is not on the screen:\n{self.text}"
        return found[0]

    def cells(self, ssl_id: int | str) -> list[str]:
        """Return the words of an order's line, without the shapes of cursor and marks in front of it."""
        return self.row(ssl_id)[1:].split()

    async def wait(self, seconds: float = SETTLE_SECONDS) -> None:
        """Let time pass; in the middle of a long wait, nothing is painted that nobody looks at."""
        if seconds > LONG_WAIT_SECONDS:
            await asyncio.sleep(PAINTED_SECONDS)
            with self.app.batch_update():
                await asyncio.sleep(seconds - 2 * PAINTED_SECONDS)
            seconds = PAINTED_SECONDS
        await asyncio.sleep(seconds)

    async def press(self, *keys: str) -> None:
        """Press keys, each by its character or by Textual's name; what they start is done before the next."""
        for key in keys:
            self.post(key)
            await self.wait()

    def post(self, key: str) -> None:
        """Press a key, and do not wait for anything."""
        name = _NAMES.get(key, key)
        self.app.post_message(events.Key(name, key if len(key) == 1 else _CHARACTERS.get(key)))

    async def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        self.size = (columns, lines)
        self.app.console.size = self.size
        self.app.post_message(events.Resize(Size(columns, lines), Size(columns, lines)))
        await self.wait(0.2)

    def svg(self) -> str:
        """Return a picture of the terminal."""
        self.app.screen._on_timer_update()
        return self.app.export_screenshot(title=self.app.title, simplify=True)

    def check_frame(self) -> None:
        """Fail when something broke out of the terminal: a line too long, or a control character."""
        columns, height = self.size
        lines = self.lines
        assert len(lines) == height, self.text
        for line in lines:
            assert cell_len(line) <= columns, line
            assert line.isprintable(), repr(line)


@asynccontextmanager
async def staged(
    world: World | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    site: Site | None = None,
    theme: str = "dark",
    glyphs: Glyphs = UNICODE,
    surroundings: Surroundings | None = None,
    refresh_seconds: float = 60.0,
    track: Sequence[int] = (),
    settle_seconds: float = 1.0,
    outside: Outside | None = None,
) -> AsyncIterator[Stage]:
    """Run the dashboard while the block lasts.

    Args:
        world: SCM; the demo's account when neither it nor a site is given.
        size: Columns and lines of the terminal.
        site: The program below it, in place of a new one before `world`.
        theme: As in the configuration: `dark`, `light`, `safe`, `16` or `mono`.
        glyphs: The shapes.
        surroundings: What the header says of this run.
        refresh_seconds: The time between two listings.
        track: sslIds that become local at once.
        settle_seconds: How much time passes before the block begins.
        outside: What it reaches besides the engine; nothing when not given.
    """
    site = site or Site(world=world or demo_world())
    app = SectigoApp(
        site.engine,
        surroundings or Surroundings(band="PROD", customer="acme"),
        glyphs=glyphs,
        theme=choose_theme({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, theme),
        refresh_seconds=refresh_seconds,
        defaults=Defaults(ACME, OV, 199, Path("keys"), Path(), keep=lambda name, _text: name),
        track=track,
        outside=outside,
    )
    async with app.run_test(size=size, notifications=True):
        stage = Stage(app, site, size)
        await stage.wait(settle_seconds)
        yield stage


async def type_text(stage: Stage, text: str) -> None:
    """Type into the field that has the focus, faster than anything is painted; a new line is Enter."""
    for character in text:
        stage.post("enter" if character == "\n" else character)
    await stage.wait()


@contextmanager
def written_to_terminal() -> Iterator[list[str]]:
    """Yield what the dashboard writes to its terminal while the block lasts, besides what it paints."""
    written: list[str] = []
    with mock.patch.object(HeadlessDriver, "write", lambda _driver, text: written.append(text)):
        yield written


def tracked_by_demo(world: World) -> list[int]:
    """Return the pending orders that the demo tracks: every other one."""
    from sectigo_tui.domain.status import StatusClass, classify

    pending = [ssl_id for ssl_id, status in world.statuses().items() if classify(status) is StatusClass.PENDING]
    return sorted(pending)[::2]
