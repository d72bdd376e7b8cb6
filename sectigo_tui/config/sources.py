"""Where a setting's value came from, and which others it overrides."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

ENVIRONMENT_NAMES: dict[str, tuple[str, ...]] = {
    "customer_uri": ("CERTCTL_SECTIGO_CUSTOMER_URI",),
    "login": ("CERTCTL_SECTIGO_LOGIN",),
    "password": ("CERTCTL_SECTIGO_PASSWORD",),
    "org_id": ("CERTCTL_SECTIGO_ORG_ID",),
    "cert_type": ("CERTCTL_SECTIGO_CERT_TYPE",),
    "term": ("CERTCTL_SECTIGO_TERM",),
    "base_url": ("CERTCTL_SECTIGO_BASE_URL",),
    "poll_max_wait_seconds": ("CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS", "CERTCTL_ASYNC_POLL_MAX_WAIT_SECONDS"),
}
"""The variables of each key of `[sectigo]`, strongest first; shared with certctl's Sectigo connector."""

MASK = "********"
"""What is shown in place of a secret."""


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
