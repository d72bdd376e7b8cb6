"""The layers hold: who may import whom, which library has its home where, and what loads when."""

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
    "presentation": {"presentation", "engine", "domain"},
    "ui": {"ui", "presentation", "engine", "domain"},
    "scm": {"scm", "domain"},
    "certctl": {"certctl", "domain"},
    "store": {"store", "domain", "durable", "collector"},
    "config": {"config", "domain", "durable"},
    "pki": {"pki", "domain", "durable"},
    "dns": {"dns", "domain"},
    "simulator": {"simulator"},
    "durable": set[str](),
    "collector": set[str](),
}
"""By the first part below the package."""

MAY_IMPORT_ANYTHING = {"__init__", "__main__", "cli", "wiring"}

HOME_OF_LIBRARY = {
    "textual": {"ui"},
    "httpx": {"scm"},
    "tinydb": {"store"},
    "psycopg": {"store"},
    "dns": {"dns"},
    "prometheus_client": {"cli"},
    "apprise": {"cli"},
}
STDLIB_ONLY = {"domain", "engine", "durable", "collector"}
RECORDS = "msgspec"
"""What records are made of, and what may be imported everywhere."""

HEAVY = {"textual", "rich", "httpx", "pydantic", "cryptography", "tinydb", "psycopg", "dns", "uvicorn", "starlette"}

MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module}" if node.level else f"{node.module}.{node.names[0].name}"
            if not node.level:
                yield from (f"{node.module}.{alias.name}" for alias in node.names[1:])


def faults_of(module: str) -> Iterator[str]:
    layer = module.split(".", maxsplit=1)[0]
    for name in imported(MODULES[module]):
        package, *rest = name.split(".")
        if package == "":
            yield f"{module} imports relatively"
        elif package == "sectigo_tui":
            inner = rest[0] if rest else ""
            if layer not in MAY_IMPORT_ANYTHING and inner not in MAY_IMPORT.get(layer, set()) | {"__version__"}:
                yield f"{module} imports {name}"
        elif package != RECORDS:
            if layer not in HOME_OF_LIBRARY.get(package, {layer}):
                yield f"{module} imports {package}, whose home is {HOME_OF_LIBRARY[package]}"
            if layer in STDLIB_ONLY and package not in sys.stdlib_module_names:
                yield f"{module} imports {name}, which is not the standard library's"


def test_every_line_imports_only_what_its_layer_may() -> None:
    assert [fault for module in MODULES for fault in faults_of(module)] == []


def test_screens_and_commands_use_the_read_side_of_the_engine_and_never_its_context() -> None:
    assert [
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        if module.split(".")[0] in {"ui", "cli", "presentation"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "context" and ast.unparse(node.value).endswith("engine")
    ] == []


def test_every_module_has_its_place_in_the_table() -> None:
    assert {module.split(".")[0] for module in MODULES} <= MAY_IMPORT.keys() | MAY_IMPORT_ANYTHING


@pytest.mark.parametrize("layers", [("",), ("domain",), ("domain", "engine")], ids=str)
def test_importing_loads_nothing_heavy(layers: tuple[str, ...]) -> None:
    modules = [f"sectigo_tui.{name}" for name in MODULES if name.split(".")[0] in layers] or ["sectigo_tui"]
    names = ", ".join(module.removesuffix(".__init__") for module in modules)
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {names}, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(loaded.stdout.split())


def test_headless_watch_loads_nothing_of_the_screen() -> None:
    code = "import sectigo_tui.cli.main, sectigo_tui.cli.watching, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith(("sectigo_tui.ui", "textual", "prometheus", "apprise"))] == []


def test_a_subcommand_s_help_loads_nothing_that_only_running_it_needs() -> None:
    code = """
import sys
from sectigo_tui.cli.parser import SUBCOMMANDS, make_parser
for name in SUBCOMMANDS:
    try:
        make_parser().parse_args([name, "--help"])
    except SystemExit:
        pass
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"asyncio", "sectigo_tui.config.load", "sectigo_tui.engine.engine"} & set(done.stderr.split())
