"""Where files are, and who may enter."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sectigo_tui.config.paths import Paths, find_paths, make_private_directory
from sectigo_tui.domain.errors import ConfigError


def test_flags_win_over_variables_and_variables_over_xdg(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")}
    defaults = find_paths(environ)
    assert defaults == Paths(tmp_path / "c/sectigo-tui/config.toml", tmp_path / "d/sectigo-tui")
    environ |= {"SECTIGO_TUI_CONFIG": str(tmp_path / "v.toml"), "SECTIGO_TUI_DATA_DIR": str(tmp_path / "v")}
    by_variables = find_paths(environ)
    assert by_variables.config_file == tmp_path / "v.toml"
    assert by_variables.data_named_by == "environment SECTIGO_TUI_DATA_DIR"
    by_flags = find_paths(environ, config=tmp_path / "f.toml", data_dir=str(tmp_path / "f"))
    assert by_flags == Paths(tmp_path / "f.toml", tmp_path / "f", "flag --config", "flag --data-dir")


def test_a_relative_xdg_directory_is_ignored_as_its_specification_says() -> None:
    paths = find_paths({"XDG_CONFIG_HOME": "relative"})
    assert paths.config_file.is_absolute()
    assert "relative" not in paths.config_file.parts


def test_credentials_lie_beside_the_configuration(tmp_path: Path) -> None:
    assert Paths(tmp_path / "a.toml", tmp_path / "d").credentials_file == tmp_path / "credentials.toml"


def test_two_accounts_have_two_directories_whatever_their_names(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "c", tmp_path)
    accounts = [
        ("https://cert-manager.com/api", "acme"),
        ("https://cert-manager.com/api", "acme/../x"),
        ("https://cert-manager.com/api", "acme_.._x"),
        ("https://hard.cert-manager.com/api", "acme"),
        ("http://127.0.0.1:8080/api", "acme"),
    ]
    directories = {paths.account_dir(*account) for account in accounts}
    assert len(directories) == len(accounts)
    assert {directory.parent for directory in directories} == {tmp_path / "accounts"}


def test_an_account_s_directory_does_not_depend_on_the_address_s_spelling(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "c", tmp_path)
    assert paths.account_dir("https://Cert-Manager.com/api", "acme") == paths.account_dir(
        "https://cert-manager.com", "acme"
    )


def test_a_new_data_directory_is_its_owner_s_alone(tmp_path: Path) -> None:
    directory = make_private_directory(tmp_path / "data")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert make_private_directory(directory) == directory


def test_a_data_directory_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match=r"data_dir \(flag --data-dir\): .* is writable by everybody; chmod 700"):
        make_private_directory(tmp_path, named_by="flag --data-dir")


def test_a_file_in_place_of_the_data_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        make_private_directory(tmp_path / "file")


def test_finding_paths_imports_no_settings() -> None:
    program = (
        "import sys; from sectigo_tui.config.paths import find_paths; find_paths({});"
        "print([name for name in ('pydantic', 'tomllib', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id that the system knows nothing of, as in a container."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME", raising=False)


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
@pytest.mark.usefixtures("homeless")
def test_without_any_home_the_place_that_nobody_gave_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config .*HOME is not set, and user id \d+ has no home.*--config"):
        find_paths(environ, data_dir=tmp_path)
    with pytest.raises(ConfigError, match=r"data_dir .*HOME is not set.*--data-dir or SECTIGO_TUI_DATA_DIR"):
        find_paths(environ, config=tmp_path / "config.toml")


@pytest.mark.usefixtures("homeless")
def test_a_home_is_not_looked_for_where_everything_is_given(tmp_path: Path) -> None:
    given = Paths(tmp_path / "c.toml", tmp_path / "d", "flag --config", "flag --data-dir")
    assert find_paths({}, config=tmp_path / "c.toml", data_dir=tmp_path / "d") == given
    by_xdg = find_paths({"XDG_CONFIG_HOME": str(tmp_path), "SECTIGO_TUI_DATA_DIR": str(tmp_path)})
    assert by_xdg.config_file == tmp_path / "sectigo-tui" / "config.toml"
    with pytest.raises(ConfigError, match="has a ~ of nobody's home; write the whole path"):
        find_paths({}, config="~/c.toml", data_dir=tmp_path)


@pytest.mark.parametrize("given", ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"])
def test_root_leaves_no_files_in_another_user_s_home(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    if os.geteuid() == 0:
        os.chown(theirs, 12_345, 12_345)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    roots = {"XDG_CONFIG_HOME": "/", "XDG_DATA_HOME": "/"} if given != "HOME" else {}
    environ = {**roots, given: str(theirs / "below" if given != "HOME" else theirs)}
    with pytest.raises(ConfigError, match=r"you are root: what is made there would be root's; .*sudo -H"):
        find_paths(environ)
    assert list(theirs.iterdir()) == []
    assert find_paths(environ, config=theirs / "c.toml", data_dir=theirs / "d").data_dir == theirs / "d"
