"""Which keys work where the operator is: for the footer, the help and the palette.

Only bindings with an id are told: they are this program's own, and can be remapped. What a widget of Textual's
binds besides is noise at 3 am.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from textual.binding import ActiveBinding, Binding
from textual.dom import DOMNode
from textual.keys import key_to_character

_NAMES = {
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "delete": "Del",
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
}

_GROUPS = {
    "table": "Move",
    "detail": "Move",
    "app": "Program",
    "dialog": "Dialog",
    "columns": "Dialog",
    "filters": "Dialog",
    "reading": "Dialog",
    "message": "Dialog",
}
_GROUP_OF_ID = {
    "table.mark": "Act",
    "table.select": "Inspect",
    "view.poll": "Act",
    "app.longer": "Act",
    "view.refresh": "Act",
    "view.track": "Act",
    "app.menu": "Act",
    "view.load_all": "Act",
    "view.watch": "Act",
    "view.watch_all": "Act",
    "view.quiet": "Act",
    "view.clear_changed": "Act",
    "app.diagnose": "Inspect",
    "app.escalate": "Inspect",
    "app.handover": "Inspect",
    "app.message": "Act",
    "app.note": "Act",
    "app.own": "Act",
    "app.causes": "Inspect",
    "view.unwind": "Program",
    "view.acknowledge": "Program",
    "view.acknowledge_all": "Program",
}
GROUPS = ("Dialog", "Views", "Inspect", "Act", "Move", "Program")
"""The purposes of keys, in the order in which the help lists them."""


class KeyHelp(NamedTuple):
    """One action and its keys.

    Args:
        id: The action's binding, by which it can be remapped.
        keys: How its keys are written, such as `j Down`.
        title: What it is called.
        text: What it does.
        group: One of `GROUPS`.
        is_shown: Whether it belongs into the footer.
        key: The first of its keys as Textual names it.
        action: What runs.
        node: Where that runs.
    """

    id: str
    keys: str
    title: str
    text: str
    group: str
    is_shown: bool
    key: str
    action: str
    node: DOMNode


_NO_KEY = "no-key:"
"""Prefix of the placeholder key of an action whose key was removed; no terminal sends it."""


def no_key(binding_id: str) -> str:
    """Return what stands for the key of an action that has none: Textual wants one."""
    return f"{_NO_KEY}{binding_id}"


def is_no_key(key: str) -> bool:
    """Return whether a key is none."""
    return key.startswith(_NO_KEY)


def key_name(binding: Binding) -> str:
    """Return how a binding's key is written; empty where it was removed."""
    return binding.key_display or key_label(binding.key)


def key_label(key: str) -> str:
    """Return how a key is written that Textual names so, in characters that every terminal has."""
    if is_no_key(key):
        return ""
    *modifiers, last = key.split("+")
    character = last if len(last) == 1 else key_to_character(last) or ""
    name = _NAMES.get(last) or (character if character.isprintable() and character else last)
    return "".join(f"{'^' if modifier == 'ctrl' else modifier + '+'}" for modifier in modifiers) + name


def active_keys(bindings: Mapping[str, ActiveBinding]) -> list[KeyHelp]:
    """Return the actions that can be done now, each with all its keys.

    Args:
        bindings: A screen's `active_bindings`.
    """
    found: dict[str, KeyHelp] = {}
    for active in bindings.values():
        binding = active.binding
        if not binding.id or not binding.description or not active.enabled:
            continue
        known = found.get(binding.id)
        if known is not None:
            found[binding.id] = known._replace(keys=f"{known.keys} {key_name(binding)}")
            continue
        found[binding.id] = KeyHelp(
            id=binding.id,
            keys=key_name(binding),
            title=binding.description,
            text=binding.tooltip or binding.description,
            group=_group_of(binding),
            is_shown=binding.show,
            key=binding.key,
            action=binding.action,
            node=active.node,
        )
    return list(found.values())


def grouped(keys: Iterable[KeyHelp]) -> list[tuple[str, list[KeyHelp]]]:
    """Return the actions by purpose."""
    listed = list(keys)
    groups = [(group, [key for key in listed if key.group == group]) for group in GROUPS]
    return [(group, members) for group, members in groups if members]


def _group_of(binding: Binding) -> str:
    if binding.action.startswith("view("):
        return "Views"
    return _GROUP_OF_ID.get(binding.id or "") or _GROUPS.get((binding.id or "").partition(".")[0], "Inspect")
