"""Collecting a certificate now, and saving it as files for a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.errors import CutBundle, InputError, NotReady, OtherNames, Unreadable
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.names import first_name
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.pki import CertificateBundle, CertificateTools
from sectigo_tui.domain.polling import PollOutcome, PollResult, WindowEnd
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.entries import change_entry
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.requests.limiter import Priority


class Collected(Struct, frozen=True):
    """A certificate that can be saved.

    Args:
        ssl_id: Its order.
        common_name: Its name, for the files.
        bundle: Leaf and chain, in order.
        order: The local order; None where it is not local.
    """

    ssl_id: int
    common_name: str
    bundle: CertificateBundle
    order: Order | None = None


class Collecting:
    """Collects and saves.

    Args:
        context: What every service works with.
        tools: Reads and writes bundles.
    """

    def __init__(self, context: Context, tools: CertificateTools) -> None:
        self._context = context
        self._tools = tools

    async def collect(self, ssl_id: int) -> Collected:
        """Collect a certificate now; one that is kept already is not asked for again.

        Args:
            ssl_id: Its order, local or not; a local one that is pending or issued becomes collected.

        Returns:
            The certificate.

        Raises:
            NotReady: It is too early.
            ScmFailure: SCM did not give it, or what it gave holds no certificate of this order.
            StoreError: It could not be kept.
        """
        order = self._context.repository.store.by_ssl_id(ssl_id)
        if order is not None and order.certificate_path:
            path = await self._context.repository.store.certificate_file(order)
            bundle = await asyncio.to_thread(self._tools.read_kept, path, order.csr_pem)
            return Collected(ssl_id, _name(ssl_id, bundle, order.common_name), bundle, order)
        # Of an order that is not local, SCM tells the name that its certificate is to be for.
        told = order.common_name if order is not None else (await self._context.details(ssl_id)).common_name
        started = self._context.clock.monotonic()
        data = await self._context.limiter.run(Priority.WRITE, lambda: self._context.scm.collect(ssl_id))
        try:
            csr_pem = order.csr_pem if order is not None else ""
            bundle = await asyncio.to_thread(self._tools.read_bundle, data, csr_pem)
            if not csr_pem:
                bundle.facts.check_names(told)
        except CutBundle as cut:
            raise NotReady("collect", cut.reason, http_status=200) from cut
        except OtherNames as others:
            # Of an order that is not local there is nowhere to keep it by its number, and it can be had again.
            kept = (
                await self._context.repository.save_certificate(order.id, data, aside=True) if order is not None else ""
            )
            reason = f"{others.reason}; kept aside as {kept}" if kept else others.reason
            raise Unreadable("collect", reason, http_status=200) from others
        except InputError as unreadable:
            raise Unreadable("collect", unreadable.reason, http_status=200) from unreadable
        if order is not None:
            order = await self._keep(order, data, bundle, self._context.clock.monotonic() - started)
        return Collected(ssl_id, _name(ssl_id, bundle, order.common_name if order else ""), bundle, order)

    async def collect_all(
        self,
        ssl_ids: Iterable[int],
        progress: Callable[[Outcome[int, Collected]], None] = lambda _outcome: None,
    ) -> tuple[Outcome[int, Collected], ...]:
        """Collect several certificates, one after another; failures are in the outcomes."""
        return await each(ssl_ids, self.collect, progress)

    async def save(self, collected: Collected, directory: str, *, overwrite: bool = False) -> tuple[str, ...]:
        """Write leaf, chain and full chain as PEM files, named after the certificate.

        Args:
            collected: The certificate.
            directory: Where to; made when missing.
            overwrite: Replace files with other content: the operator was asked.

        Returns:
            The paths.

        Raises:
            InputError: A file with other content is there, or one cannot be written.
        """
        return await asyncio.to_thread(
            self._tools.save, collected.bundle, directory, collected.common_name, overwrite=overwrite
        )

    async def _keep(self, order: Order, data: bytes, bundle: CertificateBundle, latency_seconds: float) -> Order:
        path = await self._context.repository.save_certificate(order.id, data)
        now = self._context.clock.now()
        poll = PollResult(now, PollOutcome.COLLECTED, "collected", latency_seconds, http_status=200)

        def change(before: Order) -> tuple[Order, TimelineEntry] | None:
            if not (before.state.is_polled or before.state is OrderState.COLLECTED):
                return None
            after = replace(
                before.to(OrderState.COLLECTED, now),
                certificate=bundle.facts,
                certificate_path=path,
                last_poll=poll,
                last_answer_at=now,
                window=schedule.settled(before.window, WindowEnd.SETTLED) if before.window else None,
            )
            warning = f"; {bundle.facts.warning}" if bundle.facts.warning else ""
            summary, kind = f"collected, as asked for{warning}", EventKind.CHANGED
            return after, change_entry(now, before, after, summary, kind=kind, http_status=200)

        return await self._context.repository.change(order.id, change, poll=poll) or order


def _name(ssl_id: int, bundle: CertificateBundle, order_name: str) -> str:
    """Return the name for a certificate's files: what the order or the certificate goes by, else its sslId."""
    facts = bundle.facts
    return first_name(order_name, (facts.common_name, *facts.subject_alternative_names)) or f"sslId-{ssl_id}"
