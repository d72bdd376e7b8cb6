"""`sectigo-tui config`: where the files are, what is in force, and a first configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_site import Site, cli_site, mode

from sectigo_tui.simulator.world import World


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    with cli_site(tmp_path, monkeypatch, capsys, World(seed=5)) as made:
        yield made
    assert list(made.world.traffic.requests) == []


@pytest.fixture
def unconfigured(site: Site) -> Site:
    for name in list(os.environ):
        if name.startswith("CERTCTL_SECTIGO_"):
            site.monkeypatch.delenv(name)
    return site


def test_the_files_are_told_whether_they_are_there_or_not(unconfigured: Site) -> None:
    told = unconfigured.make("config", "path", "--json").document("paths")
    assert told["config_file"] == str(unconfigured.home / ".config/sectigo-tui/config.toml")
    elsewhere = unconfigured.make("config", "path", "--config", "/etc/tui/config.toml").out.splitlines()
    assert [line.split()[-1] for line in elsewhere[:2]] == ["/etc/tui/config.toml", "/etc/tui/credentials.toml"]
    assert list(unconfigured.home.iterdir()) == []


def test_a_first_configuration_is_written_privately_and_sets_nothing(unconfigured: Site) -> None:
    written = Path(unconfigured.make("config", "init").out.strip())
    assert mode(written) == 0o600
    assert "# customer_uri =" in written.read_text()
    shown = unconfigured.make("config", "show", "--json").document("settings")
    assert {setting["source"] for setting in shown["settings"].values()} == {"default"}


def test_a_configuration_that_is_there_is_never_written_over(unconfigured: Site) -> None:
    path = unconfigured.home / "mine.toml"
    path.write_text("# mine\n")
    ended = unconfigured.run("config", "init", "--config", path)
    assert (ended.code, ended.out, path.read_text()) == (2, "", "# mine\n")
    assert "never rewrites" in ended.err


def test_a_configuration_that_cannot_be_written_is_told(unconfigured: Site) -> None:
    file = unconfigured.home / "file"
    file.touch()
    ended = unconfigured.run("config", "init", "--config", file / "config.toml")
    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_what_is_in_force_is_shown_with_its_source_and_no_secret(site: Site) -> None:
    site.monkeypatch.setenv("CERTCTL_SECTIGO_TERM", "90")
    shown = site.make("config", "show", "--json").document("settings")["settings"]
    assert shown["term"] == {"value": "90", "source": "environment CERTCTL_SECTIGO_TERM", "over": []}
    assert shown["password"]["value"] == "********"
    rows = {line.split("  ")[0]: line for line in site.make("config", "show").out.splitlines()}
    assert "environment CERTCTL_SECTIGO_TERM" in rows["term"]


def test_a_wrong_setting_is_told(site: Site) -> None:
    site.monkeypatch.setenv("CERTCTL_SECTIGO_TERM", "a year")
    ended = site.run("config", "show")
    assert (ended.code, ended.out) == (2, "")
    assert "term (environment CERTCTL_SECTIGO_TERM)" in ended.err


@pytest.mark.parametrize("command", ["config show", "check"])
@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            'theme = "drak"',
            "ui.theme (~/screen.toml [ui]): 'drak' is not auto, dark, light, safe, 16 or mono; did you mean dark?",
        ),
        ('keys = { pol = "f5" }', "ui.keys.pol (~/screen.toml [ui]): no such action; did you mean poll?"),
    ],
)
def test_a_setting_that_the_dashboard_would_refuse_is_told_before_it_is_started(
    site: Site, command: str, setting: str, told: str
) -> None:
    path = site.home / "screen.toml"
    path.write_text(f"[ui]\n{setting}\n")
    ended = site.run(*command.split(), "--config", path)
    assert (ended.code, ended.err) == (2, f"sectigo-tui: {told}\n")


@pytest.mark.parametrize("which", ["user", "system"])
def test_a_unit_runs_this_program_with_the_settings_that_were_given(site: Site, which: str, tmp_path: Path) -> None:
    program = site.home / ".local" / "bin" / "sectigo-tui"
    site.monkeypatch.setattr("sys.argv", [str(program)])
    given = ["--config", "a b.toml", "--profile", "50%", *(["--system"] if which == "system" else [])]
    unit = site.make("config", "systemd", *given).out
    path = "%h/.local/bin/sectigo-tui" if which == "user" else str(program)
    settings = f'--config "{site.home}/a b.toml" --profile 50%%'
    assert f"\nExecStart={path} watch --json {settings}\n" in unit
    assert "\nRestartPreventExitStatus=2 3\n" in unit
    assert f"WantedBy={'default' if which == 'user' else 'multi-user'}.target" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_unit_of_the_host(site: Site) -> None:
    unit = site.home / "sectigo-tui.service"
    text = site.make("config", "systemd", "--system").out
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text).replace("User=sectigo-tui", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    # Where there is no systemd to ask, it says that and nothing of the unit.
    assert "sectigo-tui.service" not in done.stderr
