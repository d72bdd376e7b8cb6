"""How the operator has arranged the screen, kept between runs: views, columns, filters, theme, and what was seen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.presentation.table_columns import Column
from sectigo_tui.presentation.watchlist import OrderSnapshot, Watchlist
from sectigo_tui.ui.outside import ScreenKeeper

STANDINGS_KEPT = 2_000
"""In an account with more orders, only what is watched or acknowledged is remembered: the file stays small."""


class Arrangement(Struct, frozen=True):
    """How one view is arranged.

    Args:
        sort: The key of the column it is sorted by, empty for none; None for the view's own order.
        is_descending: Whether it is sorted downwards.
        query: The filter in force.
        columns: The keys of the columns shown, from left to right; empty for the view's own.
        hidden: The keys of those that are not.
        cursor: The row under the cursor; empty for none.
    """

    sort: str | None = None
    is_descending: bool = False
    query: str = ""
    columns: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    cursor: str = ""

    def of_columns(self, known: Sequence[Column]) -> list[Column]:
        """Return the columns to show; one that is new since this was remembered stands at the end.

        Args:
            known: All columns of the view, in its own order.
        """
        by_key = {column.key: column for column in known}
        shown = [by_key[key] for key in self.columns if key in by_key]
        new = [column for column in known if column.key not in (*self.columns, *self.hidden)]
        return shown + new if shown else list(known)


class WatchState(Struct, frozen=True):
    """The watchlist of the last run.

    Args:
        standings: Where orders stood, by row id.
        is_whole: Whether these are all orders there were: then another one is new.
        changed: The rows that were marked as changed.
        watched: The rows that were watched.
        watches_all: Whether all were.
        acknowledged: The rows that were acknowledged.
    """

    standings: Mapping[str, OrderSnapshot] = field(default_factory=dict)
    is_whole: bool = False
    changed: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    watches_all: bool = False
    acknowledged: tuple[str, ...] = ()


class Layout(Struct):
    """What is remembered.

    Args:
        changed: Called when something is to be kept.

    Attributes:
        view: The view that was shown last; empty for none.
        arrangements: How each view is arranged, by its title.
        filters: The filters that were given a name, by the kind of filter.
        theme: The theme chosen live; empty for none.
        theme_instead_of: What the configuration said when it was chosen: a later choice there is the stronger.
        watch_state: Where orders stood, what of them was marked, watched and acknowledged.
        drafts: What was filled in and not sent, by the form and its fields; nothing secret.
        choices: What was chosen last, by the form and its fields; nothing secret.
    """

    changed: Callable[[], None] = lambda: None
    view: str = ""
    arrangements: dict[str, Arrangement] = field(default_factory=dict)
    filters: dict[str, dict[str, str]] = field(default_factory=dict)
    theme: str = ""
    theme_instead_of: str = ""
    watch_state: WatchState = field(default_factory=WatchState)
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, view: str) -> Arrangement:
        """Return how a view is arranged."""
        return self.arrangements.get(view, Arrangement())

    def sorted_by(self, view: str, column_key: str, *, descending: bool) -> None:
        """Remember how a view is sorted."""
        self._arrange(view, replace(self.of(view), sort=column_key, is_descending=descending))

    def filtered_by(self, view: str, query: str) -> None:
        """Remember a view's filter."""
        self._arrange(view, replace(self.of(view), query=query))

    def shows(self, view: str, columns: Sequence[str], hidden: Sequence[str]) -> None:
        """Remember which columns a view shows, in which order, and which it does not."""
        self._arrange(view, replace(self.of(view), columns=tuple(columns), hidden=tuple(hidden)))

    def cursor_on(self, view: str, row_id: str) -> None:
        """Remember the row under a view's cursor."""
        self._arrange(view, replace(self.of(view), cursor=row_id))

    def viewed(self, view: str) -> None:
        """Remember which view is shown."""
        if view != self.view:
            self.view = view
            self.changed()

    def themed(self, theme: str, *, instead_of: str) -> None:
        """Remember a theme that was chosen live, and what the configuration says."""
        self.theme, self.theme_instead_of = theme, instead_of
        self.changed()

    def chose(self, form: str, values: Mapping[str, str]) -> None:
        """Remember what was chosen in a form; an empty value is none."""
        self.choices[form] = {key: text for key, text in values.items() if text}
        self.changed()

    def save_filter(self, kind: str, name: str, query: str) -> None:
        """Remember a filter by a name."""
        self.filters.setdefault(kind, {})[name] = query
        self.changed()

    def delete_filter(self, kind: str, name: str) -> None:
        """Forget a filter."""
        self.filters.get(kind, {}).pop(name, None)
        self.changed()

    def _arrange(self, view: str, arrangement: Arrangement) -> None:
        if arrangement != self.of(view):
            self.arrangements[view] = arrangement
            self.changed()


def of_watchlist(watchlist: Watchlist) -> WatchState:
    """Return the watchlist for the next run."""
    wanted = watchlist.watched | watchlist.acknowledged
    is_whole = watchlist.is_counted and len(watchlist.known) <= STANDINGS_KEPT
    return WatchState(
        {row_id: each for row_id, each in watchlist.known.items() if is_whole or row_id in wanted},
        is_whole,
        tuple(sorted(watchlist.changed)) if is_whole else (),
        tuple(sorted(watchlist.watched)),
        watchlist.watches_all,
        tuple(sorted(watchlist.acknowledged)),
    )


