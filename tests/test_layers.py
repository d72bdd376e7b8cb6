"""The layers hold: who may import whom, and what loads when."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sectigo_tui

ROOT = Path(sectigo_tui.__file__).parent

MAY_IMPORT = {
    "domain": {"domain"},
    "engine": {"engine", "domain"},
    "scm": {"scm", "domain"},
    "certctl": {"certctl", "domain"},
    "store": {"store", "domain", "durable", "collector"},
    "config": {"config", "domain", "durable"},
    "pki": {"pki", "domain", "durable"},
    "dns": {"dns", "domain"},
    "simulator": {"simulator"},
    "ui": {"ui", "engine", "domain"},
    "durable": set[str](),
    "collector": set[str](),
    "command": set[str](),
}
"""By the first part below the package."""

MAY_IMPORT_ANYTHING = {"__init__", "__main__", "cli", "wiring"}

HOME_OF_LIBRARY = {"textual": {"ui"}, "httpx": {"scm"}, "tinydb": {"store"}, "dns": {"dns"}}
STDLIB_ONLY = {"domain", "engine", "durable", "command", "collector"}

MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", MODULES)
def test_a_line_imports_only_what_its_layer_may(module: str) -> None:
    layer = module.split(".", maxsplit=1)[0]
    for name in imported(MODULES[module]):
        package, *rest = name.split(".")
        if package == "sectigo_tui":
            inner = rest[0] if rest else ""
            assert layer in MAY_IMPORT_ANYTHING or inner in MAY_IMPORT[layer] | {"__version__"}, f"imports {name}"
        else:
            assert layer in HOME_OF_LIBRARY.get(package, {layer}), f"{package} belongs to {HOME_OF_LIBRARY[package]}"
            assert layer not in STDLIB_ONLY or package in sys.stdlib_module_names, f"{name} is not standard library"


def test_everything_has_its_place_in_the_table() -> None:
    assert {module.split(".")[0] for module in MODULES} <= MAY_IMPORT.keys() | MAY_IMPORT_ANYTHING


HEAVY = {"textual", "rich", "httpx", "pydantic", "cryptography", "tinydb", "dns", "uvicorn", "starlette", "orjson"}


@pytest.mark.parametrize("layers", [("",), ("domain",), ("domain", "engine")], ids=str)
def test_importing_loads_nothing_heavy(layers: tuple[str, ...]) -> None:
    modules = [f"sectigo_tui.{name}" for name in MODULES if name.split(".")[0] in layers] or ["sectigo_tui"]
    names = ", ".join(module.removesuffix(".__init__") for module in modules)
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {names}, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(loaded.stdout.split())
