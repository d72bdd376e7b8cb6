"""The table of what networks, gateways and an overloaded SCM do, and what the program makes of each."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from enum import Enum
from http import HTTPStatus

import orjson
from resilience_proxy import Fault, Passage, answering, done_but, http, reset

from sectigo_tui.domain.errors import (
    CredentialsRefused,
    NotFound,
    NotReady,
    RateLimited,
    Refused,
    ScmFailure,
    ServerFailure,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.explain import CREDENTIAL_CODES, NOT_READY_CODES, meaning_of_code, meaning_outside_collect
from sectigo_tui.engine.orders.entries import WriteOutcome
from support.virtual_time import START


class Way(Enum):
    """Where a request goes wrong."""

    ANSWERED = "on its way, or in its answer"
    NOBODY_LISTENS = "nobody listens at the port"
    NO_SUCH_NAME = "the name cannot be resolved"
    NO_TLS = "what listens speaks no TLS"
    RESET_AT_ONCE = "the connection is broken as soon as it is there"


class After(Enum):
    """What becomes of an order's poll window after a poll that met it."""

    SCHEDULE = "the next poll comes by the schedule"
    DEADLINE = "the next poll comes at the deadline: SCM asked for longer"
    STOPPED = "polling stops, and the reason is shown"
    HELD = "the poll stays due, and nothing is sent before a rotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault.

    Args:
        name: What happens.
        fault: How it is done to a request that arrives.
        way: Where it goes wrong.
        kind: The failure it becomes.
        otherwise: Calls for which it becomes another failure.
        reason: What the operator reads of how it failed.
        meaning: What the operator reads of its meaning, when a poll has met it.
        next_step: What the operator is told to do, when an order was being placed.
        is_sent: Whether the request may have arrived.
        is_done: Whether SCM has done what was asked for.
        hangs: Whether it takes as long as the program waits.
        after: What becomes of an order's poll window, or the seconds until the next poll.
        write_outcome: What is known of a write that met it.
    """

    name: str
    kind: type[ScmFailure]
    reason: str
    meaning: str
    next_step: str
    write_outcome: WriteOutcome
    fault: Fault = reset
    way: Way = Way.ANSWERED
    otherwise: Mapping[str, type[ScmFailure]] = field(default_factory=dict)
    is_sent: bool = True
    is_done: bool = False
    hangs: bool = False
    after: After | float = After.SCHEDULE

    def kind_for(self, call: str) -> type[ScmFailure]:
        """Return the failure that it becomes for a call."""
        return self.otherwise.get(call, self.kind)

    def __str__(self) -> str:
        return self.name


PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr><center>nginx</center></body></html>"
NO_ANSWER = "No answer came from SCM; every order stays what it was"
NOT_THE_API = "What answered is not SCM's API"
SERVER_FAILED = "SCM, or a gateway before it, failed; every order stays what it was"
LOOK_FIRST = "Look up its result at SCM before you repeat it."
NOT_SENT = "Check network, proxy, CA bundle and base_url, then do it again."
NOT_DONE = "It was not done: wait, then do it again."
TOO_MANY = "SCM has had too many requests from this account"
REFUSES_LOGIN = "SCM does not know this customer, login and password."
ROTATE = "Rotate the credentials"
UNNAMED = "SCM had an error that it does not name."
SUPPORT = "Quote code, description and time to Sectigo support."
ASK_FOR_PRIVILEGE = "Ask your SCM administrator for the privilege"
"""Where SCM accepts the same credentials for every other call."""


def rejection(status: int, code: int, description: str, *headers: str) -> bytes:
    """Return an error of SCM's own. Source: SCM manual 25.5."""
    body = orjson.dumps({"code": code, "description": description})
    return http(body, "Content-Type: application/json", *headers, status=f"{status} {HTTPStatus(status).phrase}")


def _page(status: int) -> bytes:
    words = f"{status} {HTTPStatus(status).phrase}"
    return http(PAGE.format(words), "Content-Type: text/html", status=words)


def _gateway(status: int, body: str) -> bytes:
    return http(body, "Content-Type: application/json", status=f"{status} {HTTPStatus(status).phrase}")


def _too_many(*headers: str) -> Fault:
    return answering(http("Too Many Requests", *headers, status="429 Too Many Requests"))


async def _silence(passage: Passage) -> None:
    await passage.forward()
    await passage.hang()


async def _lost(passage: Passage) -> None:
    await passage.forward()
    passage.reset()


def _unreachable(name: str, reason: str, fault: Fault = reset, **settings: object) -> Row:
    is_sent = settings.get("is_sent", True)
    return Row(
        name=name,
        fault=fault,
        kind=Unreachable,
        reason=reason,
        meaning=NO_ANSWER,
        next_step=LOOK_FIRST if is_sent else NOT_SENT,
        write_outcome=WriteOutcome.UNKNOWN if is_sent else WriteOutcome.UNTOUCHED,
        **settings,  # type: ignore[arg-type] # fields of Row by their names
    )


