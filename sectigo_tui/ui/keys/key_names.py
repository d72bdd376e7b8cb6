"""How a text names an action's key: the one in force, whatever the operator has configured.

A text is written with the action's id in braces, as in `{view.track} tracks it`, and filled in where it is shown. An
action whose key was removed is named as the palette finds it: `:Track`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

from textual.dom import DOMNode

from sectigo_tui.ui.keys.active_keys import is_no_key, key_label

_ID = re.compile(r"\{([a-z]+\.[a-z_]+)\}")


class Hinted(NamedTuple):
    """An action that texts name.

    Args:
        key: The first of its keys, unless another is configured.
        title: What the palette calls it.
    """

    key: str
    title: str


HINTED: Mapping[str, Hinted] = MappingProxyType(
    {
        "app.pending": Hinted("1", "Pending"),
        "app.remote": Hinted("3", "Remote"),
        "app.diagnose": Hinted("D", "Diagnose"),
        "app.escalate": Hinted("E", "Escalate"),
        "app.handover": Hinted("H", "Handover"),
        "app.causes": Hinted("C", "Causes"),
        "app.copied": Hinted("Y", "Copied"),
        "app.menu": Hinted("a", "Actions"),
        "app.palette": Hinted("colon", "Palette"),
        "app.help": Hinted("question_mark", "Help"),
        "app.arm": Hinted("A", "Arm writes"),
        "app.back": Hinted("q", "Back"),
        "view.filter": Hinted("slash", "Filter"),
        "view.complete": Hinted("tab", "Complete"),
        "view.filters": Hinted("F", "Filters"),
        "view.unwind": Hinted("escape", "Undo one"),
        "view.poll": Hinted("r", "Poll"),
        "app.longer": Hinted("i", "Poll longer"),
        "app.own": Hinted("O", "Owner"),
        "view.refresh": Hinted("R", "Refresh"),
        "view.track": Hinted("t", "Track"),
        "view.watch": Hinted("w", "Watch"),
        "view.quiet": Hinted("z", "Quiet"),
        "view.copy": Hinted("c", "Copy"),
        "view.acknowledge": Hinted("x", "Ack"),
        "view.acknowledge_all": Hinted("X", "Ack all"),
        "view.load_all": Hinted("L", "Load all"),
        "validations.within": Hinted("n", "Within"),
        "detail.down": Hinted("j", "Down"),
        "detail.up": Hinted("k", "Up"),
        "detail.top": Hinted("g", "Top"),
        "detail.bottom": Hinted("G", "Bottom"),
        "diagnose.leave": Hinted("escape", "Back"),
        "diagnose.copy": Hinted("c", "Copy record"),
        "diagnose.recheck": Hinted("R", "DCV recheck"),
        "diagnose.sync": Hinted("S", "DCV sync"),
        "diagnose.escalate": Hinted("E", "Escalation pack"),
        "diagnose.history": Hinted("h", "History"),
        "diagnose.again": Hinted("r", "Ask again"),
        "diagnose.acknowledge": Hinted("x", "Ack"),
        "message.copy": Hinted("c", "Copy"),
        "message.save": Hinted("s", "Save"),
        "message.send": Hinted("e", "Send"),
        "message.switch": Hinted("t", "To"),
        "help.close": Hinted("escape", "Close"),
        "help.down": Hinted("j", "Down"),
        "help.up": Hinted("k", "Up"),
        "dialog.cancel": Hinted("escape", "Cancel"),
        "dialog.next": Hinted("tab", "Next field"),
        "columns.mark": Hinted("space", "Show or hide"),
        "columns.down": Hinted("J", "Move down"),
        "columns.up": Hinted("K", "Move up"),
        "filters.delete": Hinted("x", "Delete"),
    }
)
"""They are told here a second time, for the classes that bind them load only when they are needed."""


class KeyNames:
    """Names the keys in force.

    Args:
        keymap: The keys of each action that was given others, as Textual names them.
    """

    def __init__(self, keymap: Mapping[str, str] = MappingProxyType({})) -> None:
        self._keymap = keymap

    def key(self, binding_id: str) -> str:
        """Return the first key of an action of `HINTED`, as Textual names it; empty where it has none."""
        first = self._keymap.get(binding_id, HINTED[binding_id].key).split(",")[0]
        return "" if is_no_key(first) else first

    def name(self, binding_id: str) -> str:
        """Return how the key of an action of `HINTED` is written, or where the action is to be found without one."""
        key = self.key(binding_id)
        return key_label(key) if key else f"{self._palette()}{HINTED[binding_id].title}"

    def fill(self, text: str) -> str:
        """Return a text of this program with the keys named.

        Args:
            text: The text, with ids such as `{view.track}` in it; nothing untrusted.
        """
        return _ID.sub(lambda found: self.name(found[1]), text)

    def _palette(self) -> str:
        key = self.key("app.palette")
        return key_label(key) if key == "colon" else f"{key_label(key or 'ctrl+p')} "


DEFAULT_NAMES = KeyNames()


@runtime_checkable
class NamesKeys(Protocol):
    """An application in which keys have names."""

    @property
    def key_names(self) -> KeyNames:
        """The names of the keys in force."""
        ...


def key_names_of(node: DOMNode) -> KeyNames:
    """Return the names of the keys in force where a node is."""
    app = node.app
    return app.key_names if isinstance(app, NamesKeys) else DEFAULT_NAMES


def filled(node: DOMNode, text: str) -> str:
    """Return a text of this program with the keys named that are in force where a node is."""
    return key_names_of(node).fill(text)
