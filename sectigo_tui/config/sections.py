"""The settings that exist: a table of their types, limits, defaults and variables.

A description says what a value must be, and its example how to write it. Both go into the one line that answers a wrong
value.
"""

import re
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct, ValidationError
from msgspec.structs import fields, force_setattr

from sectigo_tui.domain.ports import SecretText

DEFAULT_POLL_MAX_WAIT_SECONDS = 600
SCM_HOST = "cert-manager.com"
"""Where SCM is logged in to; mistaken for the customer URI, which follows it in the address."""

MASK = "********"
"""What is shown in place of a secret."""

SECRETS = frozenset({"password", "api_key", "urls"})
"""Keys whose value is never shown."""

ALTERNATIVES = {
    "password": "password_command",
    "api_key": "api_key_file",
    "urls": "urls_command",
    "url": "url_command",
}
"""Pairs of which one section may set only one, and the more specific section's choice counts."""

Read = Callable[[Any, Path], object]
"""Returns a value in its final form, for its type and limits to be checked; relative paths are below the directory."""


def _as_it_is(value: Any, _: Path) -> object:
    return value


def _line(value: Any, _: Path = Path()) -> object:
    if isinstance(value, str):
        if not value or value != value.strip():
            raise ValueError("is empty, or has spaces around it")
        if not value.isprintable():
            raise ValueError("has a line break or another control character in it")
    return value


def _secret(value: Any, _: Path) -> object:
    if not isinstance(value, str):
        return value
    if not value:
        raise ValueError("is empty")
    if not value.isprintable():
        raise ValueError("has a line break or another control character in it")
    if value != value.strip():
        # No HTTP header carries one.
        raise ValueError("has a blank at its start or end")
    return SecretText(value)


def _https(value: Any, _: Path) -> object:
    if not isinstance(_line(value), str):
        return value
    from urllib.parse import urlsplit

    from sectigo_tui.domain.http import is_loopback

    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from error
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError(f"{value!r} is no https address")
    if "@" in parts.netloc:
        raise ValueError("has a login in the address")
    if parts.query or parts.fragment:
        raise ValueError("has a query or fragment in the address")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("would send the password over plain http, which only a loopback host may be reached by")
    return value.rstrip("/")


def _database(value: Any, _: Path) -> object:
    if not isinstance(_line(value), str):
        return value
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        password = parts.password
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from error
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("is no postgresql:// address")
    if password is not None or "password=" in parts.query:
        raise ValueError("has a password in it: keep that in the file that PGPASSFILE names, or set url_command")
    return value


def _customer_uri(value: Any, _: Path) -> object:
    """Reject what cannot be the last part of an address: SCM would count it as one more bad login."""
    if not isinstance(_line(value), str):
        return value
    if re.search(r"[/\\?#:]", value) or (value.casefold() == SCM_HOST or value.casefold().endswith(f".{SCM_HOST}")):
        parts = [part for part in re.split(r"[/\\?#]+|https?:", value) if part]
        path = [part for part in parts if not part.casefold().endswith(SCM_HOST) and part != "customer"]
        proposal = path[0] if path and re.fullmatch(r"[\w.~-]+", path[0], re.ASCII) else ""
        raise ValueError(
            f"{value!r} is an address, or a part of one: the customer URI is the last part alone"
            + (f", such as {proposal!r}" if proposal else "")
        )
    if not value.isascii() or re.search(r"[\s\"'`<>%@{}|^,;\[\]]", value):
        raise ValueError(f"{value!r} holds a character that the last part of an address cannot hold")
    return value


def _command(value: Any, _: Path) -> object:
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"cannot be split into words: {error}") from error
    if isinstance(value, list):
        if not value:
            raise ValueError("is empty")
        return tuple(_line(word) for word in value)
    return value


def _path(value: Any, base: Path) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base / Path(value).expanduser()
    except RuntimeError:
        raise ValueError(f"{value} has a ~ of nobody's home") from None


def _readable(value: Any, base: Path) -> object:
    path = _path(value, base)
    if isinstance(path, Path):
        if not path.is_file():
            raise ValueError(f"{path} is no file")
        try:
            with path.open("rb"):
                return path
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return path


