"""Ordering a certificate: what the account offers, what is wrong with a draft, and the order itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization
from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin, PendingEnroll
from sectigo_tui.domain.pki import CertificateTools, CsrFacts, KeyOrder
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of
from sectigo_tui.engine.orders.lookup import (
    Duplicates,
    find_duplicates,
    marked,
    order_tag_of,
    orders_named,
    refuse_ordered_meanwhile,
)
from sectigo_tui.engine.orders.place import Placed, Placing
from sectigo_tui.engine.orders.request import (
    Draft,
    DraftRefused,
    InvalidField,
    errors_in,
    ordered_names,
    split_addresses,
)
from sectigo_tui.engine.orders.track import new_order_id
from sectigo_tui.engine.requests.limiter import Priority

T = TypeVar("T")

KNOWN_AT_MOST = 1000
"""Existing orders of a name with more rows than this are not listed: the order tag tells them apart too."""


class Offered(Struct, Generic[T], frozen=True):
    """One part of what the account offers.

    Args:
        items: What it is; empty when it could not be asked for.
        failure: Why it could not; None when it could.
    """

    items: tuple[T, ...] = ()
    failure: ScmFailure | None = None


class EnrollOffer(Struct, frozen=True):
    """What may be ordered, from live answers; each part fails by itself.

    Args:
        profiles: The certificate profiles.
        organizations: The organizations, each followed by its departments as SCM lists them.
        custom_fields: The account's custom fields.
    """

    profiles: Offered[CertificateProfile]
    organizations: Offered[Organization]
    custom_fields: Offered[CustomField]

    def profile(self, profile_id: int) -> CertificateProfile | None:
        """Return a profile by its id; None when it is not offered."""
        return next((profile for profile in self.profiles.items if profile.id == profile_id), None)


class Enrolling:
    """Orders certificates.

    Args:
        context: The world.
        placing: Sends orders.
        tools: Reads CSRs, and makes keys.
    """

    def __init__(self, context: Context, placing: Placing, tools: CertificateTools) -> None:
        self._context = context
        self._placing = placing
        self._tools = tools

    async def offer(self, organization_id: int | None = None) -> EnrollOffer:
        """Ask the account what it offers.

        Args:
            organization_id: The organization whose profiles are asked for; None for all.

        Returns:
            What came; failures are in it, not raised.
        """
        scm = self._context.scm
        profiles, organizations, fields = await asyncio.gather(
            self._part("", lambda: scm.types(organization_id)),
            self._part("organizations", scm.organizations),
            self._part("custom_fields", scm.custom_fields),
        )
        return EnrollOffer(profiles, organizations, fields)

    async def read_csr(self, data: bytes) -> CsrFacts:
        """Return what a CSR says.

        Raises:
            InputError: There is not exactly one readable CSR in it.
        """
        return await asyncio.to_thread(self._tools.read_csr, data)

    async def read_csr_file(self, path: str) -> CsrFacts:
        """Return the same of a file; `~` is the home directory.

        Raises:
            InputError: It cannot be read, or there is not exactly one readable CSR in it.
        """
        return await asyncio.to_thread(self._tools.read_csr_file, path)

    async def make_csr(self, order: KeyOrder) -> CsrFacts:
        """Make a private key, which is on disk when this returns, and a CSR for it.

        Raises:
            InputError: A name or kind of key cannot be used, or something is at the path; nothing was written.
        """
        self._context.check_writable("ordering")
        return await asyncio.to_thread(self._tools.make_csr, order)

    def errors(self, draft: Draft, offer: EnrollOffer | None = None) -> tuple[InvalidField, ...]:
        """Return why a draft cannot be ordered as it is; nothing is sent.

        Args:
            draft: The draft.
            offer: What the account offers, for what depends on it.
        """
        if offer is None:
            return errors_in(draft, self._tools)
        return errors_in(
            draft,
            self._tools,
            profile=offer.profile(draft.profile_id),
            custom_fields=offer.custom_fields.items if offer.custom_fields.failure is None else None,
        )

    async def duplicates(self, draft: Draft) -> Duplicates:
        """Look for orders of the same name, pending or issued and far from expiry.

        Args:
            draft: What is to be ordered; one without a common name goes by any of its names.

        Raises:
            InputError: One of its names is none.
        """
        names = dict.fromkeys(map(self._tools.ordered_name, draft.goes_by))
        return await find_duplicates(self._context, tuple(names), is_nameless=not draft.csr.common_name)

    async def enroll(self, draft: Draft, *, since: Duplicates | None = None) -> Placed:
        """Order a certificate: written down before it is sent, sent once, and never again by itself.

        Args:
            draft: What is ordered.
            since: The duplicates that were looked up: an order of the same name placed after that, by whatever
                process, refuses this one. None to order whatever else was ordered.

        Returns:
            The order: submitted and polled, or unconfirmed when SCM's answer was lost; it is then searched for.

        Raises:
            InputError: The draft has a problem, or the program is read-only; nothing was sent.
            OrderedMeanwhile: Another order of the same name was placed since the lookup; nothing was sent.
            ScmFailure: SCM refused it, or it certainly was not sent, or SCM could not be asked for the orders of its
                name, by which a lost one is found again; nothing was ordered.
            StoreError: The intent could not be written, and nothing was sent; or SCM's answer could not, and then
                the order is searched for by itself once the disk works.
        """
        self._context.check_writable("ordering")
        errors = await asyncio.to_thread(self.errors, draft)
        if errors:
            raise DraftRefused(errors)
        order = self._intent(draft, await self._known(draft))
        entry = TimelineEntry(
            at=order.created_at,
            order_id=order.id,
            kind=EventKind.WRITE_ASKED,
            summary=f"enroll {draft.common_name}, profile {draft.profile_name or draft.profile_id}, "
            f"{draft.term_days} days",
            to_state=order.state,
        )
        check = None
        if since is not None:
            is_nameless = not draft.csr.common_name
            check = refuse_ordered_meanwhile(draft.goes_by, since.known, is_nameless=is_nameless)
        return await self._placing.place(order, entry, check=check)

    async def _known(self, draft: Draft) -> tuple[int, ...]:
        is_nameless = not draft.csr.common_name
        try:
            named = await orders_named(
                self._context, draft.common_name, at_most=KNOWN_AT_MOST, nameless_too=is_nameless
            )
        except ScmFailure as failure:
            if write_outcome_of(failure) is WriteOutcome.REFUSED:
                # This login may order without listing: the order tag has to suffice.
                return ()
            raise
        return () if named.left_out or named.left_out_nameless else named.ssl_ids

    def _intent(self, draft: Draft, known: tuple[int, ...]) -> Order:
        now, order_id = self._context.clock.now(), new_order_id(self._context.random)
        order_tag = order_tag_of(order_id, attempt=1)
        request = EnrollRequest(
            organization_id=draft.organization_id,
            csr_pem=draft.csr.pem,
            profile_id=draft.profile_id,
            term_days=draft.term_days,
            subject_alternative_names=ordered_names(draft, self._tools),
            comments=marked(draft.comments.strip(), order_tag),
            external_requester=",".join(split_addresses(draft.external_requester)),
            custom_fields=draft.custom_fields,
            dcv_mode=draft.dcv_mode,
            dcv_email=draft.dcv_email,
        )
        return Order(
            id=order_id,
            state=OrderState.INTENT,
            state_since=now,
            created_at=now,
            origin=Origin.ENROLLED,
            common_name=draft.common_name,
            profile_id=draft.profile_id,
            profile_name=draft.profile_name,
            term_days=draft.term_days,
            organization_id=draft.organization_id,
            order_tag=order_tag,
            csr_pem=draft.csr.pem,
            key_path=draft.key_path,
            pending_enroll=PendingEnroll(now, request, known),
        )

    async def _part(self, side: str, ask: Callable[[], Awaitable[tuple[T, ...]]]) -> Offered[T]:
        try:
            return Offered(await self._context.limiter.run(Priority.SIGHT, ask, side=side))
        except ScmFailure as failure:
            return Offered(failure=failure)
