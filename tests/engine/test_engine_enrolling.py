"""Ordering: never twice, never lost, and every refusal in words."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.account import CertificateProfile, CustomField
from sectigo_tui.domain.certificates import EnrollRequest
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
from sectigo_tui.engine.orders.enroll import RequestField, choose_term, errors_in
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.simulator.acme import acme
from sectigo_tui.simulator.orders import named_life
from support.virtual_time import START, in_virtual_time
from support.writing import Site, asked, csr_pem, new_world, ready

ENROLL = r"POST /ssl/v1/enroll"
CSR = PkiTools().read_csr(csr_pem("www.acme.example"))


@in_virtual_time
async def test_the_intent_with_its_order_tag_is_on_disk_before_anything_is_sent() -> None:
    site = Site()
    seen: list[tuple[OrderState, str]] = []

    def look_at_the_disk(words: str) -> None:
        if "enroll" in words:
            seen.append((site.order.state, site.order.order_tag))

    site.wire.before = look_at_the_disk
    placed = await site.engine.enrolling.enroll(ready(comments="for the new shop"))
    assert seen == [(OrderState.INTENT, f"[sectigo-tui:{placed.order.id}]")]
    (ssl_id,) = site.world.enrolled
    at_scm = site.world.order(ssl_id)
    assert at_scm is not None
    assert at_scm.comments == f"for the new shop [sectigo-tui:{placed.order.id}]"


@in_virtual_time
async def test_an_order_that_scm_took_is_polled_until_it_is_a_certificate() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(ready(comments="[sim:quick]"))
    assert placed.lost is None
    assert placed.order.state is OrderState.SUBMITTED
    assert [placed.order.ssl_id] == site.world.enrolled
    assert placed.order.pending_enroll is None
    async with site.following(polling=True):
        await site.clock.sleep(120)
    assert site.order.state is OrderState.COLLECTED
    assert site.order.certificate is not None


@pytest.mark.parametrize("code", [-107, -181, -737, -843, -1010, -1137])
def test_a_refusal_fails_the_order_in_scms_own_words(code: int) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with pytest.raises(Refused) as rejection:
            await site.engine.enrolling.enroll(ready(comments=f"[sim:refuse{code}]"))
        assert rejection.value.code == code
        assert site.order.state is OrderState.FAILED
        assert site.order.rejection.startswith(f"{code}: ")
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
        await site.engine.enrolling.enroll(ready())
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
            await site.engine.enrolling.enroll(ready())
        assert site.orders == []
        assert site.order.state is OrderState.FAILED

    story()


@in_virtual_time
async def test_a_refused_login_orders_nothing_and_holds_the_next_one_back() -> None:
    site = Site()
    site.world.account.credentials.password = "changed elsewhere"
    for sent in (True, False):
        with pytest.raises(CredentialsRefused) as failure:
            await site.engine.enrolling.enroll(ready())
        assert failure.value.sent is sent
    assert site.orders == []
    assert site.wire.count(".") == 1


@in_virtual_time
async def test_whoever_stops_waiting_does_not_lose_the_answer() -> None:
    site = Site()
    site.world.faults.add("latency", path="enroll", count=1, seconds=30)
    asked = asyncio.create_task(site.engine.enrolling.enroll(ready()))
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
        await site.engine.enrolling.enroll(ready())
    assert site.wire.count("POST") == 0


@in_virtual_time
async def test_nothing_is_ordered_into_an_outage_in_which_it_could_not_be_found_again() -> None:
    site = Site()
    site.wire.is_down = True
    with pytest.raises(Unreachable):
        await site.engine.enrolling.enroll(ready())
    assert site.disk.orders == {}


@in_virtual_time
async def test_a_login_that_may_not_list_may_order_all_the_same() -> None:
    site = Site()
    site.world.faults.add("error", path="ssl/v1$", code=-3, description="You are not authorized to perform list.")
    placed = await site.engine.enrolling.enroll(ready())
    assert placed.order.state is OrderState.SUBMITTED


@in_virtual_time
async def test_read_only_mode_orders_nothing() -> None:
    site = Site(read_only=True)
    with pytest.raises(ReadOnly):
        await site.engine.enrolling.enroll(ready())
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
    old = dataclasses.replace(named_life("instant"), gated=False)
    site.world.add_order(common_name="www.acme.example", life=old, requested=START - timedelta(days=180))
    site.world.add_order(common_name="other.www.acme.example", life="vetting")
    found = await site.engine.enrolling.duplicates(ready())
    assert [details.ssl_id for details in found.remote] == [issued.ssl_id, pending.ssl_id]
    assert found.failure is None
    assert (await site.engine.enrolling.duplicates(ready("nobody.acme.example"))).is_clear
    site.wire.is_down = True
    assert not (await site.engine.enrolling.duplicates(ready("nobody.acme.example"))).is_clear


@pytest.mark.parametrize(
    ("wanted", "terms", "chosen", "is_said"),
    [(199, (90, 199), 199, False), (365, (90, 199), 199, True), (100, (90, 110), 110, True), (365, (), 365, False)],
)
def test_a_term_that_the_profile_does_not_offer_is_said_with_the_nearest_one(
    wanted: int, terms: tuple[int, ...], chosen: int, is_said: bool
) -> None:
    choice = choose_term(CertificateProfile(1, "OV", terms_days=terms), wanted)
    assert choice.term_days == chosen
    assert bool(choice.note) is is_said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"term_days": 365}, RequestField.TERM),
        ({"comments": "x" * 1000}, RequestField.COMMENTS),
        ({"comments": "[sectigo-tui:0123456789ab]"}, RequestField.COMMENTS),
        ({"external_requester": "anna@acme.example,nobody"}, RequestField.REQUESTERS),
        ({"external_requester": "a" * 510 + "@acme.example"}, RequestField.REQUESTERS),
        ({"custom_fields": (("Cost center", " "),)}, RequestField.CUSTOM_FIELDS),
        ({"dcv_mode": "PIGEON"}, RequestField.DCV),
        ({"dcv_mode": "EMAIL"}, RequestField.DCV),
        ({}, None),
    ],
)
def test_what_scm_would_refuse_is_known_before_it_is_sent(
    changes: dict[str, object], field: RequestField | None
) -> None:
    given = {"custom_fields": (("Cost center", "4711"),), **changes}
    problems = errors_in(
        asked(**given),
        CSR,
        PkiTools(),
        profile=CertificateProfile(502, "OV", terms_days=(199,), key_types={"EC": ("P-256",)}),
        custom_fields=(CustomField(1, "Cost center", mandatory=True), CustomField(2, "Ticket", mandatory=False)),
    )
    assert [reason.field for reason in problems] == ([field] if field else [])


def test_a_key_that_the_profile_does_not_allow_is_a_problem_of_the_csr() -> None:
    profile = CertificateProfile(502, "OV", key_types={"RSA": ("2048",)})
    (reason,) = errors_in(asked(), CSR, PkiTools(), profile=profile)
    assert reason.field is RequestField.CSR
    assert "EC P-256" in reason.reason


@in_virtual_time
async def test_a_mandatory_custom_field_reaches_scm() -> None:
    world = new_world(account=acme(START, mandatory_fields=["Cost center"]))
    site = Site(world=world)
    placed = await site.engine.enrolling.enroll(ready(custom_fields=(("Cost center", "4711"),)))
    assert [placed.order.ssl_id] == world.enrolled


@in_virtual_time
async def test_of_two_processes_that_looked_for_duplicates_together_one_orders() -> None:
    site = Site()
    other = Site(world=site.world, disk=site.disk, kept=site.kept, name="another process")
    mine, theirs = ready("www.acme.example"), ready("WWW.acme.example.")
    found = await asyncio.gather(site.engine.enrolling.duplicates(mine), other.engine.enrolling.duplicates(theirs))
    assert all(each.is_clear for each in found)
    ended = await asyncio.gather(
        site.engine.enrolling.enroll(mine, since=found[0]),
        other.engine.enrolling.enroll(theirs, since=found[1]),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in ended) == ["OrderedMeanwhile", "Placed"]
    assert len(site.world.enrolled) == 1
    assert len(site.disk.orders) == 1


@in_virtual_time
async def test_an_order_that_scm_refused_keeps_no_other_process_from_ordering() -> None:
    site = Site()
    other = Site(world=site.world, disk=site.disk, kept=site.kept, name="another process")
    found = await other.engine.enrolling.duplicates(ready())
    with pytest.raises(Refused):
        await site.engine.enrolling.enroll(ready(comments="[sim:refuse-107]"))
    placed = await other.engine.enrolling.enroll(ready(), since=found)
    assert placed.order.ssl_id is not None


@in_virtual_time
async def test_an_order_that_the_operator_saw_is_no_surprise() -> None:
    site = Site()
    await site.engine.enrolling.enroll(ready())
    found = await site.engine.enrolling.duplicates(ready())
    assert not found.is_clear
    await site.engine.enrolling.enroll(ready(), since=found)
    assert len(site.world.enrolled) == 2


@pytest.mark.parametrize("is_tracked_here", [True, False])
def test_an_enroll_answered_with_another_orders_sslid_is_searched_for_by_its_tag(is_tracked_here: bool) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        other = site.world.add_order(common_name="www.acme.example", life="vetting").ssl_id
        if is_tracked_here:
            await site.engine.track(other)
        enroll = site.scm.enroll

        async def misled(request: EnrollRequest) -> int:
            await enroll(request)
            return other

        site.scm.enroll = misled  # type: ignore[method-assign] # SCM answers wrongly
        placed = await site.engine.enrolling.enroll(ready())
        assert placed.order.state is OrderState.UNCONFIRMED
        assert placed.lost is not None
        assert str(other) in placed.lost.reason
        await site.follow_for(5)
        found = site.store.order(placed.order.id)
        assert found is not None
        assert [found.ssl_id] == site.world.enrolled
        assert found.ssl_id != other

    story()


@in_virtual_time
async def test_a_csr_without_a_common_name_is_compared_by_its_alternative_names() -> None:
    site = Site()

    def nameless(*names: str) -> EnrollRequest:
        return ready(csr=PkiTools().read_csr(csr_pem("", *names)))

    await site.engine.enrolling.enroll(nameless("a.acme.example", "b.acme.example"))
    local = await site.engine.enrolling.duplicates(nameless("b.acme.example", "a.acme.example"))
    assert not local.is_clear
    site.world.add_order(common_name="c.acme.example", life="vetting")
    remote = await site.engine.enrolling.duplicates(nameless("d.acme.example", "c.acme.example"))
    assert [each.common_name for each in remote.remote] == ["c.acme.example"]
    assert (await site.engine.enrolling.duplicates(nameless("e.acme.example"))).is_clear


@in_virtual_time
async def test_a_local_order_that_scm_does_not_list_yet_is_a_duplicate() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(ready())
    del site.world.orders[placed.order.ssl_id or 0]
    found = await site.engine.enrolling.duplicates(ready())
    assert [order.id for order in found.local] == [placed.order.id]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (("A.acme.example", "a.acme.example.", "a.acme.example"), ("a.acme.example",)),
        (("b\u00fccher.example", "xn--bcher-kva.example"), ("xn--bcher-kva.example",)),
        (("2606:4700:0::1111", "1.1.1.1"), ("2606:4700::1111", "1.1.1.1")),
    ],
)
def test_a_name_is_sent_once_however_it_is_spelled(given: tuple[str, ...], sent: tuple[str, ...]) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        await site.engine.enrolling.enroll(ready(subject_alternative_names=given))
        assert site.world.orders[site.world.enrolled[0]].names[1:] == sent

    story()


@pytest.mark.parametrize(
    "name",
    [
        "a.acme.example b.acme.example",
        "a.acme.example,b.acme.example",
        "https://a.acme.example/",
        "*",
        "*.",
        "a.*.example",
        "web@acme.example",
        "a..example",
        "-a.example",
        "a_b.example",
        "192.0.2.1:443",
        "fe80::1%eth0",
        "a\nb.example",
        "",
    ],
)
@pytest.mark.parametrize("is_in_csr", [True, False])
def test_what_is_no_name_is_refused_wherever_it_comes_from(name: str, is_in_csr: bool) -> None:
    if is_in_csr:
        assert errors_in(asked(), replace(CSR, subject_alternative_names=(name,)), PkiTools())
    else:
        assert errors_in(asked(subject_alternative_names=(name,)), CSR, PkiTools())


def test_both_of_two_common_names_are_names() -> None:
    two = replace(PkiTools().read_csr(csr_pem("b.acme.example")), common_names=("a.acme.example", "b.acme.example"))
    assert set(ready(csr=two).subject_alternative_names) == {"a.acme.example", "b.acme.example"}


FIELDS = (CustomField(1, "Ticket", True), CustomField(2, "Cost centre", False))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((("ticket", "1"), ("Ticket", "2")), "write it 'Ticket'"),
        ((("Ticket", "1"), ("Colour", "red")), "defined are Ticket, Cost centre"),
        ((("Ticket", "1"), ("Ticket", "2")), "give it once"),
    ],
)
def test_a_custom_field_that_is_not_defined_is_refused_with_those_that_are(
    given: tuple[tuple[str, str], ...], told: str
) -> None:
    (reason,) = errors_in(asked(custom_fields=given), CSR, PkiTools(), custom_fields=FIELDS)
    assert told in reason.remedy
    assert not errors_in(asked(custom_fields=given), CSR, PkiTools())


@pytest.mark.parametrize(
    "text", ["nobody", "a@acme.example b@acme.example", "a@@acme.example", "A <a@acme.example>", "a@.example", "@b"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert errors_in(asked(external_requester=text), CSR, PkiTools())
    assert errors_in(asked(dcv_mode="EMAIL", dcv_email=text), CSR, PkiTools())
