"""The views by name; all but the first are imported when they are first shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sectigo_tui.ui.screens.orders import PendingView
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.view_model import ViewModel


def _local(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.orders import LocalView

    return LocalView(model)


def _remote(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.remote import RemoteView

    return RemoteView(model)


def _events(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.events import EventsView

    return EventsView(model)


def _budget(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.budget import BudgetView

    return BudgetView(model)


VIEWS: Mapping[str, Callable[[ViewModel], View]] = {
    "pending": PendingView,
    "local": _local,
    "remote": _remote,
    "events": _events,
    "budget": _budget,
}
"""Each makes its view of what there is to be shown."""
