"""A terminal that takes nothing for a while, and what it has got in the end."""

from __future__ import annotations

import os

from sectigo_tui.ui.terminal.driver import BACKLOG_BYTES, Outlet

FRAME = b"frame" * 2_000
NOTE = b"\a\x1b]9;sectigo-tui: changed\a"


def test_frames_are_left_out_while_a_terminal_takes_nothing_but_nothing_that_rings() -> None:
    ours, terminal = os.pipe()
    caught_up: list[bool] = []
    outlet = Outlet(terminal, lambda: caught_up.append(True))
    frames = 5 * BACKLOG_BYTES // len(FRAME)
    for _ in range(frames):
        outlet.write(FRAME)
    outlet.write(NOTE, is_frame=False)
    outlet.start()
    received = b""
    while not received.endswith(NOTE):
        received += os.read(ours, 65_536)
    outlet.finish()
    os.close(ours)
    os.close(terminal)
    assert 0 < received.count(FRAME) < frames
    assert received == FRAME * received.count(FRAME) + NOTE
    assert caught_up == [True]
