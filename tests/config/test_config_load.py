"""Which value of a setting is used, and what is told about where it came from."""

import subprocess
import sys
from pathlib import Path

import pytest

from sectigo_tui.config.credentials import write_credentials
from sectigo_tui.config.load import load_settings
from sectigo_tui.config.paths import Paths
from sectigo_tui.config.settings import Account, Settings, SourceKind
from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.ports import SecretText

ACCOUNT = 'customer_uri = "acme"\nlogin = "api"\npassword = "from-config"\n'
STAGING = '[profile.staging]\ncustomer_uri = "acme-staging"\nlogin = "api-staging"\npassword = "from-staging"\n'


class Place:
    """A directory with configuration files, and the settings that come of it."""

    def __init__(self, directory: Path) -> None:
        self.paths = Paths(directory / "config.toml", directory / "data")

    def configure(self, text: str) -> None:
        self.paths.config_file.write_text(text)
        self.paths.config_file.chmod(0o600)

    def store(self, profile: str | None, login: str, password: str) -> None:
        write_credentials(self.paths.credentials_file, profile, login=login, password=SecretText(password))

    def load(self, environ: dict[str, str] | None = None, **arguments: object) -> Settings:
        return load_settings(self.paths, environ or {}, **arguments)  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def password_of(settings: Settings) -> str:
    return settings.resolve_password().reveal()


def test_without_any_configuration_the_connector_s_defaults_hold(place: Place) -> None:
    settings = place.load()
    assert settings.unconfigured
    assert settings.sectigo.term == 365
    assert settings.sectigo.base_url == "https://cert-manager.com/api"
    assert settings.sectigo.poll_max_wait_seconds == 600
    assert settings.sources["term"].kind is SourceKind.DEFAULT


@pytest.mark.parametrize(
    ("key", "variable", "text", "value"),
    [
        ("customer_uri", "CERTCTL_SECTIGO_CUSTOMER_URI", "acme", "acme"),
        ("login", "CERTCTL_SECTIGO_LOGIN", "api", "api"),
        ("password", "CERTCTL_SECTIGO_PASSWORD", "s p", SecretText("s p")),
        ("org_id", "CERTCTL_SECTIGO_ORG_ID", "12", 12),
        ("cert_type", "CERTCTL_SECTIGO_CERT_TYPE", "77", 77),
        ("term", "CERTCTL_SECTIGO_TERM", "90", 90),
        ("base_url", "CERTCTL_SECTIGO_BASE_URL", "https://scm.example/api/", "https://scm.example/api"),
        ("poll_max_wait_seconds", "CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS", "7200", 7200),
        ("poll_max_wait_seconds", "CERTCTL_ASYNC_POLL_MAX_WAIT_SECONDS", "7200", 7200),
        ("poll_max_wait_seconds", "CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS", "0", 600),
    ],
)
def test_each_variable_of_the_connector_sets_its_key(
    place: Place, key: str, variable: str, text: str, value: object
) -> None:
    settings = place.load({variable: text})
    assert getattr(settings.sectigo, key) == value
    assert settings.sources[key].detail == f"environment {variable}"


def test_each_place_wins_over_the_weaker_ones_and_the_losers_are_known(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT)
    place.store(None, "stored", "from-store")
    settings = place.load({"CERTCTL_SECTIGO_LOGIN": "exported"}, flags={"login": "flagged", "term": None})
    assert settings.sectigo.login == "flagged"
    source = settings.sources["login"]
    assert [source.detail, *(loser.detail for loser in source.overridden)] == [
        "flag --login",
        "environment CERTCTL_SECTIGO_LOGIN",
        f"{place.paths.credentials_file} [sectigo]",
        f"{place.paths.config_file} [sectigo]",
    ]
    assert [loser.value for loser in source.overridden] == ["exported", "stored", "api"]
    assert password_of(settings) == "from-store"
    assert settings.sources["password"].value == "********"


