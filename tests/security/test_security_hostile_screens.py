"""Every text of every answer is hostile: each screen and dialog shows it as text, and what leaves is inert."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import wcwidth
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from textual.widgets import Button

from sectigo_tui.certctl.client import CertctlClient
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.credentials.service import Access
from sectigo_tui.engine.engine import Engine
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.scm.http import Connection
from sectigo_tui.ui.dialogs.dialog import DISCARD, Dialog, Leaving
from sectigo_tui.ui.outside import Outside
from support.hostile import API_KEY, INTERPRETED, ORDERS, TYPED, HostileDns, HostileScm, certctl_answers, words_of
from support.stored_orders import an_order
from support.ui_stage import Stage, on_stage, staged, written_to_terminal
from support.writing import Site, new_world

Record = Callable[[str, object], None]

LIVES = ("ov-approval", "ov-vetting", "ov-dcv-missing", "ov-org-failed", "dv-instant", "ov-rejected")

VIEWS = (
    *("1", "j", "d", "d l", "escape escape", "slash x [ ]", "escape", "question_mark", "escape", "colon", "escape"),
    *(
        "o",
        "escape",
        "2",
        "G d",
        "G escape c",
        "Y",
        "escape",
        "C",
        "escape",
        "F escape",
        "H ~",
        "escape",
        "P",
        "escape",
    ),
    *("W", "3", "G d", "escape", "k t", "4", "G d", "escape", "5", "1"),
)
"""Keys that open every view and what stands over them; ~ waits for answers."""

OF_ORDERS = {
    "ov-approval": ("a", "p ~", "escape", "a d ~", "escape"),
    "ov-dcv-missing": ("d", "D ~", "G", "c", "E ~", "escape escape"),
    "ov-org-failed": ("D ~", "G", "escape"),
    "dv-instant": ("d", "G", "escape", "a c ~", "escape", "a n ~", "escape", "a v ~", "escape"),
    "lost": ("d", "a g", "escape", "a u", "escape"),
    "failed": ("a m", "escape"),
}
"""Keys that open what is about one order."""

EXPORTS = (("1", "cjmo"), ("4", "c"))
"""Views, and what of them is saved."""

REFUSED = ("R", "D ~", "escape", "3 R", "4 G d", "escape", "a e ~", "escape")
"""Keys that ask SCM, which refuses."""

MOST_DIALOGS = 6
"""How many dialogs lie over each other at most, each with the question whether to leave it."""

_SEQUENCES = re.compile(
    r"\x07|\x1b\](?:52;c;[A-Za-z0-9+/=]*|22;[a-z-]*|9;sectigo-tui: (?P<nine>[^;]*?)"
    r"|777;notify;sectigo-tui;(?P<seven>[^;]*?))\x07"
)
"""All that the dashboard writes to its terminal besides frames: the bell, OSC 52, the mouse's shape, OSC 9, OSC 777."""


def check(stage: Stage) -> None:
    """Fail when what is painted is more than text, or not exactly as wide as the terminal."""
    stage.app.screen._on_timer_update()
    strips = stage.app.screen._compositor.render_strips()
    columns, lines = stage.size
    assert len(strips) == lines
    for strip in strips:
        assert strip.text.isprintable(), repr(strip.text)
        assert cell_len(strip.text) == wcwidth.wcswidth(strip.text) == columns, repr(strip.text)
        assert INTERPRETED not in strip.text, strip.text
        for segment in strip:
            meta = segment.style.meta if segment.style else {}
            assert "app.quit" not in str(meta.get("@click", "")), segment
            assert not (segment.style and segment.style.link), segment


def inert(text: str) -> bool:
    """Return whether a text has lines, and otherwise nothing that a terminal acts on."""
    return all(line.isprintable() for line in text.split("\n"))


def check_exports(files: dict[str, str]) -> None:
    assert {name.rpartition(".")[2] for name in files} == {"csv", "json", "md"}
    for name, text in files.items():
        if name.endswith(".json"):
            assert text.isascii()
            assert isinstance(json.loads(text), dict)
            assert inert(text)
        elif name.endswith(".csv"):
            for row in csv.reader(io.StringIO(text, newline="")):
                for cell in row:
                    assert cell.isprintable()
                    assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff20")), cell
        else:
            assert inert(text), text
            assert not re.search(r"(?<!\\)<script|(?<!\\)!\[|(?<!\\)\]\(", text), text


