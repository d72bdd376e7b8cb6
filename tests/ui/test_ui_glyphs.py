"""States by code and shape."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.status import PENDING_STATUSES
from sectigo_tui.presentation.glyphs import (
    ASCII,
    UNICODE,
    Glyphs,
    StateGlyph,
    choose_glyphs,
    order_glyph,
    state_glyphs,
    status_glyph,
)
from sectigo_tui.presentation.themes import CELL_STYLES


@pytest.mark.parametrize(
    ("environ", "glyphs"),
    [
        ({"LANG": "en_US.UTF-8", "TERM": "xterm-256color"}, UNICODE),
        ({"LANG": "C.utf8", "TERM": "tmux"}, UNICODE),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C", "TERM": "xterm"}, ASCII),
        ({"TERM": "xterm"}, ASCII),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, ASCII),
        ({"LANG": "en_US.UTF-8", "TERM": "vt220"}, ASCII),
    ],
)
def test_shapes_are_what_locale_and_terminal_can_show(environ: dict[str, str], glyphs: Glyphs) -> None:
    assert choose_glyphs(environ) is glyphs


def test_a_preference_for_a_set_is_followed() -> None:
    assert choose_glyphs({}, "unicode") is UNICODE
    assert choose_glyphs({"LANG": "C.UTF-8", "TERM": "xterm"}, "ascii") is ASCII


@pytest.mark.parametrize("glyph", state_glyphs(), ids=lambda glyph: glyph.code)
def test_every_state_is_five_cells_in_both_sets(glyph: StateGlyph) -> None:
    assert cell_len(glyph.text(UNICODE)) == cell_len(glyph.text(ASCII)) == 5
    assert glyph.text(ASCII).isascii()
    assert glyph.style in CELL_STYLES


@pytest.mark.parametrize("state", OrderState)
def test_every_local_state_has_a_glyph(state: OrderState) -> None:
    assert order_glyph(state).code.isupper()


@pytest.mark.parametrize(
    ("status", "shown"),
    [("Requested", "REQ ○"), ("SAApproved", "SAA ◔"), ("sa approved", "SAA ◔"), ("APPLIED", "APL ◐"), ("Odd", "UNK ?")],
)
def test_a_status_is_known_whatever_its_case_and_spaces(status: str, shown: str) -> None:
    assert status_glyph(status).text(UNICODE) == shown


def test_every_pending_status_has_a_code_of_its_own() -> None:
    assert len({status_glyph(status).code for status in PENDING_STATUSES} - {"UNK"}) == len(PENDING_STATUSES)


def test_a_pending_or_failed_order_shows_what_scm_calls_it() -> None:
    assert order_glyph(OrderState.PENDING, "Applied").code == "APL"
    assert order_glyph(OrderState.FAILED, "Rejected").code == "REJ"
    assert order_glyph(OrderState.FAILED).code == "ERR"
    assert order_glyph(OrderState.COLLECTED, "Issued").code == "COL"
