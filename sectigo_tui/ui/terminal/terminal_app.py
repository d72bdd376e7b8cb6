"""What each application of this program does about unexpected errors, stalled terminals, and text that is no image."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypeVar

from rich.console import RenderableType
from textual import events, on
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter

from sectigo_tui.presentation.themes import ansi_color_of
from sectigo_tui.ui.keys.typed_ahead import JudgesKeys, TypedAhead
from sectigo_tui.ui.terminal.printable_filter import LAST_NET
from sectigo_tui.ui.theme import THEMES, VARIABLE_DEFAULTS

R = TypeVar("R")


class TerminalApp(App[R]):
    """An application that reports errors without the values of variables, and never waits for its terminal.

    It has this program's themes, and no animations.

    Args:
        theme: The theme to start with.

    Attributes:
        BINDINGS: What broke it, once it has ended; None where nothing did.
    """

    # Without an id: the terminal's own key, everywhere the same, and no line of the help's.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True)]

    fatal_error: BaseException | None = None
    _is_leaving = False

    def __init__(self, theme: str) -> None:
        super().__init__(ansi_color=ansi_color_of(theme))
        self.animation_level = "none"
        for each in THEMES:
            self.register_theme(each)
        self._only_theme = ""
        """The theme, as long as nothing was shown in another."""
        if self.available_themes[theme].dark:
            # From the start: set as one is later, it has the style sheet read once more.
            self.set_reactive(App.theme, theme)
            self.stylesheet.set_variables(self.get_css_variables())
            self._only_theme = theme
        else:
            # Textual sets its filters and classes for a dark theme as it starts.
            self.theme = theme

    def refresh_css(self, animate: bool = True) -> None:
        """Read the style sheet again and apply it, once there was another theme.

        Textual asks for it with the first screen of each mode too, which is styled as it is mounted.
        """
        if self.theme == self._only_theme:
            return
        self._only_theme = ""
        super().refresh_css(animate=animate)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return readable values of this program's own variables, for themes that do not define them."""
        return VARIABLE_DEFAULTS

    @cached_property
    def drafts(self) -> dict[str, dict[str, str]]:
        """What was filled in and not sent, by the form: it comes back when the form is opened again."""
        return {}

    def drafts_changed(self) -> None:
        """Take note that a draft was kept or taken up."""

    async def action_quit(self) -> None:
        """Leave, once the operator has said what is to become of a form that is filled in."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, JudgesKeys) and screen.has_typed():
                screen.ask_to_leave(self.exit)
                return
        await super().action_quit()

    @cached_property
    def typed_ahead(self) -> TypedAhead:
        """What holds the keys that were typed ahead of what they are meant for."""
        return TypedAhead(self, super().on_event)

    def get_driver_class(self) -> type[Driver]:
        """Return what drives the terminal."""
        from textual.drivers.linux_driver import LinuxDriver

        from sectigo_tui.ui.terminal.driver import TerminalDriver

        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what each painted line goes through, at the end what lets nothing reach the terminal but pictures."""
        return (*super().get_line_filters(), LAST_NET)

    def clear_selection(self) -> None:
        """Select no text any more; a field that begins before the first screen is shown has nothing to clear."""
        with suppress(ScreenStackError):
            super().clear_selection()

    def exit(self, result: R | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave, before whatever else was typed until now is acted on."""
        self._is_leaving = True
        self.typed_ahead.close()
        super().exit(result, return_code, message)

    async def on_event(self, event: events.Event) -> None:
        """Deliver what is typed when all before it has had its effect; drop it once the application leaves."""
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif not self._is_leaving:
            await self.typed_ahead.take(event)

    def action_suspend_process(self) -> None:
        """Give the terminal back and stop until the shell goes on with it, where there is a shell that can."""
        if self._driver is None or not self._driver.can_suspend or not _has_shell():
            self.notify("Not suspended: there is no shell here to resume it.", markup=False)
            return
        self.app_suspend_signal.publish(self)
        # All of the job, as the terminal itself does it.
        os.kill(0, signal.SIGTSTP)

    @on(Driver.SignalResume)
    def repaint_all(self) -> None:
        """Paint everything: what the terminal shows now is not what was painted last."""
        if not self.screen_stack:
            return
        screen = self.screen
        screen.refresh(layout=True)
        self._display(screen, screen._compositor.render_update(full=True))  # noqa: SLF001 - nothing public does

    def fail(self, fatal_error: BaseException) -> None:
        """Leave after an error outside the application's own thread."""
        self.fatal_error = fatal_error
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Leave after an unexpected error, and let whoever runs it tell: Textual's own way shows local variables."""
        self.fatal_error = sys.exc_info()[1]
        self.typed_ahead.close()
        self.bell()
        self._close_messages_no_wait()


def _has_shell() -> bool:
    """Return whether a parent outside this process's job is in its session, as a shell with job control is.

    Stopped without one, as the only command of an SSH connection or of a tmux window, it would never go on.
    """
    try:
        session, job, parent = os.getsid(0), os.getpgrp(), os.getppid()
        while parent > 0 and os.getsid(parent) == session:
            if os.getpgid(parent) != job:
                return True
            parent = _parent_of(parent)
    except OSError:
        return False
    return False


def _parent_of(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])
