"""What requesters typed into SCM's fields is shown as text, and breaks nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import fields, replace

from sectigo_tui.domain.certificates import CertificateFacts, OrderDetails
from sectigo_tui.domain.errors import Refused
from sectigo_tui.domain.events import EventKind, FailureReported, OrderChanged, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.simulator.scenarios import make_world
from support.stored_orders import an_order
from support.ui_stage import Stage, on_stage, staged
from support.virtual_time import START, LoopClock

HOSTILE = {
    "markup": "[bold red]x[/] [@click=app.quit]y[/] [[/]]",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "bidi": "safe\u202egnp.exe\u2066\u200f",
    "invisible": "a\u200bb\u2060c\u00ad\ufeff\U000e0061",
    "wide": "証明書\U0001f468\u200d\U0001f469\u200d\U0001f467" * 20,
    "stacked": "a" + "\u0301" * 500,
    "lines": "one\ntwo\r\nthree\u2028four\x00\x0b",
    "long": "x" * 100_000,
    "formula": '=HYPERLINK("http://evil")',
    "braces": "{0} %s $HOME ${x} \\n",
    "surrogate": "\ud800 and \udfff",
}


def hostile_order(number: int, text: str) -> Order:
    """Return an order with the text in every field that a stranger can fill."""
    plain = an_order(number)
    assert plain.details is not None
    words = {
        field.name: text
        for field in fields(OrderDetails)
        if isinstance(getattr(plain.details, field.name), str) and field.name != "status"
    }
    details = replace(plain.details, **words, status=text, subject_alternative_names=(text, text))
    return replace(
        plain,
        state=OrderState.PENDING,
        common_name=text,
        profile_name=text,
        rejection=text,
        details=details,
        last_poll=PollResult(START, PollOutcome.PENDING, text, 0.1, 200),
        last_answer_at=START,
    )


async def look_everywhere(stage: Stage) -> None:
    """Open everything that shows an order."""
    await stage.press("R")
    for keys in (["d"], ["enter"], ["G"], ["escape", "escape"], ["2", "d"], ["escape"], ["4", "d"], ["escape"]):
        await stage.press(*keys)
        stage.check_frame()
    await stage.press("1", "/", *"x]", "escape", "?", "escape")
    stage.check_frame()


async def show(text: str, size: tuple[int, int] = (120, 40)) -> None:
    async with staged(make_world("empty", clock=LoopClock().now), size=size) as stage:
        order = hostile_order(1, text)
        stage.site.store.plant(order)
        entry = TimelineEntry(at=START, order_id=order.id, kind=EventKind.NOTE, summary=text, ssl_id=order.ssl_id)
        stage.site.disk.entries.append(entry)
        stage.site.engine.event_source(OrderChanged(order, entry))
        refused = Refused("details", text, http_status=400, code=-9, sent=True)
        stage.site.engine.event_source(FailureReported(START, text, refused, order.id))
        await stage.wait(1)
        await look_everywhere(stage)
        assert stage.app.is_running
        assert "view: Pending" in stage.footer
        await stage.press("c")
        assert "\x1b" not in stage.app.clipboard


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@on_stage
async def test_hostile_text_in_every_field_is_text(text: str) -> None:
    await show(text)


@on_stage
async def test_hostile_text_at_80_columns() -> None:
    await show("".join(HOSTILE.values())[:3_000], (80, 24))


@on_stage
async def test_a_certificate_of_ten_thousand_names_opens() -> None:
    async with staged(make_world("empty", clock=LoopClock().now)) as stage:
        names = tuple(f"host{number}.example.com" for number in range(10_000))
        facts = CertificateFacts(
            subject="CN=x",
            subject_alternative_names=names,
            issuer="CN=y",
            serial_number="01",
            not_before=START,
            not_after=START,
            sha256="aa",
            sha1="bb",
            key="EC P-256",
        )
        order = replace(an_order(1), state=OrderState.COLLECTED, certificate=facts, certificate_path="/x")
        stage.site.store.plant(order)
        await stage.press("2", "d", "enter", "G")
        stage.check_frame()
        assert "and 9,900 more" in stage.view.detail().plain
