"""Settings from flags, environment, credentials.toml, config.toml and defaults, in this order of strength."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from sectigo_tui.config.credentials import CredentialsEntry, read_credentials, section_title
from sectigo_tui.config.document import Document, read_document
from sectigo_tui.config.layers import Layer, Merged, drop_outweighed, merge
from sectigo_tui.config.model import CertctlSection, SectigoSection, UiSection
from sectigo_tui.config.password_command import PasswordCommand
from sectigo_tui.config.paths import Paths, for_display
from sectigo_tui.config.setting_errors import unknown_name
from sectigo_tui.config.settings import Settings
from sectigo_tui.config.sources import ENVIRONMENT_NAMES, Source, SourceKind
from sectigo_tui.config.validate import validate

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
        paths=paths,
        environ=environ,
        sources=sources,
        warnings=tuple(_warnings(environ, profile, sources, is_own_account=is_own_account)),
        credentials_profile=credentials_profile,
        pending=credentials.get(credentials_profile, CredentialsEntry()).pending,
        password_command=PasswordCommand(sections.sectigo.password_command or (), password_source.detail, environ)
        if password_source.kind is SourceKind.PASSWORD_COMMAND
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
