"""What the detail pane says about one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.columns import Now, age_text, look_text
from sectigo_tui.ui.text import printable

LABEL_CELLS = 14
LONG_TEXT = 2_000

Line = Content
Fact = tuple[str, str]


def detail_content(subject: Subject, timeline: Sequence[TimelineEntry], now: Now) -> Content:
    """Return an order's facts, its certificate's once collected, and its timeline.

    Args:
        subject: The order.
        timeline: Its timeline, oldest first.
        now: The time.
    """
    at = now.clock.now()
    blocks = [_facts(_head(subject, at)), _facts(_order_facts(subject)), _facts(_polling(subject.order))]
    if subject.order is not None and subject.order.certificate is not None:
        blocks.append(_titled("Certificate", _facts(_certificate(subject.order.certificate, subject.order))))
    if subject.order is not None:
        blocks.append(_titled("Timeline (UTC)", Content("\n").join(_timeline(timeline))))
    else:
        blocks.append(Content.styled("Not local: t tracks it, then it is polled.", "$state-muted"))
    return Content("\n\n").join(block for block in blocks if block.plain)


def detail_text(subject: Subject, timeline: Sequence[TimelineEntry], now: Now) -> str:
    """Return the same as plain text, for the clipboard."""
    return detail_content(subject, timeline, now).plain


def _head(subject: Subject, at: datetime) -> Iterable[Fact]:
    ssl_id = f"sslId {subject.ssl_id}" if subject.ssl_id is not None else "no sslId yet"
    yield "Order", f"{printable(subject.common_name, limit=LONG_TEXT) or '-'}  ({ssl_id})"
    status = subject.status
    if status:
        meaning = meaning_of(status)
        yield "SCM status", f"{printable(status)}: {meaning.meaning}"
        yield "Who acts", meaning.who_acts
    if subject.order is not None:
        since = age_text(subject.order.state_since, at).strip()
        yield "Here", f"{subject.order.state}, for {since}; {subject.order.origin}"
        if subject.order.refusal:
            yield "Refused", printable(subject.order.refusal, limit=LONG_TEXT)
        revocation = subject.order.revocation
        if revocation is not None:
            told = f"SCM confirmed {fmt.format_when(revocation.confirmed_at)}"
            open_ = f"UNKNOWN at SCM, verifying; {printable(revocation.trouble) or 'not answered yet'}"
            yield "Revocation", told if revocation.confirmed_at else open_


def _order_facts(subject: Subject) -> Iterable[Fact]:
    details = subject.details
    if details is None:
        if subject.row is not None:
            yield "Names", ", ".join(printable(name) for name in subject.row.subject_alternative_names)
        return
    profile = " ".join(part for part in (details.validation, printable(details.profile_name)) if part)
    yield "Profile", f"{profile}  (certType {details.profile_id})" if details.profile_id else profile
    yield "Names", ", ".join(printable(name) for name in details.subject_alternative_names)
    yield "Organization", str(details.organization_id or "")
    yield "Order number", printable(details.order_number)
    yield "Backend id", printable(details.backend_cert_id)
    yield "Requester", printable(details.requester)
    yield "Approver", printable(details.owner)
    for label, moment in (
        ("Requested", details.requested),
        ("Approved", details.approved),
        ("Issued", details.issued),
        ("Declined", details.declined),
        ("Expires", details.expires),
        ("Revoked", details.revoked),
    ):
        if moment is not None:
            yield label, fmt.format_when(moment)
    yield "Term", f"{details.term_days} days" if details.term_days else ""
    yield "Serial", printable(details.serial_number)
    yield "Comments", printable(details.comments, limit=LONG_TEXT)


def _polling(order: Order | None) -> Iterable[Fact]:
    if order is None or order.window is None:
        return
    window = order.window
    yield "Polling", f"{window.looks} looks since {fmt.format_when(window.opened_at)}"
    if window.ended is not None:
        yield "Ended", f"{window.ended}; r polls it again" if order.state.is_polled else str(window.ended)
    elif window.next_look_at is not None:
        yield "Next look", f"{window.next_look_at:%H:%M:%S}Z, a wait of {window.wait_seconds:.0f} s: {window.reason}"
        yield "Deadline", f"{window.deadline_at:%Y-%m-%d %H:%M:%S}Z"
    if order.last_look is not None:
        look = order.last_look
        parts = [f"{look.at:%H:%M:%S}Z", printable(look_text(look), limit=LONG_TEXT)]
        if look.http_status is not None:
            parts.append(f"HTTP {look.http_status}")
        parts.append(fmt.latency(look.latency_seconds).strip())
        yield "Last look", "  ".join(parts)


def _certificate(facts: CertificateFacts, order: Order) -> Iterable[Fact]:
    yield "Subject", printable(facts.subject, limit=LONG_TEXT)
    yield "Names", ", ".join(printable(name) for name in facts.subject_alternative_names)
    yield "Issuer", printable(facts.issuer, limit=LONG_TEXT)
    yield "Valid", f"{fmt.format_when(facts.not_before)} to {fmt.format_when(facts.not_after)}"
    yield "Key", facts.key
    yield "Serial", facts.serial_number
    yield "SHA-256", facts.sha256
    yield "SHA-1", facts.sha1
    yield "Saved in", order.certificate_path
    yield "Private key", order.key_path


def _timeline(entries: Sequence[TimelineEntry]) -> Iterable[Content]:
    if not entries:
        yield Content.styled("nothing recorded yet", "$state-muted")
    for entry in entries:
        code = "" if entry.code is None else f" (code {entry.code})"
        yield Content.assemble(
            (f"{entry.at:%Y-%m-%d %H:%M:%S}  ", "$state-muted"), f"{printable(entry.summary, limit=LONG_TEXT)}{code}"
        )


def _facts(facts: Iterable[Fact]) -> Content:
    lines = [Content.assemble((f"{label:<{LABEL_CELLS}}", "$state-muted"), text) for label, text in facts if text]
    return Content("\n").join(lines)


def _titled(title: str, content: Content) -> Content:
    return Content.assemble((f"{title}\n", "bold"), content)
