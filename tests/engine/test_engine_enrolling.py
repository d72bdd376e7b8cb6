"""Ordering: never twice, never lost, and every refusal in words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sectigo_tui.domain.account import CertificateProfile, CustomField
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    RateLimited,
    ReadOnly,
    Refused,
    RefusedAlone,
    StoreError,
    Unreachable,
)
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.drafts import DraftField, choose_term, problems_of
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.simulator.acme import acme
from sectigo_tui.simulator.lives import named_life
from support.virtual_time import START, in_virtual_time
from support.writing import Site, csr_pem, draft, new_world

ENROLL = r"POST /ssl/v1/enroll"


@in_virtual_time
async def test_the_intent_with_its_marker_is_on_disk_before_anything_is_sent() -> None:
    site = Site()
    seen: list[tuple[OrderState, str]] = []

    def look_at_the_disk(words: str) -> None:
        if "enroll" in words:
            seen.append((site.order.state, site.order.marker))

    site.wire.before = look_at_the_disk
    placed = await site.engine.enrolling.enroll(draft(comments="for the new shop"))
    assert seen == [(OrderState.INTENT, f"[sectigo-tui:{placed.order.id}]")]
    (ssl_id,) = site.world.enrolled
    at_scm = site.world.order(ssl_id)
    assert at_scm is not None
    assert at_scm.comments == f"for the new shop [sectigo-tui:{placed.order.id}]"


@in_virtual_time
async def test_an_order_that_scm_took_is_polled_until_it_is_a_certificate() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(draft(comments="[sim:quick]"))
    assert placed.lost is None
    assert placed.order.state is OrderState.SUBMITTED
    assert [placed.order.ssl_id] == site.world.enrolled
    assert placed.order.placement is None
    async with site.following(polling=True):
        await site.clock.sleep(120)
    assert site.order.state is OrderState.COLLECTED
    assert site.order.certificate is not None


@pytest.mark.parametrize("code", [-107, -181, -737, -843, -1010, -1137])
def test_a_refusal_fails_the_order_in_scms_own_words(code: int) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with pytest.raises(Refused) as refusal:
            await site.engine.enrolling.enroll(draft(comments=f"[sim:refuse{code}]"))
        assert refusal.value.code == code
        assert site.order.state is OrderState.FAILED
        assert site.order.refusal.startswith(f"{code}: ")
        assert site.orders == [site.order]
        assert site.wire.count(ENROLL) == 1
        last = site.store.timeline(site.order.id)[-1]
        assert (last.kind, last.http_status, last.code) == (EventKind.WRITE_ANSWERED, 400, code)
        await site.follow_for(3600)
        assert site.order.state is OrderState.FAILED

    story()


@in_virtual_time
async def test_an_order_that_certainly_was_not_sent_is_withdrawn_and_its_timeline_kept() -> None:
    site = Site()
    site.wire.breaks_before("enroll")
    with pytest.raises(Unreachable) as failure:
        await site.engine.enrolling.enroll(draft())
    assert failure.value.sent is False
    assert site.orders == []
    assert site.summaries(site.order.id)[-1].startswith("withdrawn, not ordered: ")
    await site.follow_for(3600)
    assert site.world.enrolled == []


@pytest.mark.parametrize(("fault", "kind"), [("unauthorized", RefusedAlone), ("rate-limit", RateLimited)])
def test_what_scm_turned_away_unread_is_withdrawn(fault: str, kind: type[Exception]) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.faults.add(fault, path="enroll")
        with pytest.raises(kind):
            await site.engine.enrolling.enroll(draft())
        assert site.orders == []
        assert site.order.state is OrderState.FAILED

    story()


@in_virtual_time
async def test_a_refused_login_orders_nothing_and_holds_the_next_one_back() -> None:
    site = Site()
    site.world.account.credentials.password = "changed elsewhere"
    for sent in (True, False):
        with pytest.raises(CredentialsRefused) as failure:
            await site.engine.enrolling.enroll(draft())
        assert failure.value.sent is sent
    assert site.orders == []
    assert site.wire.count(".") == 1


@in_virtual_time
async def test_whoever_stops_waiting_does_not_lose_the_answer() -> None:
    site = Site()
    site.world.faults.add("latency", path="enroll", count=1, seconds=30)
    asked = asyncio.create_task(site.engine.enrolling.enroll(draft()))
    await site.clock.sleep(10)
    asked.cancel()
    await site.clock.sleep(60)
    assert asked.cancelled()
    assert site.order.state is OrderState.SUBMITTED


@in_virtual_time
async def test_nothing_is_sent_when_the_intent_cannot_be_written() -> None:
    site = Site()
    site.store.failing = "no space left on device"
    with pytest.raises(StoreError):
        await site.engine.enrolling.enroll(draft())
    assert site.wire.count("POST") == 0


@in_virtual_time
async def test_nothing_is_ordered_into_an_outage_in_which_it_could_not_be_found_again() -> None:
    site = Site()
    site.wire.is_down = True
    with pytest.raises(Unreachable):
        await site.engine.enrolling.enroll(draft())
    assert site.disk.orders == {}


@in_virtual_time
async def test_a_login_that_may_not_list_may_order_all_the_same() -> None:
    site = Site()
    site.world.faults.add("error", path="ssl/v1$", code=-3, description="You are not authorized to perform list.")
    placed = await site.engine.enrolling.enroll(draft())
    assert placed.order.state is OrderState.SUBMITTED


@in_virtual_time
async def test_read_only_mode_orders_nothing() -> None:
    site = Site(read_only=True)
    with pytest.raises(ReadOnly):
        await site.engine.enrolling.enroll(draft())
    assert site.wire.sent == []
    assert site.disk.orders == {}


@in_virtual_time
async def test_what_the_account_offers_comes_in_parts_that_fail_alone() -> None:
    site = Site()
    site.world.faults.add("error", path="customFields", status=400, code=-3, description="You are not authorized")
    offer = await site.engine.enrolling.offer(1001)
    assert [profile.id for profile in offer.profiles.items] == [501, 502, 503, 505]
    assert (1101, 1001) in [(one.id, one.parent_id) for one in offer.organizations.items]
    assert offer.custom_fields.items == ()
    assert isinstance(offer.custom_fields.failure, Refused)


@in_virtual_time
async def test_orders_of_the_same_name_that_are_pending_or_far_from_expiry_are_shown() -> None:
    site = Site()
    pending = site.world.add_order(common_name="www.acme.example", life="vetting")
    issued = site.world.add_order(common_name="WWW.acme.example", life="instant")
    site.world.add_order(common_name="www.acme.example", life="rejected", requested=START.replace(year=2025))
    old = replace(named_life("instant"), gated=False)
    site.world.add_order(common_name="www.acme.example", life=old, requested=START - timedelta(days=180))
    site.world.add_order(common_name="other.www.acme.example", life="vetting")
    found = await site.engine.enrolling.duplicates("www.acme.example")
    assert [details.ssl_id for details in found.remote] == [issued.ssl_id, pending.ssl_id]
    assert found.failure is None
    assert (await site.engine.enrolling.duplicates("nobody.acme.example")).is_clear
    site.wire.is_down = True
    assert not (await site.engine.enrolling.duplicates("nobody.acme.example")).is_clear


@pytest.mark.parametrize(
    ("wanted", "terms", "chosen", "is_said"),
    [(199, (90, 199), 199, False), (365, (90, 199), 199, True), (100, (90, 110), 110, True), (365, (), 365, False)],
)
def test_a_term_that_the_profile_does_not_offer_is_said_with_the_nearest_one(
    wanted: int, terms: tuple[int, ...], chosen: int, is_said: bool
) -> None:
    choice = choose_term(CertificateProfile(1, "OV", terms_days=terms), wanted)
    assert choice.term_days == chosen
    assert bool(choice.said) is is_said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"term_days": 365}, DraftField.TERM),
        ({"comments": "x" * 1000}, DraftField.COMMENTS),
        ({"comments": "[sectigo-tui:0123456789ab]"}, DraftField.COMMENTS),
        ({"external_requester": "anna@acme.example,nobody"}, DraftField.REQUESTERS),
        ({"external_requester": "a" * 510 + "@acme.example"}, DraftField.REQUESTERS),
        ({"custom_fields": (("Cost center", " "),)}, DraftField.CUSTOM_FIELDS),
        ({"dcv_mode": "PIGEON"}, DraftField.DCV),
        ({"dcv_mode": "EMAIL"}, DraftField.DCV),
        ({"csr": PkiTools().read_csr(csr_pem("", "www.acme.example"))}, None),
        ({}, None),
    ],
)
def test_what_scm_would_refuse_is_known_before_it_is_sent(changes: dict[str, object], field: DraftField | None) -> None:
    given = {"custom_fields": (("Cost center", "4711"),), **changes}
    csr = given.pop("csr", None)
    wanted = draft(**given)  # type: ignore[arg-type] # Draft's own fields
    if csr is not None:
        wanted = draft("www.acme.example", **given)  # type: ignore[arg-type] # Draft's own fields
    problems = problems_of(
        wanted,
        PkiTools(),
        profile=CertificateProfile(502, "OV", terms_days=(199,), key_types={"EC": ("P-256",)}),
        custom_fields=(CustomField(1, "Cost center", mandatory=True), CustomField(2, "Ticket", mandatory=False)),
    )
    assert [problem.field for problem in problems] == ([field] if field else [])


def test_a_key_that_the_profile_does_not_allow_is_a_problem_of_the_csr() -> None:
    profile = CertificateProfile(502, "OV", key_types={"RSA": ("2048",)})
    (problem,) = problems_of(draft(), PkiTools(), profile=profile)
    assert problem.field is DraftField.CSR
    assert "EC P-256" in problem.problem


@in_virtual_time
async def test_a_mandatory_custom_field_reaches_scm() -> None:
    world = new_world(account=acme(START, mandatory_fields=["Cost center"]))
    site = Site(world=world)
    placed = await site.engine.enrolling.enroll(draft(custom_fields=(("Cost center", "4711"),)))
    assert [placed.order.ssl_id] == world.enrolled
