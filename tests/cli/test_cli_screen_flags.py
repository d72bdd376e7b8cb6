"""What of the screen flags and the environment decide, and what commands started from it get to see."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
import tomli_w

from sectigo_tui.cli.outside import outside_of, without_secrets
from sectigo_tui.cli.parser import make_parser
from sectigo_tui.cli.screen_flags import screen_flags_of
from sectigo_tui.config.credentials import write_credentials
from sectigo_tui.config.sections import UiSection, settings_in
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.presentation.themes import PREFERENCES
from sectigo_tui.ui.app import SectigoApp
from sectigo_tui.ui.keys.keymap import keymap_of
from sectigo_tui.wiring.settings import settings_of


def settings(tmp_path: Path, config: str = "", flags: dict[str, object] | None = None, **environ: str) -> Settings:
    """Return the settings of a configuration file."""
    path = tmp_path / "config.toml"
    path.write_text(config)
    path.chmod(0o600)
    return settings_of(config=path, data_dir=tmp_path / "data", flags=flags, environ=environ)


@pytest.mark.parametrize("command", [[], ["demo"]])
def test_flags_are_stronger_than_the_configuration(tmp_path: Path, command: list[str]) -> None:
    config = '[ui]\ntheme = "dark"\nascii = false\n'
    options = make_parser().parse_args([*command, "--theme", "safe", "--ascii", "--no-mouse"])
    flagged = settings(tmp_path, config, screen_flags_of(options))
    assert (flagged.ui.theme, flagged.ui.ascii, flagged.ui.mouse) == ("safe", True, False)
    assert not outside_of(flagged).recalls_theme
    assert [flagged.sources[f"ui.{key}"].detail for key in ("theme", "ascii", "mouse")] == [
        "flag --theme",
        "flag --ascii",
        "flag --no-mouse",
    ]
    configured = settings(tmp_path, config, screen_flags_of(make_parser().parse_args(command)))
    assert (configured.ui.theme, configured.ui.ascii, configured.ui.mouse) == ("dark", False, None)
    assert outside_of(configured).recalls_theme


def test_the_themes_that_may_be_set_are_those_that_there_are() -> None:
    assert settings_in(UiSection)["theme"].choices == ("auto", *PREFERENCES)


def test_commands_get_the_environment_without_this_program_s_secrets(tmp_path: Path) -> None:
    configured = settings(tmp_path, CERTCTL_SECTIGO_PASSWORD="canary-7Hk2Qp9w")
    environ = {
        "PATH": "/bin",
        "CERTCTL_SECTIGO_LOGIN": "api-user",
        "CERTCTL_SECTIGO_PASSWORD": "canary-7Hk2Qp9w",
        "COPY_OF_IT": "scm=canary-7Hk2Qp9w;",
        "TMUX": "/tmp/tmux-0/default,1,0",
    }
    assert without_secrets(configured, environ=environ) == {"PATH": "/bin", "TMUX": "/tmp/tmux-0/default,1,0"}


SECRET = "canary-7Hk2Qp9w/+%"


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (["printenv", "SCM_PW"], {"SCM_PW": SECRET}),
        (["sh", "-c", 'echo "$SCM_PW"'], {"SCM_PW": SECRET, "COPY": f"x={SECRET};"}),
        (["sh", "-c", 'echo "${SCM_PW#raw:}"'], {"SCM_PW": f"raw:{SECRET}"}),
        (["sh", "-c", "env | sed -n 's/^HIDDEN_NAME=//p'"], {"HIDDEN_NAME": SECRET}),
        (["sh", "-c", "env | sed -n 's/^SCM_B64=//p' | base64 -d"], {"SCM_B64": b64encode(SECRET.encode()).decode()}),
        (["sh", "-c", 'test "$VAULT_TOKEN" = t && echo "$1"', "sh", SECRET], {"VAULT_TOKEN": "t"}),
    ],
)
def test_a_command_for_events_gets_no_variable_that_the_password_command_makes_the_password_of(
    tmp_path: Path, command: list[str], variables: dict[str, str]
) -> None:
    environ = {"PATH": "/usr/bin:/bin", "HOME": "/home/me", "SLACK_TOKEN": "its-own", **variables}
    config = tmp_path / "config.toml"
    config.write_text(tomli_w.dumps({"sectigo": {"password_command": command}}))
    configured = settings_of(config=config, data_dir=tmp_path, environ=environ)
    assert configured.resolve_password().reveal() == SECRET
    left = {"PATH": "/usr/bin:/bin", "HOME": "/home/me", "SLACK_TOKEN": "its-own"}
    assert without_secrets(configured, environ=environ) == left


def test_a_variable_with_a_password_that_the_program_has_stored_is_kept_from_commands(tmp_path: Path) -> None:
    configured = settings(tmp_path, CERTCTL_SECTIGO_PASSWORD="canary-7Hk2Qp9w")
    write_credentials(configured.paths.credentials_file, None, login="api", password=SecretText("rotated-3Jd8"))
    assert without_secrets(configured, environ={"PATH": "/bin", "NEXT": "rotated-3Jd8"}) == {"PATH": "/bin"}


def test_a_short_password_empties_no_environment(tmp_path: Path) -> None:
    configured = settings(tmp_path, CERTCTL_SECTIGO_PASSWORD="bin")
    assert without_secrets(configured, environ={"PATH": "/bin", "PW": "bin"}) == {"PATH": "/bin"}


def test_the_keys_of_the_example_configuration_are_keys(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "config.example.toml"
    (line,) = [line for line in example.read_text().splitlines() if line.startswith("# keys = ")]
    configured = settings(tmp_path, f"[ui]\n{line.removeprefix('# ')}\n")
    assert keymap_of(configured.ui.keys, SectigoApp) == {"view.poll": "r,f5"}
