"""The bulk report: every order of a span of days in one answer."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from sectigo_tui.simulator.account import Organization
from sectigo_tui.simulator.bulk import Block
from sectigo_tui.simulator.orders import Course, Order
from sectigo_tui.simulator.requests import ApiError, Body, invalid
from sectigo_tui.simulator.views import Json, status_text, written
from sectigo_tui.simulator.world import World

_DATES: Mapping[int, Callable[[Order, Course], datetime | None]] = {
    2: lambda order, _: order.revoked,
    3: lambda _, course: course.expires,
    4: lambda order, _: order.requested,
    5: lambda _, course: course.issued,
}
"""By `certificateDateAttribute`. Source: SCM manual 25.5, "SSL certificates report"."""

_STATUSES = {0: "", 1: "Requested", 2: "Issued", 3: "Revoked", 4: "Expired"}
_LONGEST_WORK = timedelta(days=4)
_TERM = timedelta(days=199)


def report(world: World, body: Body) -> Json:
    """Return the report that a request's body asks for.

    Raises:
        ApiError: A value is not acceptable; 413 where there are more rows than the world's `report_rows`.

    Source: SCM manual 25.5, "SSL certificates report"; matching whole common names and the order of rows are assumed.
    """
    first, last = _day(body, "from"), _day(body, "to")
    attribute, status = body.number("certificateDateAttribute"), body.number("certificateStatus") or 0
    if status not in _STATUSES:
        raise invalid("certificateStatus")
    if attribute is not None and attribute not in _DATES:
        raise invalid("certificateDateAttribute")
    organizations = set(body.numbers("organizationIds"))
    name, requester = body.text("commonName").lower(), body.text("externalRequester").lower()
    told_by = _DATES[attribute or 4]
    now = world.now()
    rows = []
    for order in _orders(world, attribute or 4, first, last):
        course = world.course(order, now)
        at = told_by(order, course)
        if at is None or not (first or date.min) <= at.astimezone(UTC).date() <= (last or date.max):
            continue
        if organizations and order.organization_id not in organizations:
            continue
        if name not in ("", order.common_name.lower()) or requester not in order.external_requester.lower():
            continue
        if _STATUSES[status] not in ("", course.status):
            continue
        rows.append((order, course))
    if world.report_rows is not None and len(rows) > world.report_rows:
        raise ApiError(-1, "The report is too large.", 413)
    return {"statusCode": 0, "message": "OK", "reports": [_row(world, order, course) for order, course in rows]}


def _day(body: Body, name: str) -> date | None:
    told = body.text(name)
    try:
        return date.fromisoformat(told) if told else None
    except ValueError:
        raise invalid(name) from None


def _orders(world: World, attribute: int, first: date | None, last: date | None) -> Iterator[Order]:
    """Yield every order that may have its date in the span, without making up the many that cannot."""
    for block in world.blocks:
        for ssl_id in _of_block(block, attribute, first, last):
            if ssl_id not in world.orders:
                yield block.order(ssl_id)
    yield from list(world.orders.values())


def _of_block(block: Block, attribute: int, first: date | None, last: date | None) -> range:
    if attribute == 2:
        return range(0)
    after_issuance = _TERM if attribute == 3 else timedelta(0)
    low, high = block.ids.start, block.ids.stop
    if first is not None:
        since = datetime(first.year, first.month, first.day, tzinfo=UTC) - after_issuance
        low = max(low, block.first_id + (since - block.oldest) // block.step)
    if last is not None:
        until = datetime(last.year, last.month, last.day, tzinfo=UTC) - after_issuance + _LONGEST_WORK
        high = min(high, block.first_id + (until - block.oldest) // block.step + 2)
    return range(low, max(low, high))


def _row(world: World, order: Order, course: Course) -> Json:
    def moment(at: datetime | None) -> str | None:
        return None if at is None else written(at, "ISO_HMS")

    organization = world.account.organization(order.organization_id)
    decided = course.approved or course.declined
    row: Json = {
        "id": order.ssl_id,
        "type": order.profile.name,
        "typeId": order.profile.id,
        "orgId": order.organization_id,
        "organizationName": _name(organization, order.organization_id),
        "commonName": order.common_name,
        "subjAltNames": "; ".join(order.names),
        "status": status_text(world, course.status),
        "requester": order.requester,
        "approver": order.approver if decided and order.life.approval_seconds else None,
        "externalRequester": order.external_requester,
        "comments": order.comments,
        "orderNumber": order.order_number if course.applied else None,
        "backendCertId": str(order.order_number) if course.applied else None,
        "term": order.term_days,
        "requestedVia": order.requested_via,
        "requested": moment(order.requested),
        "approved": moment(course.approved),
        "declined": moment(course.declined),
        "issued": moment(course.issued),
        "downloaded": moment(order.downloaded),
        "expires": moment(course.expires),
        "revoked": moment(order.revoked),
        "replaced": moment(order.replaced),
        "serialNumber": world.serial_text(order) if course.issued else None,
        "issuer": "Simulated Organization Validation Secure Server CA" if course.issued else None,
        "customFields": [{"name": name, "value": value} for name, value in order.custom_fields],
    }
    return {name: value for name, value in row.items() if value is not None}


def _name(organization: Organization | None, organization_id: int) -> str | None:
    if organization is None:
        return None
    parts = {part.id: part.name for part in organization.departments}
    return parts.get(organization_id, organization.name)
