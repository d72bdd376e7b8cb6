"""When the certificate ends that an order is to take the place of. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.diagnosis.evidence.model import has_passed
from sectigo_tui.engine.diagnosis.spans import Span, When


class OutageClock(Struct, frozen=True):
    """The end of the certificate in use, by which the order must be a certificate.

    Args:
        ssl_id: The order of the certificate in use.
        common_name: Its name; untrusted text.
        expires: When it ends.
        source: Who tells that.
        at: When it was told; None where it was read from the certificate itself.
    """

    ssl_id: int | None
    common_name: str
    expires: Moment
    source: str
    at: datetime | None = None

    @property
    def earliest(self) -> datetime:
        """The earliest it can end, to sort by."""
        return When.of(self.expires).earliest

    def has_ended(self, now: datetime) -> bool:
        """Return whether it is over for certain."""
        return has_passed(self.expires, now)

    def left(self, now: datetime) -> Span:
        """Return how long it still lasts."""
        return Span.between(When.of(now), When.of(self.expires))


def outage_clock(
    order: Order | None,
    details: OrderDetails | None,
    local: Callable[[int], Order | None],
    remote: Callable[[int], OrderDetails | None],
) -> OutageClock | None:
    """Return when the certificate ends that an order renews or replaces, from what is known already.

    Args:
        order: The local order, if it is one.
        details: What SCM tells of it, where that is known.
        local: Finds a local order by sslId.
        remote: Finds the details of an order by sslId.

    Returns:
        None for a new certificate, and where nobody tells what it takes the place of.
    """
    if order is not None and order.renews_ssl_id is not None:
        return _renewed(order.renews_ssl_id, local(order.renews_ssl_id), remote(order.renews_ssl_id))
    if order is not None and order.certificate is not None and order.state.is_polled:
        return OutageClock(order.ssl_id, order.common_name, order.certificate.not_after, "the collected certificate")
    if details is not None and details.replaced is not None and details.expires is not None and not details.issued:
        return OutageClock(details.ssl_id, details.common_name, details.expires, f"SCM details {details.ssl_id}")
    return None


def _renewed(ssl_id: int, order: Order | None, details: OrderDetails | None) -> OutageClock | None:
    if order is not None and order.certificate is not None:
        return OutageClock(ssl_id, order.common_name, order.certificate.not_after, "the collected certificate")
    scm_words = details or (order.details if order else None)
    if scm_words is None or scm_words.expires is None:
        return None
    at = order.last_answer_at if order is not None and details is None else None
    return OutageClock(ssl_id, scm_words.common_name, scm_words.expires, f"SCM details {ssl_id}", at)
