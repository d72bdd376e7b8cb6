"""`i`: polling an order for longer, and what a row says whose deadline passed."""

from __future__ import annotations

from support.ui_stage import on_stage, staged
from support.writing import new_world


@on_stage
async def test_a_row_whose_deadline_passed_names_the_key_that_goes_on_until_issued() -> None:
    world = new_world()
    ssl_id = world.add_order(life="ov-vetting", common_name="www.acme.example").ssl_id
    async with staged(world, settle_seconds=700, track=[ssl_id]) as stage:
        assert "past: i" in stage.row(ssl_id)
        await stage.press("i")
        assert "until it is issued" in stage.text
        await stage.press("3")
        await stage.wait(8)
        assert "passed" not in stage.row(ssl_id)
        assert "no end" in stage.row(ssl_id)
        await stage.press("i", "1")
        await stage.wait(8)
        assert "no end" not in stage.row(ssl_id)
    order = stage.site.store.by_ssl_id(ssl_id)
    assert order is not None
    assert order.window is not None
    assert (order.window.deadline_seconds, order.window.until_issued) == (600.0, False)


@on_stage
async def test_marked_orders_are_polled_for_longer_together_and_remote_ones_become_local() -> None:
    world = new_world()
    for name in ("www.acme.example", "mail.acme.example"):
        world.add_order(life="ov-vetting", common_name=name)
    async with staged(world, settle_seconds=3) as stage:
        await stage.press("space", "j", "space", "i", "2")
        await stage.wait(3)
        assert not stage.view.table.marks
    assert [order.window and order.window.deadline_seconds for order in stage.site.orders] == [86_400.0, 86_400.0]
