"""What is read without pydantic is what the full settings say, or is left to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sectigo_tui.config.load import load_settings
from sectigo_tui.config.paths import Paths
from sectigo_tui.config.plain import PlainSettings, plain_of, plain_settings
from sectigo_tui.domain.errors import ConfigError

ACCOUNT = '[sectigo]\ncustomer_uri = "acme"\nlogin = "robot"\npassword = "secret"\n'


def read(tmp_path: Path, text: str, environ: dict[str, str], profile: str | None = None) -> PlainSettings | None:
    return plain_settings(paths_to(tmp_path, text), environ, profile=profile)


def paths_to(tmp_path: Path, text: str) -> Paths:
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    config.write_text(text)
    return Paths(config, tmp_path / "data", "flag --config")


@pytest.mark.parametrize(
    ("text", "environ", "profile"),
    [
        (ACCOUNT, {}, None),
        (ACCOUNT, {"CERTCTL_SECTIGO_BASE_URL": "http://127.0.0.1:4711/api"}, None),
        (ACCOUNT, {"CERTCTL_ASYNC_POLL_MAX_WAIT_SECONDS": "900", "CERTCTL_SECTIGO_CUSTOMER_URI": "umbrella"}, None),
        (ACCOUNT + 'environment = "PROD"\nread_only = true\nrequests_in_flight = 8\non_deadline = "rearm"\n', {}, None),
        (ACCOUNT + '[ui]\ntheme = "nord"\nascii = true\nmouse = false\nremote_refresh_seconds = 30\n', {}, None),
        (ACCOUNT + '[profile.lab]\ncustomer_uri = "acme-lab"\nterm = 30\n', {}, "lab"),
    ],
)
def test_plain_settings_are_those_of_the_full_ones(
    tmp_path: Path, text: str, environ: dict[str, str], profile: str | None
) -> None:
    plain = read(tmp_path, text, environ, profile)

    assert plain is not None
    assert plain == plain_of(load_settings(plain.paths, environ, profile=profile))


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        '[sectigo]\nlogin = "robot"\n',
        ACCOUNT + 'base_url = "https://user@cert-manager.com/api"\n',
        ACCOUNT + 'base_url = "HTTPS://cert-manager.com/api/"\n',
        ACCOUNT + 'base_url = "http://cert-manager.com/api"\n',
        ACCOUNT + "poll_max_wait_seconds = 0\n",
        ACCOUNT + "requests_in_flight = 11\n",
        ACCOUNT + "requests_in_flight = true\n",
        ACCOUNT + 'requests_in_flight = "4"\n',
        ACCOUNT + 'ca_bundle = "ca.pem"\n',
        ACCOUNT + 'on_deadline = "explode"\n',
        'ui = "dark"\n' + ACCOUNT,
    ],
)
def test_whatever_is_not_plain_is_left_to_the_full_settings(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text, {}) is None


def test_a_profile_that_does_not_exist_is_left_to_the_full_settings(tmp_path: Path) -> None:
    assert read(tmp_path, ACCOUNT, {}, "nowhere") is None


def test_the_flag_makes_it_read_only_as_it_does_in_full(tmp_path: Path) -> None:
    paths = paths_to(tmp_path, ACCOUNT)

    assert plain_settings(paths, {}, read_only=True) == plain_of(load_settings(paths, {}, flags={"read_only": True}))


@pytest.mark.parametrize("value", ["", "0", "-5", "1e3", "99999999999"])
def test_an_odd_number_in_the_environment_is_never_read_differently(tmp_path: Path, value: str) -> None:
    environ = {"CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS": value}
    paths = paths_to(tmp_path, ACCOUNT)
    plain = plain_settings(paths, environ)

    try:
        full = plain_of(load_settings(paths, environ))
    except ConfigError:
        assert plain is None
    else:
        assert plain in (None, full)
