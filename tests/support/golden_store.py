"""What a store of each schema held, and what wrote its files: `python -m support.golden_store DIRECTORY`, from tests/.

The files in tests/store/schema_1 are never written again once it is released: they stand for what operators have on
their disks. A new schema gets a directory of its own, and a migration that these are read through.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from msgspec.structs import replace

from sectigo_tui.domain.certificates import CertificateFacts, EnrollRequest, OrderDetails
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin, PendingEnroll, Revocation
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WaitReason, WindowEnd
from sectigo_tui.store.documents import Actor
from sectigo_tui.store.local.journal_store import JournalStore
from support.stored_orders import HandClock
from support.virtual_time import START

WRITER = Actor(user="operator", pid=4711, tty="pts/3", ssh="192.0.2.7")
HOST = "jump1.example"
_STATES = tuple(
    map(
        OrderState,
        (
            "intent",
            "unconfirmed",
            "submitted",
            "pending",
            "issued",
            "collected",
            "failed",
            "expired",
            "replaced",
            "revoking",
            "revoked",
        ),
    )
)
_KINDS = tuple(
    map(
        EventKind,
        (
            "created",
            "changed",
            "window opened",
            "window ended",
            "write asked",
            "write answered",
            "not polled",
            "note",
            "removed",
        ),
    )
)
_OUTCOMES = tuple(
    map(
        PollOutcome,
        (
            "pending",
            "issued",
            "not ready",
            "collected",
            "final",
            "429",
            "server failure",
            "unreachable",
            "unreadable",
            "401",
            "404",
            "refused",
        ),
    )
)
"""The words of schema 1, whatever others have been added since."""

_LATER = START + timedelta(minutes=7, microseconds=250)
_FULL = Order(
    id="order-full",
    state=OrderState.REVOKING,
    state_since=_LATER,
    created_at=START,
    origin=Origin.ENROLLED,
    ssl_id=2_100_001,
    common_name='bücher.example "株式会社" \\ \x1b[31m',
    profile_id=502,
    profile_name="Sectigo SSL OV",
    validation="OV",
    term_days=199,
    organization_id=1001,
    order_tag="st-0001",
    csr_pem="-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
    key_path="keys/full.key",
    renews_ssl_id=2_000_000,
    details=OrderDetails(
        ssl_id=2_100_001,
        status="Issued",
        common_name="bücher.example",
        subject_alternative_names=("bücher.example", "www.example"),
        organization_id=1001,
        profile_id=502,
        profile_name="Sectigo SSL OV",
        validation="OV",
        term_days=199,
        order_number="123456",
        backend_cert_id="789",
        owner="r.ao@acme.example",
        requester="j.doe@acme.example",
        external_requester="x@acme.example",
        requested_via="REST API",
        comments="for the shop",
        requested=date(2026, 3, 1),
        approved=START,
        issued=_LATER,
        declined=date(2026, 3, 2),
        expires=date(2026, 9, 17),
        revoked=_LATER,
        replaced=START,
        renewed=True,
        serial_number="0A1B",
        key_type="RSA 2048",
        issuer="CN=Sectigo",
        subject="CN=bücher.example",
        sha1="00ff",
        custom_fields=(("cost centre", "4711"),),
    ),
    window=PollWindow(
        opened_at=START,
        deadline_seconds=600.0,
        attempts=5,
        wait_seconds=118.25,
        reason=WaitReason.RETRY_AFTER,
        ended=WindowEnd.STOPPED,
    ),
    certificate=CertificateFacts(
        subject="CN=bücher.example",
        issuer="CN=Sectigo",
        subject_alternative_names=("bücher.example",),
        serial_number="0A1B",
        not_before=START,
        not_after=START + timedelta(days=199),
        key="RSA 2048",
        sha256="aa",
        sha1="bb",
    ),
    certificate_path="certificates/2100001.pem",
    revocation=Revocation(
        reason_code=4,
        reason="superseded",
        asked_at=START,
        confirmed_at=_LATER,
        attempts=2,
        next_attempt_at=_LATER,
        error="HTTP 503",
        before=OrderState.COLLECTED,
        is_unknown=True,
    ),
    pending_enroll=PendingEnroll(
        asked_at=START,
        request=EnrollRequest(
            organization_id=1001,
            csr_pem="csr",
            profile_id=502,
            term_days=199,
            subject_alternative_names=("www.example",),
            comments="for the shop",
            external_requester="x@acme.example",
            custom_fields=(("cost centre", "4711"),),
            dcv_mode="EMAIL",
            dcv_email="admin@acme.example",
        ),
        known_ssl_ids=(1, 2),
        searches=3,
        next_search_at=_LATER,
        attempt=2,
        error="the answer was lost",
    ),
    rejection="-36 the term is not allowed",
)
"""Every field of an order has something in it."""

_EACH_STATE = tuple(
    Order(
        id=f"order-{state}",
        state=state,
        state_since=START,
        created_at=START + timedelta(seconds=number),
        origin=Origin.TRACKED,
        ssl_id=3_000 + number,
        common_name=f"{state}.example",
        window=PollWindow(opened_at=START, deadline_seconds=600.0, next_poll_at=START),
    )
    for number, state in enumerate(_STATES, 1)
)
REMOVED = replace(_FULL, id="order-removed", ssl_id=9, removed=True, revision=1)
ENTRIES = tuple(
    TimelineEntry(
        at=START + timedelta(seconds=number),
        order_id=_FULL.id,
        kind=kind,
        summary=f"{kind}: ünïcode \x1b[31m",
        from_state=OrderState.PENDING,
        to_state=OrderState.ISSUED,
        scm_status="Issued",
        http_status=200,
        code=-183,
        ssl_id=2_100_001,
    )
    for number, kind in enumerate(_KINDS)
)
POLLS = tuple(
    PollResult(START + timedelta(seconds=number), outcome, f"detail {outcome}", 0.125, 200, -183)
    for number, outcome in enumerate(_OUTCOMES)
)
ORDERS = (
    replace(_FULL, revision=len(ENTRIES), last_poll=POLLS[-1], last_answer_at=START),
    *(replace(order, revision=1) for order in _EACH_STATE),
)
"""What is read, oldest first."""


async def write(directory: Path) -> None:
    """Write the files: a part of each kind is only in the journal, and only in the bookkeeping."""
    with (
        mock.patch("sectigo_tui.store.local.journal_store.this_process", return_value=WRITER),
        mock.patch("sectigo_tui.store.local.lease.birth_of", return_value="1"),
        mock.patch("os.uname", return_value=SimpleNamespace(nodename=HOST)),
        tempfile.TemporaryDirectory() as name,
    ):
        store = JournalStore.open(Path(name), HandClock())
        full = await _put_all(store, ENTRIES[:4], replace(_FULL, revision=0))
        for order in (*_EACH_STATE[:4], replace(REMOVED, revision=0)):
            await store.put(order, replace(ENTRIES[0], order_id=order.id))
        for poll in POLLS[:2]:
            full = replace(full, last_poll=poll, last_answer_at=START)
            store.note(full, poll)
        await store.flush()
        await store.save()
        full = await _put_all(store, ENTRIES[4:], full)
        for order in _EACH_STATE[4:]:
            await store.put(order, replace(ENTRIES[0], order_id=order.id))
        for poll in POLLS[2:]:
            full = replace(full, last_poll=poll)
            store.note(full, poll)
        await store.flush()
        await store.lease([full.id], 15.0)
        shutil.copytree(name, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*lock"))
        await store.close()


async def _put_all(store: JournalStore, entries: tuple[TimelineEntry, ...], order: Order) -> Order:
    for entry in entries:
        order = await store.put(order, entry)
    return order


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
