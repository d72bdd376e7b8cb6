"""Closing a screen once, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

R = TypeVar("R")


def dismiss_once(
    screen: Screen[R], result: R | None, dismiss_top: Callable[[R | None], AwaitComplete]
) -> AwaitComplete:
    """Close a screen by its place on the stack: what lies above it stays, and one that is closed stays so.

    Textual takes away whatever is on top, and what it asked for is answered then by who was not asked.

    Args:
        screen: The screen.
        result: Its answer.
        dismiss_top: Closes it by Textual's own way, where nothing lies above.
    """
    app: Any = screen.app
    stack = next((each for each in app._screen_stacks.values() if screen in each), None)  # noqa: SLF001 - no other way
    if stack is None:
        return AwaitComplete()
    if app.screen is screen:
        return dismiss_top(result)
    if screen._result_callbacks:  # noqa: SLF001 - as Textual's own dismiss does
        screen._result_callbacks[-1](result)  # noqa: SLF001 - as above
        screen._pop_result_callback()  # noqa: SLF001 - as above
    stack.remove(screen)
    app.screen_change_signal.publish(app.screen)

    async def remove() -> None:
        await app._replace_screen(screen)  # noqa: SLF001 - as Textual's own pop does

    closed: AwaitComplete = AwaitComplete(remove()).call_next(app)
    return closed