def _unreadable(name: str, reason: str, fault: Fault, **settings: object) -> Row:
    return Row(
        name=name,
        fault=fault,
        kind=Unreadable,
        reason=reason,
        meaning=NOT_THE_API,
        next_step=LOOK_FIRST,
        write_outcome=WriteOutcome.UNKNOWN,
        **settings,  # type: ignore[arg-type] # fields of Row by their names
    )


def _server_failure(status: int, answer: bytes, after: After | float = After.SCHEDULE) -> Row:
    return Row(
        name=f"{status}, {'a page' if b'<html>' in answer else 'of SCM'}, {after}",
        fault=answering(answer),
        kind=ServerFailure,
        reason=f"HTTP {status}",
        meaning=SERVER_FAILED,
        next_step=LOOK_FIRST,
        write_outcome=WriteOutcome.UNKNOWN,
        after=after,
    )


def _rate_limited(name: str, after: After | float, *headers: str) -> Row:
    return Row(
        name=f"429 {name}",
        fault=_too_many(*headers),
        kind=RateLimited,
        reason="HTTP 429",
        meaning=TOO_MANY,
        next_step=NOT_DONE,
        write_outcome=WriteOutcome.UNTOUCHED,
        after=after,
    )


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
MEGABYTES = CHUNKED + (b"100000\r\n" + b" " * 1_048_576 + b"\r\n") * 11
BOMB = http(gzip.compress(b" " * 30_000_000), "Content-Encoding: gzip")
HALF = '{"sslId": 21'
RETRY_SECONDS = 90.0
NO_ROUTE = '{"message": "no Route matched with those values"}'
NO_CODE = '{"code": 404, "description": "not found"}'
BUSY = rejection(503, -2, "Maintenance.", f"Retry-After: {RETRY_SECONDS:.0f}")
_COUNT_404 = {"count": NotFound}
_COUNT_REFUSED = {"count": Refused}
"""An answer to HEAD has no body that could tell more than its status."""

