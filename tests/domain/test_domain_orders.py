from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.orders import IllegalChangeError, Order, OrderState, Origin, state_for
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.domain.status import PENDING_STATUSES, StatusClass, classify, meaning_of
from support.virtual_time import START

ORDER = Order(id="a", state=OrderState.PENDING, state_since=START, created_at=START, origin=Origin.TRACKED)
LATER = START.replace(hour=5)

POLLED = {OrderState.SUBMITTED, OrderState.PENDING, OrderState.ISSUED}


def in_state(state: OrderState) -> Order:
    return replace(ORDER, state=state)


@given(st.sampled_from(sorted(POLLED)), st.text())
def test_whatever_status_scm_answers_a_polled_order_can_take_it(state: OrderState, status: str) -> None:
    after = in_state(state).to(state_for(status), LATER)
    assert after.state is state_for(status)


@pytest.mark.parametrize("status", [*PENDING_STATUSES, "Issued", "Rejected", "Revoked", "Expired", "Replaced"])
@pytest.mark.parametrize("state", sorted(POLLED))
def test_every_known_status_can_be_answered_about_a_polled_order(state: OrderState, status: str) -> None:
    assert in_state(state).to(state_for(status), LATER).state is state_for(status)


@pytest.mark.parametrize("state", sorted(POLLED))
def test_a_polled_order_can_be_collected_or_revoked_by_the_operator(state: OrderState) -> None:
    assert in_state(state).to(OrderState.COLLECTED, LATER).state_since == LATER
    assert in_state(state).to(OrderState.REVOKING, LATER).state is OrderState.REVOKING


def test_staying_in_a_state_keeps_the_time_since() -> None:
    assert ORDER.to(OrderState.PENDING, LATER).state_since == START


@pytest.mark.parametrize("state", list(OrderState))
def test_a_revoked_order_stays_revoked(state: OrderState) -> None:
    revoked = in_state(OrderState.REVOKED)
    if state is OrderState.REVOKED:
        assert revoked.to(state, LATER) is revoked
    else:
        with pytest.raises(IllegalChangeError):
            revoked.to(state, LATER)


@pytest.mark.parametrize("state", list(OrderState))
def test_an_intent_becomes_known_lost_or_refused_and_nothing_else(state: OrderState) -> None:
    allowed = {OrderState.INTENT, OrderState.SUBMITTED, OrderState.UNCONFIRMED, OrderState.FAILED}
    if state in allowed:
        assert in_state(OrderState.INTENT).to(state, LATER).state is state
    else:
        with pytest.raises(IllegalChangeError):
            in_state(OrderState.INTENT).to(state, LATER)


def test_only_orders_that_wait_for_scm_are_polled() -> None:
    assert {state for state in OrderState if state.is_polled} == POLLED
    assert {state for state in OrderState if in_state(state).is_waiting} == POLLED | {
        OrderState.INTENT,
        OrderState.UNCONFIRMED,
    }
    assert not any(state.is_polled for state in OrderState if state.is_final)


def test_an_answer_with_empty_fields_loses_nothing_that_was_known() -> None:
    known = ORDER.learn(
        OrderDetails(
            ssl_id=7,
            status="Requested",
            common_name="www.example.com",
            profile_id=21,
            profile_name="OV SSL",
            validation="OV",
            term_days=199,
            organization_id=4,
        )
    )
    after = known.learn(OrderDetails(ssl_id=7, status="Applied"))
    assert after.scm_status == "Applied"
    assert (after.ssl_id, after.common_name, after.profile_id) == (7, "www.example.com", 21)
    assert (after.profile_name, after.validation) == ("OV SSL", "OV")
    assert (after.term_days, after.organization_id) == (199, 4)


@pytest.mark.parametrize("spelling", ["SA Approved", "SAApproved", "sa approved", " SAAPPROVED "])
def test_spelling_and_case_of_a_status_do_not_matter(spelling: str) -> None:
    assert meaning_of(spelling).name == "SA Approved"


@given(st.text())
def test_an_unknown_status_is_pending_under_its_own_name(status: str) -> None:
    meaning = meaning_of(status)
    assert meaning.status_class is classify(status)
    if meaning.responsible == "unknown":
        assert (meaning.name, meaning.status_class) == (status, StatusClass.PENDING)


def test_outcomes_in_which_scm_told_nothing_of_the_order_are_no_answers() -> None:
    silent = {outcome for outcome in PollOutcome if not outcome.is_answer}
    assert silent == {
        PollOutcome.RATE_LIMITED,
        PollOutcome.SERVER_FAILURE,
        PollOutcome.UNREACHABLE,
        PollOutcome.UNREADABLE,
        PollOutcome.CREDENTIALS_REFUSED,
        PollOutcome.NOT_FOUND,
        PollOutcome.REFUSED,
    }
