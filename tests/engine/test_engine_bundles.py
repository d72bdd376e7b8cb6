"""What is collected is the order's certificate, whole, or it is not taken; what is missing in it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sectigo_tui.domain.errors import NotReady, Unreadable
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.pki.bundle import read_bundle
from support.virtual_time import in_virtual_time, run_virtual
from support.writing import Site


def spoiled(site: Site, spoil: Callable[[bytes], bytes]) -> None:
    """Let SCM give something else than the certificate that it has."""
    collect = site.scm.collect

    async def spoiling(ssl_id: int) -> bytes:
        return spoil(await collect(ssl_id))

    site.scm.collect = spoiling  # type: ignore[method-assign] # SCM answers wrongly


async def a_tracked_order(site: Site, common_name: str = "www.acme.example") -> Order:
    ssl_id = site.world.add_order(common_name=common_name, life="instant").ssl_id
    await site.clock.sleep(5)
    await site.engine.track(ssl_id)
    (order,) = site.orders
    return order


@in_virtual_time
async def test_a_bundle_that_was_cut_is_not_ready_and_collected_later() -> None:
    site = Site()
    order = await a_tracked_order(site)
    cuts = [400, 900]
    spoiled(site, lambda bundle: bundle[: cuts.pop()] if cuts else bundle)
    with pytest.raises(NotReady, match="cut"):
        await site.engine.collecting.collect(order.ssl_id or 0)
    await site.follow_for(60, polling=True)
    assert site.order.state is OrderState.COLLECTED
    assert site.disk.certificates[order.id].count(b"END CERTIFICATE") > 1


@in_virtual_time
async def test_a_certificate_for_other_names_is_kept_aside_and_said() -> None:
    site = Site()
    order = await a_tracked_order(site)
    other = site.world.add_order(common_name="other.example", life="instant").ssl_id
    await site.clock.sleep(5)
    strange = await site.scm.collect(other)
    spoiled(site, lambda _bundle: strange)
    await site.follow_for(60, polling=True)
    assert site.order.state is OrderState.ISSUED
    assert site.disk.certificates == {f"{order.id}.refused": strange}
    told = "is for other.example, and the order is for www.acme.example; it is kept aside"
    assert any(told in summary for summary in site.summaries(order.id))
    with pytest.raises(Unreadable, match=f"kept aside as certificates/{order.id}.refused.pem"):
        await site.engine.collecting.collect(order.ssl_id or 0)


@in_virtual_time
async def test_a_certificate_for_other_names_is_refused_for_an_order_that_is_not_local_too() -> None:
    site = Site()
    mine, other = (
        site.world.add_order(common_name=name, life="instant").ssl_id for name in ("www.acme.example", "other.example")
    )
    await site.clock.sleep(5)
    strange = await site.scm.collect(other)
    spoiled(site, lambda _bundle: strange)
    with pytest.raises(Unreadable, match=r"is for other\.example"):
        await site.engine.collecting.collect(mine)


@in_virtual_time
async def test_a_leaf_without_its_issuer_is_collected_and_the_timeline_says_so() -> None:
    site = Site()
    order = await a_tracked_order(site)
    leaf = read_bundle(await site.scm.collect(order.ssl_id or 0)).leaf_pem.encode()
    spoiled(site, lambda _bundle: leaf)
    await site.follow_for(60, polling=True)
    assert site.order.state is OrderState.COLLECTED
    assert site.order.certificate is not None
    assert site.order.certificate.warning.startswith("issuer CN=")
    assert any(site.order.certificate.warning in summary for summary in site.summaries(order.id))


def test_files_of_an_order_without_a_name_are_named_by_its_alternative_name(tmp_path: Path) -> None:
    async def saved() -> tuple[str, ...]:
        site = Site()
        ssl_id = site.world.add_order(common_name="", names=("first.acme.example",), life="instant").ssl_id
        await site.clock.sleep(5)
        collected = await site.engine.collecting.collect(ssl_id)
        return await site.engine.collecting.save(collected, str(tmp_path))

    paths = run_virtual(saved())
    assert {Path(path).name.split(".", 1)[0] for path in paths} == {"first"}
