"""The names of settings outside the configuration file."""

from __future__ import annotations

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