def address_and_port(value: str) -> tuple[str, int]:
    """Return the two of `HOST:PORT`, or of `[IPV6]:PORT`.

    Raises:
        ValueError: It is neither, or no port is of that number.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(f"//{value}")
        address, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{value!r} is no HOST:PORT: {error}") from error
    if not address or port is None or parts.netloc != value or re.search(r"[@\s]", value):
        raise ValueError(f"{value!r} is no HOST:PORT, such as 127.0.0.1:9808")
    return address, port


def _listen(value: Any, _: Path) -> object:
    if isinstance(value, str):
        address_and_port(value)
    return value


def _urls(value: Any, base: Path) -> object:
    if not isinstance(value, list | str):
        return value
    urls = [value] if isinstance(value, str) else value
    if any(isinstance(url, str) and not re.match(r"\w+://\S+$", url) for url in urls):
        # Not shown: a token is what it mostly consists of.
        raise ValueError("has an address that is no SCHEME://...")
    return tuple(_secret(url, base) for url in urls)


def _quiet(value: Any, _: Path) -> object:
    if isinstance(value, str):
        time = r"([01]\d|2[0-3]):[0-5]\d"
        if not re.fullmatch(f"{time}-{time}", value) or value[:5] == value[6:]:
            raise ValueError(f"{value!r} is no time of day from HH:MM-HH:MM")
    return value


def _keys(value: Any, _: Path) -> object:
    if isinstance(value, dict):
        return {action: keys and _line(keys) for action, keys in value.items()}
    return value


def _by_level(value: Any, _: Path) -> object:
    return {str(level).upper(): choice for level, choice in value.items()} if isinstance(value, dict) else value


def _templates(value: Any, _: Path) -> object:
    if isinstance(value, dict):
        # Not where nobody has a template of his own: the first paint waits for all settings.
        from sectigo_tui.domain.messages import Recipient, check_template

        for name, template in value.items():
            if name not in [*Recipient]:
                raise ValueError(f"names {name!r}, which is no recipient; they are {', '.join(Recipient)}")
            if isinstance(template, str):
                try:
                    check_template(template)
                except ValueError as error:
                    raise ValueError(f"{name} {error}") from None
    return value


def _is(description: str, example: object, read: Read = _as_it_is, *variables: str, **limits: Any) -> Meta:
    """Return what a key's annotation says of it.

    Args:
        description: What a value must be.
        example: How to write one.
        read: Brings it to its final form.
        variables: The environment variables that set it, strongest first.
        limits: Those of `msgspec.Meta`.
    """
    return Meta(description=description, examples=[example], extra={"read": read, "variables": variables}, **limits)


# What may be unset has its limits at a type of its own: msgspec takes none at a union with None.
Id = Annotated[int, Meta(ge=1)]
OnDeadline = Literal["stop", "reopen"]
Band = Annotated[str, Meta(max_length=16)]


class Section(Struct, frozen=True):
    """One section; its `repr` shows what may be shown."""

    prefix: ClassVar[str] = ""
    """What stands before a key outside of the section."""

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={shown(key, getattr(self, key))}" for key in self.__struct_fields__)
        return f"{type(self).__name__}({values})"


class SectigoSection(Section, frozen=True):
    """`[sectigo]`, and each `[profile.NAME]` over it: an account, and how it is polled."""

    customer_uri: Annotated[
        str | None,
        _is(
            "the customer URI: the last part of the address you log in to SCM at",
            "acme",
            _customer_uri,
            "CERTCTL_SECTIGO_CUSTOMER_URI",
        ),
    ] = None
    login: Annotated[str | None, _is("the API account's login", "api-user", _line, "CERTCTL_SECTIGO_LOGIN")] = None
    password: Annotated[
        SecretText | None, _is("the API account's password", "...", _secret, "CERTCTL_SECTIGO_PASSWORD")
    ] = None
    password_command: Annotated[
        tuple[str, ...] | None,
        _is("a command that prints the password, run without a shell", ["pass", "show", "scm/api"], _command),
    ] = None
    org_id: Annotated[
        Id | None, _is("the organization's id, a whole number above 0", 1234, _as_it_is, "CERTCTL_SECTIGO_ORG_ID")
    ] = None
    cert_type: Annotated[
        Id | None, _is("a certificate profile's id, a whole number above 0", 77, _as_it_is, "CERTCTL_SECTIGO_CERT_TYPE")
    ] = None
    term: Annotated[int, _is("a validity of 1 to 3650 days", 365, _as_it_is, "CERTCTL_SECTIGO_TERM", ge=1, le=3650)] = (
        365
    )
    base_url: Annotated[
        str,
        _is(
            "the API's https address (http for a loopback host only)",
            "https://cert-manager.com/api",
            _https,
            "CERTCTL_SECTIGO_BASE_URL",
        ),
    ] = "https://cert-manager.com/api"
    poll_max_wait_seconds: Annotated[
        int,
        _is(
            "a whole number of seconds, at most a year (0: 600)",
            600,
            _as_it_is,
            "CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS",
            "CERTCTL_ASYNC_POLL_MAX_WAIT_SECONDS",
            ge=0,
            le=31_536_000,
        ),
    ] = DEFAULT_POLL_MAX_WAIT_SECONDS
    on_deadline: Annotated[
        OnDeadline | dict[Literal["DV", "OV", "EV"], OnDeadline],
        _is('"stop" or "reopen", or a table of them by validation level: DV, OV, EV', "stop", _by_level),
    ] = "stop"
    renewal_margin_days: Annotated[
        int, _is("a number of days, 0 to 365: how much earlier than the latest a renewal is ordered", 7, ge=0, le=365)
    ] = 7
    retention_days: Annotated[int, _is("a number of days, 1 to 36500", 400, ge=1, le=36_500)] = 400
    ca_bundle: Annotated[
        Path | None, _is("a readable PEM file of trusted CAs", "/etc/ssl/certs/ca-certificates.crt", _readable)
    ] = None
    connect_timeout_seconds: Annotated[float, _is("a number of seconds, above 0 and at most 600", 10, gt=0, le=600)] = (
        10
    )
    read_timeout_seconds: Annotated[float, _is("a number of seconds, above 0 and at most 600", 60, gt=0, le=600)] = 60
    requests_in_flight: Annotated[int, _is("a whole number from 1 to 10", 4, ge=1, le=10)] = 4
    dns_lookups: Annotated[
        bool, _is("true or false: whether diagnosis looks up CAA and DCV records in the DNS (extra dns)", False)
    ] = False
    read_only: Annotated[bool, _is("true or false", False)] = False
    environment: Annotated[Band | None, _is("a band of at most 16 characters", "PROD", _line)] = None
    environment_color: Annotated[
        Literal["auto", "red", "yellow", "green", "blue", "magenta"],
        _is("auto, red, yellow, green, blue or magenta", "auto"),
    ] = "auto"

    def __post_init__(self) -> None:
        if not self.poll_max_wait_seconds:
            force_setattr(self, "poll_max_wait_seconds", DEFAULT_POLL_MAX_WAIT_SECONDS)


class CertctlSection(Section, frozen=True):
    """`[certctl]`, and each `[profile.NAME.certctl]` over it: the server that gets rotated credentials too."""

    prefix: ClassVar[str] = "certctl."

    url: Annotated[
        str | None,
        _is(
            "certctl-server's https address (http for a loopback host only)",
            "https://certctl.example.com:8443",
            _https,
        ),
    ] = None
    api_key: Annotated[SecretText | None, _is("an API key of certctl-server", "...", _secret)] = None
    api_key_file: Annotated[
        Path | None, _is("a file that holds the API key", "/run/secrets/certctl-api-key", _path)
    ] = None
    issuer_id: Annotated[str | None, _is("the id of the Sectigo issuer there", "iss-sectigo", _line)] = None
    ca_bundle: Annotated[Path | None, _is("a readable PEM file of trusted CAs", "/etc/certctl/ca.pem", _readable)] = (
        None
    )


class StoreSection(Section, frozen=True):
    """`[store]`: the database that a team shares, the same for every profile; unset for a directory of one's own."""

    prefix: ClassVar[str] = "store."

    url: Annotated[
        str | None,
        _is(
            "a postgresql:// address without a password (extra postgres)",
            "postgresql://scm@db.example.com/sectigo",
            _database,
        ),
    ] = None
    url_command: Annotated[
        tuple[str, ...] | None,
        _is(
            "a command that prints that address with the password, run without a shell",
            ["pass", "show", "scm/database"],
            _command,
        ),
    ] = None


