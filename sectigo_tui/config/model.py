"""The settings that exist, their types, limits and defaults.

A field's description says what a value must be and its first example how to write it: both go into the one
line that answers a wrong value, and into `config.example.toml`.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    ValidationInfo,
)

from sectigo_tui.domain.http import is_loopback
from sectigo_tui.domain.messages import Recipient, check_template

DEFAULT_POLL_MAX_WAIT_SECONDS = 600
SCM_HOST = "cert-manager.com"
"""Where SCM is logged in to; mistaken for the customer URI, which follows it in the address."""


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


def _one_line(value: str) -> str:
    if not value or value != value.strip():
        raise ValueError("is empty, or has spaces around it")
    if any(not character.isprintable() for character in value):
        raise ValueError("has a line break or another control character in it")
    return value


def _one_line_secret(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret:
        raise ValueError("is empty")
    if any(not character.isprintable() for character in secret):
        raise ValueError("has a line break or another control character in it")
    if secret != secret.strip():
        # No HTTP header carries one.
        raise ValueError("has a blank at its start or end")
    return value


def _https(value: str) -> str:
    try:
        parts = urlsplit(_one_line(value))
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


def _customer_uri(value: str) -> str:
    """Refuse what cannot be the last part of an address: SCM would count it as one more bad login."""
    uri = _one_line(value)
    parts = [part for part in re.split(r"[/\\?#]+|https?:", uri) if part]
    if re.search(r"[/\\?#:]", uri) or (uri.casefold() == SCM_HOST or uri.casefold().endswith(f".{SCM_HOST}")):
        path = [part for part in parts if not part.casefold().endswith(SCM_HOST) and part != "customer"]
        proposal = path[0] if path and re.fullmatch(r"[\w.~-]+", path[0], re.ASCII) else ""
        raise ValueError(
            f"{value!r} is an address, or a part of one: the customer URI is the last part alone"
            + (f", such as {proposal!r}" if proposal else "")
        )
    if not uri.isascii() or re.search(r"[\s\"'`<>%@{}|^,;\[\]]", uri):
        raise ValueError(f"{value!r} holds a character that the last part of an address cannot hold")
    return uri


def _command(value: object) -> object:
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"cannot be split into words: {error}") from error
    if isinstance(value, list | tuple) and not value:
        raise ValueError("is empty")
    return value


def _path(value: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base_directory", Path())
    try:
        return Path(base, value.expanduser())
    except RuntimeError:
        raise ValueError(f"{value} has a ~ of nobody's home") from None


def _readable(value: Path) -> Path:
    if not value.is_file():
        raise ValueError(f"{value} is no file")
    try:
        with value.open("rb"):
            return value
    except OSError as error:
        raise ValueError(f"{value} cannot be read: {error.strerror}") from error


Line = Annotated[str, AfterValidator(_one_line)]
CustomerUri = Annotated[str, AfterValidator(_customer_uri)]
LineOrNothing = Annotated[str, AfterValidator(lambda text: text and _one_line(text))]
Secret = Annotated[SecretStr, AfterValidator(_one_line_secret)]
Whole = Annotated[int, BeforeValidator(_no_boolean)]
Seconds = Annotated[float, BeforeValidator(_no_boolean)]
Command = Annotated[tuple[Line, ...], BeforeValidator(_command)]
ServerUrl = Annotated[str, AfterValidator(_https)]
FilePath = Annotated[Path, AfterValidator(_path)]


def _template(value: str) -> str:
    check_template(value)
    return value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SectigoSection(_Section):
    """`[sectigo]`, and each `[profile.NAME]` over it: an account, and how it is polled."""

    customer_uri: CustomerUri | None = Field(
        None, description="the customer URI: the last part of the address you log in to SCM at", examples=["acme"]
    )
    login: Line | None = Field(None, description="the API account's login", examples=["api-user"])
    password: Secret | None = Field(None, description="the API account's password", examples=["..."])
    password_command: Command | None = Field(
        None,
        repr=False,  # its arguments may hold a token
        description="a command that prints the password, run without a shell",
        examples=[["pass", "show", "scm/api"]],
    )
    org_id: Whole | None = Field(
        None, gt=0, description="the organization's id, a whole number above 0", examples=[1234]
    )
    cert_type: Whole | None = Field(
        None, gt=0, description="a certificate profile's id, a whole number above 0", examples=[77]
    )
    term: Whole = Field(365, gt=0, le=3650, description="a validity of 1 to 3650 days", examples=[365])
    base_url: ServerUrl = Field(
        "https://cert-manager.com/api",
        description="the API's https address (http for a loopback host only)",
        examples=["https://cert-manager.com/api"],
    )
    poll_max_wait_seconds: Annotated[
        Whole, AfterValidator(lambda seconds: seconds or DEFAULT_POLL_MAX_WAIT_SECONDS)
    ] = Field(
        DEFAULT_POLL_MAX_WAIT_SECONDS,
        ge=0,
        le=31_536_000,
        description="a whole number of seconds, at most a year (0: 600)",
        examples=[600],
    )
    on_deadline: Literal["stop", "rearm"] = Field("stop", description='"stop" or "rearm"', examples=["stop"])
    retention_days: Whole = Field(400, ge=1, le=36_500, description="a number of days, 1 to 36500", examples=[400])
    ca_bundle: Annotated[FilePath, AfterValidator(_readable)] | None = Field(
        None, description="a readable PEM file of trusted CAs", examples=["/etc/ssl/certs/ca-certificates.crt"]
    )
    connect_timeout_seconds: Seconds = Field(
        10, gt=0, le=600, description="a number of seconds, above 0 and at most 600", examples=[10]
    )
    read_timeout_seconds: Seconds = Field(
        60, gt=0, le=600, description="a number of seconds, above 0 and at most 600", examples=[60]
    )
    requests_in_flight: Whole = Field(4, ge=1, le=10, description="a whole number from 1 to 10", examples=[4])
    dns_lookups: StrictBool = Field(
        False,
        description="true or false: whether diagnosis looks up CAA and DCV records in the DNS (extra dns)",
        examples=[False],
    )
    read_only: StrictBool = Field(False, description="true or false", examples=[False])
    environment: Annotated[Line, Field(max_length=16)] | None = Field(
        None, description="a band of at most 16 characters", examples=["PROD"]
    )
    environment_color: Literal["auto", "red", "yellow", "green", "blue", "magenta"] = Field(
        "auto", description="auto, red, yellow, green, blue or magenta", examples=["auto"]
    )


class CertctlSection(_Section):
    """`[certctl]`, and each `[profile.NAME.certctl]` over it: the server that gets rotated credentials too."""

    url: ServerUrl | None = Field(
        None,
        description="certctl-server's https address (http for a loopback host only)",
        examples=["https://certctl.example.com:8443"],
    )
    api_key: Secret | None = Field(None, description="an API key of certctl-server", examples=["..."])
    api_key_file: FilePath | None = Field(
        None, description="a file that holds the API key", examples=["/run/secrets/certctl-api-key"]
    )
    issuer_id: Line | None = Field(None, description="the id of the Sectigo issuer there", examples=["iss-sectigo"])
    ca_bundle: Annotated[FilePath, AfterValidator(_readable)] | None = Field(
        None, description="a readable PEM file of trusted CAs", examples=["/etc/certctl/ca.pem"]
    )


class UiSection(_Section):
    """`[ui]`: the screen, the same for every profile."""

    theme: Line = Field("auto", description="auto, dark, light, safe, 16 or mono", examples=["auto"])
    ascii: StrictBool | None = Field(None, description="true or false (unset: by the locale)", examples=[False])
    mouse: StrictBool | None = Field(
        None, description="true or false (unset: true, but not in GNU screen)", examples=[True]
    )
    remote_refresh_seconds: Whole = Field(
        60, ge=10, le=86_400, description="a whole number of seconds from 10 to 86400", examples=[60]
    )
    on_event: Command | None = Field(
        None,
        description="a command that is given each event as JSON on stdin, run without a shell",
        examples=[["notify-on-call"]],
    )
    messages: dict[Recipient, Annotated[str, AfterValidator(_template)]] = Field(
        default_factory=dict,
        description="a table of approver, dns, organization or sectigo = a template, its first line the subject",
        examples=[{"approver": "Please approve {common_name}"}],
    )
    keys: dict[str, LineOrNothing] = Field(
        default_factory=dict,
        description="a table of action = keys, separated by commas, empty for none",
        examples=[{"poll": "r,f5"}],
    )


class Sections(_Section):
    """All of it, with the chosen profile's sections merged in."""

    sectigo: SectigoSection
    certctl: CertctlSection
    ui: UiSection


SECTION_MODELS: dict[str, type[BaseModel]] = {"sectigo": SectigoSection, "certctl": CertctlSection, "ui": UiSection}
"""The models of `Sections`, by name."""

SECRETS = frozenset({"password", "api_key"})
"""Keys whose value is never shown."""

ALTERNATIVES = {"password": "password_command", "api_key": "api_key_file"}
"""Pairs of which one section may set only one, and the more specific section's choice counts."""
