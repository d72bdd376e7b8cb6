"""Flags, environment and files put together as settings."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from sectigo_tui.config.paths import find_paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sectigo_tui.config.plain import PlainSettings
    from sectigo_tui.config.settings import Settings


def settings_of(
    *,
    config: Path | None = None,
    data_dir: Path | None = None,
    profile: str | None = None,
    read_only: bool = False,
    debug_log: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings that flags, environment and files make together.

    Args:
        config: `--config`.
        data_dir: `--data-dir`.
        profile: `--profile`.
        read_only: `--read-only`.
        debug_log: `--debug-log`.
        environ: The process's environment.

    Raises:
        ConfigError: Something is wrong with them.
    """

    from sectigo_tui.config.load import load_settings

    paths = find_paths(environ, config=config, data_dir=data_dir)
    flags = {"read_only": True} if read_only else {}
    settings = load_settings(paths, environ, profile=profile, flags=flags)
    return dataclasses.replace(settings, debug_log=debug_log) if debug_log is not None else settings


def plain_settings_of(
    *,
    config: Path | None = None,
    data_dir: Path | None = None,
    profile: str | None = None,
    read_only: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> PlainSettings | None:
    """Return the same as far as it is plain, in a fraction of the time; None where `settings_of` is to be asked."""
    from sectigo_tui.config.plain import plain_settings

    paths = find_paths(environ, config=config, data_dir=data_dir)
    return plain_settings(paths, environ, profile=profile, read_only=read_only)