def to_text(layout: Layout) -> str:
    """Return what is remembered as JSON."""
    watch_state = layout.watch_state
    return json.dumps(
        {
            "view": layout.view,
            "theme": layout.theme,
            "theme_instead_of": layout.theme_instead_of,
            "filters": layout.filters,
            "drafts": layout.drafts,
            "choices": layout.choices,
            "views": {
                view: {
                    "sort": each.sort,
                    "is_descending": each.is_descending,
                    "query": each.query,
                    "columns": each.columns,
                    "hidden": each.hidden,
                    "cursor": each.cursor,
                }
                for view, each in layout.arrangements.items()
            },
            "seen": {
                "standings": watch_state.standings,
                "is_whole": watch_state.is_whole,
                "changed": watch_state.changed,
                "watched": watch_state.watched,
                "watches_all": watch_state.watches_all,
                "acknowledged": watch_state.acknowledged,
            },
        }
    )


def from_text(text: str) -> Layout:
    """Return what was remembered; what is not of its shape is left out, for another version may have written it.

    Args:
        text: JSON; empty for nothing.
    """
    kept = _table(json.loads(text)) if text else {}
    watch_state = _table(kept.get("seen"))
    return Layout(
        view=_text(kept.get("view")),
        arrangements={view: _arrangement(_table(each)) for view, each in _table(kept.get("views")).items()},
        filters=_tables_of_text(kept.get("filters")),
        drafts=_tables_of_text(kept.get("drafts")),
        choices=_tables_of_text(kept.get("choices")),
        theme=_text(kept.get("theme")),
        theme_instead_of=_text(kept.get("theme_instead_of")),
        watch_state=WatchState(
            standings={
                row_id: OrderSnapshot(*parts)
                for row_id, each in _table(watch_state.get("standings")).items()
                if len(parts := _texts(each)) == len(OrderSnapshot._fields)
            },
            is_whole=watch_state.get("is_whole") is True,
            changed=_texts(watch_state.get("changed")),
            watched=_texts(watch_state.get("watched")),
            watches_all=watch_state.get("watches_all") is True,
            acknowledged=_texts(watch_state.get("acknowledged")),
        ),
    )


def _arrangement(kept: Mapping[str, object]) -> Arrangement:
    sort = kept.get("sort")
    return Arrangement(
        sort if isinstance(sort, str) else None,
        kept.get("is_descending") is True,
        _text(kept.get("query")),
        _texts(kept.get("columns")),
        _texts(kept.get("hidden")),
        _text(kept.get("cursor")),
    )


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _tables_of_text(value: object) -> dict[str, dict[str, str]]:
    return {
        kind: {name: text for name, text in _table(named).items() if isinstance(text, str)}
        for kind, named in _table(value).items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


SAVE_SECONDS = 1.0
"""Changes within this time are kept together, as while a filter is typed."""


class LayoutSaver:
    """Loads what was remembered, and saves it when it changes.

    Args:
        keeper: Keeps it between runs.
        later: Calls something after so many seconds.
        report: Called once with the error; the screen then continues without its layout.

    Attributes:
        layout: What is remembered.
    """

    def __init__(
        self,
        keeper: ScreenKeeper,
        later: Callable[[float, Callable[[], Awaitable[None]]], object],
        report: Callable[[str, Exception], None],
    ) -> None:
        self.layout = Layout()
        self._keeper = keeper
        self._later = later
        self._report = report
        self._watchlist: Watchlist | None = None
        self._is_due = False
        self._is_failing = False

    def load(self) -> InputError | None:
        """Remember what was kept; return why that cannot be had, if so."""
        try:
            self.layout = from_text(self._keeper.load())
        except InputError as failure:
            return failure
        finally:
            self.layout.changed = self.changed
        return None

    def attend(self, watchlist: Watchlist) -> None:
        """Remember what the operator attends to as well; it goes on where the last run ended."""
        watch_state = self.layout.watch_state
        watchlist.known = dict(watch_state.standings)
        watchlist.is_counted = watch_state.is_whole
        watchlist.watches_all = watch_state.watches_all
        watchlist.watched, watchlist.acknowledged = set(watch_state.watched), set(watch_state.acknowledged)
        watchlist.changed = set(watch_state.changed)
        watchlist.noted = self.changed
        self._watchlist = watchlist

    def changed(self) -> None:
        """Take note that something is to be kept."""
        if not self._is_due:
            self._is_due = True
            self._later(SAVE_SECONDS, self._save)

    def save_now(self) -> None:
        """Keep what has changed, before the program ends; nobody is left to tell that it cannot be."""
        if self._is_due:
            with suppress(InputError):
                self._keeper.save(self._text())

    async def _save(self) -> None:
        if not self._is_due:
            return
        try:
            await asyncio.to_thread(self._keeper.save, self._text())
        except InputError as failure:
            if not self._is_failing:
                self._report("remember the screen", failure)
            self._is_failing = True
        else:
            self._is_failing = False

    def _text(self) -> str:
        self._is_due = False
        if self._watchlist is not None:
            self.layout.watch_state = of_watchlist(self._watchlist)
        return to_text(self.layout)
