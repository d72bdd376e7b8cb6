"""A secret manager's command: its first line is the password, its failures are one line, nothing leaks."""

import sys

import pytest

from sectigo_tui.config.password_command import PasswordCommand
from sectigo_tui.domain.errors import ConfigError


def command(script: str, timeout_seconds: float = 30.0) -> PasswordCommand:
    return PasswordCommand((sys.executable, "-c", script), "config.toml [sectigo]", {"PLANTED": "env"}, timeout_seconds)


@pytest.mark.parametrize(
    ("script", "password"),
    [
        ("print('s3cret')", "s3cret"),
        ("print('first'); print('second')", "first"),
        ("print(' kept as it is ', end='\\r\\n')", " kept as it is "),
        ("import os; print(os.environ['PLANTED'])", "env"),
        ("import sys; print(repr(sys.stdin.read()))", "''"),
    ],
)
def test_the_first_line_is_the_password(script: str, password: str) -> None:
    assert command(script).run().get_secret_value() == password


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "import sys; print('canary'); print('locked\\x1b[31m', file=sys.stderr); sys.exit(3)",
            "exit code 3: locked[31m;",
        ),
        ("import sys; print('canary'); print('bad canary', file=sys.stderr); sys.exit(1)", "ended with exit code 1;"),
        ("", "printed nothing on its first line"),
        ("print(); print('canary')", "printed nothing on its first line"),
        ("print('canary\\tx')", "printed control characters"),
        ("import sys; sys.stdout.buffer.write(b'canary\\xff')", "printed something that is not UTF-8"),
    ],
)
def test_a_failure_is_one_line_without_what_was_printed(script: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        command(script).run()
    assert problem in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_command_that_never_answers_is_ended() -> None:
    with pytest.raises(ConfigError, match=r"did not answer within 0\.2 s"):
        command("import threading; threading.Event().wait()", timeout_seconds=0.2).run()


def test_a_command_that_does_not_exist_is_explained() -> None:
    with pytest.raises(ConfigError, match="/nonexistent/vault cannot be run: No such file or directory"):
        PasswordCommand(("/nonexistent/vault", "token"), "config.toml [sectigo]", {}).run()


def test_no_shell_reads_the_arguments() -> None:
    arguments = (sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; `id`")
    assert PasswordCommand(arguments, "", {}).run().get_secret_value() == "$HOME; `id`"
