"""A wrong setting is answered by one line: key, source, what is wrong, what to write."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sectigo_tui.config.load import load_settings
from sectigo_tui.config.paths import Paths
from sectigo_tui.domain.errors import ConfigError

Complaint = Callable[..., list[str]]


@pytest.fixture
def complaint(tmp_path: Path) -> Complaint:
    """Load a configuration that is wrong, and return the lines that say so."""

    def load(
        text: str, environ: dict[str, str] | None = None, mode: int = 0o600, profile: str | None = None
    ) -> list[str]:
        path = tmp_path / "config.toml"
        path.write_text(text)
        path.chmod(mode)
        with pytest.raises(ConfigError) as caught:
            load_settings(Paths(path, tmp_path / "data"), {"HOME": str(tmp_path), **(environ or {})}, profile=profile)
        assert caught.value.__context__ is None or "canary" not in str(caught.value.__context__)
        return str(caught.value).splitlines()

    return load


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        (
            'org_id = "x"',
            "'x' is not the organization's id, a whole number above 0; write e.g. org_id = 1234",
        ),
        ("org_id = 0", "0 is not the organization's id"),
        ("org_id = 1.5", "1.5 is not the organization's id"),
        ('org_id = "null"', "'null' is not the organization's id"),
        ("org_id = [1]", "[1] is not the organization's id"),
        ("login = true", "true is not the API account's login"),
        ("org_id = true", "true is not the organization's id, a whole number above 0"),
        ("term = 5000", "5000 is not a validity of 1 to 3650 days; write e.g. term = 365"),
        ("poll_max_wait_seconds = -1", "-1 is not a whole number of seconds, at most a year (0: 600)"),
        ("customer_uri = 7", "7 is not the customer URI"),
        ('customer_uri = " acme"', "is empty, or has spaces around it"),
        ('login = "a\\nb"', "has a line break or another control character in it"),
        ('base_url = "http://scm.example"', "would send the password over plain http"),
        ('base_url = "http://scm.localhost/api"', "would send the password over plain http"),
        ('base_url = "https://u:p@scm.example"', "has a login in the address"),
        ('base_url = "https://scm.example/?a"', "has a query or fragment in the address"),
        ('base_url = "https://scm.example:port"', "is no address"),
        ('base_url = "scm.example"', "'scm.example' is no https address"),
        (
            'on_deadline = "again"',
            '\'again\' is not "stop" or "reopen", or a table of them by validation level: DV, OV, EV; write e.g. ',
        ),
        ('ca_bundle = "no.pem"', "no.pem is no file"),
        ("requests_in_flight = 11", "11 is not a whole number from 1 to 10"),
        ("connect_timeout_seconds = 0", "0 is not a number of seconds, above 0"),
        ('read_only = "yes"', "'yes' is not true or false; write e.g. read_only = false"),
        ('environment = "far too long for a band"', "is not a band of at most 16 characters"),
        ('password = "canary "', "has a blank at its start or end"),
        ('password = " canary"', "has a blank at its start or end"),
        ('password_command = "a \'b"', "cannot be split into words"),
        ("password_command = []", "is empty"),
        ('password_command = ["a", 1]', "is not a command that prints the password, run without a shell"),
        ('environment_color = "rde"', "'rde' is not auto, red, yellow, green, blue or magenta; did you mean red?"),
    ],
)
def test_a_wrong_value_is_one_line(complaint: Complaint, setting: str, line: str) -> None:
    (said,) = complaint(f"[sectigo]\n{setting}\n")
    assert line in said
    assert said.startswith(f"{setting.split(maxsplit=1)[0]} (~/config.toml [sectigo]): ")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.8.8.8", "[::1]:9", "localhost"])
def test_plain_http_is_for_this_machine(tmp_path: Path, host: str) -> None:
    settings = load_settings(
        Paths(tmp_path / "config.toml", tmp_path), {"CERTCTL_SECTIGO_BASE_URL": f"http://{host}/api"}
    )
    assert settings.sectigo.base_url == f"http://{host}/api"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (
            "https://cert-manager.com/customer/acme",
            "is an address, or a part of one: the customer URI is the last part alone, such as 'acme'",
        ),
        ("http://hard.cert-manager.com/customer/acme/ssl", "such as 'acme'"),
        ("cert-manager.com/customer/acme", "such as 'acme'"),
        ("cert-manager.com", "is an address"),
        ("hard.Cert-Manager.com", "is an address"),
        ("/customer/acme/", "such as 'acme'"),
        ("customer/acme", "such as 'acme'"),
        ("acme/", "such as 'acme'"),
        ("acme\\sub", "such as 'acme'"),
        ("acme?locale=en", "such as 'acme'"),
        ("acme#top", "such as 'acme'"),
        ("scm:443", "is an address"),
        ("acme corp", "holds a character"),
        ("acmé", "holds a character"),
        ("acme%20corp", "holds a character"),
        ("api@acme", "holds a character"),
        ('"acme"', "holds a character"),
        ("acme\u00a0", "spaces around it"),
        ("", "is empty"),
        ("ac\tme", "control character"),
    ],
)
@pytest.mark.parametrize("by", ["file", "environment"])
def test_what_cannot_be_a_customer_uri_is_refused_before_it_costs_a_login(
    complaint: Complaint, uri: str, reason: str, by: str
) -> None:
    if by == "file":
        (line,) = complaint(f"[sectigo]\ncustomer_uri = {json.dumps(uri)}\n")
    elif not uri:
        return
    else:
        (line,) = complaint("[sectigo]\n", {"CERTCTL_SECTIGO_CUSTOMER_URI": uri})
        assert "CERTCTL_SECTIGO_CUSTOMER_URI" in line
    assert line.startswith("customer_uri (")
    assert reason in line


@pytest.mark.parametrize("uri", ["acme", "Acme_Test-2", "acme.example", "InCommon~1", "7"])
def test_a_customer_uri_is_taken_as_it_is(tmp_path: Path, uri: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[sectigo]\ncustomer_uri = "{uri}"\nlogin = "api"\npassword = "x"\n')
    path.chmod(0o600)
    paths = Paths(path, tmp_path / "data")
    assert load_settings(paths, {"HOME": str(tmp_path)}).account().customer_uri == uri


def test_a_wrong_variable_is_named_with_what_to_export(complaint: Complaint) -> None:
    (said,) = complaint("", {"CERTCTL_SECTIGO_TERM": "a year"})
    assert said == (
        "term (environment CERTCTL_SECTIGO_TERM): 'a year' is not a validity of 1 to 3650 days; "
        "write e.g. CERTCTL_SECTIGO_TERM=365"
    )


@pytest.mark.parametrize("value", ["-5", "1e400", "99999999999", "0x10", "null", "true", "1 000", "nan"])
def test_a_variable_that_is_no_such_number_is_refused(complaint: Complaint, value: str) -> None:
    (said,) = complaint("", {"CERTCTL_SECTIGO_POLL_MAX_WAIT_SECONDS": value})
    assert f"{value!r} is not a whole number of seconds, at most a year (0: 600)" in said


def test_a_stored_password_that_no_header_can_carry_is_refused(complaint: Complaint, tmp_path: Path) -> None:
    stored = tmp_path / "credentials.toml"
    stored.touch(mode=0o600)
    stored.write_text('[sectigo]\nlogin = "api"\npassword = "canary\\n"\n')
    (said,) = complaint("")
    assert said.startswith("password (~/credentials.toml [sectigo]): has a line break")


def test_all_wrong_values_are_named_at_once(complaint: Complaint) -> None:
    lines = complaint('[sectigo]\nterm = "x"\n[certctl]\nurl = "http://certctl.example"\n[ui]\nmouse = 1\n')
    assert [line.split()[0] for line in lines] == ["term", "certctl.url", "ui.mouse"]


@pytest.mark.parametrize(
    "text",
    [
        '[sectigo]\npassword = "canary\\n"\n',
        '[sectigo]\npassword = ["canary"]\nterm = 0\n',
        '[sectigo]\npassword = "canary"\nterm = 0\n',
        '[certctl]\napi_key = 12\nissuer_id = ""\n',
        '[sectigo]\npassword = "canary\n',
    ],
)
def test_a_secret_is_in_no_complaint(complaint: Complaint, text: str) -> None:
    assert "canary" not in "\n".join(complaint(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sectgo]", "[sectgo] (~/config.toml): no such section; did you mean sectigo?"),
        ("[sectigo]\nlogn = 1", "logn (~/config.toml [sectigo]): no such key; did you mean login?"),
        ("[profile.a]\ntermm = 1", "termm (~/config.toml [profile.a]): no such key; did you mean term?"),
        (
            "[profile.a.certctl]\nurll = 1",
            "certctl.urll (~/config.toml [profile.a.certctl]): no such key; did you mean url?",
        ),
        ("[ui]\nxyzzy = 1", "ui.xyzzy (~/config.toml [ui]): no such key; known: ascii, keys, messages"),
        ("ui = 1", "ui (~/config.toml): is no section; write [ui] on a line of its own"),
        (
            '[sectigo]\npassword = "a"\npassword_command = "b"',
            "password (~/config.toml [sectigo]): password_command is set in the same section; delete one of the two",
        ),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(complaint: Complaint, text: str, line: str) -> None:
    (said,) = complaint(text)
    assert said.startswith(line)


def test_a_profile_that_does_not_exist_is_answered_with_the_nearest(complaint: Complaint) -> None:
    (said,) = complaint("[profile.staging]\n", profile="stagin")
    assert said == "profile (--profile stagin): no such profile as stagin; did you mean staging?"


def test_a_configuration_that_was_named_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError) as caught:
        load_settings(Paths(missing, tmp_path, config_named_by="flag --config"), {})
    assert str(caught.value).startswith(f"{missing} (flag --config): does not exist; ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[sectigo", "is no valid TOML: "), (b"# \xff", "is not UTF-8 at byte 2")],
)
def test_a_file_that_is_no_toml_is_explained(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_settings(Paths(path, tmp_path), {})
    assert reason in str(caught.value)


def test_a_directory_in_place_of_the_configuration_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(Paths(tmp_path, tmp_path), {})


@pytest.mark.parametrize("section", ["[sectigo]\npassword", "[profile.other]\npassword", "[certctl]\napi_key"])
def test_a_configuration_with_a_secret_that_others_can_read_is_refused(complaint: Complaint, section: str) -> None:
    (said,) = complaint(f'{section} = "canary"\n', mode=0o640)
    assert "is open to the group or others; chmod 600 " in said


def test_a_configuration_without_secrets_may_be_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[sectigo]\nlogin = "api"\n')
    path.chmod(0o644)
    assert load_settings(Paths(path, tmp_path), {}).sectigo.login == "api"


def test_a_secret_in_a_file_of_another_user_s_gets_advice_that_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[sectigo]\npassword = "canary"\n')
    path.chmod(0o640)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(ConfigError) as caught:
        load_settings(Paths(path, tmp_path), {})
    assert f"it belongs to user id {owner}: take the secret out of it (password_command" in str(caught.value)
    assert f"have its owner run: chown {owner + 1} {path} && chmod 600 {path}" in str(caught.value)


@pytest.mark.parametrize("name", ["config.toml", "credentials.toml"])
def test_a_file_that_an_editor_has_marked_as_utf_8_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'\xef\xbb\xbf[sectigo]\nlogin = "api"\n')
    path.chmod(0o600)
    paths = Paths(tmp_path / "config.toml", tmp_path)
    assert load_settings(paths, {}).sectigo.login == "api"


@pytest.mark.parametrize("link", ["config.toml", "credentials.toml", "."])
def test_a_symbolic_link_to_nothing_is_named_and_what_it_names(tmp_path: Path, link: str) -> None:
    directory = tmp_path / "sectigo-tui"
    if link != ".":
        directory.mkdir()
    broken = directory / link
    broken.symlink_to("/nonexistent/place")
    with pytest.raises(ConfigError) as caught:
        load_settings(Paths(directory / "config.toml", tmp_path), {})
    assert str(caught.value).startswith(
        f"{broken} (file): is a symbolic link to /nonexistent/place, which does not exist"
    )
