"""View 2: the orders placed or adopted here, finished ones too."""

from __future__ import annotations

from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import View

_NONE_YET = "No local order yet.\n{view.track} on a remote order ({app.pending}, {app.remote}) tracks it; "


class LocalView(View):
    """All local orders."""

    TITLE = "Local"
    WANTS_VERDICTS = True

    def rows(self) -> list[OrderRow]:
        """Return all local orders."""
        return self._model.order_rows.local()

    def empty_text(self) -> tuple[str, str]:
        """Return how orders come to be local."""
        return f"{filled(self, _NONE_YET)}{self.enrolls()}.", "muted"
