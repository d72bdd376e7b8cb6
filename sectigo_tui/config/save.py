"""The first run's answers: checked as they are typed, then written as a new `config.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sectigo_tui.config.files import raise_all
from sectigo_tui.config.load import Layer, read_section
from sectigo_tui.config.sections import SECRETS, SectigoSection, settings_in
from sectigo_tui.config.settings import SourceKind
from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.durable import create_file

EXAMPLE = "config.example.toml"
REOPEN_LEVELS = "reopen_levels"

_HEADER = """\
# sectigo-tui's configuration. This file is yours: the program reads it and never rewrites it.
# `sectigo-tui check` shows what is in force, and from where; `sectigo-tui config init` writes every key, explained.
# Login and password are in credentials.toml beside it.

"""


def already_configured(path: Path) -> ConfigError:
    """Return the error that a first configuration is not written: there is one."""
    return ConfigError(
        key=str(path),
        source="file",
        reason="there is a configuration already, and this program never rewrites one",
        remedy="edit it, or name another with --config",
    )


def example_config() -> bytes:
    """Return the commented example: beside this module in a wheel, at the top of a checkout."""
    beside = Path(__file__).with_name(EXAMPLE)
    return (beside if beside.is_file() else Path(__file__).parents[2] / EXAMPLE).read_bytes()


def systemd_units() -> dict[str, str]:
    """Return the systemd units that run `watch`: the operator's own as `user`, and the host's as `system`."""
    directory = Path(__file__).parent / "systemd"
    return {name: (directory / f"{name}.service").read_text(encoding="utf-8") for name in ("user", "system")}


def check_answers(answers: Mapping[str, str]) -> SectigoSection:
    """Check what was typed for keys of `[sectigo]`; an empty answer leaves the default.

    Args:
        answers: Text by key; one answer alone can be checked too. `reopen_levels` has the validation levels, separated
            by commas, whose orders are polled on when their deadline passes.

    Returns:
        The section that the answers make.

    Raises:
        ConfigError: An answer is wrong; all wrong ones are named, each with its `key`.
    """
    values: dict[str, object] = {key: text for key, text in answers.items() if text and key != REOPEN_LEVELS}
    if levels := answers.get(REOPEN_LEVELS):
        values["on_deadline"] = dict.fromkeys(levels.split(","), "reopen")
    given = Layer(SourceKind.ANSWER, "what you typed", values)
    section, _, errors = read_section(SectigoSection, [given], Path())
    raise_all(errors)
    return section


def write_first_config(path: Path, section: SectigoSection) -> None:
    """Write a new configuration file (0600) of what differs from the defaults, without login and password.

    Args:
        path: The file.
        section: The answers, as `check_answers` returns them.

    Raises:
        ConfigError: There is a file already: it is the human's, and untouched.
        OSError: It cannot be written.
    """
    import tomli_w

    values = {
        key: getattr(section, key)
        for key, setting in settings_in(SectigoSection).items()
        if key not in {"login", *SECRETS} and getattr(section, key) != setting.default
    }
    try:
        create_file(path, (_HEADER + tomli_w.dumps({"sectigo": values})).encode())
    except FileExistsError:
        raise already_configured(path) from None
