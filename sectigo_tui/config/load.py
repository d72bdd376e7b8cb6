"""The one reader of settings: flags, environment, credentials.toml, config.toml, defaults, in this order of strength.

It is read before the first paint: nothing is loaded here that only a wrong or a rare setting needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, ValidationError
from msgspec.structs import replace

from sectigo_tui.config.credentials import CredentialsEntry, read_credentials, section_title
from sectigo_tui.config.files import Table, check_private, raise_all, read_toml, unknown_name
from sectigo_tui.config.paths import Paths, for_display
from sectigo_tui.config.sections import (
    ALTERNATIVES,
    SECRETS,
    SECTIONS,
    CertctlSection,
    MetricsSection,
    NotifySection,
    SectigoSection,
    Section,
    Setting,
    StoreSection,
    UiSection,
    quoted,
    settings_in,
    shown,
)
from sectigo_tui.config.settings import Settings, Source, SourceKind
from sectigo_tui.domain.errors import ConfigError

S = TypeVar("S", bound=Section)


class Layer(Struct, frozen=True):
    """A place that sets some keys of a section.

    Args:
        kind: What kind of place.
        detail: The place in words.
        values: What it sets, unchecked.
    """

    kind: SourceKind
    detail: str
    values: Mapping[str, object]


def read_section(
    section: type[S], layers: Sequence[Layer], base_directory: Path
) -> tuple[S, dict[str, Source], list[ConfigError]]:
    """Return a section of the strongest value of each key.

    Args:
        section: The section.
        layers: What sets its keys, strongest first.
        base_directory: What relative paths are relative to.

    Returns:
        The section, the origin of each key with its value as it is used, and an error for each wrong value, which is
        left at its default.
    """
    values: dict[str, object] = {}
    origins: dict[str, list[Layer]] = {}
    errors: list[ConfigError] = []
    settings = settings_in(section)
    for key, setting in settings.items():
        origins[key] = [layer for layer in layers if key in layer.values]
        # What a command will print has its place among the passwords, and is not known yet.
        if origins[key] and origins[key][0].kind is not SourceKind.PASSWORD_COMMAND:
            try:
                values[key] = setting.parsed(origins[key][0].values[key], base_directory)
            except ValidationError:
                errors.append(_wrong(section, setting, origins[key][0]))
            except ValueError as error:
                errors.append(_wrong(section, setting, origins[key][0], str(error)))
    made = section(**values)
    sources = {f"{section.prefix}{key}": _source(key, getattr(made, key), origins[key]) for key in settings}
    return made, sources, errors


def _source(key: str, value: object, layers: Sequence[Layer]) -> Source:
    if not layers:
        return Source(SourceKind.DEFAULT, "default", shown(key, value))
    first, *others = (Source(layer.kind, layer.detail, shown(key, layer.values[key])) for layer in layers)
    used = first.value if first.kind is SourceKind.PASSWORD_COMMAND else shown(key, value)
    return replace(first, value=used, overridden=tuple(others))


def _wrong(section: type[Section], setting: Setting, layer: Layer, reason: str = "") -> ConfigError:
    value = layer.values[setting.key]
    if not reason:
        reason = "is no text" if setting.key in SECRETS else f"{quoted(value)} is not {setting.description}"
    return ConfigError(
        key=f"{section.prefix}{setting.key}",
        source=layer.detail,
        reason=reason,
        remedy=_remedy(setting, layer, value),
    )


def _remedy(setting: Setting, layer: Layer, value: object) -> str:
    import json
    from difflib import get_close_matches

    near = get_close_matches(str(value), setting.choices, n=1)
    if near:
        return f"did you mean {near[0]}?"
    example = setting.example
    match layer.kind:
        case SourceKind.ENVIRONMENT:
            return f"write e.g. {layer.detail.split()[-1]}={example}"
        case SourceKind.ANSWER:
            return f"type e.g. {example}"
        case SourceKind.FLAG:
            return f"write e.g. {layer.detail.split()[-1]} {example}"
    if isinstance(example, dict):
        return "write e.g. " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in example.items())
    # Text, numbers, booleans and lists are written in TOML as in JSON.
    return f"write e.g. {setting.key} = {json.dumps(example)}"


_SECTIONS = (*SECTIONS, "profile")


class Document(Struct, frozen=True):
    """The configuration file's sections; values are not checked yet.

    Args:
        label: How the file is named to the operator.
        profiles: The names of its profiles.
        tables: Its sections by title, such as `[ui]`; each profile has its own two.
    """

    label: str
    profiles: tuple[str, ...]
    tables: Mapping[str, Table]

    def layers(self, *titles: str) -> list[Layer]:
        """Return sections, the strongest first, such that of two alternatives only the more specific is left.

        A profile's `password_command` outweighs the common `password`, and the other way round.
        """
        kept: list[Layer] = []
        gone: set[str] = set()
        for title in titles:
            values = {key: value for key, value in self.tables[title].items() if key not in gone}
            kept.append(Layer(SourceKind.CONFIG, f"{self.label} {title}", values))
            for pair in ALTERNATIVES.items():
                for key, other in (pair, pair[::-1]):
                    if key in self.tables[title]:
                        gone.add(other)
        return kept


def _certctl_title(profile: str) -> str:
    return f"[profile.{profile}.certctl]"


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
    profiles = sections.pop("profile")
    tables: dict[str, Table] = {}
    for name in profiles:
        title, certctl_title = section_title(name), _certctl_title(name)
        profile = dict(_table(profiles, name, title, label, errors))
        tables[certctl_title] = _table(profile, "certctl", certctl_title, label, errors)
        profile.pop("certctl", None)
        tables[title] = profile
        errors += _wrong_names(SectigoSection, profile, f"{label} {title}")
        errors += _wrong_names(CertctlSection, tables[certctl_title], f"{label} {certctl_title}")
    for name, section in SECTIONS.items():
        tables[f"[{name}]"] = sections[name]
        errors += _wrong_names(section, sections[name], f"{label} [{name}]")
    raise_all(errors)
    return Document(label, tuple(profiles), tables)


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


def _wrong_names(section: type[Section], table: Table, source: str) -> list[ConfigError]:
    """Return an error for each key of a section that does not exist, or that rules another out."""
    known, prefix = section.__struct_fields__, section.prefix
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


_ACCOUNT_KEYS = frozenset({"customer_uri", "login", "password", "password_command", "base_url"})


def load_settings(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    profile: str | None = None,
    flags: Mapping[str, object] | None = None,
    debug_log: Path | None = None,
) -> Settings:
    """Read, merge and check all settings.

    A profile's sections, in both files, are stronger than the common ones; an environment variable is stronger
    than any file, whatever profile is chosen. An empty variable is an unset one. `password_command` is stronger
    than a stored password, and is not run here.

    Args:
        paths: Where the files are.
        environ: The process's environment.
        profile: The profile to choose; None and, unless one is named so, `default` choose none.
        flags: Values given as flags, by key: `read_only`, `ui.theme`...; None values are flags not given.
        debug_log: The file that requests are logged to.

    Returns:
        The settings; an account may still be missing from them, see `Settings.account`.

    Raises:
        ConfigError: Something is wrong; where several things are, `str()` names each on a line.
    """
    document = read_document(paths, for_display(paths.config_file, environ))
    credentials = read_credentials(paths.credentials_file)
    profile = _existing_profile(profile, document)
    own, own_certctl = ([section_title(profile)], [_certctl_title(profile)]) if profile is not None else ([], [])
    config_layers = document.layers(*own, "[sectigo]")
    command_layer = next((layer for layer in config_layers if "password_command" in layer.values), None)
    flags, sources, errors = flags or {}, dict[str, Source](), list[ConfigError]()

    def read(section: type[S], layers: Sequence[Layer]) -> S:
        values, its_sources, its_errors = read_section(section, layers, paths.config_file.parent)
        sources.update(its_sources)
        errors.extend(its_errors)
        return values

    sectigo = read(
        SectigoSection,
        [
            *_flag_layers(SectigoSection, flags),
            *_environment_layers(environ),
            *_command_layers(command_layer),
            *_file_layers(for_display(paths.credentials_file, environ), profile, credentials, config_layers),
        ],
    )
    certctl = read(CertctlSection, document.layers(*own_certctl, "[certctl]"))
    store = read(StoreSection, document.layers("[store]"))
    ui = read(UiSection, [*_flag_layers(UiSection, flags), *document.layers("[ui]")])
    metrics = read(MetricsSection, document.layers("[metrics]"))
    notify = read(NotifySection, document.layers("[notify]"))
    raise_all(errors)

    is_own_account = profile is not None and (
        profile in credentials or not _ACCOUNT_KEYS.isdisjoint(document.tables[section_title(profile)])
    )
    credentials_profile = profile if is_own_account else None
    password_command = urls_command = None
    if sources["password"].kind is SourceKind.PASSWORD_COMMAND:
        from sectigo_tui.config.password_command import PasswordCommand

        password_command = PasswordCommand(sectigo.password_command or (), sources["password"].detail, environ)
    if notify.urls_command is not None:
        from sectigo_tui.config.password_command import PasswordCommand

        key = "notify.urls_command"
        urls_command = PasswordCommand(notify.urls_command, sources[key].detail, environ, key=key)
    return Settings(
        profile=profile,
        profiles=document.profiles,
        sectigo=sectigo,
        certctl=certctl,
        store=store,
        ui=ui,
        metrics=metrics,
        notify=notify,
        paths=paths,
        environ=environ,
        sources=sources,
        warnings=tuple(_warnings(environ, profile, sources, is_own_account=is_own_account)),
        credentials_profile=credentials_profile,
        pending=credentials.get(credentials_profile, CredentialsEntry()).pending,
        password_command=password_command,
        urls_command=urls_command,
        debug_log=debug_log,
    )


def _existing_profile(name: str | None, document: Document) -> str | None:
    if name is None or name in document.profiles:
        return name
    if name == "default":
        return None
    raise unknown_name("profile", f"--profile {name}", f"profile as {name}", name, document.profiles)


def _flag_layers(section: type[Section], flags: Mapping[str, object]) -> Iterator[Layer]:
    for key in section.__struct_fields__:
        value = flags.get(f"{section.prefix}{key}")
        if value is not None:
            flag = f"--{'no-' if value is False else ''}{key.replace('_', '-')}"
            yield Layer(SourceKind.FLAG, f"flag {flag}", {key: value})


def _environment_layers(environ: Mapping[str, str]) -> Iterator[Layer]:
    for key, setting in settings_in(SectigoSection).items():
        for variable in setting.variables:
            if environ.get(variable):
                yield Layer(SourceKind.ENVIRONMENT, f"environment {variable}", {key: environ[variable]})


def _command_layers(configured_in: Layer | None) -> Iterator[Layer]:
    if configured_in is not None:
        detail = f"password_command of {configured_in.detail}"
        yield Layer(SourceKind.PASSWORD_COMMAND, detail, {"password": "not asked yet"})


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
        stored = {"login": entry.login, "password": entry.password and entry.password.reveal()}
        yield Layer(
            SourceKind.CREDENTIALS,
            f"{label} {section_title(owner)}",
            {key: value for key, value in stored.items() if value is not None},
        )
        yield config_layer


def _warnings(
    environ: Mapping[str, str], profile: str | None, sources: Mapping[str, Source], *, is_own_account: bool
) -> Iterator[str]:
    known = [variable for setting in settings_in(SectigoSection).values() for variable in setting.variables]
    for variable in environ:
        if variable.startswith("CERTCTL_SECTIGO_") and variable not in known:
            from difflib import get_close_matches

            near = get_close_matches(variable, known, n=1, cutoff=0.8)
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
