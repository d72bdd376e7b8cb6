"""View 2: the orders placed or adopted here, finished ones too."""

from __future__ import annotations

from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.screens.view import View


class LocalView(View):
    """All local orders."""

    TITLE = "Local"
    WANTS_VERDICTS = True

    def subjects(self) -> list[Subject]:
        """Return all local orders."""
        return self._model.board.local()

    def empty_text(self) -> tuple[str, str]:
        """Return how orders come to be local."""
        return "No local order yet.\nt on a remote order (1, 3) tracks it; a: enroll places a new one.", "muted"
