"""Settings from flags, environment, credentials.toml, config.toml and defaults, in this order of strength."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sectigo_tui.config.credentials import CredentialsEntry, read_credentials, section_title
from sectigo_tui.config.files import Table, check_private, read_toml
from sectigo_tui.config.model import (
    ALTERNATIVES,
    SECRETS,
    SECTION_MODELS,
    CertctlSection,
    MetricsSection,
    NotifySection,
    SectigoSection,
    Sections,
    UiSection,
)
from sectigo_tui.config.password_command import PasswordCommand
from sectigo_tui.config.paths import Paths, for_display
from sectigo_tui.config.setting_errors import quoted, raise_all, unknown_name
from sectigo_tui.config.settings import Settings
from sectigo_tui.config.sources import ENVIRONMENT_NAMES, MASK, Source, SourceKind
from sectigo_tui.domain.errors import ConfigError


class Layer(Struct, frozen=True):
    """A place that sets some keys.

    Args:
        kind: What kind of place.
        detail: The place in words; `{key}` in it becomes the key as a flag is written.
        values: What it sets, unchecked.
    """

    kind: SourceKind
    detail: str
    values: Mapping[str, object]


class Merged(Struct, frozen=True):
    """The strongest value of each key that is set anywhere, and the origin of it."""

    values: Mapping[str, object]
    sources: Mapping[str, Source]


def check_names(model: type[BaseModel], table: Table, source: str, prefix: str = "") -> list[ConfigError]:
    """Return an error for each key of a section that does not exist, or that rules another out.

    Args:
        model: The section's model.
        table: What was read.
        source: Where.
        prefix: What to write before the key, such as `ui.`.
    """
    known = model.model_fields
    errors = [unknown_name(f"{prefix}{key}", source, "key", key, known) for key in table if key not in known]
    errors += [
        ConfigError(
            key=f"{prefix}{key}",
            source=source,
            reason=f"{other} is set in the same section",
            remedy="delete one of the two",
        )
        for key, other in ALTERNATIVES.items()
        if key in known and key in table and other in table
    ]
    return errors


def drop_outweighed(layers: Sequence[Layer]) -> list[Layer]:
    """Return the configuration file's layers such that of two alternatives only the more specific is left.

    A profile's `password_command` outweighs the common `password`, and the other way round.

    Args:
        layers: Strongest first.
    """
    kept: list[Layer] = []
    gone: set[str] = set()
    for layer in layers:
        kept.append(replace(layer, values={key: value for key, value in layer.values.items() if key not in gone}))
        for pair in ALTERNATIVES.items():
            for key, other in (pair, pair[::-1]):
                if key in layer.values:
                    gone.add(other)
    return kept


def merge(model: type[BaseModel], layers: Iterable[Layer]) -> Merged:
    """Return the strongest value of each key of a section.

    Args:
        model: The section's model.
        layers: Strongest first.
    """
    values: dict[str, object] = {}
    found: dict[str, list[Source]] = {key: [] for key in model.model_fields}
    for layer in layers:
        for key, value in layer.values.items():
            if key not in found:
                continue
            values.setdefault(key, value)
            detail = layer.detail.replace("{key}", key.replace("_", "-"))
            found[key].append(Source(layer.kind, detail, shown(key, value)))
    sources = {
        key: replace(origins[0], overridden=tuple(origins[1:]))
        if origins
        else Source(SourceKind.DEFAULT, "default", shown(key, field.default))
        for (key, origins), field in zip(found.items(), model.model_fields.values(), strict=True)
    }
    return Merged(values, sources)


def shown(key: str, value: object) -> str:
    """Return a value for display: secrets masked, unset as empty text, a command by its program alone."""
    if value is None or value == {}:
        return ""
    if key in SECRETS or isinstance(value, SecretStr):
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        # Arguments can hold a token of the secret manager.
        return f"{value[0]} ..." if len(value) > 1 else "".join(map(str, value))
    return value if isinstance(value, str) else quoted(value)


_SECTIONS = ("sectigo", "certctl", "ui", "metrics", "notify", "profile")


class Document(Struct, frozen=True):
    """The configuration file's sections; values are not checked yet.

    Args:
        sectigo: `[sectigo]`.
        certctl: `[certctl]`.
        ui: `[ui]`.
        metrics: `[metrics]`.
        notify: `[notify]`.
        profiles: `[profile.NAME]` by name.
        profiles_certctl: `[profile.NAME.certctl]` by name.
    """

    sectigo: Table
    certctl: Table
    ui: Table
    metrics: Table
    notify: Table
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
    errors += check_names(MetricsSection, sections["metrics"], f"{label} [metrics]", "metrics.")
    errors += check_names(NotifySection, sections["notify"], f"{label} [notify]", "notify.")
    raise_all(errors)
    return Document(
        sections["sectigo"],
        sections["certctl"],
        sections["ui"],
        sections["metrics"],
        sections["notify"],
        profiles,
        profiles_certctl,
    )


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


def validate(merged: Mapping[str, Merged], base_directory: Path) -> tuple[Sections, Mapping[str, Source]]:
    """Return the checked sections, and each key's origin with the value as it will be used.

    Args:
        merged: Values by section.
        base_directory: What relative paths are relative to.

    Returns:
        The sections, and origins by key: `term`, `certctl.url`, `ui.theme`...

    Raises:
        ConfigError: A value is wrong; all wrong ones are named.
    """
    values = {name: section.values for name, section in merged.items()}
    try:
        sections = Sections.model_validate(values, context={"base_directory": base_directory})
    except ValidationError as error:
        # A list with several wrong items is one wrong key: its first error is enough.
        errors = {each["loc"][:2]: each for each in reversed(error.errors(include_url=False))}
    else:
        return sections, _used_values(sections, merged)
    # Outside the except block: pydantic's error keeps every input, passwords included.
    raise_all([_explained(each, merged) for each in reversed(errors.values())])
    raise AssertionError("pydantic raised without an error")


def _used_values(sections: Sections, merged: Mapping[str, Merged]) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for name, merged_section in merged.items():
        section: BaseModel = getattr(sections, name)
        for key, source in merged_section.sources.items():
            is_command = source.kind is SourceKind.PASSWORD_COMMAND
            sources[_full_key(name, key)] = (
                source if is_command else replace(source, value=shown(key, getattr(section, key)))
            )
    return sources


def _explained(error: ErrorDetails, merged: Mapping[str, Merged]) -> ConfigError:
    name, key = str(error["loc"][0]), str(error["loc"][1])
    field = SECTION_MODELS[name].model_fields[key]
    source = merged[name].sources[key]
    own_words = error.get("ctx", {}).get("error")
    if own_words is not None:
        reason = str(own_words)
    elif key in SECRETS:
        reason = "is no list of texts" if key == "urls" else "is no text"
    else:
        reason = f"{quoted(merged[name].values[key])} is not {field.description}"
    return ConfigError(
        key=_full_key(name, key), source=source.detail, reason=reason, remedy=_remedy(key, field, source)
    )


def _remedy(key: str, field: FieldInfo, source: Source) -> str:
    example = (field.examples or [""])[0]
    if source.kind is SourceKind.ENVIRONMENT:
        return f"write e.g. {source.detail.split()[-1]}={example}"
    if source.kind is SourceKind.ANSWER:
        return f"type e.g. {example}"
    if source.kind is SourceKind.FLAG:
        return f"write e.g. --{key.replace('_', '-')} {example}"
    if isinstance(example, dict):
        return "write e.g. " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in example.items())
    # Text, numbers, booleans and lists are written in TOML as in JSON.
    return f"write e.g. {key} = {json.dumps(example)}"


def _full_key(section: str, key: str) -> str:
    return key if section == "sectigo" else f"{section}.{key}"


_ACCOUNT_KEYS = frozenset({"customer_uri", "login", "password", "password_command", "base_url"})


def load_settings(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    profile: str | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """Read, merge and check all settings.

    A profile's sections, in both files, are stronger than the common ones; an environment variable is stronger
    than any file, whatever profile is chosen. An empty variable is an unset one. `password_command` is stronger
    than a stored password, and is not run here.

    Args:
        paths: Where the files are.
        environ: The process's environment.
        profile: The profile to choose; None and, unless one is named so, `default` choose none.
        flags: Keys of `[sectigo]` given as flags; None values are flags not given.

    Returns:
        The settings; an account may still be missing from them, see `Settings.account`.

    Raises:
        ConfigError: Something is wrong; where several things are, `str()` names each on a line.
    """
    label = for_display(paths.config_file, environ)
    document = read_document(paths, label)
    credentials = read_credentials(paths.credentials_file)
    profile = _existing_profile(profile, document)
    config_layers = drop_outweighed(_section_layers(label, profile, document.profiles, document.sectigo))
    command_layer = next((layer for layer in config_layers if "password_command" in layer.values), None)
    merged = {
        "sectigo": merge(
            SectigoSection,
            [
                *_flag_layers(flags or {}),
                *_environment_layers(environ),
                *_command_layers(command_layer),
                *_file_layers(for_display(paths.credentials_file, environ), profile, credentials, config_layers),
            ],
        ),
        "certctl": merge(
            CertctlSection,
            drop_outweighed(
                _section_layers(label, profile, document.profiles_certctl, document.certctl, suffix="certctl")
            ),
        ),
        "ui": merge(UiSection, [Layer(SourceKind.CONFIG, f"{label} [ui]", document.ui)]),
        "metrics": merge(MetricsSection, [Layer(SourceKind.CONFIG, f"{label} [metrics]", document.metrics)]),
        "notify": merge(NotifySection, [Layer(SourceKind.CONFIG, f"{label} [notify]", document.notify)]),
    }
    sections, sources = validate(_without_command_value(merged), paths.config_file.parent)

    is_own_account = profile is not None and (
        profile in credentials or not _ACCOUNT_KEYS.isdisjoint(document.profiles[profile])
    )
    credentials_profile = profile if is_own_account else None
    password_source = sources["password"]
    return Settings(
        profile=profile,
        profiles=tuple(document.profiles),
        sectigo=sections.sectigo,
        certctl=sections.certctl,
        ui=sections.ui,
        metrics=sections.metrics,
        notify=sections.notify,
        paths=paths,
        environ=environ,
        sources=sources,
        warnings=tuple(_warnings(environ, profile, sources, is_own_account=is_own_account)),
        credentials_profile=credentials_profile,
        pending=credentials.get(credentials_profile, CredentialsEntry()).pending,
        password_command=PasswordCommand(sections.sectigo.password_command or (), password_source.detail, environ)
        if password_source.kind is SourceKind.PASSWORD_COMMAND
        else None,
        urls_command=PasswordCommand(
            sections.notify.urls_command, sources["notify.urls_command"].detail, environ, key="notify.urls_command"
        )
        if sections.notify.urls_command is not None
        else None,
    )


def _existing_profile(name: str | None, document: Document) -> str | None:
    if name is None or name in document.profiles:
        return name
    if name == "default":
        return None
    raise unknown_name("profile", f"--profile {name}", f"profile as {name}", name, document.profiles)


def _flag_layers(flags: Mapping[str, object]) -> Iterator[Layer]:
    for key, value in flags.items():
        if value is not None:
            yield Layer(SourceKind.FLAG, f"flag --{key.replace('_', '-')}", {key: value})


def _environment_layers(environ: Mapping[str, str]) -> Iterator[Layer]:
    for key, variables in ENVIRONMENT_NAMES.items():
        for variable in variables:
            if environ.get(variable):
                yield Layer(SourceKind.ENVIRONMENT, f"environment {variable}", {key: environ[variable]})


def _command_layers(configured_in: Layer | None) -> Iterator[Layer]:
    if configured_in is not None:
        detail = f"password_command of {configured_in.detail}"
        yield Layer(SourceKind.PASSWORD_COMMAND, detail, {"password": _NOT_ASKED_YET})


def _file_layers(
    label: str,
    profile: str | None,
    credentials: Mapping[str | None, CredentialsEntry],
    config_layers: list[Layer],
) -> Iterator[Layer]:
    # The profile's own sections of both files come before the common ones: a rotation of the common account
    # must not reach a profile that has credentials of its own.
    owners = [None] if profile is None else [profile, None]
    for owner, config_layer in zip(owners, config_layers, strict=True):
        entry = credentials.get(owner, CredentialsEntry())
        stored = {"login": entry.login, "password": entry.password}
        yield Layer(
            SourceKind.CREDENTIALS,
            f"{label} {section_title(owner)}",
            {key: value for key, value in stored.items() if value is not None},
        )
        yield config_layer


def _section_layers(
    label: str,
    profile: str | None,
    profiles: Mapping[str, Mapping[str, object]],
    common: Mapping[str, object],
    suffix: str = "sectigo",
) -> list[Layer]:
    layers = [Layer(SourceKind.CONFIG, f"{label} [{suffix}]", common)]
    if profile is not None:
        title = f"[profile.{profile}]" if suffix == "sectigo" else f"[profile.{profile}.{suffix}]"
        layers.insert(0, Layer(SourceKind.CONFIG, f"{label} {title}", profiles[profile]))
    return layers


_NOT_ASKED_YET = object()
"""Stands for the password that a command will print, so that it has its place in the precedence."""


def _without_command_value(merged: Mapping[str, Merged]) -> Mapping[str, Merged]:
    values = {key: value for key, value in merged["sectigo"].values.items() if value is not _NOT_ASKED_YET}
    return {**merged, "sectigo": replace(merged["sectigo"], values=values)}


def _warnings(
    environ: Mapping[str, str], profile: str | None, sources: Mapping[str, Source], *, is_own_account: bool
) -> Iterator[str]:
    known = [variable for variables in ENVIRONMENT_NAMES.values() for variable in variables]
    for variable in environ:
        if variable.startswith("CERTCTL_SECTIGO_") and variable not in known:
            near = difflib.get_close_matches(variable, known, n=1, cutoff=0.8)
            if near:
                yield f"{variable} in the environment is not used; did you mean {near[0]}?"
    if profile is None:
        return
    own_section = section_title(profile)
    for key, source in sources.items():
        if source.kind is SourceKind.ENVIRONMENT and any(own_section in loser.detail for loser in source.overridden):
            yield f"{source.detail} wins over {key} of profile {profile}"
    password = sources["password"]
    from_common_section = password.kind in (SourceKind.CREDENTIALS, SourceKind.CONFIG, SourceKind.PASSWORD_COMMAND)
    if is_own_account and from_common_section and own_section not in password.detail:
        yield f"profile {profile} is an account of its own, but its password comes from {password.detail}"
