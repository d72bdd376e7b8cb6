"""The settings needed before the first paint, read without pydantic where they are plain.

Checking all settings takes longer than painting a screen. A value counts as plain when it is in its final form
already, so that the check could only agree; where anything is not, there are no plain settings, and whoever asked
waits for the full ones. What is wrong elsewhere in the files is for these to say, a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, cast

from msgspec import Struct

from sectigo_tui.config.files import Table, read_toml
from sectigo_tui.config.paths import Paths
from sectigo_tui.config.sources import ENVIRONMENT_NAMES, SourceKind
from sectigo_tui.domain.errors import ConfigError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings

Origin = Literal["sectigo", "ui"]

_ELSEWHERE = frozenset({"ca_bundle", "keys", "messages", "on_event", "password_command"})
"""Keys that only the full settings know to read; a command is asked before the screen is up: it may prompt."""
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~-]+)*|http://127\.0\.0\.1:\d{1,5}(/[a-z]+)*")
_URI = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_SHORT_TEXT = 200
_COLORS = ("auto", "red", "yellow", "green", "blue", "magenta")


class PlainSettings(Struct, frozen=True):
    """The settings that show an account's local orders, and put an engine together for them.

    Each is that of `config.toml`, under its name; a text that is not set is empty. `is_read_only_by_flag` tells
    whether it was `--read-only` that made it so.
    """

    paths: Paths
    profile: str
    is_read_only_by_flag: bool
    customer_uri: str
    base_url: str
    environment: str
    environment_color: str
    org_id: int | None
    cert_type: int | None
    term: int
    poll_max_wait_seconds: int
    on_deadline: str
    retention_days: int
    connect_timeout_seconds: float
    read_timeout_seconds: float
    requests_in_flight: int
    dns_lookups: bool
    read_only: bool
    theme: str
    ascii: bool | None
    mouse: bool | None
    remote_refresh_seconds: int


def plain_settings(
    paths: Paths, environ: Mapping[str, str], *, profile: str | None = None, read_only: bool = False
) -> PlainSettings | None:
    """Return the plain settings, or None where the full ones are to be asked.

    Args:
        paths: Where the files are.
        environ: The process's environment.
        profile: `--profile`.
        read_only: `--read-only`.
    """
    try:
        document = read_toml(paths.config_file, named_by=paths.config_named_by)
        tables = _tables(document, profile)
        values = {key: _plain(key, tables, environ) for key in _KEYS}
    except (ConfigError, _NotPlainError):
        return None
    if not values["customer_uri"] or any(_ELSEWHERE & table.keys() for table in (*tables["sectigo"], *tables["ui"])):
        return None
    values["read_only"] = values["read_only"] or read_only
    return PlainSettings(
        paths=paths,
        profile=profile or "",
        is_read_only_by_flag=read_only,
        **values,  # type: ignore[arg-type]  # checked by key
    )


def plain_of(settings: Settings) -> PlainSettings:
    """Return the plain part of the full settings."""
    values = {key: getattr(getattr(settings, kind.origin), key) for key, kind in _KEYS.items()}
    values |= {key: values[key] or "" for key in ("customer_uri", "environment")}
    by_flag = settings.sources["read_only"].kind is SourceKind.FLAG
    return PlainSettings(
        paths=settings.paths,
        profile=settings.profile or "",
        is_read_only_by_flag=by_flag,
        **values,
    )


class _NotPlainError(Exception):
    """Some value is not in its final form."""


def _tables(document: Table, profile: str | None) -> Mapping[Origin, list[Table]]:
    sections = [document.get(name, {}) for name in ("sectigo", "ui")]
    tables: list[Table] = [cast("Table", section) for section in sections if isinstance(section, dict)]
    if len(tables) != len(sections):
        raise _NotPlainError
    own: list[Table] = []
    if profile is not None:
        profiles = document.get("profile", {})
        chosen = profiles.get(profile) if isinstance(profiles, dict) else None
        if not isinstance(chosen, dict):
            raise _NotPlainError
        own = [chosen]
    return {"sectigo": [*own, tables[0]], "ui": [tables[1]]}


def _plain(key: str, tables: Mapping[Origin, list[Table]], environ: Mapping[str, str]) -> object:
    kind = _KEYS[key]
    for variable in ENVIRONMENT_NAMES.get(key, ()):
        if told := environ.get(variable):
            return kind.checked(int(told) if told.isdecimal() and kind.is_number and told.isascii() else told)
    for table in tables[kind.origin]:
        if key in table:
            return kind.checked(table[key])
    return kind.default


class _Kind(Struct, frozen=True):
    """What a key's value is when it is plain."""

    default: object
    is_plain: Callable[[object], bool]
    origin: Origin = "sectigo"
    is_number: bool = False

    def checked(self, value: object) -> object:
        if not self.is_plain(value):
            raise _NotPlainError
        return value


def _text(default: str = "", *, length: int = _SHORT_TEXT, origin: Origin = "sectigo") -> _Kind:
    def is_plain(value: object) -> bool:
        return isinstance(value, str) and 0 < len(value) <= length and value == value.strip() and value.isprintable()

    return _Kind(default, is_plain, origin)


def _number(default: int | None, first: int, last: int, origin: Origin = "sectigo") -> _Kind:
    return _Kind(default, lambda value: type(value) is int and first <= value <= last, origin, is_number=True)


def _switch(*, default: bool | None, origin: Origin = "sectigo") -> _Kind:
    return _Kind(default, lambda value: isinstance(value, bool), origin)


_KEYS = {
    "customer_uri": _Kind(
        "",
        lambda value: (
            isinstance(value, str)
            and _URI.fullmatch(value) is not None
            and not value.casefold().endswith("cert-manager.com")
        ),
    ),
    "base_url": _Kind(
        "https://cert-manager.com/api", lambda value: isinstance(value, str) and _ADDRESS.fullmatch(value) is not None
    ),
    "environment": _text(length=16),
    "environment_color": _Kind("auto", lambda value: value in _COLORS),
    "org_id": _number(None, 1, 2**53),
    "cert_type": _number(None, 1, 2**53),
    "term": _number(365, 1, 3_650),
    "poll_max_wait_seconds": _number(600, 1, 31_536_000),
    "on_deadline": _Kind("stop", lambda value: value in ("stop", "rearm")),
    "retention_days": _number(400, 1, 36_500),
    "connect_timeout_seconds": _number(10, 1, 600),
    "read_timeout_seconds": _number(60, 1, 600),
    "requests_in_flight": _number(4, 1, 10),
    "dns_lookups": _switch(default=False),
    "read_only": _switch(default=False),
    "theme": _text("auto", origin="ui"),
    "ascii": _switch(default=None, origin="ui"),
    "mouse": _switch(default=None, origin="ui"),
    "remote_refresh_seconds": _number(60, 10, 86_400, "ui"),
}
"""Limits and defaults are those of `config.model`."""
