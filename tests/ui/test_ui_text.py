"""Untrusted text on one line of a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sectigo_tui.presentation.text import PLACEHOLDER, Align, counted, fit, may_be_spoofed, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("www.example.com", "www.example.com"),
        ("münchen.example", "münchen.example"),
        ("株式会社", "株式会社"),
        ("e\u0301cole", "e\u0301cole"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
        ("a\x1b[31mb", "a�[31mb"),
        ("a\x9b31mb", "a�31mb"),
        ("line\r\nend\ttab", "line��end�tab"),
        ("nul\x00", "nul�"),
        ("safe\u202egnp.exe", "safe�gnp.exe"),
        ("zero\u200bwidth\u2060\ufeff", "zero�width��"),
        ("soft\u00adhyphen", "soft�hyphen"),
        ("tag\U000e0041", "tag�"),
        ("lone\ud800surrogate", "lone�surrogate"),
        ("private\ue0a0", "private�"),
        ("hangul\u3164filler", "hangul�filler"),
        ("star\ufe0f", "star�"),
        ("flag\U0001f1e9\U0001f1ea", "flag��"),
        ("thumb\U0001f44d\U0001f3fd", "thumb\U0001f44d�"),
        ("spacing mark \u0939\u093f", "spacing mark \u0939�"),
        ("vowel over a\u1161", "vowel over a�"),
        ("no\u00a0break\u3000wide", "no break wide"),
        ("\u0301leading mark", "�leading mark"),
        ("heap" + "\u0301" * 50, "heap" + "\u0301" * 3 + "�"),
    ],
)
def test_text_is_shown_as_text(text: str, shown: str) -> None:
    assert printable(text) == shown


class ReadToItsEnd(str):
    """A text that complains when somebody looks at all of it."""

    __slots__ = ()

    def isascii(self) -> bool:
        raise AssertionError

    def __iter__(self) -> Iterator[str]:
        raise AssertionError


def test_a_huge_name_is_cut_before_it_is_polled() -> None:
    assert printable(ReadToItsEnd("\u202e" * 100_000)) == PLACEHOLDER * 512 + "…"


def test_the_ascii_set_has_a_placeholder_of_its_own() -> None:
    assert printable("a\x07b", placeholder="?") == "a?b"


@given(st.text(alphabet=st.characters(), max_size=80))
def test_nothing_in_shown_text_can_act_on_a_terminal(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    shown.encode()  # a lone surrogate would end the program here
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(max_size=60), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_a_fitted_text_takes_its_cells_and_no_other(text: str, width: int, align: Align) -> None:
    assert cell_len(fit(printable(text), width, align=align)) == width


@pytest.mark.parametrize(
    ("text", "width", "align", "shown"),
    [
        ("abc", 5, "left", "abc  "),
        ("abc", 5, "right", "  abc"),
        ("abcdef", 4, "left", "abc…"),
        ("株式会社", 5, "left", "株式…"),
        ("株式会社", 4, "left", "株… "),
        ("abc", 0, "left", ""),
    ],
)
def test_text_is_cut_and_padded_in_cells(text: str, width: int, align: Align, shown: str) -> None:
    assert fit(text, width, align=align) == shown


@pytest.mark.parametrize(
    ("text", "spoofed"),
    [
        ("www.example.com", False),
        ("münchen.example", False),
        ("株式会社", False),
        ("www.example.com\u200b", True),
        ("www\u202emoc.example", True),
        ("www.example.com\u00a0", True),
        ("www.ex\u0301\u0301\u0301\u0301ample.com", True),
        ("a" * 600 + "\u200b", True),
    ],
)
def test_what_cannot_be_seen_is_told(text: str, spoofed: bool) -> None:
    assert may_be_spoofed(text) is spoofed


def test_many_names_end_in_a_count_rather_than_an_ellipsis() -> None:
    names = [f"host{number}.acme.example" for number in range(300)]
    shown = counted(names)
    assert shown.startswith("host0.acme.example, host1.acme.example, ")
    assert shown.endswith(" more (300 in all)")
    assert printable(shown) == shown
    assert counted(names[:3]) == "host0.acme.example, host1.acme.example, host2.acme.example"
    assert counted(()) == ""
