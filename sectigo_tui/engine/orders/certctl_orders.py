"""Orders that certctl left behind: pending, or issued and never collected; they are found, and become local.

Source: certctl's public code (May 2026): its adapter drops the order's id, so that nothing of it polls or collects an
order again. Such orders carry its login and its comment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from msgspec import Struct

from sectigo_tui.domain.certificates import ListingFilter, OrderDetails, ReportDate, ReportQuery
from sectigo_tui.domain.errors import CredentialsRefused, InputError, NotFound, Refused, ScmFailure
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.status import PENDING_STATUSES, StatusClass, classify
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.track import Tracking

CERTCTL_COMMENT = "Issued by certctl"
LOOKED_BACK_DAYS = 90
DETAILS_AT_MOST = 200
"""How many orders are asked for one by one where no report may be read."""


class LeftBehind(Struct, frozen=True):
    """What certctl left behind.

    Args:
        login: The login that was looked for.
        orders: The orders, the newest first; none of them is local.
        is_collection_known: Whether SCM told which issued orders were collected; if not, some of them may have been.
        unread: How many orders of that login were not examined, since each costs a request.
    """

    login: str
    orders: tuple[OrderDetails, ...]
    is_collection_known: bool
    unread: int = 0


def is_left_by_certctl(details: OrderDetails, login: str = "") -> bool:
    """Return whether an order is certctl's, and pending, or issued and not known to be collected.

    Args:
        details: SCM's answer about it.
        login: Whose orders count; empty for anybody's.
    """
    wanted, requester = login.strip().casefold(), details.requester.strip().casefold()
    is_others = bool(wanted) and bool(requester) and requester != wanted
    if is_others or CERTCTL_COMMENT.casefold() not in details.comments.casefold():
        return False
    status = classify(details.status)
    return status is StatusClass.PENDING or (status is StatusClass.ISSUED and details.downloaded is None)


class CertctlOrders:
    """Finds what certctl left behind, and makes it local.

    Args:
        context: The world.
        account: The account's orders.
        tracking: Makes orders local.
        login: Returns the login that certctl uses: that of its issuer, else the one in use here.
    """

    def __init__(
        self, context: Context, account: Account, tracking: Tracking, login: Callable[[], Awaitable[str]]
    ) -> None:
        self._context = context
        self._account = account
        self._tracking = tracking
        self._login = login

    def known(self) -> tuple[OrderDetails, ...]:
        """Return the pending orders that certctl left behind, by what is known already, asking nobody: for a hint."""
        pending = (self._account.known(ssl_id) for ssl_id in self._account.pending())
        return tuple(each.details for each in pending if each is not None and self._is_left(each.details, ""))

    async def find(self, login: str = "", *, days: int = LOOKED_BACK_DAYS) -> LeftBehind:
        """Look for orders that certctl left behind: by a bulk report, else one by one, 200 at most.

        Args:
            login: The login that certctl uses; empty to find that out.
            days: How many days ago an order may have been requested; only a report can tell.

        Raises:
            ScmFailure: SCM told neither a report nor a listing.
        """
        login = login or await self._login()
        now = self._context.clock.now()
        query = ReportQuery(ReportDate.REQUESTED, (now - timedelta(days=days)).date(), now.date())
        try:
            report = await self._account.reports.read(query)
        except CredentialsRefused:
            raise
        except ScmFailure:
            return await self._one_by_one(login)
        if report.rows and not await self._account.has_sslids(report.rows):
            return await self._one_by_one(login)
        return LeftBehind(login, self._chosen(report.rows, login), is_collection_known=True)

    async def track(
        self, ssl_ids: Iterable[int], progress: Callable[[Outcome[int, Order]], None] = lambda _outcome: None
    ) -> tuple[Outcome[int, Order], ...]:
        """Make orders local, one after another, so that they are polled and collected; failures are in the outcomes."""
        return await each(ssl_ids, self._track_one, progress)

    async def _track_one(self, ssl_id: int) -> Order:
        details = await self._account.read_again(ssl_id)
        if CERTCTL_COMMENT.casefold() not in details.comments.casefold():
            raise InputError(f"order {ssl_id} is not one of certctl's", "track it, if it is to be local all the same")
        return await self._tracking.track(ssl_id)

    async def _one_by_one(self, login: str) -> LeftBehind:
        ids: dict[int, None] = {}
        for status in (*PENDING_STATUSES, "Issued"):
            listing = self._account.listing(ListingFilter(status=status, requester=login))
            await listing.load_all(lambda _loaded, _total: None)
            newest = sorted((row.ssl_id for row in listing.rows()), reverse=True)
            ids.update(dict.fromkeys(newest))
        store = self._context.repository.store
        wanted = [ssl_id for ssl_id in ids if store.by_ssl_id(ssl_id) is None]
        found = []
        for ssl_id in wanted[:DETAILS_AT_MOST]:
            try:
                found.append(await self._account.details(ssl_id))
            except (NotFound, Refused):
                continue  # gone since it was listed, or not this login's to see
        orders = self._chosen(found, login)
        return LeftBehind(login, orders, is_collection_known=False, unread=max(0, len(wanted) - DETAILS_AT_MOST))

    def _chosen(self, rows: Iterable[OrderDetails], login: str) -> tuple[OrderDetails, ...]:
        chosen = (details for details in rows if self._is_left(details, login))
        return tuple(sorted(chosen, key=lambda details: details.ssl_id, reverse=True))

    def _is_left(self, details: OrderDetails, login: str) -> bool:
        is_local = self._context.repository.store.by_ssl_id(details.ssl_id) is not None
        return not is_local and is_left_by_certctl(details, login)