class UiSection(Section, frozen=True):
    """`[ui]`: the screen, the same for every profile."""

    prefix: ClassVar[str] = "ui."

    theme: Annotated[
        Literal["auto", "dark", "light", "safe", "16", "mono"], _is("auto, dark, light, safe, 16 or mono", "auto")
    ] = "auto"
    ascii: Annotated[bool | None, _is("true or false (unset: by the locale)", False)] = None
    mouse: Annotated[bool | None, _is("true or false (unset: true, but not in GNU screen)", True)] = None
    remote_refresh_seconds: Annotated[int, _is("a whole number of seconds from 10 to 86400", 60, ge=10, le=86_400)] = 60
    on_event: Annotated[
        tuple[str, ...] | None,
        _is("a command that is given each event as JSON on stdin, run without a shell", ["notify-on-call"], _command),
    ] = None
    messages: Annotated[
        dict[str, str],
        _is(
            "a table of approver, dns, organization or sectigo = a template, its first line the subject",
            {"approver": "Please approve {common_name}"},
            _templates,
        ),
    ] = {}
    keys: Annotated[
        dict[str, str], _is("a table of action = keys, separated by commas, empty for none", {"poll": "r,f5"}, _keys)
    ] = {}


class MetricsSection(Section, frozen=True):
    """`[metrics]`: what `watch` exports to Prometheus, the same for every profile."""

    prefix: ClassVar[str] = "metrics."

    listen: Annotated[
        str | None, _is("an address and a port to listen at, as HOST:PORT", "127.0.0.1:9808", _listen)
    ] = None
    file: Annotated[
        Path | None,
        _is(
            "a file for node_exporter's textfile collector",
            "/var/lib/node_exporter/textfile/sectigo-tui.prom",
            _path,
        ),
    ] = None
    order_names: Annotated[
        bool, _is("true or false: whether the oldest pending orders are exported by name", False)
    ] = False