ROWS = (
    _unreachable("connection refused", "refused the connection", way=Way.NOBODY_LISTENS, is_sent=False),
    _unreachable("no such name", "cannot be resolved", way=Way.NO_SUCH_NAME, is_sent=False),
    _unreachable("TLS failure", "TLS with", way=Way.NO_TLS, is_sent=False),
    _unreachable("reset before sending", "127.0.0.1", way=Way.RESET_AT_ONCE),
    _unreachable("reset after sending", "127.0.0.1"),
    _unreachable("answer lost", "127.0.0.1", _lost, is_done=True),
    _unreachable("silence", "did not answer in time", _silence, is_done=True, hangs=True),
    _unreachable(
        "slow headers",
        "did not answer in time",
        done_but(b"HTTP/1.1 200 OK\r\nContent-Le", then=Passage.hang),
        is_done=True,
        hangs=True,
    ),
    _unreachable(
        "a body that stops",
        "did not answer in time",
        done_but(http(HALF, length=500), then=Passage.hang),
        is_done=True,
        hangs=True,
        otherwise={"count": Unreadable},
    ),
    _unreachable("not HTTP", "not HTTP", answering(b"SSH-2.0-OpenSSH_9.6\r\n")),
    _unreadable("half a body", "cut off", done_but(http(HALF, length=500)), is_done=True),
    _unreadable("too short a Content-Length", "200", done_but(http('{"sslId": 2100001}', length=9)), is_done=True),
    _unreadable("half a chunk", "cut off", done_but(CHUNKED + b"20\r\n[{"), is_done=True),
    _unreadable("a page with 200", "a web page titled", answering(http(PAGE.format("Please sign in")))),
    _unreadable("nothing with 200", "200", done_but(http("")), is_done=True, otherwise={"collect": NotReady}),
    _unreadable("JSON of another shape", "200", answering(http('{"result": ["unexpected", null, 1.5]}'))),
    _unreadable("no UTF-8", "200", answering(http(b'{"sslId": "\xff\xfe\xfa"'))),
    _unreadable("1 GB announced", "too large", answering(http("", length=1_000_000_000))),
    _unreadable("11 MB in pieces", "too large", answering(MEGABYTES)),
    _unreadable("a gzip of 30 MB", "too large", answering(BOMB)),
    _unreadable("damaged gzip", "damaged", answering(http(b"no gzip", "Content-Encoding: gzip"))),
    _unreadable("redirect", "not followed", answering(http("", "Location: https://evil.example/", status="302 Found"))),
    _unreadable("a firewall's 403", "a web page titled", answering(_page(403)), otherwise={"count": Refused}),
    _server_failure(500, rejection(500, -2, "Internal error.")),
    _server_failure(502, _page(502)),
    _server_failure(503, _page(503)),
    _server_failure(504, http("", status="504 Gateway Timeout")),
    _rate_limited("without Retry-After", After.SCHEDULE),
    _rate_limited("with seconds", RETRY_SECONDS, f"Retry-After: {RETRY_SECONDS:.0f}"),
    _rate_limited(
        "with a date",
        RETRY_SECONDS,
        f"Retry-After: {format_datetime(START + timedelta(seconds=RETRY_SECONDS), usegmt=True)}",
    ),
    _rate_limited("with a date of the past", After.SCHEDULE, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"),
    _rate_limited("with a thousand years", After.DEADLINE, "Retry-After: 31557600000"),
    _rate_limited("with a time beyond time", After.DEADLINE, "Retry-After: 99999999999999999999"),
    _rate_limited("with the last date there is", After.DEADLINE, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"),
    _rate_limited("with less than nothing", After.SCHEDULE, "Retry-After: -60"),
    _rate_limited("with nonsense", After.SCHEDULE, "Retry-After: in a while"),
    Row(
        name="401",
        fault=answering(rejection(401, -16, "Unknown user")),
        kind=CredentialsRefused,
        reason="HTTP 401",
        meaning=REFUSES_LOGIN,
        next_step=ASK_FOR_PRIVILEGE,
        write_outcome=WriteOutcome.UNTOUCHED,
        after=After.HELD,
    ),
    Row(
        name="401, a page",
        fault=answering(_page(401)),
        kind=CredentialsRefused,
        reason="HTTP 401",
        meaning="SCM rejects the credentials; more attempts with them could lock the account",
        next_step=ASK_FOR_PRIVILEGE,
        write_outcome=WriteOutcome.UNTOUCHED,
        after=After.HELD,
    ),
    Row(
        name="404 that says the order is unknown",
        fault=answering(rejection(404, -105, "Certificate not found")),
        kind=NotFound,
        reason="HTTP 404",
        meaning="SCM says 'Certificate not found'. This code means two things: ",
        next_step="Read SCM's own words to tell which it is.",
        write_outcome=WriteOutcome.REFUSED,
        after=After.STOPPED,
    ),
    Row(
        name="404 by the code of an unknown sslId",
        fault=answering(rejection(404, -124, "")),
        kind=NotFound,
        reason="HTTP 404",
        meaning="SCM knows no order with this sslId.",
        next_step="Check the sslId and the account.",
        write_outcome=WriteOutcome.REFUSED,
        after=After.STOPPED,
    ),
    Row(
        name="404 that says nothing of an order",
        fault=answering(rejection(404, -1, "Unknown error.")),
        kind=NotFound,
        reason="HTTP 404",
        meaning=UNNAMED,
        next_step=SUPPORT,
        write_outcome=WriteOutcome.UNKNOWN,
    ),
    Row(
        name="400 that says nothing",
        fault=answering(rejection(400, -1, "Unknown error.")),
        kind=Refused,
        reason="HTTP 400",
        meaning=UNNAMED,
        next_step=SUPPORT,
        write_outcome=WriteOutcome.UNKNOWN,
    ),
    _unreadable("404, a page", "HTTP 404", answering(_page(404)), otherwise=_COUNT_404),
    _unreadable("404, nothing", "HTTP 404", answering(http("", status="404 Not Found")), otherwise=_COUNT_404),
    _unreadable("404, a gateway's JSON", "HTTP 404", answering(_gateway(404, NO_ROUTE)), otherwise=_COUNT_404),
    _unreadable("404, another's code", "HTTP 404", answering(_gateway(404, NO_CODE)), otherwise=_COUNT_404),
    _unreadable(
        "403, a gateway's JSON", "HTTP 403", answering(_gateway(403, '{"message": "No"}')), otherwise=_COUNT_REFUSED
    ),
    _unreadable("400, a page", "HTTP 400", answering(_page(400)), otherwise={"count": Refused}),
    _server_failure(503, BUSY, after=RETRY_SECONDS),
)
"""What goes wrong, row by row; SCM's own refusals are in `CODES`."""


def row_of_code(status: int, code: int) -> Row:
    """Return the row of one of SCM's codes."""
    words = f"words about {code}"
    known = meaning_of_code(code, words)
    assert known is not None
    elsewhere = meaning_outside_collect(code) if code in NOT_READY_CODES else known
    is_login, is_internal = code in CREDENTIAL_CODES, code in (-2, -65)
    return Row(
        name=f"{status} {code}",
        fault=answering(rejection(status, code, words)),
        kind=CredentialsRefused if is_login else Refused,
        otherwise={"collect": NotReady} if code in NOT_READY_CODES else {},
        reason=f"HTTP {status}: {words!r}",
        # What says "not ready" to collect says something else, or nothing, to another call.
        meaning=elsewhere.meaning if elsewhere else "for a reason that this program has no words for",
        next_step=ROTATE if is_login else elsewhere.next_step if elsewhere else "Read SCM's own words",
        write_outcome=WriteOutcome.UNTOUCHED
        if is_login
        else WriteOutcome.UNKNOWN
        if is_internal
        else WriteOutcome.REFUSED,
        after=After.HELD if is_login else After.STOPPED if code == -124 else After.SCHEDULE,
    )
