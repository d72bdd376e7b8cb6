"""The example documents every key, and the first run writes what can be read again."""

import re
import stat
import tomllib
from pathlib import Path

import pytest

from sectigo_tui.config.load import load_settings
from sectigo_tui.config.paths import Paths
from sectigo_tui.config.save import check_answers, write_first_config
from sectigo_tui.config.sections import SECTIONS, SectigoSection, settings_in
from sectigo_tui.domain.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def keys_shown(section: str) -> dict[str, object]:
    text = EXAMPLE.read_text().split(f"\n[{section}]\n")[1].split("\n[")[0].split("# [profile")[0]
    return tomllib.loads("\n".join(re.findall(r"^# (\w+ = .*)$", text, re.MULTILINE)))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_shows_each_key_and_no_other(section: str) -> None:
    assert set(keys_shown(section)) == set(settings_in(SECTIONS[section]))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_shows_the_defaults(section: str) -> None:
    shown = keys_shown(section)
    settings = settings_in(SECTIONS[section]).values()
    differing = {each.key for each in settings if each.default and shown[each.key] != each.default}
    assert not differing


def test_the_example_names_each_variable() -> None:
    text = EXAMPLE.read_text()
    assert all(variable in text for each in settings_in(SectigoSection).values() for variable in each.variables)


def test_the_example_as_it_stands_sets_nothing(tmp_path: Path) -> None:
    settings = load_settings(Paths(EXAMPLE, tmp_path), {})
    assert settings.unconfigured
    assert {source.detail for source in settings.sources.values()} == {"default"}


def test_the_example_s_profile_can_be_used(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    profile = text[text.index("# [profile.staging]") : text.index("\n[certctl]")]
    path = tmp_path / "config.toml"
    path.write_text(re.sub(r"^# ?", "", profile, flags=re.MULTILINE))
    settings = load_settings(Paths(path, tmp_path), {}, profile="staging")
    assert settings.sectigo.environment == "staging"
    assert settings.certctl.issuer_id == "iss-sectigo-staging"


def test_the_first_run_s_answers_are_written_and_read_again(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "new" / "config.toml", tmp_path)
    section = check_answers(
        {"customer_uri": "acme", "login": "api", "password": "canary", "org_id": "12", "term": "", "base_url": ""}
    )
    write_first_config(paths.config_file, section)
    assert stat.S_IMODE(paths.config_file.stat().st_mode) == 0o600
    written = tomllib.loads(paths.config_file.read_text())
    assert written == {"sectigo": {"customer_uri": "acme", "org_id": 12}}
    assert load_settings(paths, {}).sectigo.org_id == 12


def test_the_first_run_s_choice_to_go_on_for_ov_and_ev_is_written_and_read_again(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path)
    write_first_config(paths.config_file, check_answers({"customer_uri": "acme", "reopen_levels": "OV,EV"}))
    assert load_settings(paths, {}).sectigo.on_deadline == {"OV": "reopen", "EV": "reopen"}


def test_a_wrong_answer_is_explained_as_an_answer() -> None:
    with pytest.raises(ConfigError) as caught:
        check_answers({"org_id": "mine"})
    assert caught.value.key == "org_id"
    assert str(caught.value) == (
        "org_id (what you typed): 'mine' is not the organization's id, a whole number above 0; type e.g. 1234"
    )


def test_an_existing_configuration_is_never_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    with pytest.raises(ConfigError, match="never rewrites one"):
        write_first_config(path, check_answers({"customer_uri": "acme"}))
    assert path.read_text() == "# mine\n"
