"""One bad login for one bad password, whoever tries it, and the requests of all processes held to one limit."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sectigo_tui.config.logins import SharedLogins
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import CredentialsRefused, RefusedBefore, ScmFailure, Unreachable
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.scm.client import ScmClient

URL = "https://scm.example/api"
GOOD, BAD, OTHER = (Credentials("acme", "api", SecretText(word)) for word in ("right-one", "wrong-one", "other-one"))


class Scm:
    """SCM as all processes of a host see it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.valid = "right-one"
        self.logins: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self.side_refused = False
        self.refused_alone = ""
        self.turns = 3

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.logins.append(request.headers["password"])
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.in_flight -= 1
        is_side = request.url.path.endswith("/admin/v1/password")
        is_alone = bool(self.refused_alone) and self.refused_alone in request.url.path
        if request.headers["password"] != self.valid or (is_side and self.side_refused) or is_alone:
            return httpx.Response(401, json={"code": -16, "description": "Unknown user"})
        return httpx.Response(200, json={"state": "ALIVE"} if is_side else [])

    @asynccontextmanager
    async def process(
        self, credentials: Credentials, *, polls: bool = False, base_url: str = URL
    ) -> AsyncIterator[tuple[ScmClient, SharedLogins]]:
        """Yield the client of one more process, and what it knows of logins."""
        clock = SystemClock()
        logins = SharedLogins(self.directory, base_url, "acme", clock, limit=4, is_poller=lambda: polls)
        transport = httpx.MockTransport(self.answer)
        client = ScmClient(base_url, credentials, clock, transport=transport, logins=logins)
        try:
            yield client, logins
        finally:
            await client.aclose()


@pytest.fixture
def scm(tmp_path: Path) -> Scm:
    return Scm(tmp_path / "data")


async def test_eight_processes_that_start_together_with_a_refused_password_cost_one_bad_login(scm: Scm) -> None:
    async def start() -> ScmFailure:
        async with scm.process(BAD) as (client, _):
            with pytest.raises(CredentialsRefused) as failed:
                await client.types()
            return failed.value

    failures = await asyncio.gather(*(start() for _ in range(8)))
    assert scm.logins == ["wrong-one"]
    assert sorted(failure.sent for failure in failures) == [False] * 7 + [True]
    (told,) = {explain(failure).next_step for failure in failures if not failure.sent}
    assert "sectigo-tui rotate" in told
    assert "check --insist" in told
    assert "refused exactly these credentials at" in str(failures[-1] if not failures[-1].sent else failures[0])


async def test_eight_processes_that_start_together_with_a_good_password_all_get_in_one_after_the_other(
    scm: Scm,
) -> None:
    async def start() -> None:
        async with scm.process(GOOD) as (client, _):
            await client.types()

    await asyncio.gather(*(start() for _ in range(8)))
    assert len(scm.logins) == 8
    assert scm.most_in_flight == 1
    assert not (scm.directory / "refused.json").exists()


async def test_what_is_kept_tells_no_password_and_is_the_owners_alone(scm: Scm) -> None:
    for credentials in (BAD, OTHER):
        async with scm.process(credentials) as (client, _):
            with pytest.raises(CredentialsRefused):
                await client.types()
    path = scm.directory / "refused.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text())
    assert len(kept["salt"]) == 32
    assert len({each["fingerprint"] for each in kept["logins"]}) == 2
    for word in ("wrong-one", "other-one", "api", "acme"):
        assert word not in path.read_text()
    async with scm.process(GOOD) as (client, _):
        await client.types()
    async with scm.process(BAD, base_url="https://other.example/api") as (client, _):
        with pytest.raises(CredentialsRefused) as failed:
            await client.types()
        assert failed.value.sent, "another server may know them"


async def test_insisting_tries_once_and_what_is_accepted_then_is_accepted_everywhere(scm: Scm) -> None:
    async with scm.process(BAD) as (client, waiting):
        with pytest.raises(CredentialsRefused):
            await client.types()
        async with scm.process(BAD) as (other, logins):
            logins.insist(BAD)
            with pytest.raises(CredentialsRefused) as failed:
                await other.types()
            assert failed.value.sent
            with pytest.raises(RefusedBefore):
                await other.types()
            assert len(scm.logins) == 2
            scm.valid = "wrong-one"
            logins.insist(BAD)
            await other.types()
            await other.types()
        assert waiting.is_accepted(BAD)
        assert waiting.rejection_of(BAD) is None
        await client.types()


