"""The use cases, each put together when it is first asked for: the first paint needs none, and they are many."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sectigo_tui.domain.dns import Dns
    from sectigo_tui.domain.pki import CertificateTools
    from sectigo_tui.engine.account.remote_orders import Account
    from sectigo_tui.engine.context import Context
    from sectigo_tui.engine.credentials.certctl import HandingOver
    from sectigo_tui.engine.credentials.change import PasswordChange
    from sectigo_tui.engine.credentials.switch import Access, CredentialsSwitch, Rotating
    from sectigo_tui.engine.credentials.watch import RotationWatch
    from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
    from sectigo_tui.engine.orders.approve import Approving
    from sectigo_tui.engine.orders.collect import Collecting
    from sectigo_tui.engine.orders.enroll import Enrolling
    from sectigo_tui.engine.orders.order_locks import OrderLocks
    from sectigo_tui.engine.orders.pending_writes import PendingWrites
    from sectigo_tui.engine.orders.place import Placing
    from sectigo_tui.engine.orders.recover import Recovery
    from sectigo_tui.engine.orders.remove import Removing
    from sectigo_tui.engine.orders.renew import Renewing
    from sectigo_tui.engine.orders.revoke import Revoker, Revoking
    from sectigo_tui.engine.orders.track import Tracking
    from sectigo_tui.engine.polling.scheduler import Scheduler


class Uses:
    """What the program can do with orders and credentials.

    Args:
        context: The world.
        supervisor: The poll workers.
        account: The account's remote orders.
        tools: Returns what makes keys and CSRs and reads bundles; asked when it is first needed.
        access: Tells how this program gets in; asked when it is first needed.
        dns: The DNS; None unless the operator has switched it on.
    """

    def __init__(
        self,
        context: Context,
        scheduler: Scheduler,
        account: Account,
        *,
        tools: Callable[[], CertificateTools],
        access: Callable[[], Access],
        dns: Dns | None,
    ) -> None:
        self.context = context
        self.scheduler = scheduler
        self.account = account
        self._tools = tools
        self._access = access
        self._dns = dns

    @cached_property
    def tracking(self) -> Tracking:
        """Adopting remote orders."""
        from sectigo_tui.engine.orders.track import Tracking

        return Tracking(self.context)

    @cached_property
    def enrolling(self) -> Enrolling:
        """Ordering."""
        from sectigo_tui.engine.orders.enroll import Enrolling

        return Enrolling(self.context, self._placing, self._tools())

    @cached_property
    def renewing(self) -> Renewing:
        """Ordering again what an order was."""
        from sectigo_tui.engine.orders.renew import Renewing

        return Renewing(self.context, self._placing, self._tools())

    @cached_property
    def recovery(self) -> Recovery:
        """Orders whose answer was lost."""
        from sectigo_tui.engine.orders.recover import Recovery

        return Recovery(self.context, self._order_locks, self._placing)

    @cached_property
    def approving(self) -> Approving:
        """Approving and declining."""
        from sectigo_tui.engine.orders.approve import Approving

        return Approving(self.context)

    @cached_property
    def collecting(self) -> Collecting:
        """Collecting and saving."""
        from sectigo_tui.engine.orders.collect import Collecting

        return Collecting(self.context, self._tools())

    @cached_property
    def revoking(self) -> Revoking:
        """Revoking."""
        from sectigo_tui.engine.orders.revoke import Revoking

        return Revoking(self.context, self._order_locks, self.tracking, self._revoker, self.scheduler.watch)

    @cached_property
    def removing(self) -> Removing:
        """Taking finished orders off the list."""
        from sectigo_tui.engine.orders.remove import Removing

        return Removing(self.context, self._order_locks)

    @cached_property
    def rotating(self) -> Rotating:
        """Credentials that were changed elsewhere."""
        from sectigo_tui.engine.credentials.switch import Rotating

        return Rotating(self.context, self._credentials_switch)

    @cached_property
    def password_change(self) -> PasswordChange:
        """The password at SCM itself."""
        from sectigo_tui.engine.credentials.change import PasswordChange

        return PasswordChange(self.context, self._credentials_switch)

    @cached_property
    def rotation_watch(self) -> RotationWatch:
        """Credentials that another process has put in use."""
        from sectigo_tui.engine.credentials.watch import RotationWatch

        return RotationWatch(self.context, self._credentials_switch)

    @cached_property
    def handing_over(self) -> HandingOver | None:
        """Telling certctl-server; None without one."""
        from sectigo_tui.engine.credentials.certctl import HandingOver

        access = self._access()
        if access.certctl is None:
            return None
        return HandingOver(self.context, self._credentials_switch, access.certctl, access.issuer_id)

    @cached_property
    def diagnoser(self) -> Diagnoser:
        """Who orders wait for."""
        from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser

        return Diagnoser(self.context, self.account, self._dns, lambda: (self._credentials_switch.in_use.password,))

    @cached_property
    def pending_writes(self) -> PendingWrites:
        """What is done by itself about orders in doubt and revocations not confirmed."""
        from sectigo_tui.engine.orders.pending_writes import PendingWrites

        return PendingWrites(self.context, self._order_locks, (self.recovery, self._revoker))

    @cached_property
    def _order_locks(self) -> OrderLocks:
        from sectigo_tui.engine.orders.order_locks import OrderLocks

        return OrderLocks(self.context)

    @cached_property
    def _placing(self) -> Placing:
        from sectigo_tui.engine.orders.place import Placing

        return Placing(self.context, self._order_locks, self.scheduler.watch)

    @cached_property
    def _revoker(self) -> Revoker:
        from sectigo_tui.engine.orders.revoke import Revoker

        return Revoker(self.context, self.scheduler.watch)

    @cached_property
    def _credentials_switch(self) -> CredentialsSwitch:
        from sectigo_tui.engine.credentials.switch import CredentialsSwitch

        access = self._access()
        return CredentialsSwitch(self.context, access.keeper, access.in_use, self.scheduler.resume, access.logins)
