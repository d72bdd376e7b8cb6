"""The account's own figures: how long its issued orders took, local ones from their record, remote ones if asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.account.listing_rows import PAGE_SIZE
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.normal.history import Sample, local_evidence, merged, remote_sample, sample_of
from sectigo_tui.engine.requests.limiter import Priority

LOCAL_HISTORY_ORDERS = 500
"""How many issued local orders the figures rest on, the newest."""

HISTORY_ORDERS = 60
"""How many issued remote orders are polled for the account's history, at one request each."""

_READ_AT_ONCE = 20

_ISSUED = frozenset(
    {
        OrderState.ISSUED,
        OrderState.COLLECTED,
        OrderState.EXPIRED,
        OrderState.REPLACED,
        OrderState.REVOKING,
        OrderState.REVOKED,
    }
)


class Samples:
    """How long orders of this account took, as far as that was learned.

    Args:
        context: The world.
        account: What is known of the account's remote orders.
    """

    def __init__(self, context: Context, account: Account) -> None:
        self._context = context
        self._account = account
        self._local: dict[str, tuple[int, Sample | None]] = {}
        self._remote: dict[int, Sample] = {}

    def all(self) -> list[Sample]:
        """Return the samples, each order once."""
        local = [sample for _, sample in self._local.values() if sample is not None]
        return merged(local, self._remote.values())

    async def learn_local(self) -> bool:
        """Take the samples of the newest issued local orders; timelines that were read before are not read again.

        Returns:
            Whether there were any to take.
        """
        store = self._context.repository.store
        issued = [order for order in store.orders() if order.state in _ISSUED]
        newest = sorted(issued, key=lambda order: order.state_since, reverse=True)[:LOCAL_HISTORY_ORDERS]
        missing = [order for order in newest if self._local.get(order.id, (None,))[0] != order.revision]
        for number, order in enumerate(missing, start=1):
            sample = sample_of(local_evidence(store, order, self._context.clock.now()))
            self._local[order.id] = order.revision, sample
            if number % _READ_AT_ONCE == 0:
                await asyncio.sleep(0)  # each timeline is read from the disk: keys are heard in between
        return bool(missing)

    async def learn_remote(
        self, progress: Callable[[int, int], None], *, organization_id: int | None = None, orders: int = HISTORY_ORDERS
    ) -> int:
        """Look at issued remote orders; only when the operator asks, for it costs requests.

        The listing is not sorted and names no dates: the newest sslIds of its first and last page are polled.

        Args:
            progress: Told the orders looked at and how many there are to be.
            organization_id: Only orders of this organization or department.
            orders: How many, at one request each.

        Returns:
            How many have told their times.

        Raises:
            ScmFailure: A listing could not be read, or details could not be; those read so far are kept.
        """
        where = ListingFilter(status="Issued", organization_id=organization_id)
        first = await self._page(where, 0)
        counted = self._account.spellings.spelled(where)
        total = await self._context.limiter.run(Priority.LISTING, lambda: self._context.scm.count(counted))
        last = await self._page(where, max(PAGE_SIZE, total - PAGE_SIZE)) if total > PAGE_SIZE else ()
        newest = sorted({*first, *last} - set(self._remote), reverse=True)[:orders]
        for number, ssl_id in enumerate(newest, start=1):
            details = await self._account.details(ssl_id, fresh_seconds=float("inf"))
            sample = remote_sample(details, self._context.clock.now())
            if sample is not None:
                self._remote[ssl_id] = sample
            progress(number, len(newest))
        return len(self._remote)

    async def _page(self, where: ListingFilter, position: int) -> tuple[int, ...]:
        page = await self._account.spellings.ask(
            where,
            lambda spelled: self._context.limiter.run(
                Priority.LISTING, lambda: self._context.scm.listing(spelled, position=position, size=PAGE_SIZE)
            ),
        )
        return tuple(row.ssl_id for row in page.rows)