class NotifySection(Section, frozen=True):
    """`[notify]`: where `watch` sends notifications, the same for every profile."""

    prefix: ClassVar[str] = "notify."

    urls: Annotated[
        tuple[SecretText, ...] | None,
        _is("a list of Apprise addresses", ["slack://TokenA/TokenB/TokenC/#on-call"], _urls),
    ] = None
    urls_command: Annotated[
        tuple[str, ...] | None,
        _is(
            "a command that prints the addresses on one line, run without a shell",
            ["pass", "show", "scm/notify"],
            _command,
        ),
    ] = None
    quiet: Annotated[
        str | None,
        _is("a time of day in which nothing is sent, in this host's time zone", "22:00-06:30", _quiet),
    ] = None


SECTIONS: dict[str, type[Section]] = {
    "sectigo": SectigoSection,
    "certctl": CertctlSection,
    "store": StoreSection,
    "ui": UiSection,
    "metrics": MetricsSection,
    "notify": NotifySection,
}
"""All of them, by name."""


class Setting(Struct, frozen=True):
    """What a section says of one of its keys.

    Args:
        key: The key.
        kind: The type of a value, with its limits.
        default: The value when it is not set.
        meta: The rest, as `_is` makes it.
    """

    key: str
    kind: Any
    default: object
    meta: Meta

    @property
    def description(self) -> str:
        """What a value must be."""
        return self.meta.description or ""

    @property
    def example(self) -> object:
        """How to write one."""
        return (self.meta.examples or [""])[0]

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that set it, strongest first."""
        return (self.meta.extra or {})["variables"]  # type: ignore[no-any-return]  # as `_is` has made it

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts that it may be; none where it is no choice."""
        kind, *_ = get_args(self.kind)
        return get_args(kind) if get_origin(kind) is Literal else ()

    def parsed(self, value: object, base: Path) -> object:
        """Return what was written as it is used.

        Args:
            value: What TOML, the environment or the operator gave.
            base: What a relative path is relative to.

        Raises:
            ValueError: It is wrong, for the reason that the error says.
            ValidationError: It is not what the description says.
        """
        final = (self.meta.extra or {})["read"](value, base)
        parsed = msgspec.convert(final, self.kind, strict=not isinstance(final, str))
        if parsed is None:
            raise ValidationError("is what JSON has for no value")
        return parsed


@cache
def settings_in(section: type[Section]) -> dict[str, Setting]:
    """Return the settings of a section by key, in their order."""
    return {
        field.name: Setting(
            field.name, field.type, {} if field.default is NODEFAULT else field.default, field.type.__metadata__[0]
        )
        for field in fields(section)
    }


def shown(key: str, value: object) -> str:
    """Return a value for display: secrets masked, unset as empty text, a command by its program alone."""
    if value is None or value == {}:
        return ""
    if key in SECRETS or isinstance(value, SecretText):
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        # Arguments can hold a token of the secret manager.
        return f"{value[0]} ..." if len(value) > 1 else "".join(map(str, value))
    return value if isinstance(value, str) else quoted(value)


def quoted(value: object) -> str:
    """Return a value for an error's one line: short, without line breaks, a boolean as TOML has it."""
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
