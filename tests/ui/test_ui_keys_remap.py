"""Keys that the operator has given to actions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.actions import parse
from textual.binding import Binding

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.ui.app import SectigoApp
from sectigo_tui.ui.keys import keymap
from sectigo_tui.ui.keys.keymap import keymap_of
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.workflows.menu import MenuWorkflows
from support.ui_stage import on_stage, staged


@on_stage
async def test_a_remapped_action_has_its_new_key_alone_and_the_footer_and_help_tell_it() -> None:
    async with staged(outside=Outside(keys={"view.detail": "f5, b"}), size=(100, 60)) as stage:
        assert "f5 Detail" in stage.footer
        await stage.press("d")
        assert not stage.view.pane.display
        await stage.press("b")
        assert stage.view.pane.display
        await stage.press("f5", "?")
        assert "f5 b" in stage.text


@on_stage
async def test_a_short_name_means_the_action_wherever_it_is() -> None:
    async with staged(outside=Outside(keys={"down": "v"})) as stage:
        await stage.press("v")
        assert stage.cursor == "#2100347"
        await stage.press("j")
        assert stage.cursor == "#2100347"


@on_stage
async def test_two_actions_may_swap_their_keys() -> None:
    async with staged(outside=Outside(keys={"view.poll": "R", "view.refresh": "r"}), track=[2100342]) as stage:
        await stage.wait(40)
        polls = stage.site.wire.count("GET /ssl/v1/2100342")
        await stage.press("R")
        await stage.wait(1)
        assert stage.site.wire.count("GET /ssl/v1/2100342") == polls + 1


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"view.pol": "r"}, "ui.keys.view.pol (config.toml [ui]): no such action; did you mean view.poll?"),
        ({"view.poll": "x"}, "'x' would be the key of both view.poll and view.acknowledge in a view"),
        ({"view.poll": "q"}, "'q' would be the key of both view.poll and app.back in a view"),
        ({"view.poll": "?"}, "'question_mark' would be the key of both view.poll and app.help in a view"),
        ({"view.poll": "j"}, "'j' would be the key of both view.poll and table.down in a view"),
        ({"view.poll": "b", "view.track": "b"}, "'b' would be the key of both view.poll and view.track in a view"),
        ({"detail.down": "c"}, "'c' would be the key of both detail.down and view.copy in an open detail"),
        ({"help.close": "g"}, "'g' would be the key of both help.close and help.top in the help"),
        ({"view.poll": "hyperspace"}, "ui.keys.view.poll (config.toml [ui]): no such key: 'hyperspace'"),
        ({"view.poll": "r,,f5"}, "no such key: ''"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_keys_that_cannot_be_are_refused_before_anything_is_shown(keys: Mapping[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        keymap_of(keys, SectigoApp, named_by="config.toml [ui]")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_whole_id_is_stronger_than_a_short_name() -> None:
    keys = keymap_of({"table.down": "v", "down": "b"}, SectigoApp)
    assert keys["table.down"] == "v"
    assert keys["detail.down"] == "b"


def test_the_keys_of_this_program_are_no_conflict_among_themselves() -> None:
    same = {"view.sort": "s", "app.help": "?", "table.down": "down,j", "diagnose.copy": "c"}
    assert keymap_of(same, SectigoApp)["app.help"] == "question_mark"


SHADOWS = {("table.down", "view.to_list"), ("detail.down", "view.to_list"), ("diagnose.escalate", "app.escalate")}
"""Where one key is meant to do what the focus is on first."""


@pytest.mark.parametrize("place", [*keymap._PLACES, *keymap._PLACES_ALONE], ids=lambda place: place.name)
def test_no_two_actions_of_one_place_have_the_same_key(place: keymap.Place) -> None:
    program = (SectigoApp,) if place in keymap._PLACES else ()
    owner: dict[str, str] = {}
    for action, keys in keymap._bound((*place.nodes, *program)).items():
        for key in keys:
            first = owner.setdefault(key, action)
            assert first == action or (first, action) in SHADOWS, f"{key!r} is the key of {first} and {action}"


def test_every_workflow_that_a_key_opens_is_there() -> None:
    bindings = Binding.make_bindings(SectigoApp.BINDINGS)
    opened = [parse(each.action) for each in bindings if each.action.startswith("workflow(")]
    assert opened
    for _, _, (name,) in opened:
        assert callable(getattr(MenuWorkflows, str(name)))
