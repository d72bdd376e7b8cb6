"""The man page and the completions that a wheel brings."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = "share/bash-completion/completions/sectigo-tui"


@cache
def generated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("build_hook", ROOT / "docs" / "build_hook.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    texts: dict[str, str] = hook.generated(ROOT)
    return texts


def subcommands() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "sectigo_tui", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    lines = done.stdout.split("subcommands:")[1].splitlines()[2:]
    return [line.split()[0] for line in lines if line.startswith("    ") and not line.startswith("     ")]


def test_every_shell_and_the_man_page_know_every_subcommand() -> None:
    names = subcommands()
    assert {"orders", "enroll", "revoke", "diagnose", "watch"} <= set(names)
    for place, text in generated().items():
        missing = [name for name in names if name not in text]
        assert not missing, (place, missing)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("dia", "diagnose"),
        ("revo", "revoke"),
        ("--read", "--read-only"),
        ("enroll --cs", "--csr"),
        ("enroll --csr ww", "www.csr"),
        ("collect 2100001 --directory ce", "certs"),
    ],
)
def test_bash_completes_what_was_begun(tmp_path: Path, typed: str, expected: str) -> None:
    (tmp_path / "www.csr").touch()
    (tmp_path / "certs").mkdir()
    script = tmp_path / "completion.bash"
    script.write_text(generated()[BASH])
    probe = (
        f"source {script}; COMP_WORDS=(sectigo-tui {typed}); COMP_CWORD={len(typed.split())}; "
        f"COMP_LINE='sectigo-tui {typed}'; "
        "$(complete -p sectigo-tui | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert expected in done.stdout.split()


def test_the_man_page_leaves_it_to_man_where_a_usage_is_wrapped() -> None:
    (page,) = (text for place, text in generated().items() if place.endswith(".1"))
    assert not [line for line in page.splitlines() if line.startswith("    ")]


def test_the_man_page_tells_keys_files_environment_codes_and_examples_and_the_common_settings_once() -> None:
    (page,) = (text for place, text in generated().items() if place.endswith(".1"))
    sections = re.findall(r"^\.SH ([A-Z ]+)$", page, re.MULTILINE)
    assert sections[-5:] == ["KEYS", "FILES", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES"]
    assert page.count("append requests and answers to a file") == 1
    assert page.count("credentials rejected;") == 0, "the exit codes have a section of their own"
    assert r"\fBsectigo\-tui notify test\fR" in page
    assert "](" not in page


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not here")
def test_man_finds_nothing_wrong_with_the_page(tmp_path: Path) -> None:
    (page,) = (text for place, text in generated().items() if place.endswith(".1"))
    file = tmp_path / "sectigo-tui.1"
    file.write_text(page)
    done = subprocess.run(["man", "--warnings", "-l", file], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout


def test_the_wheel_brings_the_units_of_systemd() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    places = {str(place): ROOT / file for file, place in wheel["shared-data"].items()}
    assert set(places) == {f"lib/systemd/{kind}/sectigo-tui.service" for kind in ("user", "system")}
    assert all("ExecStart=" in file.read_text() for file in places.values())