async def test_a_password_refused_while_processes_run_is_sent_by_none_of_the_others_again(scm: Scm) -> None:
    async with scm.process(GOOD) as (first, _), scm.process(GOOD) as (second, _), scm.process(GOOD) as (third, _):
        for client in (first, second, third):
            await client.types()
        scm.valid, before = "new-one", len(scm.logins)
        for client in (first, second, third):
            with pytest.raises(CredentialsRefused):
                await client.types()
        assert len(scm.logins) == before + 1


async def test_a_side_query_that_is_refused_is_no_bad_password(scm: Scm) -> None:
    scm.side_refused = True
    async with scm.process(GOOD) as (client, logins):
        await client.types()
        with pytest.raises(CredentialsRefused):
            await client.password_status()
        assert logins.rejection_of(GOOD) is None
        await client.types()


async def test_a_write_that_is_refused_alone_by_accepted_credentials_is_no_bad_password(scm: Scm) -> None:
    scm.refused_alone = "/approve/"
    async with scm.process(GOOD) as (client, logins):
        await client.types()
        with pytest.raises(CredentialsRefused):
            await client.approve(7, "fine")
        assert logins.rejection_of(GOOD) is None
        await client.types()


async def test_a_bad_password_is_known_by_whichever_call_meets_it_first(scm: Scm) -> None:
    async with scm.process(BAD) as (client, _):
        with pytest.raises(CredentialsRefused):
            await client.approve(7, "fine")
        with pytest.raises(RefusedBefore):
            await client.types()
    assert scm.logins == ["wrong-one"]


async def test_whoever_does_not_poll_sends_one_request_at_a_time_and_all_keep_to_the_limit(scm: Scm) -> None:
    async with (
        scm.process(GOOD, polls=True) as (poller, _),
        scm.process(GOOD) as (second, _),
        scm.process(GOOD) as (third, _),
    ):
        for client in (poller, second, third):
            await client.types()
        scm.turns, scm.most_in_flight = 30, 0
        await asyncio.gather(*(client.types() for client in (second, third) for _ in range(6)))
        assert scm.most_in_flight == 1
        await asyncio.gather(*(poller.types() for _ in range(12)), *(second.types() for _ in range(6)), third.types())
        assert scm.most_in_flight == 4


async def test_a_process_that_is_stopped_while_it_tries_is_waited_for_and_then_named(
    scm: Scm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sectigo_tui.config.logins.PATIENCE_SECONDS", 0.0)
    async with scm.process(GOOD) as (client, logins), scm.process(GOOD) as (_, stopped):
        async with stopped.admitted("types", GOOD):
            with pytest.raises(Unreachable, match="look for a stopped one") as failed:
                await client.types()
        assert not failed.value.sent
        assert scm.logins == []
        await client.types()
        assert logins.rejection_of(GOOD) is None


async def test_a_directory_that_cannot_be_written_keeps_nobody_from_asking_and_the_refusal_is_known_here(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    scm = Scm(tmp_path / "file" / "data")
    async with scm.process(BAD) as (client, logins):
        with pytest.raises(CredentialsRefused) as failed:
            await client.types()
        assert "other processes do not know it" in failed.value.reason
        with pytest.raises(RefusedBefore):
            await client.types()
        assert logins.rejection_of(BAD) is not None
    assert scm.logins == ["wrong-one"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"salt": "zz", "logins": []}', b'{"salt": "00", "logins": [1]}']
)
async def test_a_damaged_file_is_as_none_and_is_written_anew(scm: Scm, content: bytes) -> None:
    scm.directory.mkdir()
    (scm.directory / "refused.json").write_bytes(content)
    for is_sent in (True, False):
        async with scm.process(BAD) as (client, _):
            with pytest.raises(CredentialsRefused) as failed:
                await client.types()
            assert failed.value.sent is is_sent
