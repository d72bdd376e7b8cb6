"""A secret manager's command on the terminal: it may ask for a PIN there, and its failure stops nobody from looking."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from support.installation import CANARY, Installation, switched
from support.terminal import PROGRAM

PROMPTS = {
    "on the terminal": "printf 'PIN: ' >/dev/tty; read -r pin </dev/tty; echo \"$pin\"",
    "on stderr": "printf 'PIN: ' >&2; read -r pin </dev/tty; echo \"$pin\"",
}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Installation]:
    with switched(tmp_path) as made:
        made.run("track", str(made.place("ov-vetting", "shop.acme.example")))
        del made.environ["CERTCTL_SECTIGO_PASSWORD"]
        yield made


def configure(program: Installation, script: str) -> None:
    """Let the password come from a shell's script."""
    path = program.home / ".config" / "sectigo-tui" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomli_w.dumps({"sectigo": {"password_command": ["/bin/sh", "-c", script]}}))


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=list(PROMPTS))
def test_the_dashboard_starts_when_the_pin_was_typed(program: Installation, prompt: str) -> None:
    configure(program, prompt)
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until(r"waiting for password_command, at most 30 s: .*PIN:")
        terminal.press(f"{CANARY}\r")
        terminal.until(r"API OK")
        terminal.until(r"APL", r"shop\.acme\.example")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_restored


def test_a_subcommand_lets_a_pin_be_typed_and_prints_its_json_alone(program: Installation, tmp_path: Path) -> None:
    configure(program, PROMPTS["on the terminal"])
    out = tmp_path / "out.json"
    command = ("/bin/sh", "-c", f'exec "$0" "$@" >{out}', str(PROGRAM))
    with program.terminal("check", "--json", command=command) as terminal:
        terminal.until("PIN:")
        terminal.press(f"{CANARY}\r")
        assert terminal.end() == 0
    assert out.read_bytes().startswith(b"{")


def test_ctrl_c_at_the_prompt_ends_the_program(program: Installation) -> None:
    configure(program, PROMPTS["on the terminal"])
    with program.terminal() as terminal:
        terminal.until("PIN:")
        terminal.press("\x03")
        assert terminal.end() == 128 + signal.SIGINT
        assert b"\x1b[?1049h" not in terminal.received


def test_a_prompt_that_is_ended_leaves_the_echo_on(program: Installation) -> None:
    configure(program, "stty -echo </dev/tty; printf 'PIN: ' >/dev/tty; kill -9 $$")
    with program.terminal(columns=100, lines=24) as terminal:
        terminal.until("shop.acme.example")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_restored


@pytest.mark.parametrize("script", ["echo locked >&2; exit 3", "exec /nonexistent/vault", f"echo '{CANARY} '"])
def test_the_dashboard_shows_the_local_orders_when_the_command_fails_and_says_so(
    program: Installation, script: str
) -> None:
    configure(program, script)
    with program.terminal(columns=100, lines=24) as terminal:
        terminal.until("shop.acme.example")
        terminal.until("no password: only local orders are shown")
        assert terminal._process.poll() is None
        terminal.press("xq")
        assert terminal.end() == 0
    assert program.requests() == [] or all(CANARY not in str(request) for request in program.requests())


def test_the_dashboard_goes_on_once_the_command_tells_the_password(program: Installation, tmp_path: Path) -> None:
    there = tmp_path / "unlocked"
    configure(program, f"test -e {there} && echo {CANARY}")
    with program.terminal(columns=120, lines=24) as terminal:
        terminal.until("no password: only local orders are shown")
        there.touch()
        terminal.press("R")
        terminal.until("API OK")
        terminal.press("xq")
        assert terminal.end() == 0


def test_watch_asks_again_until_the_command_tells_the_password(program: Installation, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    configure(program, f"echo x >>{asked}; test $(wc -l <{asked}) -ge 2 && echo {CANARY}")
    with subprocess.Popen(
        [str(PROGRAM), "watch", "--json"],
        env=program.environ,
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    ) as watch:
        assert watch.stdout is not None
        lines = iter(watch.stdout.readline, "")
        assert any("password command returned no password" in line for line in lines)
        assert any('"poller"' in line for line in lines)
        watch.terminate()
        assert watch.wait(20) == 0


@pytest.mark.parametrize("script", [f"echo '{CANARY} '", "printf '\\377\\n'"])
def test_watch_ends_when_what_the_command_tells_can_be_no_password(program: Installation, script: str) -> None:
    configure(program, script)
    ended = program.run("watch")
    assert ended.returncode == 2
    assert "password_command" in ended.stderr
    assert CANARY not in ended.stderr


def test_watch_ends_at_once_while_the_command_does_not_answer(program: Installation, tmp_path: Path) -> None:
    started = tmp_path / "started"
    configure(program, f"echo x >{started}; sleep 98765")
    with program.terminal("watch") as terminal:
        terminal.until(started.exists)
        terminal.signal(signal.SIGTERM)
        assert terminal.end(seconds=10) == 0
    assert "98765" not in subprocess.run(["ps", "axo", "args"], capture_output=True, text=True, check=True).stdout


def test_on_event_gets_neither_the_password_nor_the_variable_that_the_command_prints(
    program: Installation, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    program.environ["SCM_PW"] = "refused-canary"
    configure(program, 'printf %s "$SCM_PW"')
    config = program.home / ".config" / "sectigo-tui" / "config.toml"
    config.write_text(config.read_text() + f"[ui]\non_event = ['sh', '-c', 'env >{seen}.new; mv {seen}.new {seen}']\n")
    with program.terminal("watch") as terminal:
        terminal.until("PAUSED")
        terminal.until(seen.exists)
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 0
    told = seen.read_text()
    assert "PATH=" in told
    assert not [secret for secret in ("refused-canary", "SCM_PW", "CERTCTL_") if secret in told]
