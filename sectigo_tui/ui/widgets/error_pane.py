"""Failures, until they are acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from sectigo_tui.ui.errors import ErrorEntry, error_content
from sectigo_tui.ui.keys.key_names import filled


class ErrorPane(Widget):
    """The newest failure in four fields; gone while there is none."""

    DEFAULT_CSS = """
    ErrorPane {
        height: auto;
        max-height: 5;
        border-left: outer $state-failed;
        padding: 0 1;
        display: none;
    }
    ErrorPane.-done { border-left: outer $state-done; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._shown: tuple[ErrorEntry | None, int] = (None, 0)

    def show(self, errors: Sequence[ErrorEntry]) -> None:
        """Show the newest failure, or nothing.

        Args:
            errors: Those that wait to be acknowledged, oldest first.
        """
        self.display = bool(errors)
        shown = (errors[-1] if errors else None, len(errors))
        if shown != self._shown:
            self._shown = shown
            self.set_class(bool(errors) and errors[-1].style == "done", "-done")
            self.refresh(layout=True)

    def render(self) -> Content:
        """Return the failure."""
        error, count = self._shown
        if error is None:
            return Content("")
        more = ", {view.acknowledge_all}: all" if count > 1 else ""
        keys = filled(self, f"{{view.acknowledge}}: acknowledge{more}")
        return error_content(error, more=count - 1, keys=keys)
