from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from sectigo_tui.domain.errors import CredentialsRefused, ScmFailure
from sectigo_tui.engine.requests.limiter import Priority, RequestLimiter
from support.fake_scm import credentials_refused, refused, server_failure
from support.virtual_time import in_virtual_time


class Calls:
    """Requests of one second each, and the order in which they were sent."""

    def __init__(self, limiter: RequestLimiter) -> None:
        self.sent: list[str] = []
        self._gate = limiter

    def start(
        self, name: str, priority: Priority, *, due: float = 0.0, failure: ScmFailure | None = None
    ) -> asyncio.Task[str]:
        async def call() -> str:
            self.sent.append(name)
            await asyncio.sleep(1)
            if failure is not None:
                raise failure
            return name

        return asyncio.create_task(self._gate.run(priority, call, due=due), name=name)


def open_gate(limit: int) -> tuple[RequestLimiter, Calls]:
    limiter = RequestLimiter(limit)
    limiter.unlock()
    return limiter, Calls(limiter)


@in_virtual_time
async def test_writes_go_first_then_polls_by_due_time_then_what_is_in_sight_then_listings() -> None:
    _, calls = open_gate(1)
    tasks = [
        calls.start("first", Priority.POLL),
        calls.start("listing", Priority.LISTING),
        calls.start("sight", Priority.SIGHT),
        calls.start("poll later", Priority.POLL, due=20),
        calls.start("poll sooner", Priority.POLL, due=10),
        calls.start("write", Priority.WRITE),
    ]
    await asyncio.gather(*tasks)
    assert calls.sent == ["first", "write", "poll sooner", "poll later", "sight", "listing"]


@in_virtual_time
async def test_reading_for_the_screen_never_takes_the_last_place() -> None:
    limiter, calls = open_gate(4)
    tasks = [calls.start(f"listing {number}", Priority.LISTING) for number in range(6)]
    await asyncio.sleep(0.5)
    assert limiter.in_flight == 3
    assert limiter.has_place(Priority.POLL)
    assert not limiter.has_place(Priority.SIGHT)
    await asyncio.gather(*tasks)
    assert limiter.in_flight == 0


@in_virtual_time
async def test_whoever_gives_up_while_waiting_leaves_its_place_to_the_next() -> None:
    limiter, calls = open_gate(1)
    first, given_up, last = (calls.start(name, Priority.POLL) for name in ("first", "given up", "last"))
    await asyncio.sleep(0.5)
    given_up.cancel()
    assert list(await asyncio.gather(first, last)) == ["first", "last"]
    assert calls.sent == ["first", "last"]
    assert limiter.in_flight == 0
    with suppress(asyncio.CancelledError):
        await given_up


@in_virtual_time
async def test_giving_up_at_the_moment_its_turn_comes_loses_no_place() -> None:
    limiter, calls = open_gate(1)
    first, given_up = calls.start("first", Priority.POLL), calls.start("given up", Priority.POLL)
    first.add_done_callback(lambda _ended: given_up.cancel())
    await first
    with suppress(asyncio.CancelledError):
        await given_up
    assert await calls.start("last", Priority.POLL) == "last"
    assert limiter.in_flight == 0


@pytest.mark.parametrize(
    ("failure", "proves"), [(server_failure(), False), (refused("details", -3, "no privilege"), True)], ids=str
)
@in_virtual_time
async def test_only_an_answer_behind_the_login_proves_the_credentials(failure: ScmFailure, proves: bool) -> None:
    limiter = RequestLimiter(4)
    calls = Calls(limiter)
    with pytest.raises(ScmFailure):
        await calls.start("first", Priority.POLL, failure=failure)
    tasks = [calls.start(str(number), Priority.POLL) for number in range(3)]
    await asyncio.sleep(0.5)
    assert limiter.in_flight == (3 if proves else 1)
    await asyncio.gather(*tasks)


@in_virtual_time
async def test_a_refused_login_sends_everybody_away_until_it_is_unlocked() -> None:
    limiter, calls = open_gate(2)
    locked: list[bool] = []
    limiter.on_rejection = lambda: locked.append(True)
    tasks = [calls.start(str(number), Priority.POLL, failure=credentials_refused()) for number in range(5)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert calls.sent == ["0", "1"]
    assert [isinstance(answer, CredentialsRefused) and answer.sent for answer in answers] == [True, True] + [False] * 3
    assert locked == [True]
    with pytest.raises(CredentialsRefused):
        await calls.start("not sent", Priority.WRITE)
    limiter.unlock()
    assert await calls.start("after", Priority.POLL) == "after"
    assert calls.sent == ["0", "1", "after"]


@in_virtual_time
async def test_a_request_whose_turn_had_just_come_when_the_login_was_rejected_is_not_sent() -> None:
    limiter, calls = open_gate(2)
    fine, bad = calls.start("fine", Priority.POLL), calls.start("bad", Priority.POLL, failure=credentials_refused())
    waiting = calls.start("next", Priority.POLL)
    answers = await asyncio.gather(fine, bad, waiting, return_exceptions=True)
    assert calls.sent == ["fine", "bad"]
    assert isinstance(answers[2], CredentialsRefused)
    assert not answers[2].sent
    assert limiter.in_flight == 0
