"""Whatever SCM, or something before it, answers: every call ends in a value or in a failure of its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scm_support import CALLS, answering

from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.explain import explain

FIELDS = st.sampled_from(
    re.findall(
        r"\w+",
        """
        id sslId status code description commonName subjectAlternativeNames serialNumber certType name terms keyTypes
        RSA mandatory departments validationLevel validator settings TRACKING_ID dcvLog error log instructions
        domainName lastCheck dcvStatus state expirationDate requested customFields value certificateDetails issuer
        """,
    )
)
HOSTILE = st.sampled_from(
    ["\x1b[2J", "[red]x[/]", "\u202eevil", "\0", "=cmd()", "02/30/2026", "2026-03-01T00:00:00Z", "x" * 20_000, "5"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | HOSTILE | st.sampled_from([2**64, 1e308])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)
STATUS = st.sampled_from([200, 200, 200, 202, 204, 302, 400, 401, 403, 404, 429, 500])


@pytest.mark.parametrize("call", CALLS)
@given(answer=JSON, status=STATUS)
@settings(max_examples=60)
def test_any_json_ends_in_a_value_or_a_failure(call: str, answer: object, status: int) -> None:
    _ask(call, status, json.dumps(answer).encode())


@given(
    call=st.sampled_from(sorted(CALLS)),
    body=st.binary(max_size=300) | st.builds(lambda depth: b"[" * depth, st.integers(1, 100_000)),
    status=STATUS,
    header=st.text(st.characters(max_codepoint=126, exclude_characters="\r\n\0"), max_size=50),
)
@settings(max_examples=300)
def test_any_bytes_end_in_a_value_or_a_failure(call: str, body: bytes, status: int, header: str) -> None:
    _ask(call, status, body, dict.fromkeys(("retry-after", "location", "x-total-count"), header))


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"[" + b"9" * 50_000 + b"]", b"1e99999"])
@pytest.mark.parametrize("call", ["types", "details", "enroll"])
def test_json_made_to_break_parsers_ends_in_a_failure(call: str, body: bytes) -> None:
    _ask(call, 200, body)
    _ask(call, 400, body)


def _ask(call: str, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    client = answering(status, body=body, headers=headers)
    failure = asyncio.run(_failure_of(CALLS[call](client.scm)))
    if failure is not None:
        assert failure.reason.isprintable()
        assert explain(failure).next_step
    assert len(client.requests) == 1
    assert len(client.exchanges) == 1


async def _failure_of(asked: Awaitable[object]) -> ScmFailure | None:
    try:
        await asked
    except ScmFailure as failure:
        return failure
    return None
