"""Offering to rotate by itself: once for each refusal, and never in the middle of something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.screen import ModalScreen, Screen

from sectigo_tui.ui.dialogs.rotate import Rotate

PAUSE_SECONDS = 0.1
"""What is opened when something closes, such as the question that a menu leads to, opens within this time."""


class RotationPrompt:
    """Offers to rotate when SCM refuses the credentials; what is open then is finished first.

    Args:
        app: The application.
        is_wanted: Whether credentials are refused now, and may be rotated here.
        is_busy: Whether the operator is being led through questions, one of which may be about to open.
        offer: Asks for new credentials.
    """

    def __init__(
        self, app: App[Any], *, is_wanted: Callable[[], bool], is_busy: Callable[[], bool], offer: Callable[[], None]
    ) -> None:
        self._app = app
        self._is_wanted = is_wanted
        self._is_busy = is_busy
        self._offer = offer
        self._is_owed = False
        app.screen_change_signal.subscribe(app, self._on_screen_change)

    def refused(self) -> None:
        """Offer now, or once what is open has been closed."""
        # Who met the refusal in a form may be asked already.
        self._is_owed = not any(isinstance(screen, Rotate) for screen in self._app.screen_stack)
        self._poll()

    def check_soon(self) -> None:
        """Offer what is still owed, unless something else opens first."""
        if self._is_owed:
            self._app.set_timer(PAUSE_SECONDS, self._poll)

    def _on_screen_change(self, screen: Screen[object]) -> None:
        if isinstance(screen, Rotate):
            self._is_owed = False  # whoever asked for it: it is the same question
        self.check_soon()

    def _poll(self) -> None:
        is_asking = any(isinstance(screen, ModalScreen) for screen in self._app.screen_stack)
        if self._is_owed and not is_asking and not self._is_busy():
            self._is_owed = False
            if self._is_wanted():
                self._offer()
