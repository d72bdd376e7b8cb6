"""The settings of one run, each with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from sectigo_tui.config.credentials import PendingCredentials, section_title
from sectigo_tui.config.files import raise_all
from sectigo_tui.config.paths import Paths
from sectigo_tui.config.sections import (
    CertctlSection,
    MetricsSection,
    NotifySection,
    SectigoSection,
    StoreSection,
    UiSection,
    settings_in,
)
from sectigo_tui.domain.errors import ConfigError, PasswordCommandFailed
from sectigo_tui.domain.ports import SecretText

if TYPE_CHECKING:
    from sectigo_tui.config.password_command import PasswordCommand


class SourceKind(StrEnum):
    """The places a value can come from, strongest first."""

    ANSWER = "answer"
    FLAG = "flag"
    ENVIRONMENT = "environment"
    PASSWORD_COMMAND = "password_command"  # noqa: S105 - the name of a place, no password
    CREDENTIALS = "credentials.toml"
    CONFIG = "config.toml"
    DEFAULT = "default"


class Source(Struct, frozen=True):
    """One value's origin.

    Args:
        kind: What kind of place.
        detail: The place in words, such as `environment CERTCTL_SECTIGO_LOGIN`.
        value: The value for display; `********` for a secret, empty when unset.
        overridden: Weaker places that set the key too, strongest first.
    """

    kind: SourceKind
    detail: str
    value: str = ""
    overridden: tuple[Source, ...] = ()

    @property
    def wins_over_credentials(self) -> bool:
        """Whether a value written to credentials.toml would lose against this one at the next start."""
        return self.kind in (SourceKind.FLAG, SourceKind.ENVIRONMENT, SourceKind.PASSWORD_COMMAND)


class Account(Struct, frozen=True):
    """Which SCM account, and as whom.

    Args:
        base_url: The API's address, without a slash at its end.
        customer_uri: The customer URI.
        login: The login.
    """

    base_url: str
    customer_uri: str
    login: str


class CertctlServer(Struct, frozen=True):
    """The certctl-server that gets rotated credentials too.

    Args:
        url: Its address, without a slash at its end.
        api_key: Its API key.
        issuer_id: The Sectigo issuer there.
        ca_bundle: The CAs it is trusted by, None for the usual ones.
    """

    url: str
    api_key: SecretText
    issuer_id: str
    ca_bundle: Path | None


class Settings(Struct, frozen=True):
    """All settings, merged and checked.

    Args:
        profile: The chosen profile, None without one.
        profiles: All profiles that exist.
        sectigo: The account and how it is polled.
        certctl: The certctl-server to tell about rotations; its `url` is None without one.
        store: The database that a team shares; nothing of it is set without one.
        ui: The screen.
        metrics: What `watch` exports to Prometheus.
        notify: Where `watch` sends notifications.
        paths: The files.
        environ: The environment they were read from.
        sources: Origin of each key: `term`, `certctl.url`, `ui.theme`...
        warnings: What is allowed and yet perhaps not meant, one line each.
        credentials_profile: The section of credentials.toml that holds this account's credentials, for
            `write_credentials` and its kin: the profile where it has a login of its own, else None.
        pending: An interrupted password change, to be settled before anything is sent.
        password_command: Where the password comes from, when it is a command.
        urls_command: Where the addresses of notifications come from, when it is a command.
        debug_log: The file that requests are logged to, redacted; None for none.
    """

    profile: str | None
    profiles: tuple[str, ...]
    sectigo: SectigoSection
    certctl: CertctlSection
    store: StoreSection
    ui: UiSection
    metrics: MetricsSection
    notify: NotifySection
    paths: Paths
    environ: Mapping[str, str]
    sources: Mapping[str, Source]
    warnings: tuple[str, ...]
    credentials_profile: str | None
    pending: PendingCredentials | None
    password_command: PasswordCommand | None
    urls_command: PasswordCommand | None
    debug_log: Path | None = None

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={source.value} ({source.detail})" for key, source in self.sources.items())
        return f"Settings({values})"

    @property
    def is_read_only_by_flag(self) -> bool:
        """Whether `--read-only` was given, which nothing takes back while the program runs."""
        return self.sources["read_only"].kind is SourceKind.FLAG

    @property
    def unconfigured(self) -> bool:
        """Whether nothing names an account at all: the first run."""
        return all(getattr(self.sectigo, key) is None for key in ("customer_uri", "login", "password")) and (
            self.password_command is None
        )

    def account(self) -> Account:
        """Return the account.

        Raises:
            ConfigError: The customer URI, the login or any way to the password is missing; all that are.
        """
        missing = [
            self._missing(key)
            for key in ("customer_uri", "login", "password")
            if getattr(self.sectigo, key) is None and not (key == "password" and self.password_command)
        ]
        raise_all(missing)
        return Account(self.sectigo.base_url, self.sectigo.customer_uri or "", self.sectigo.login or "")

    def resolve_password(self, *, may_prompt: bool = False) -> SecretText:
        """Return the password, asking `password_command` where one is set; that may block for seconds.

        Args:
            may_prompt: Whether no screen has the terminal, so that the command may ask the operator something there.

        Raises:
            PasswordCommandFailed: The command tells none now.
            ConfigError: There is none.
        """
        if self.password_command is not None:
            return self.password_command.run(may_prompt=may_prompt)
        if self.sectigo.password is None:
            raise self._missing("password")
        return self.sectigo.password

    def ask_password_again(self) -> SecretText:
        """Return what `password_command` prints now; it cannot ask the operator anything.

        Raises:
            PasswordCommandFailed: It tells none now.
            ConfigError: There is no such command.
        """
        command = self.password_command
        if command is None:
            raise self._missing("password")
        return type(command)(command.arguments, command.source, command.environ, command.timeout_seconds).run()

    def notification_urls(self, *, may_prompt: bool = False) -> tuple[SecretText, ...]:
        """Return where notifications go, asking `urls_command` where one is set; that may block for seconds.

        Args:
            may_prompt: Whether no screen has the terminal, so that the command may ask the operator something there.

        Raises:
            PasswordCommandFailed: The command tells none now.
        """
        if self.urls_command is not None:
            return tuple(map(SecretText, self.urls_command.run(may_prompt=may_prompt).reveal().split()))
        return self.notify.urls or ()

    def store_url(self, *, may_prompt: bool = False) -> SecretText | None:
        """Return the team database's address, asking `url_command` where one is set; None without a database.

        Args:
            may_prompt: Whether no screen has the terminal, so that the command may ask the operator something there.

        Raises:
            ConfigError: The command tells none.
        """
        if self.store.url_command is None:
            return None if self.store.url is None else SecretText(self.store.url)
        from sectigo_tui.config.password_command import PasswordCommand

        command = PasswordCommand(self.store.url_command, self.sources["store.url_command"].detail, self.environ)
        try:
            told = command.run(may_prompt=may_prompt)
        except PasswordCommandFailed as failure:
            raise ConfigError(
                key="store.url_command",
                source=failure.source,
                reason=failure.reason,
                remedy="run the command by hand: it must print the address alone on its first line",
            ) from None
        if not told.reveal().startswith(("postgresql://", "postgres://")):
            raise ConfigError(
                key="store.url_command",
                source=self.sources["store.url_command"].detail,
                reason="what it prints is no postgresql:// address",
                remedy="run the command by hand: it must print the address alone on its first line",
            )
        return told

    def certctl_server(self) -> CertctlServer | None:
        """Return the certctl-server, None when no `url` is set; reads `api_key_file`.

        Raises:
            ConfigError: The URL is set and something else is missing, or the key's file cannot be used.
        """
        if self.certctl.url is None:
            return None
        missing = [] if self.certctl.issuer_id else [self._certctl_missing("issuer_id")]
        if self.certctl.api_key is None and self.certctl.api_key_file is None:
            missing.append(self._certctl_missing("api_key_file"))
        raise_all(missing)
        api_key = self.certctl.api_key or self._api_key_from_file()
        return CertctlServer(self.certctl.url, api_key, self.certctl.issuer_id or "", self.certctl.ca_bundle)

    def _api_key_from_file(self) -> SecretText:
        path, source = self.certctl.api_key_file or Path(), self.sources["certctl.api_key_file"].detail
        try:
            key = path.read_text(encoding="utf-8-sig").strip()
            reason = "" if key and key.isprintable() else "does not hold one line of text"
        except (OSError, UnicodeDecodeError) as error:
            key, reason = "", f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        if reason:
            raise ConfigError(
                key="certctl.api_key_file",
                source=source,
                reason=f"{path} {reason}",
                remedy="name a file that holds the API key alone",
            )
        return SecretText(key)

    def _certctl_missing(self, key: str) -> ConfigError:
        return ConfigError(
            key=f"certctl.{key}",
            source="not set",
            reason=f"certctl.url is set, so this is needed: {settings_in(CertctlSection)[key].description}",
            remedy=f'write {key} = "..." in [certctl] of {self.paths.config_file}',
        )

    def _missing(self, key: str) -> ConfigError:
        setting = settings_in(SectigoSection)[key]
        return ConfigError(
            key=key,
            source="not set",
            reason=f"needed: {setting.description}",
            remedy=(
                f'write {key} = "..." in {section_title(self.profile)} of {self.paths.config_file}, '
                f"or set {setting.variables[0]}"
            ),
        )
