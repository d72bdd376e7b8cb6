"""Delivers what is typed one after another, each to what the one before has opened, whatever the speed.

Textual hands a key to the widget that has the focus when the key is read. Over a slow line several keys are read at
once: the second then reaches what the first has just closed. Here each waits until the one before has had its effect:
its messages are handled, the screen that it opened is there, and the workflow that it began has asked its question.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.command import CommandPalette
from textual.geometry import Offset
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

PATIENCE_SECONDS = 2.0
"""What takes longer to open gets no key that was typed for it: the operator sees that it is not there, and goes on."""

BURST_SECONDS = 0.03
"""Keys nearer to each other than this come from a paste, or from a line that has gathered them; nobody types so."""

DOUBLE_CLICK_SECONDS = 0.5
_LOOK_SECONDS = 0.02
_INTERIM_LOOK_SECONDS = 0.05

Typed = events.InputEvent | events.Paste
Deliver = Callable[[Typed], Awaitable[None]]


class TypedAhead:
    """Holds what was typed ahead.

    Args:
        app: The application.
        deliver: Hands one event to where the operator is.
    """

    def __init__(self, app: App[Any], deliver: Deliver) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[Typed] = deque()
        self._expected: set[asyncio.Future[None]] = set()
        self._settling: asyncio.Task[None] | None = None
        self._pressed: tuple[Offset, float, Screen[Any]] | None = None
        self._interim_until = 0.0
        self._lines = _Lines()

    def expect(self) -> asyncio.Future[None]:
        """Return what is to be resolved when what a key has begun shows itself, or has ended; keys wait for it."""
        future = asyncio.get_running_loop().create_future()
        self._expected.add(future)
        future.add_done_callback(self._expected.discard)
        return future

    def close(self) -> None:
        """Deliver nothing any more."""
        self._waiting.clear()
        if self._settling is not None:
            self._settling.cancel()

    async def take(self, event: Typed) -> None:
        """Deliver an event as soon as all before it have had their effect."""
        screen = self._screen()
        if self._is_for_interim(screen, event):
            if isinstance(event, events.Key) and event.key == "escape":
                self._waiting.clear()
            await self._deliver(event)
            return
        if isinstance(event, events.MouseMove) and self._waiting and isinstance(self._waiting[-1], events.MouseMove):
            self._waiting.pop()
        self._waiting.append(event)
        await self._go_on()

    async def _go_on(self) -> None:
        while self._waiting and self._settling is None:
            first, screen = self._waiting[0], self._screen()
            if screen is None:
                self._waiting.clear()
            elif self._is_to_wait(screen, first):
                self._settle()
            elif (admitted := self._admitted(screen, self._waiting.popleft())) is not None:
                await self._deliver(admitted)
                if not isinstance(admitted, events.MouseMove):
                    self._settle()

    def _screen(self) -> Screen[Any] | None:
        with suppress(ScreenStackError):
            return self._app.screen
        return None

    def _is_for_interim(self, screen: Screen[Any] | None, event: Typed) -> bool:
        """Return whether an event is meant for what says that something is waited for, not for what follows."""
        if not isinstance(screen, Interim) or not screen.is_mounted:
            return False
        return not screen.is_early(event) or (isinstance(event, events.Key) and event.key == "escape")

    def _is_to_wait(self, screen: Screen[Any], event: Typed) -> bool:
        if isinstance(event, events.MouseMove):
            return False
        if not screen.is_mounted or isinstance(screen, Interim):
            return True
        if isinstance(event, events.Key) and event.key == "enter" and self._lines.wants_more(screen, self._waiting):
            return True
        return _is_searching(self._app, screen) and isinstance(event, events.Key) and not event.is_printable

    def _admitted(self, screen: Screen[Any], event: Typed) -> Typed | None:
        """Return an event as it is to be delivered; None where it was not meant for what is shown."""
        if isinstance(screen, JudgesKeys) and not isinstance(event, events.MouseMove):
            screen.before_input()
        if isinstance(event, events.MouseDown):
            return event if self._is_aimed(screen, event) else None
        if isinstance(event, events.Paste):
            return self._lines.joined(screen, event)
        if not isinstance(event, events.Key):
            return event
        if event.time < self._interim_until and not isinstance(screen, ModalScreen):
            return None
        if self._lines.takes(screen, event, self._waiting):
            return None
        return event if not isinstance(screen, JudgesKeys) or screen.admits(event) else None

    def _is_aimed(self, screen: Screen[Any], event: events.MouseDown) -> bool:
        """Return whether a click is no second one of two, of which the first has opened or closed something."""
        before, place = self._pressed, Offset(event.x, event.y)
        self._pressed = (place, event.time, screen)
        if before is None or before[2] is screen:
            return not (isinstance(screen, JudgesKeys) and screen.is_early(event))
        is_second = before[0] == place and event.time - before[1] <= DOUBLE_CLICK_SECONDS
        return not is_second and not (isinstance(screen, JudgesKeys) and screen.is_early(event))

    def _settle(self) -> None:
        self._settling = asyncio.create_task(self._settled())

    async def _settled(self) -> None:
        try:
            await self._effect()
        finally:
            self._settling = None
        if self._waiting:
            self._app.call_later(self._go_on)

    async def _effect(self) -> None:
        """Wait until what was delivered has had its effect."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        await self._handled(PATIENCE_SECONDS)
        quiet = False
        while (left := deadline - loop.time()) > 0:
            if not quiet:
                quiet = await self._handled(left)
            elif isinstance(screen := self._screen(), Interim):
                while self._screen() is screen:  # noqa: ASYNC110 - it may be covered as well as closed
                    await asyncio.sleep(_INTERIM_LOOK_SECONDS)
                self._interim_until = screen.shown_at or 0.0
                deadline = loop.time() + PATIENCE_SECONDS
                quiet = False
            elif self._expected and not self._is_interim_below():
                await asyncio.wait(set(self._expected), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                quiet = False
            elif self._lines.is_waiting(self._waiting):
                await asyncio.sleep(BURST_SECONDS)
                self._lines.has_waited(self._waiting)
            elif screen is not None and _is_searching(self._app, screen) and not self._is_text_next():
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return
        self._expected.clear()

    def _is_interim_below(self) -> bool:
        return any(isinstance(screen, Interim) for screen in self._app.screen_stack)

    def _is_text_next(self) -> bool:
        following = self._waiting[0] if self._waiting else None
        return following is None or (isinstance(following, events.Key) and following.is_printable)

    async def _handled(self, seconds: float) -> bool:
        """Wait until all have handled what they were given until now; return whether nobody was given more by it."""
        nodes = [node for node in self._nodes() if node.is_running]
        left = len(nodes)
        passed = asyncio.get_running_loop().create_future()

        def note() -> None:
            nonlocal left
            left -= 1
            if left <= 0 and not passed.done():
                passed.set_result(None)

        for node in nodes:
            if not node.call_later(note):
                note()
        await asyncio.wait({passed}, timeout=seconds)
        screen = self._screen()
        is_there = screen is None or screen.is_mounted
        if not is_there:
            await asyncio.sleep(_LOOK_SECONDS)
        return is_there and not any(node.message_queue_size for node in nodes)

    def _nodes(self) -> Iterator[MessagePump]:
        yield self._app
        with suppress(ScreenStackError):
            for screen in self._app.screen_stack:
                yield from screen.walk_children(with_self=True)


class JudgesKeys:
    """A screen that says which keys it takes that were typed before it could be seen."""

    def is_early(self, event: events.Event) -> bool:
        """Return whether an event was made before the operator could have seen this screen."""
        raise NotImplementedError

    def admits(self, event: events.Key) -> bool:
        """Return whether a key is taken; what is not taken was typed before the operator could have read this."""
        raise NotImplementedError

    def before_input(self) -> None:
        """Take note of how this is filled in before anything is typed."""

    def has_typed(self) -> bool:
        """Return whether something is filled in that would be lost."""
        return False

    def ask_to_leave(self, leave: Callable[[], object]) -> None:
        """Ask what is to become of what is filled in, and leave unless the operator goes back to it."""
        raise NotImplementedError


class Interim(JudgesKeys):
    """A screen that says what is waited for: what is typed before it is seen is meant for what follows it.

    Attributes:
        shown_at: When it could first be seen; None before that.
    """

    shown_at: float | None


class LineField(Input):
    """A field for one line of text.

    Args:
        separator: What stands between the lines that are pasted into it.
        value: As of any `Input`.
    """

    def __init__(self, value: str, *, separator: str = " ", **options: Any) -> None:
        super().__init__(value, **options)
        self.separator = separator


class _Lines:
    """What is done with several lines that are pasted into a field for one."""

    def __init__(self) -> None:
        self._waited_for: Typed | None = None
        self._burst_at: float | None = None
        self._breaks = 0

    def wants_more(self, screen: Screen[Any], held: deque[Typed]) -> bool:
        """Return whether it is to be seen first whether more follows at once: then an Enter is a line's end."""
        field = screen.focused
        return isinstance(field, LineField) and held[0] is not self._waited_for and not _is_followed(held)

    def is_waiting(self, held: deque[Typed]) -> bool:
        """Return whether an Enter waits for what may follow it at once."""
        first = held[0] if held else None
        is_enter = isinstance(first, events.Key) and first.key == "enter"
        return is_enter and first is not self._waited_for and not _is_followed(held)

    def has_waited(self, held: deque[Typed]) -> None:
        """Take note that nothing more is waited for."""
        self._waited_for = held[0] if held else None

    def takes(self, screen: Screen[Any], event: events.Key, held: deque[Typed]) -> bool:
        """Return whether a key is a part of pasted lines that is not to be delivered as it is."""
        field = screen.focused
        if not isinstance(field, LineField):
            self._burst_at = None
            return False
        is_in_burst = self._burst_at is not None and event.time - self._burst_at < BURST_SECONDS
        if event.key == "enter" and (is_in_burst or _is_followed(deque([event, *held]))):
            self._breaks = self._breaks + 1 if is_in_burst else 1
            self._burst_at = event.time
            is_last = not _is_followed(deque([event, *held]))
            if not field.password and not is_last:
                text = field.value[: field.cursor_position].rstrip()
                ends_so = text.endswith(field.separator.strip()) if field.separator.strip() else False
                field.insert_text_at_cursor(" " if ends_so else field.separator)
            _show_message(screen, is_secret=field.password, lines=self._breaks + (not is_last))
            return True
        if is_in_burst:
            self._burst_at = event.time
            return field.password and event.is_printable
        self._burst_at = None
        return False

    def joined(self, screen: Screen[Any], paste: events.Paste) -> events.Paste:
        """Return a paste into a field for one line as one line."""
        field = screen.focused
        lines = [line.strip() for line in paste.text.splitlines() if line.strip()]
        if not isinstance(field, Input) or len(lines) < 2:
            return paste
        _show_message(screen, is_secret=field.password, lines=len(lines))
        separator = field.separator if isinstance(field, LineField) else " "
        parts = [line.rstrip(separator.strip() or None).rstrip() for line in lines]
        return events.Paste(paste.text.splitlines()[0] if field.password else separator.join(parts))


def _show_message(screen: Screen[Any], *, is_secret: bool, lines: int) -> None:
    if is_secret:
        words = f"{lines} lines were pasted: the first is kept, the others are dropped."
    else:
        words = f"{lines} lines were pasted into one field: they are joined."
    complain = getattr(screen, "complain", None)
    if complain is not None:
        complain(words)
    else:
        screen.notify(words, markup=False)


def _is_followed(held: deque[Typed]) -> bool:
    """Return whether text follows an Enter so soon that both come from a paste."""
    before, *following = held
    for event in following:
        if not isinstance(event, events.Key) or event.time - before.time >= BURST_SECONDS:
            return False
        if event.is_printable:
            return True
        if event.key != "enter":
            return False
        before = event
    return False


def _is_searching(app: App[Any], screen: Screen[Any]) -> bool:
    """Return whether the palette has not found yet what it is to offer."""
    return isinstance(screen, CommandPalette) and any(
        worker.node is screen and not worker.is_finished for worker in app.workers
    )