def test_the_async_variable_is_weaker_than_the_connector_s_own(place: Place) -> None:
    variables = {"CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS": "60", "CERTCTL_ASYNC_POLL_MAX_WAIT_SECONDS": "90"}
    assert place.load(variables).sectigo.poll_max_wait_seconds == 60


def test_a_poll_window_of_zero_is_the_default_one(place: Place) -> None:
    place.configure("[sectigo]\npoll_max_wait_seconds = 0\n")
    settings = place.load()
    assert settings.sectigo.poll_max_wait_seconds == 600
    assert settings.sources["poll_max_wait_seconds"].value == "600"


def test_a_number_may_be_written_as_text_in_the_file_too(place: Place) -> None:
    place.configure('[sectigo]\norg_id = "12"\nread_timeout_seconds = "2.5"\n')
    section = place.load().sectigo
    assert (section.org_id, section.read_timeout_seconds) == (12, 2.5)


def test_reading_settings_loads_nothing_that_keeps_the_first_paint_waiting(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT)
    program = (
        "import sys; from sectigo_tui.wiring.settings import settings_of; settings_of();"
        "print({'asyncio', 'pydantic', 'difflib', 'subprocess'} & sys.modules.keys())"
    )
    environ = {"SECTIGO_TUI_CONFIG": str(place.paths.config_file), "HOME": str(place.paths.config_file.parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_empty_variable_is_an_unset_one(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT)
    assert place.load({"CERTCTL_SECTIGO_LOGIN": ""}).sectigo.login == "api"


def test_a_profile_stands_over_the_common_section(place: Place) -> None:
    place.configure("[sectigo]\nterm = 90\n" + ACCOUNT + STAGING + "read_only = true\n")
    settings = place.load(profile="staging")
    assert settings.account() == Account("https://cert-manager.com/api", "acme-staging", "api-staging")
    assert settings.sectigo.read_only
    assert settings.sectigo.term == 90
    assert settings.sources["login"].detail.endswith("config.toml [profile.staging]")
    assert settings.sources["term"].detail.endswith("config.toml [sectigo]")


def test_the_common_account_s_stored_credentials_never_reach_a_profile_with_its_own(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT + STAGING)
    place.store(None, "rotated", "rotated")
    assert password_of(place.load()) == "rotated"
    assert password_of(place.load(profile="staging")) == "from-staging"


def test_a_profile_s_stored_credentials_are_its_own(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT + STAGING)
    place.store("staging", "rotated", "rotated")
    assert password_of(place.load()) == "from-config"
    assert password_of(place.load(profile="staging")) == "rotated"


@pytest.mark.parametrize(
    ("profile_section", "section"),
    [("read_only = true", None), ('login = "other"', "view"), ('base_url = "https://other.example"', "view")],
)
def test_rotation_writes_where_the_account_is_configured(
    place: Place, profile_section: str, section: str | None
) -> None:
    place.configure(f"[sectigo]\n{ACCOUNT}[profile.view]\n{profile_section}\n")
    assert place.load(profile="view").credentials_profile == section


def test_the_environment_wins_over_a_chosen_profile_and_that_is_said(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT + STAGING)
    settings = place.load({"CERTCTL_SECTIGO_LOGIN": "exported"}, profile="staging")
    assert settings.sectigo.login == "exported"
    assert settings.warnings == ("environment CERTCTL_SECTIGO_LOGIN wins over login of profile staging",)


def test_a_profile_that_inherits_another_account_s_password_is_warned_about(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT + '[profile.staging]\nlogin = "other"\n')
    (warning,) = place.load(profile="staging").warnings
    assert warning.startswith("profile staging is an account of its own, but its password comes from")


def test_a_misspelt_variable_is_warned_about(place: Place) -> None:
    (warning,) = place.load({"CERTCTL_SECTIGO_LOGIM": "api"}).warnings
    assert warning == "CERTCTL_SECTIGO_LOGIM in the environment is not used; did you mean CERTCTL_SECTIGO_LOGIN?"


def test_default_names_the_settings_without_a_profile(place: Place) -> None:
    place.configure("[sectigo]\n" + ACCOUNT + STAGING)
    assert place.load(profile="default").sectigo.login == "api"


def test_a_password_command_wins_over_stored_passwords_but_not_over_the_environment(place: Place) -> None:
    place.configure('[sectigo]\ncustomer_uri = "acme"\nlogin = "api"\npassword_command = "echo commanded"\n')
    place.store(None, "api", "stored")
    environ = {"PATH": "/usr/bin:/bin"}
    settings = place.load(environ)
    assert password_of(settings) == "commanded"
    assert settings.sources["password"].kind is SourceKind.PASSWORD_COMMAND
    assert password_of(place.load({**environ, "CERTCTL_SECTIGO_PASSWORD": "exported"})) == "exported"


@pytest.mark.parametrize(
    ("common", "own", "password"),
    [
        ('password_command = "echo commanded"', 'password = "own"', "own"),
        ('password = "common"', 'password_command = "echo commanded"', "commanded"),
    ],
)
def test_of_password_and_command_the_profile_s_choice_counts(
    place: Place, common: str, own: str, password: str
) -> None:
    place.configure(f"[sectigo]\n{common}\n[profile.p]\n{own}\n")
    assert password_of(place.load({"PATH": "/usr/bin:/bin"}, profile="p")) == password


def test_everything_missing_from_the_account_is_named_at_once(place: Place) -> None:
    with pytest.raises(ConfigError) as caught:
        place.load().account()
    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["customer_uri", "login", "password"]
    assert all("or set CERTCTL_SECTIGO_" in line for line in lines)


def test_paths_are_relative_to_the_configuration_and_shown_with_a_tilde(place: Place, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    place.configure('[sectigo]\nca_bundle = "ca.pem"\n')
    settings = place.load({"HOME": str(tmp_path)})
    assert settings.sectigo.ca_bundle == tmp_path / "ca.pem"
    assert settings.sources["ca_bundle"].detail == "~/config.toml [sectigo]"


def test_no_secret_is_in_the_settings_when_printed(place: Place) -> None:
    place.configure(
        '[sectigo]\npassword = "canary-1"\n[certctl]\napi_key = "canary-2"\n'
        '[profile.p]\npassword_command = ["vault", "canary-3"]\n'
    )
    place.store(None, "api", "canary-4")
    printed = repr(place.load({"CERTCTL_SECTIGO_PASSWORD": "canary-5"})) + repr(place.load(profile="p"))
    assert "canary" not in printed


def test_certctl_server_is_none_without_a_url(place: Place) -> None:
    assert place.load().certctl_server() is None


def test_certctl_s_key_is_read_from_its_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y\n")
    place.configure('[certctl]\nurl = "https://certctl.example/"\nissuer_id = "iss"\napi_key_file = "key"\n')
    server = place.load().certctl_server()
    assert server is not None
    assert (server.url, server.issuer_id, server.api_key.reveal()) == (
        "https://certctl.example",
        "iss",
        "k3y",
    )


def test_a_profile_has_its_own_issuer_at_certctl(place: Place) -> None:
    place.configure(
        '[certctl]\nurl = "https://certctl.example"\nissuer_id = "iss"\napi_key = "k"\n'
        '[profile.p.certctl]\nissuer_id = "iss-p"\n'
    )
    server = place.load(profile="p").certctl_server()
    assert server is not None
    assert server.issuer_id == "iss-p"


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("", "certctl.issuer_id (not set)"),
        ('issuer_id = "iss"', "certctl.api_key_file (not set)"),
        ('issuer_id = "iss"\napi_key_file = "none"', "certctl.api_key_file ("),
    ],
)
def test_an_incomplete_certctl_section_is_explained_when_it_is_needed(
    place: Place, section: str, complaint: str
) -> None:
    place.configure(f'[certctl]\nurl = "https://certctl.example"\n{section}\n')
    settings = place.load()
    with pytest.raises(ConfigError) as caught:
        settings.certctl_server()
    assert complaint in str(caught.value)
