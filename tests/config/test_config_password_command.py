"""A secret manager's command: its first line is the password, its failures are one line, nothing leaks."""

import os
import select
import sys
from pathlib import Path

import pytest

from sectigo_tui.config.password_command import PasswordCommand
from sectigo_tui.domain.errors import ConfigError, PasswordCommandFailed


def command(script: str, timeout_seconds: float = 30.0) -> PasswordCommand:
    return PasswordCommand((sys.executable, "-c", script), "config.toml [sectigo]", {"PLANTED": "env"}, timeout_seconds)


@pytest.mark.parametrize(
    ("script", "password"),
    [
        ("print('s3cret')", "s3cret"),
        ("print('first'); print('second')", "first"),
        ("print('kept as it is', end='\\r\\n')", "kept as it is"),
        ("import sys; sys.stdout.write('no line end')", "no line end"),
        ("import os; print(os.environ['PLANTED'])", "env"),
        ("import sys; print(repr(sys.stdin.read()))", "''"),
    ],
)
def test_the_first_line_is_the_password(script: str, password: str) -> None:
    assert command(script).run().reveal() == password


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "import sys; print('canary'); print('locked\\x1b[31m', file=sys.stderr); sys.exit(3)",
            "exit code 3: locked[31m;",
        ),
        ("import sys; print('canary'); print('bad canary', file=sys.stderr); sys.exit(1)", "ended with exit code 1;"),
        ("", "printed nothing on its first line"),
        ("print(); print('canary')", "printed nothing on its first line"),
        ("print('canary\\tx')", "printed control characters"),
        ("print('canary ')", "printed a blank at the start or the end"),
        ("print(' canary')", "printed a blank at the start or the end"),
        ("print('canary' * 100_000)", "printed more than 64 kB on its first line"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by signal 9"),
        ("import sys; sys.stdout.buffer.write(b'canary\\xff')", "printed something that is not UTF-8"),
    ],
)
def test_a_failure_is_one_line_without_what_was_printed(script: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        command(script).run()
    assert reason in str(caught.value)
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
    assert PasswordCommand(arguments, "", {}).run().reveal() == "$HOME; `id`"


def has_ended(pid: int) -> bool:
    """Wait for a process that is no child of this one, for a while."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process):
        return bool(select.select([process], [], [], 20)[0])


def test_a_command_that_goes_on_after_its_first_line_is_ended_and_its_line_is_the_password() -> None:
    assert command("print('s3cret', flush=True)\nwhile True: print('more')").run().reveal() == "s3cret"


def test_a_child_that_keeps_the_output_open_is_not_waited_for() -> None:
    script = "import subprocess; print('s3cret', flush=True); subprocess.Popen(['sleep', '3'])"
    assert command(script, timeout_seconds=30).run().reveal() == "s3cret"


@pytest.mark.parametrize("stubborn", ["", "trap '' TERM; "])
def test_all_that_a_command_has_started_is_ended_with_it(tmp_path: Path, stubborn: str) -> None:
    pids = tmp_path / "pids"
    script = f'(sh -c "{stubborn}echo \\$\\$ >{pids}; exec sleep 99"); true'
    with pytest.raises(PasswordCommandFailed, match="did not answer") as caught:
        PasswordCommand(("/bin/sh", "-c", script), "", {"PATH": "/usr/bin:/bin"}, 2).run()
    assert caught.value.may_pass
    assert has_ended(int(pids.read_text()))


def test_it_is_asked_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    again = command(f"open({str(asked)!r}, 'a').write('x'); print('s3cret')")
    assert {again.run().reveal(), again.run().reveal()} == {"s3cret"}
    assert asked.read_text() == "x"


@pytest.mark.parametrize(
    ("script", "may_pass"),
    [("import sys; sys.exit(1)", True), ("", True), ("print('x ')", False), ("print('x\ty')", False)],
)
def test_what_may_pass_by_itself_is_told_from_a_wrong_setting(script: str, may_pass: bool) -> None:
    with pytest.raises(PasswordCommandFailed) as caught:
        command(script).run()
    assert caught.value.may_pass is may_pass


def test_without_a_terminal_of_its_own_it_cannot_reach_the_screen_s() -> None:
    script = "import os\ntry: os.open('/dev/tty', os.O_RDWR)\nexcept OSError: print('s3cret')"
    assert command(script).run().reveal() == "s3cret"
