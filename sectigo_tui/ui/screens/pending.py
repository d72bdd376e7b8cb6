"""View 1: everything that is not a certificate yet, local and remote together."""

from __future__ import annotations

from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.key_names import filled
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.text import printable

_NONE_PENDING = (
    "No order is pending: every order is a certificate, or has ended.\n{app.menu}: enroll, {app.remote}: the account"
)


class PendingView(View):
    """What the on-call operator opens first."""

    TITLE = "Pending"
    WANTS_VERDICTS = True
    IS_TOP = True

    def subjects(self) -> list[Subject]:
        """Return all orders that are not a certificate yet."""
        return self._model.board.pending()

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means: none are pending only when SCM has said so."""
        account = self._model.board.engine.account
        if account.failure is not None:
            failed = [status for status, query in account.queries.items() if query.failure is not None]
            which = f" with status {', '.join(failed)}" if len(failed) < len(account.queries) else ""
            problem = printable(account.failure.problem, limit=200)
            again = filled(self, "{view.refresh} tries again.")
            return f"Could not load the account's orders{which}: {problem}\n{again}", "failed"
        if account.refreshed_at is None:
            return "Asking SCM for pending orders ...", "muted"
        if account.unusable:
            rows = printable("; ".join(account.unusable), limit=500)
            return f"{len(account.unusable)} pending orders cannot be shown: {rows}", "failed"
        return filled(self, _NONE_PENDING), "done"