def hostile_site(words: Sequence[str], *, keeps_meaning: bool) -> tuple[Site, HostileScm]:
    site = Site(world=new_world())
    for number, life in enumerate(LIVES):
        site.world.add_order(life=life, common_name=f"n{number}.acme.example")
    wire = HostileScm(site.wire._inner, words, keeps_meaning=keeps_meaning)
    site.wire._inner = wire  # type: ignore[assignment] # what answers is to be another
    connection = Connection("https://certctl.example", transport=certctl_answers(words, site.kept.present.customer_uri))
    access = Access(
        in_use=site.kept.present,
        keeper=site.kept,
        certctl=CertctlClient(connection, API_KEY),
        issuer_id="iss-sectigo",
    )
    site.engine = Engine(site.context, site.engine.event_source, PkiTools, lambda: access, HostileDns(words))
    return site, wire


async def go(stage: Stage, *steps: str) -> None:
    for step in steps:
        for key in step.split():
            await (stage.wait(0.4) if key == "~" else stage.press(key))
        check(stage)


async def close(stage: Stage) -> None:
    for _ in range(MOST_DIALOGS):
        if isinstance(stage.app.screen, Leaving):  # another escape would go back to the form
            stage.app.screen.query_one(f"#{DISCARD}", Button).press()
            await stage.wait()
        elif isinstance(stage.app.screen, Dialog):
            await stage.press("escape")
    assert not isinstance(stage.app.screen, Dialog), stage.text
    check(stage)


async def look_at_orders(stage: Stage, row_ids: Mapping[str, str]) -> None:
    for name, keys in OF_ORDERS.items():
        await stage.press("3" if name == "ov-approval" else "2")
        stage.view.table.move_to_id(row_ids[name])
        assert stage.cursor == row_ids[name]
        await go(stage, *keys)
        await close(stage)


async def enroll_and_rotate(stage: Stage) -> None:
    await go(stage, "a e ~", "enter", "down enter")
    await close(stage)
    await go(stage, "a o")
    password = stage.site.kept.present.password.reveal()
    stage.app.screen.query_one("#password").value = password  # type: ignore[attr-defined] # an Input
    stage.app.screen.query_one("#hand-over").value = True  # type: ignore[attr-defined] # a Tick
    await go(stage, "enter ~")
    assert "Rotated" in stage.text
    await close(stage)


async def export(stage: Stage) -> None:
    for view, forms in EXPORTS:
        for form in forms:
            await go(stage, f"{view} e {form}", "enter")
            await close(stage)


async def be_refused(stage: Stage, wire: HostileScm) -> None:
    for wire.refuses, keys in ((400, REFUSED), (502, ("R", "D ~", "escape")), (401, ("R ~", "r"))):
        await go(stage, "1", *keys)
        await close(stage)


async def tour(words: Sequence[str], size: tuple[int, int], fed: Record, *, keeps_meaning: bool) -> None:
    files: dict[str, str] = {}

    def write_file(path: Path, content: bytes, **_: bool) -> bool:
        files[path.name] = content.decode()
        return True

    site, wire = hostile_site(words, keeps_meaning=keeps_meaning)
    ssl_ids = sorted(site.world.statuses())
    lost = replace(an_order(7), ssl_id=None, state=OrderState.UNCONFIRMED, common_name=words[0], rejection=words[1])
    failed = replace(an_order(8), state=OrderState.FAILED, common_name=words[2], rejection=words[3])
    for planted in (lost, failed):
        site.store.plant(planted)
    row_ids = {life: f"#{ssl_id}" for life, ssl_id in zip(LIVES, ssl_ids, strict=True)}
    row_ids |= {"lost": lost.id, "failed": f"#{failed.ssl_id}"}
    outside = Outside(write_file=write_file, environ={"TERM": "xterm-256color"})
    with written_to_terminal() as written:
        async with staged(site=site, size=size, track=ssl_ids[1:5], outside=outside) as stage:
            await go(stage, *VIEWS)
            await look_at_orders(stage, row_ids)
            await enroll_and_rotate(stage)
            await export(stage)
            await be_refused(stage, wire)
            assert stage.app.is_running
    fed("bad_inputs", wire.fed)
    check_exports(files)
    told = "".join(written)
    assert _SEQUENCES.sub("", told) == ""
    for found in _SEQUENCES.finditer(told):
        assert (found["nine"] or found["seven"] or "").isprintable()


@given(
    order=ORDERS,
    typed=TYPED,
    size=st.sampled_from([(80, 24), (50, 12)]),
    keeps_meaning=st.booleans(),
)
# What is counted is the same fixture for each example, which only adds to it.
@settings(max_examples=2, phases=(Phase.generate,), suppress_health_check=(HealthCheck.function_scoped_fixture,))
def test_whatever_the_answers_say_screens_dialogs_and_exports_show_text(
    order: list[int], typed: list[str], size: tuple[int, int], keeps_meaning: bool, record_property: Record
) -> None:
    on_stage(tour)(words_of(order, typed), size, record_property, keeps_meaning=keeps_meaning)
