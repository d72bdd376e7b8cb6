"""What the detail pane says about one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.presentation.columns import RowContext, age_text, cell, poll_text
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.glyphs import STATE_CELLS
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.lines import TIME_CELLS, Fact, labelled, titled
from sectigo_tui.ui.keys.key_names import DEFAULT_NAMES, KeyNames

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.verdict import Verdict

LONG_TEXT = 2_000
NAMES_SHOWN = 100


def detail_content(
    row: OrderRow,
    timeline: Sequence[TimelineEntry],
    now: RowContext,
    width: int = 0,
    *,
    keys: KeyNames | None = DEFAULT_NAMES,
    polls: Sequence[PollResult] = (),
) -> Content:
    """Return what an on-call operator needs first, then the rest: state, polling, certificate, order, timeline.

    Args:
        row: The order.
        timeline: Its timeline, oldest first.
        now: The time.
        width: The cells of a line, for wrapping a text beside its label; 0 for no bound.
        keys: Names the keys that it tells of; None to tell of none.
        polls: Its newest polls, oldest first.
    """
    order = row.order
    state = labelled(_state(row, now, keys), width)
    blocks = [Content("\n").join(part for part in (_title(row, now), state) if part.plain)]
    if order is not None:
        blocks.append(labelled((*_polling(order, keys), *_last_polls(polls, now)), width))
    else:
        blocks.append(Content.styled(f"Remote, not polled{_hint(keys, ': {view.track} tracks it.')}", "$state-muted"))
    if order is not None and order.certificate is not None:
        blocks.append(titled("Certificate", labelled(_certificate(order.certificate, order), width)))
    blocks.append(titled("Order", labelled(_order_facts(row), width)))
    if order is not None:
        blocks.append(titled("Timeline (UTC)", labelled(_timeline(timeline), width, label_cells=TIME_CELLS)))
    return Content("\n\n").join(block for block in blocks if block.plain)


def detail_text(row: OrderRow, timeline: Sequence[TimelineEntry], now: RowContext) -> str:
    """Return the same as plain text, for the clipboard: what can be pressed here is of no use there."""
    return detail_content(row, timeline, now, keys=None).plain


def _hint(keys: KeyNames | None, text: str) -> str:
    return keys.fill(text) if keys is not None else ""


def _title(row: OrderRow, now: RowContext) -> Content:
    state = cell(row, "state", STATE_CELLS, now)
    name = printable(row.common_name, limit=LONG_TEXT) or "(no common name)"
    ssl_id = f"sslId {row.ssl_id}" if row.ssl_id is not None else "no sslId yet"
    return Content.assemble(
        (state.text, f"$state-{state.style}" if state.style else ""), "  ", (name, "bold"), f"  {ssl_id}"
    )


def _state(row: OrderRow, now: RowContext, keys: KeyNames | None) -> Iterable[Fact]:
    diagnoser, target = now.diagnoser(), row.target
    if diagnoser is not None and target is not None and row.is_open:
        verdict = diagnoser.cheap(target)
        yield "Blocked on", Content.styled(str(verdict.party), "bold")
        yield "", printable(verdict.sentence, limit=LONG_TEXT)
        yield "Next step", printable(verdict.next_action, limit=LONG_TEXT)
        yield "Evidence", Content.styled(_evidence(verdict, keys), "$state-muted")
        from sectigo_tui.ui.content.pictures import pace_content

        compared = diagnoser.whole(row.order, row.details, row.requested)
        if compared is not None:
            yield "Normal?", pace_content(compared, now.glyphs)
    if row.status:
        yield "SCM status", _status(row)
    order = row.order
    if order is None:
        return
    if order.owner:
        owner = f"you ({order.owner})" if row.is_yours else order.owner
        yield "Owner", Content.styled(printable(owner), "$state-waiting bold" if row.is_yours else "bold")
    if order.note is not None:
        note = f"{order.note.text} ({order.note.by}, {format_when(order.note.at)})"
        yield "Note", printable(note, limit=LONG_TEXT)
    yield "Here", f"{order.state} for {age_text(order.state_since, now.clock.now()).strip()}; {order.origin}"
    yield "Refused", printable(order.rejection, limit=LONG_TEXT)
    if order.pending_enroll is not None:
        yield "Placing", printable(order.pending_enroll.error, limit=LONG_TEXT)
    revocation = order.revocation
    if revocation is not None:
        told = f"SCM confirmed {format_when(revocation.confirmed_at)}"
        open_ = printable(revocation.error) or "UNKNOWN, verifying: SCM has not answered yet"
        yield "Revocation", told if revocation.confirmed_at else open_
        if revocation.next_attempt_at is not None:
            yield "Told again", f"{revocation.next_attempt_at:%H:%M:%S}Z"


def _status(row: OrderRow) -> str:
    status, meaning = printable(row.status), meaning_of(row.status).meaning
    is_said_twice = meaning.casefold().startswith(status.casefold())
    text = f"{status}{meaning[len(status) :]}" if is_said_twice else f"{status}: {meaning}"
    order = row.order
    is_before = order is not None and order.status_text != order.scm_status
    return f"{text} (told before it was {order.state})" if order is not None and is_before else text


def _evidence(verdict: Verdict, keys: KeyNames | None) -> str:
    """Return how much a verdict rests on, and how old the oldest of that is."""
    from sectigo_tui.engine.diagnosis.verdict import Strength

    if verdict.strength is Strength.STATUS_ONLY:
        return f"the status alone{_hint(keys, '; {app.diagnose} asks for the rest')}"
    oldest = min((fact.at for fact in verdict.evidence if fact.at is not None), default=None)
    shows = _hint(keys, "; {app.diagnose} shows it")
    return f"{verdict.strength}, as of {format_when(oldest)}{shows}" if oldest is not None else ""


def _order_facts(row: OrderRow) -> Iterable[Fact]:
    details = row.details
    if details is None:
        if row.row is not None:
            yield "Names", _names(row.row.subject_alternative_names)
        return
    profile = " ".join(part for part in (printable(details.validation), printable(details.profile_name)) if part)
    yield "Profile", f"{profile}  (certType {details.profile_id})" if details.profile_id else profile
    yield "Names", _names(details.subject_alternative_names)
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
            yield label, format_when(moment)
    yield "Term", f"{details.term_days} days" if details.term_days else ""
    yield "Serial", printable(details.serial_number)
    yield "Comments", printable(details.comments, limit=LONG_TEXT)


def _polling(order: Order, keys: KeyNames | None) -> Iterable[Fact]:
    window = order.window
    if window is None:
        return
    if window.ended is not None:
        again = _hint(keys, "; {view.poll} polls it again, {app.longer} for longer") if order.state.is_polled else ""
        yield "Polling", f"ended: {window.ended}{again}"
    elif window.next_poll_at is not None and order.state.is_polled:
        yield "Next poll", f"{window.next_poll_at:%H:%M:%S}Z, a wait of {window.wait_seconds:.0f} s: {window.reason}"
        is_endless = window.until_issued
        yield "Deadline", "none: until it is issued" if is_endless else f"{window.deadline_at:%Y-%m-%d %H:%M:%S}Z"
    yield "Polls", f"{window.attempts} since {format_when(window.opened_at)}"
    if order.last_poll is not None:
        from sectigo_tui.ui.content.pictures import latency_content

        poll = order.last_poll
        parts = [f"{poll.at:%H:%M:%S}Z", printable(poll_text(poll), limit=LONG_TEXT)]
        if poll.http_status is not None:
            parts.append(f"HTTP {poll.http_status}")
        yield "Last poll", Content.assemble("  ".join(parts), "  ", latency_content(poll.latency_seconds))


def _last_polls(polls: Sequence[PollResult], now: RowContext) -> Iterable[Fact]:
    """Return the latency and outcome of the last polls as two lines, with what the marks mean."""
    if len(polls) > 1:
        from sectigo_tui.ui.content.pictures import poll_lines

        yield from poll_lines(polls, now.glyphs)


def _certificate(facts: CertificateFacts, order: Order) -> Iterable[Fact]:
    yield "Subject", printable(facts.subject, limit=LONG_TEXT)
    yield "Names", _names(facts.subject_alternative_names)
    yield "Issuer", printable(facts.issuer, limit=LONG_TEXT)
    if facts.warning:
        yield "Warning", Content.styled(printable(facts.warning, limit=LONG_TEXT), "$state-warning bold")
    yield "Valid", f"{format_when(facts.not_before)} to {format_when(facts.not_after)}"
    yield "Key", facts.key
    yield "Serial", facts.serial_number
    yield "SHA-256", facts.sha256
    yield "SHA-1", facts.sha1
    yield "Saved in", order.certificate_path
    yield "Private key", order.key_path


def _names(names: Sequence[str]) -> str:
    more = f", and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(printable(name) for name in names[:NAMES_SHOWN]) + more


def _timeline(entries: Sequence[TimelineEntry]) -> Iterable[Fact]:
    if not entries:
        yield "", Content.styled("nothing recorded yet", "$state-muted")
    for entry in entries:
        code = "" if entry.code is None else f" (code {entry.code})"
        by = f", by {entry.by.text}" if entry.by is not None else ""
        yield f"{entry.at:%Y-%m-%d %H:%M:%S}", printable(f"{entry.summary}{code}{by}", limit=LONG_TEXT)
