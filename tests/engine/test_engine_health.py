from __future__ import annotations

import gc
import weakref
from datetime import datetime, timedelta

import pytest

from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import Exchange
from sectigo_tui.engine.requests.health import ApiHealth
from support.fake_scm import (
    credentials_refused,
    not_found,
    rate_limited,
    server_failure,
    unreachable,
    unreadable,
)
from support.virtual_time import START


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def exchange(minutes: float, failure: ScmFailure | None = None, call: str = "details") -> Exchange:
    return Exchange(at(minutes), call, 0.142, failure.http_status if failure else 200, failure)


@pytest.mark.parametrize("failure", [unreachable(), unreadable(), server_failure()], ids=str)
def test_the_api_fails_since_the_first_exchange_without_an_answer(failure: ScmFailure) -> None:
    health = ApiHealth()
    health.note(exchange(0))
    health.note(exchange(1, failure))
    health.note(exchange(2, failure))
    assert (health.failing_since, health.failure, health.answered_at) == (at(1), failure, at(0))
    health.note(exchange(3))
    assert (health.failing_since, health.failure, health.answered_at) == (None, None, at(3))
    assert health.last == exchange(3)


def test_a_call_that_fails_alone_is_named_and_no_outage() -> None:
    health = ApiHealth()
    health.note(exchange(0, call="listing"))
    for minute in (1, 2, 3):
        health.note(exchange(minute, server_failure(), call="report"))
        assert (health.failing_since, health.failing_calls) == (None, {"report": at(1)})
        health.note(exchange(minute + 0.5, call="listing"))
    health.note(exchange(4, call="report"))
    assert health.failing_calls == {}


def test_failures_of_all_that_is_asked_are_an_outage_from_the_second_call_on() -> None:
    health = ApiHealth()
    for call in ("listing", "details", "types"):
        health.note(exchange(0, call=call))
    health.note(exchange(1, server_failure(), call="details"))
    assert health.failing_since is None
    health.note(exchange(1.1, server_failure(), call="listing"))
    assert health.failing_since == at(1.1)
    health.note(exchange(2, call="listing"))
    assert (health.failing_since, health.failing_calls) == (None, {"details": at(1)})


def test_a_host_that_does_not_answer_is_an_outage_whatever_worked_before() -> None:
    health = ApiHealth()
    health.note(exchange(0, call="listing"))
    health.note(exchange(0.1, unreachable()))
    assert health.failing_since == at(0.1)


@pytest.mark.parametrize("failure", [not_found("details"), rate_limited(30), credentials_refused()], ids=str)
def test_a_refusal_is_an_answer(failure: ScmFailure) -> None:
    health = ApiHealth()
    health.note(exchange(1, failure))
    assert (health.failing_since, health.answered_at) == (None, at(1))


def test_retry_after_tells_until_when_scm_wants_to_be_left_alone() -> None:
    health = ApiHealth()
    assert health.retry_after_until is None
    health.note(exchange(1, rate_limited(30)))
    health.note(exchange(2))
    assert health.retry_after_until == at(1.5)


def test_exchanges_are_kept_for_an_hour() -> None:
    health = ApiHealth()
    for minute in range(0, 120, 10):
        health.note(exchange(minute))
    assert [kept.at for kept in health.recent(at(120))] == [at(minute) for minute in range(60, 120, 10)]
    assert [kept.at for kept in health.recent(at(120), seconds=1200)] == [at(100), at(110)]


def test_a_failure_is_forgotten_with_the_answer_it_holds_once_another_exchange_has_ended() -> None:
    health, failure = ApiHealth(), server_failure()
    health.note(exchange(0, failure))
    gone = weakref.ref(failure)
    del failure
    health.note(exchange(1))
    gc.collect()
    assert gone() is None
    assert [str(kept.outcome) for kept in health.recent(at(1))] == ["server failure", "None"]


def test_nothing_older_than_an_hour_is_kept_though_nobody_asks() -> None:
    health = ApiHealth()
    for minute in range(0, 180, 10):
        health.note(exchange(minute))
    assert len(health.recent(at(0))) == 7
