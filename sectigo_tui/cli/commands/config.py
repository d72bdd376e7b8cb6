"""`sectigo-tui config`: where the configuration is, what is in force, and a first one to edit."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.screen_flags import check_keys
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.terminal import complain, show_message, table
from sectigo_tui.config.paths import APPLICATION
from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.config.paths import Paths
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.presentation.json import Json


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument(
        "action",
        choices=("path", "show", "init", "systemd"),
        help="path: where the files are; show: each setting and its source; init: write an example, never over "
        "another; systemd: print a unit that runs watch",
    )
    parser.add_argument("--system", action="store_true", help="systemd: the host's unit, not the operator's own")
    add_json(parser)


def run(options: Namespace) -> int:
    """Do what was asked for about the configuration; nothing is sent.

    Raises:
        ConfigError: A setting is wrong; or, for `init`, there is a configuration already, and it is untouched.
        InputError: It cannot be written.
    """
    match options.action:
        case "path":
            return _print_paths(options)
        case "show":
            return _print_settings(options)
        case "systemd":
            show_message(systemd_unit(options, Path(sys.argv[0]).absolute()).rstrip("\n"))
            return FINE
        case _:
            return _init(options)


def systemd_unit(options: Namespace, program: Path) -> str:
    """Return the unit that runs `watch` for these options.

    Args:
        options: `system`, and the settings that every command takes.
        program: Which program runs, where it goes by its own name.
    """
    from sectigo_tui.config.save import systemd_units

    unit = systemd_units()["system" if options.system else "user"]
    given = vars(options)
    words = [unit.partition("ExecStart=")[2].split()[0], "watch", "--json"]
    if program.name == APPLICATION:
        home = Path.home()
        is_below = not options.system and program.is_relative_to(home)
        words[0] = f"%h/{_escaped(str(program.relative_to(home)))}" if is_below else _escaped(str(program))
    for name in ("config", "data_dir"):
        if given.get(name) is not None:
            words += [f"--{name.replace('_', '-')}", _escaped(str(given[name].absolute()))]
    if given.get("profile") is not None:
        words += ["--profile", _escaped(given["profile"])]
    if given.get("read_only"):
        words.append("--read-only")
    line = " ".join(f'"{word}"' if re.search(r"""[\s"';\\]""", word) else word for word in words)
    return re.sub(r"(?m)^ExecStart=.*$", lambda _: f"ExecStart={line}", unit)


def _escaped(text: str) -> str:
    """Return a text in which systemd sees nothing of its own."""
    for sign, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        text = text.replace(sign, escaped)
    return text


def settings_rows(settings: Settings) -> list[tuple[str, str, str]]:
    """Return every setting with its value, secrets masked, and its source, below a line of headings."""
    rows = [("setting", "value", "source")]
    rows.append(("config file", str(settings.paths.config_file), settings.paths.config_named_by or "default"))
    rows.append(("data directory", str(settings.paths.data_dir), settings.paths.data_named_by or "default"))
    rows.append(("profile", settings.profile or "-", "flag --profile" if settings.profile else "default"))
    for key, source in settings.sources.items():
        over = ", ".join(weaker.detail for weaker in source.overridden)
        rows.append((key, source.value or "-", f"{source.detail}{f' (over {over})' if over else ''}"))
    return rows


def settings_json(settings: Settings) -> dict[str, Json]:
    """Return every setting with its value, secrets masked, and its source."""
    values: dict[str, Json] = {
        key: {
            "value": source.value or None,
            "source": source.detail,
            "over": [weaker.detail for weaker in source.overridden],
        }
        for key, source in settings.sources.items()
    }
    return {**_paths_json(settings.paths), "profile": settings.profile, "settings": values}


def _print_paths(options: Namespace) -> int:
    from sectigo_tui.presentation.json import print_json

    paths = _paths(options)
    if options.json:
        print_json(_paths_json(paths))
    else:
        rows = [
            ("config file", str(paths.config_file)),
            ("credentials file", str(paths.credentials_file)),
            ("data directory", str(paths.data_dir)),
        ]
        show_message(table(rows))
    return FINE


def _print_settings(options: Namespace) -> int:
    from sectigo_tui.presentation.json import print_json

    settings = settings_from(options)
    check_keys(settings)
    if options.json:
        print_json(settings_json(settings))
    else:
        show_message(table(settings_rows(settings)))
    for warning in settings.warnings:
        complain(f"warning: {warning}")
    return FINE


def _init(options: Namespace) -> int:
    from sectigo_tui.config.save import already_configured, example_config
    from sectigo_tui.durable import create_file
    from sectigo_tui.presentation.json import print_json

    path = _paths(options).config_file
    try:
        create_file(path, example_config())
    except OSError as error:
        if isinstance(error, FileExistsError) and path.parent.is_dir():
            raise already_configured(path) from None
        raise InputError(f"{path} cannot be written: {error.strerror}", "name another with --config") from error
    if options.json:
        print_json(_paths_json(_paths(options)))
    else:
        show_message(str(path))
    complain("written; take the # off what you need, then: sectigo-tui check")
    return FINE


def _paths(options: Namespace) -> Paths:
    from sectigo_tui.config.paths import find_paths

    given = vars(options)
    return find_paths(os.environ, config=given.get("config"), data_dir=given.get("data_dir"))


def _paths_json(paths: Paths) -> dict[str, Json]:
    return {
        "config_file": str(paths.config_file),
        "credentials_file": str(paths.credentials_file),
        "data_directory": str(paths.data_dir),
    }
