"""What the program says of keys names those in force: as it comes, remapped, and taken away."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from textual.binding import Binding

import sectigo_tui.ui
from sectigo_tui.simulator.world import World
from sectigo_tui.ui.keys.active_keys import no_key
from sectigo_tui.ui.keys.key_names import HINTED, Hinted, KeyNames
from sectigo_tui.ui.outside import Outside
from support.ui_stage import on_stage, staged


def declared() -> dict[str, Hinted]:
    """Return the first key and the title of each action, as the classes declare them."""
    found: dict[str, Hinted] = {}
    for module in pkgutil.walk_packages(sectigo_tui.ui.__path__, "sectigo_tui.ui."):
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            for binding in Binding.make_bindings(vars(member).get("BINDINGS", ())):
                found.setdefault(binding.id or "", Hinted(binding.key, binding.description))
    return found


def test_the_actions_that_texts_name_are_those_that_the_program_binds() -> None:
    bound = declared()
    assert {each: bound.get(each) for each in HINTED} == dict(HINTED)


MODULES = sorted(Path(sectigo_tui.ui.__path__[0]).rglob("*.py"))
NAMES_A_KEY = re.compile(
    r"(?:^|[\s(;,:])(?:[A-Za-z/]|Esc|Tab|[Ss]pace) (?:(?:and )?[A-Za-z] )?(?:again|asks|clears|closes|deletes|fetches"
    r"|filters|leads|lists|loads|looks|move|polls|saves|scroll|shows|starts|tracks|tries|uses)\b"
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_text_names_a_key_itself(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told]
    assert [text for text in texts if isinstance(text, str) and NAMES_A_KEY.search(text)] == []


@pytest.mark.parametrize(
    ("keymap", "told"),
    [
        ({}, "t on a remote order; ? helps, : is the palette, Esc goes back"),
        (
            {"view.track": "f5,t", "app.help": "ctrl+h"},
            "f5 on a remote order; ^h helps, : is the palette, Esc goes back",
        ),
        ({"view.track": no_key("view.track")}, ":Track on a remote order; ? helps, : is the palette, Esc goes back"),
        (
            {"view.track": no_key("view.track"), "app.palette": no_key("app.palette")},
            "^p Track on a remote order; ? helps, ^p Palette is the palette, Esc goes back",
        ),
    ],
    ids=["default", "remapped", "taken away", "palette taken away"],
)
def test_a_key_is_named_as_it_is_in_force(keymap: dict[str, str], told: str) -> None:
    text = "{view.track} on a remote order; {app.help} helps, {app.palette} is the palette, {view.unwind} goes back"
    assert KeyNames(keymap).fill(text) == told


OTHERS = {
    "view.track": "f6",
    "view.unwind": "f7",
    "view.refresh": "f8",
    "view.load_all": "f9",
    "view.poll": "",
    "app.diagnose": "f11",
    "app.menu": "b",
    "app.remote": "3,f4",
    "diagnose.history": "",
    "help.close": "f12",
}


@on_stage
async def test_hints_and_the_empty_views_name_the_operator_s_own_keys() -> None:
    async with staged(outside=Outside(keys=OTHERS), size=(120, 50)) as stage:
        await stage.press("r")
        assert "r Poll" not in stage.footer
        await stage.press("d")
        assert "Remote, not polled: f6 tracks it." in stage.text
        await stage.press("question_mark", "G")
        framed = " ".join(line.split("│")[1] for line in stage.lines if line.count("│") == 2)
        helped = " ".join(framed.split())
        assert "it is still pending: :Poll starts it again." in helped
        assert "remote (f6 tracks it)" in helped
        assert "f12 closes" in stage.text
        await stage.press("f12", "2")
        assert "f6 on a remote order (1, 3) tracks it; b: enroll places a new one." in stage.text
        await stage.press("f4", "s")
        assert "f9 loads all pages first" in stage.footer
        await stage.press("1", "slash", *"nothing like it")
        assert "f7 clears the filter." in stage.text
        assert "f7 clear" in stage.footer


@on_stage
async def test_an_action_without_a_key_is_in_the_palette() -> None:
    async with staged(outside=Outside(keys={"view.freeze": "", "view.reverse": ""})) as stage:
        await stage.press("p")
        assert "FROZEN" not in stage.header
        await stage.press("colon", *"freeze")
        await stage.wait(1)
        await stage.press("enter")
        await stage.wait(1)
        assert "FROZEN" in stage.header.upper()


@on_stage
async def test_the_palette_of_an_account_without_orders_says_how_to_begin() -> None:
    async with staged(world=World(seed=5), outside=Outside(keys={"app.menu": ""})) as stage:
        assert "3 lists the account; :Actions: enroll places a new one." in stage.text
