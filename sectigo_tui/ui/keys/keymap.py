"""Other keys for actions, as the operator configured them: what they mean, and that none gets in another's way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from string import punctuation
from typing import NamedTuple

from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.keys import Keys, key_to_character

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.ui.dialogs.confirm import Reading
from sectigo_tui.ui.dialogs.dialog import Dialog
from sectigo_tui.ui.dialogs.list_layout import Columns, SavedFilters
from sectigo_tui.ui.keys.active_keys import no_key
from sectigo_tui.ui.screens.diagnose import Diagnose
from sectigo_tui.ui.screens.help import Help
from sectigo_tui.ui.screens.remote import RemoteView
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.table.table import LiveTable
from sectigo_tui.ui.workflows.common_causes import Causes
from sectigo_tui.ui.workflows.message import MessageText

_NAMED_KEYS = (
    frozenset(key.value for key in Keys)
    | {binding.key for binding in Binding.make_bindings(Binding(sign, "") for sign in punctuation.replace(",", ""))}
    | {"comma"}
)
_OURS = __name__.partition(".")[0]
_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})


class Place(NamedTuple):
    """Nodes whose keys work at the same time.

    Args:
        name: How an error names it.
        nodes: The classes that bind the keys.
    """

    name: str
    nodes: tuple[type[DOMNode], ...]


_PLACES = (
    Place("a view", (LiveTable, RemoteView)),
    Place("an open detail", (DetailPane, RemoteView)),
    Place("a diagnosis", (DetailPane, Diagnose)),
)
"""Where the keys of the program work besides."""
_PLACES_ALONE = (
    Place("the help", (Help,)),
    Place("a dialog", (Dialog,)),
    Place("the columns", (Columns,)),
    Place("the causes", (Causes,)),
    Place("a text", (DetailPane, Reading)),
    Place("a message", (DetailPane, MessageText)),
    Place("the saved filters", (SavedFilters,)),
)


def keymap_of(configured: Mapping[str, str], program: type[DOMNode], *, named_by: str = "default") -> dict[str, str]:
    """Return the keys of each binding that was given others.

    Args:
        configured: Keys, separated by commas, by an action's id such as `view.poll`, or by its last part: `down`
            is every action of that name, wherever it is. Empty takes the key away; the palette still has the action.
        program: The class of the application, whose keys work in every view.
        named_by: Where they were configured, for errors.

    Returns:
        Keys as Textual names them, separated by commas, by the binding's id: what `App.set_keymap` takes.

    Raises:
        ConfigError: There is no such action or key, or two actions of one place would have the same key.
    """
    bound = _bound((program,))
    for place in (*_PLACES, *_PLACES_ALONE):
        bound.update(_bound(place.nodes))
    keymap: dict[str, str] = {}
    # The last part first, so that a whole id is the stronger of the two.
    for name in sorted(configured, key=lambda each: "." in each):
        ids = _ids(name, bound, named_by)
        if configured[name].strip():
            keys = ",".join(_key(key, name, named_by) for key in configured[name].split(","))
            keymap.update(dict.fromkeys(ids, keys))
        else:
            keymap.update({each: no_key(each) for each in ids})
    for place in _PLACES:
        _check_conflicts(Place(place.name, (*place.nodes, program)), keymap, named_by)
    for place in _PLACES_ALONE:
        _check_conflicts(place, keymap, named_by)
    return keymap


def _bound(nodes: Iterable[type[DOMNode]]) -> dict[str, list[str]]:
    """Return the default keys of each binding that has an id."""
    bound: dict[str, list[str]] = {}
    for each in dict.fromkeys(base for node in nodes for base in node.__mro__ if base.__module__.startswith(_OURS)):
        declared: Sequence[BindingType] = vars(each).get("BINDINGS", ())
        for binding in Binding.make_bindings(declared):
            if binding.id:
                bound.setdefault(binding.id, []).append(binding.key)
    return bound


def _ids(name: str, bound: Mapping[str, object], named_by: str) -> list[str]:
    ids = [each for each in bound if name in (each, each.rpartition(".")[2])]
    if not ids:
        known = sorted({*bound, *(each.rpartition(".")[2] for each in bound)})
        near = get_close_matches(name, known, n=1)
        remedy = f"did you mean {near[0]}?" if near else "docs/keys.md lists the actions that have keys"
        raise ConfigError(key=f"ui.keys.{name}", source=named_by, reason="no such action", remedy=remedy)
    return ids


def _key(key: str, name: str, named_by: str) -> str:
    """Return a key as Textual names it."""
    *modifiers, last = key.strip().split("+") if len(key.strip()) > 1 else [key.strip()]
    is_known = bool(last) and (last in _NAMED_KEYS or key_to_character(last) is not None)
    if not is_known or not _MODIFIERS.issuperset(modifiers):
        raise ConfigError(
            key=f"ui.keys.{name}",
            source=named_by,
            reason=f"no such key: {key.strip()!r}",
            remedy='write keys such as "r", "f5", "ctrl+r", "question_mark" or "comma"',
        )
    (binding,) = Binding.make_bindings([Binding("+".join([*modifiers, last]), "")])
    return binding.key


def _check_conflicts(place: Place, keymap: Mapping[str, str], named_by: str) -> None:
    defaults = _bound(place.nodes)
    keys_of = {each: keymap[each].split(",") if each in keymap else keys for each, keys in defaults.items()}
    for changed in sorted(keymap.keys() & keys_of.keys()):
        for other in sorted(keys_of.keys() - {changed}):
            by_default = set(defaults[changed]) & set(defaults[other])
            shared = [key for key in keys_of[changed] if key in keys_of[other] and key not in by_default]
            if shared:
                raise ConfigError(
                    key=f"ui.keys.{changed}",
                    source=named_by,
                    reason=f"{shared[0]!r} would be the key of both {changed} and {other} in {place.name}",
                    remedy=f"give {other} another key as well, or choose one that is free",
                )
