"""What the palette offers besides the actions that have keys: every action of the menu, and each profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.markup import escape

from sectigo_tui.ui.dialogs.menu import MenuItem
from sectigo_tui.ui.workflows.actions import action_of
from sectigo_tui.ui.workflows.profile import NO_PROFILE


class Entry(NamedTuple):
    """One entry of the palette.

    Args:
        title: By which it is found.
        text: What it does, or why it cannot be done; untrusted text inside it is shown as text.
        run: Called when it was chosen.
    """

    title: str
    text: str
    run: Callable[[], None]


class OffersEntries(Protocol):
    """What has more to offer than what has keys."""

    def menu_entries(self) -> Sequence[Entry]:
        """Return the actions of the menu for where the operator was when the palette was opened."""
        ...

    async def profile_entries(self) -> Sequence[Entry]:
        """Return the profiles to go on with."""
        ...


@runtime_checkable
class HasWorkflows(Protocol):
    """An application with workflows to offer."""

    @property
    def workflows(self) -> OffersEntries:
        """What its keys open."""
        ...


def entries_of_menu(
    items: Iterable[MenuItem], about: str, run_action: Callable[[str], None], show_message: Callable[[str], None]
) -> list[Entry]:
    """Return the actions of the menu; one that cannot be done is there with the reason, as in the menu.

    Args:
        items: The menu.
        about: What the actions are about.
        run_action: Does the action of an id.
        show_message: Says why one is not done.
    """
    return [
        Entry(item.title, f"not now: {item.why_not}", partial(show_message, f"{item.title}: {item.why_not}"))
        if item.why_not
        else Entry(
            item.title, about if action_of(item.id).for_orders else "for this account", partial(run_action, item.id)
        )
        for item in items
    ]


def entries_of_profiles(profiles: Iterable[str], present: str, go_on: Callable[[str], None]) -> list[Entry]:
    """Return the profiles besides the present one; the empty name is none of them.

    Args:
        profiles: All there are.
        present: The one in force.
        go_on: Goes on with another.
    """
    others = (name for name in profiles if name != present)
    return [Entry(f"Profile {name or NO_PROFILE}", "go on with it", partial(go_on, name)) for name in others]


class MoreCommands(Provider):
    """Offers the menu's actions and the profiles, as they are when the palette is opened."""

    async def startup(self) -> None:
        """Take down what there is: what is chosen is about the orders that were marked then."""
        self._entries: list[Entry] = []
        if isinstance(self.app, HasWorkflows):
            workflows = self.app.workflows
            self._entries += [*workflows.menu_entries(), *await workflows.profile_entries()]

    async def discover(self) -> Hits:
        """Offer everything while nothing is typed."""
        for entry in self._entries:
            yield DiscoveryHit(escape(entry.title), entry.run, text=entry.title, help=escape(entry.text))

    async def search(self, query: str) -> Hits:
        """Offer what matches what is typed."""
        for hit in self._hits(query):
            yield hit

    def _hits(self, query: str) -> Iterator[Hit]:
        matcher = self.matcher(query)
        for entry in self._entries:
            score = matcher.match(entry.title)
            if score > 0:
                yield Hit(score, matcher.highlight(entry.title), entry.run, text=entry.title, help=escape(entry.text))
