"""`config.toml` as sections, with every name in it checked."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from sectigo_tui.config.credentials import section_title
from sectigo_tui.config.files import Table, check_private, read_toml
from sectigo_tui.config.layers import check_names
from sectigo_tui.config.model import SECRETS, CertctlSection, SectigoSection, UiSection
from sectigo_tui.config.paths import Paths
from sectigo_tui.config.setting_errors import raise_all, unknown_name
from sectigo_tui.domain.errors import ConfigError

_SECTIONS = ("sectigo", "certctl", "ui", "profile")


class Document(Struct, frozen=True):
    """The configuration file's sections; values are not checked yet.

    Args:
        sectigo: `[sectigo]`.
        certctl: `[certctl]`.
        ui: `[ui]`.
        profiles: `[profile.NAME]` by name.
        profiles_certctl: `[profile.NAME.certctl]` by name.
    """

    sectigo: Table
    certctl: Table
    ui: Table
    profiles: Mapping[str, Table]
    profiles_certctl: Mapping[str, Table]


def read_document(paths: Paths, label: str) -> Document:
    """Read and split the configuration file; all is empty when there is none.

    Args:
        paths: Where it is.
        label: How errors name it.

    Returns:
        Its sections.

    Raises:
        ConfigError: It cannot be read, holds a secret that others can read, or has names that do not exist;
            all of those are named.
    """
    raw = read_toml(paths.config_file, named_by=paths.config_named_by)
    if _holds_secret(raw):
        check_private(paths.config_file, "holds a password or key")
    errors = [unknown_name(f"[{name}]", label, "section", name, _SECTIONS) for name in raw if name not in _SECTIONS]
    sections: dict[str, Table] = {name: _table(raw, name, f"[{name}]", label, errors) for name in _SECTIONS}
    profiles: dict[str, Table] = {}
    profiles_certctl: dict[str, Table] = {}
    for name in sections["profile"]:
        title = section_title(name)
        profile = dict(_table(sections["profile"], name, title, label, errors))
        certctl_title = f"[profile.{name}.certctl]"
        profiles_certctl[name] = _table(profile, "certctl", certctl_title, label, errors)
        profile.pop("certctl", None)
        profiles[name] = profile
        errors += check_names(SectigoSection, profile, f"{label} {title}")
        errors += check_names(CertctlSection, profiles_certctl[name], f"{label} {certctl_title}", "certctl.")
    errors += check_names(SectigoSection, sections["sectigo"], f"{label} [sectigo]")
    errors += check_names(CertctlSection, sections["certctl"], f"{label} [certctl]", "certctl.")
    errors += check_names(UiSection, sections["ui"], f"{label} [ui]", "ui.")
    raise_all(errors)
    return Document(sections["sectigo"], sections["certctl"], sections["ui"], profiles, profiles_certctl)


def _table(parent: Table, name: str, title: str, source: str, errors: list[ConfigError]) -> Table:
    value = parent.get(name, {})
    if isinstance(value, dict):
        return value
    errors.append(
        ConfigError(key=name, source=source, reason="is no section", remedy=f"write {title} on a line of its own")
    )
    return {}


def _holds_secret(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return any(key in SECRETS or _holds_secret(inner) for key, inner in value.items())
