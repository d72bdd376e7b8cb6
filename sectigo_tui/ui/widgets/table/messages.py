"""What a live table tells its owner; each is also a name of the table, as `LiveTable.Selected`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message
from textual.widget import Widget


@dataclass
class TableMessage(Message):
    """A message of a table.

    Args:
        table: The table.
    """

    table: Widget
    newest_only: ClassVar[bool] = False
    """Whether a newer one of the same kind makes it pointless, as while a key repeats."""

    @property
    def control(self) -> Widget:
        """The table."""
        return self.table

    def can_replace(self, message: Message) -> bool:
        """Tell whether an older message need not be handled any more."""
        return self.newest_only and isinstance(message, type(self)) and message.table is self.table


@dataclass
class Highlighted(TableMessage, namespace="live_table"):
    """The cursor stands on another row.

    Args:
        row_id: The row's id; None when there is no row, or it is not loaded yet.
    """

    row_id: str | None
    newest_only: ClassVar[bool] = True


@dataclass
class Selected(TableMessage, namespace="live_table"):
    """A row was opened, by Enter or a double click.

    Args:
        row_id: The row's id.
    """

    row_id: str


@dataclass
class MarksChanged(TableMessage, namespace="live_table"):
    """Rows were marked or unmarked, or marked rows are gone.

    Args:
        marks: The ids of all marked rows.
    """

    marks: frozenset[str]
    newest_only: ClassVar[bool] = True


@dataclass
class RangeNeeded(TableMessage, namespace="live_table"):
    """Rows are on the screen which are not loaded yet.

    Args:
        first: The index of the first of them.
        last: The index of the last of them.
    """

    first: int
    last: int
    newest_only: ClassVar[bool] = True


@dataclass
class VisibleChanged(TableMessage, namespace="live_table"):
    """Other rows are on the screen.

    Args:
        ids: The ids of those that are loaded, from top to bottom.
    """

    ids: tuple[str, ...]
    newest_only: ClassVar[bool] = True


@dataclass
class HeaderSelected(TableMessage, namespace="live_table"):
    """A column's title was clicked.

    Args:
        column_key: The column's key.
    """

    column_key: str
