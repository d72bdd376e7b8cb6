"""The installed dashboard fits its operator: flags of the screen, keys, memory, and who is told of a change."""

from __future__ import annotations

import json
import signal

import pytest

from support.installation import CANARY, Installation

NOTES = ("\x1b]9;sectigo-tui: ", "\x1b]777;notify;sectigo-tui;")
MOUSE_ON = b"\x1b[?1000h"


def configure(program: Installation, ui: str) -> None:
    """Write a configuration with an `[ui]` section."""
    path = program.home / ".config" / "sectigo-tui" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f"[ui]\n{ui}\n")


def test_shapes_of_every_font_and_no_mouse_where_flags_ask_for_it(program: Installation) -> None:
    program.place("ov-vetting", "shop.acme.example")
    with program.terminal("--ascii", "--no-mouse", "--theme", "mono", columns=80, lines=24) as terminal:
        terminal.until(r"APL c", r"shop\.acme")
        assert terminal.text.isascii()
        terminal.press("s")
        terminal.until(r"URGENCY \^")
        terminal.press("a")
        terminal.until(r"AGEv")
        assert terminal.text.isascii()
        assert MOUSE_ON not in terminal.received
        assert b"\x1b[38;" not in terminal.received
    with program.terminal() as terminal:
        terminal.until(r"APL ◐", r"shop\.acme")
        assert MOUSE_ON in terminal.received


@pytest.mark.parametrize(
    ("ui", "told"),
    [
        (
            'keys = { poll = "q" }',
            "ui.keys.view.poll (~/.config/sectigo-tui/config.toml [ui]): 'q' would be the key of",
        ),
        (
            'keys = { pol = "b" }',
            "ui.keys.pol (~/.config/sectigo-tui/config.toml [ui]): no such action; did you mean poll?",
        ),
        ('theme = "drak"', "ui.theme (~/.config/sectigo-tui/config.toml [ui]): 'drak' is not auto, dark,"),
    ],
    ids=["conflict", "unknown action", "unknown theme"],
)
def test_a_screen_that_cannot_be_is_refused_in_one_line_before_it_is_shown(
    program: Installation, ui: str, told: str
) -> None:
    configure(program, ui)
    with program.terminal(columns=200) as terminal:
        assert terminal.end() == 2
        (line,) = [line for line in terminal.lines if line]
        assert line.startswith(f"sectigo-tui: {told}")
        assert b"\x1b[?1049h" not in terminal.received
    assert program.requests() == []


def test_the_keys_of_the_configuration_work(program: Installation) -> None:
    configure(program, 'keys = { detail = "b", track = "" }')
    program.place("ov-vetting", "shop.acme.example")
    with program.terminal() as terminal:
        terminal.until(r"shop\.acme")
        terminal.until(r"b Detail")
        terminal.press("tb")
        terminal.until(r"Next step")
        terminal.until(r"Remote, not polled: :Track tracks it")


def test_the_screen_is_as_it_was_left_even_by_a_signal(program: Installation) -> None:
    program.place("ov-vetting", "shop.acme.example")
    with program.terminal() as terminal:
        terminal.until(r"shop\.acme")
        terminal.press("2")
        terminal.until(r"view: Local")
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
    with program.terminal() as terminal:
        terminal.until(r"view: Local")
    (kept,) = program.home.rglob("screen.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["profiles"][""]["view"] == "local"


def test_a_change_rings_and_is_told_to_the_operator_s_command_without_any_secret(program: Installation) -> None:
    command = program.home / "notify-on-call"
    # What is read last is written last, and the environment is there whole or not at all.
    part, whole = program.home / "part", program.home / "environment"
    command.write_text(f"#!/bin/sh\nenv > {part}\nmv {part} {whole}\ncat >> {program.home}/told\n")
    command.chmod(0o700)
    configure(program, f'on_event = ["{command}"]')
    ssl_id = program.place("ov-straight", "www.acme.example", age_seconds=0)
    assert program.run("track", str(ssl_id)).returncode == 0
    with program.terminal() as terminal:
        terminal.until(r"00:0\d", r"www\.acme\.example")
        terminal.press("W")
        terminal.until(r"watch all")
        program.advance(3600)
        terminal.until(r"COL .*www\.acme\.example")
        told = program.home / "told"
        terminal.until(lambda: told.exists() and "COL" in told.read_text())
        notes = [f"{start}{ssl_id} www.acme.example: ".encode() for start in NOTES]
        terminal.until(lambda: all(note in terminal.received for note in notes))
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert {event["ssl_id"] for event in events} == {ssl_id}
    assert events[-1]["to_state"] == "collected"
    environment = whole.read_text()
    assert f"HOME={program.home}" in environment
    assert "CERTCTL_" not in environment
    assert CANARY not in environment + told.read_text()
