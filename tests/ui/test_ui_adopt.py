"""Adopting what certctl left behind, from the dashboard: the hint, the list, and what becomes of it."""

from __future__ import annotations

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.simulator.world import World
from support.ui_stage import on_stage, staged
from support.writing import new_world


def a_world(*, count: int = 3) -> World:
    world = new_world()
    for number in range(count):
        name = f"shop{number}.example"
        world.add_order(life="ov-vetting", common_name=name, comments="Issued by certctl")
    return world


@on_stage
async def test_a_hint_tells_that_certctl_left_orders_and_the_menu_adopts_them_after_one_question() -> None:
    async with staged(a_world(), settle_seconds=3) as stage:
        assert "3 orders were left behind by certctl." in stage.footer
        await stage.press("a", "t")
        await stage.wait(3)
        assert "Adopt 3 orders that certctl left behind?" in stage.text
        assert "shop2.example" in stage.text
        assert stage.site.orders == []
        await stage.press("tab", "enter")
        await stage.wait(2)
        assert "Adopted 3 orders" in stage.text
    assert [order.state for order in stage.site.orders] == [OrderState.PENDING] * 3


@on_stage
async def test_where_nothing_was_left_there_is_no_hint_and_the_menu_says_so() -> None:
    world = new_world()
    world.add_order(life="ov-vetting", common_name="www.acme.example")
    async with staged(world, settle_seconds=3) as stage:
        assert "certctl" not in stage.text
        await stage.press("a", "t")
        await stage.wait(3)
        assert "certctl left nothing behind" in stage.text
