"""The use cases, each put together when it is first asked for: the first paint needs none, and they are many."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sectigo_tui.domain.dns import Dns
    from sectigo_tui.domain.pki import CertificateTools
    from sectigo_tui.engine.access import Access
    from sectigo_tui.engine.account import Account
    from sectigo_tui.engine.approving import Approving
    from sectigo_tui.engine.changing import Changing
    from sectigo_tui.engine.claims import Claims
    from sectigo_tui.engine.collecting import Collecting
    from sectigo_tui.engine.context import Context
    from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
    from sectigo_tui.engine.enrolling import Enrolling
    from sectigo_tui.engine.following_rotation import FollowingRotation
    from sectigo_tui.engine.followup import FollowUp
    from sectigo_tui.engine.handing_over import HandingOver
    from sectigo_tui.engine.installing import Installer
    from sectigo_tui.engine.placing import Placing
    from sectigo_tui.engine.recovery import Recovery
    from sectigo_tui.engine.removing import Removing
    from sectigo_tui.engine.renewing import Renewing
    from sectigo_tui.engine.revoker import Revoker
    from sectigo_tui.engine.revoking import Revoking
    from sectigo_tui.engine.rotating import Rotating
    from sectigo_tui.engine.supervisor import Supervisor
    from sectigo_tui.engine.tracking import Tracking


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
        supervisor: Supervisor,
        account: Account,
        *,
        tools: Callable[[], CertificateTools],
        access: Callable[[], Access],
        dns: Dns | None,
    ) -> None:
        self.context = context
        self.supervisor = supervisor
        self.account = account
        self._tools = tools
        self._access = access
        self._dns = dns

    @cached_property
    def tracking(self) -> Tracking:
        """Adopting remote orders."""
        from sectigo_tui.engine.tracking import Tracking

        return Tracking(self.context)

    @cached_property
    def enrolling(self) -> Enrolling:
        """Ordering."""
        from sectigo_tui.engine.enrolling import Enrolling

        return Enrolling(self.context, self._placing, self._tools())

    @cached_property
    def renewing(self) -> Renewing:
        """Ordering again what an order was."""
        from sectigo_tui.engine.renewing import Renewing

        return Renewing(self.context, self._placing, self._tools())

    @cached_property
    def recovery(self) -> Recovery:
        """Orders whose answer was lost."""
        from sectigo_tui.engine.recovery import Recovery

        return Recovery(self.context, self._claims, self._placing)

    @cached_property
    def approving(self) -> Approving:
        """Approving and declining."""
        from sectigo_tui.engine.approving import Approving

        return Approving(self.context)

    @cached_property
    def collecting(self) -> Collecting:
        """Collecting and saving."""
        from sectigo_tui.engine.collecting import Collecting

        return Collecting(self.context, self._tools())

    @cached_property
    def revoking(self) -> Revoking:
        """Revoking."""
        from sectigo_tui.engine.revoking import Revoking

        return Revoking(self.context, self._claims, self.tracking, self._revoker, self.supervisor.watch)

    @cached_property
    def removing(self) -> Removing:
        """Taking finished orders off the list."""
        from sectigo_tui.engine.removing import Removing

        return Removing(self.context, self._claims)

    @cached_property
    def rotating(self) -> Rotating:
        """Credentials that were changed elsewhere."""
        from sectigo_tui.engine.rotating import Rotating

        return Rotating(self.context, self._installer)

    @cached_property
    def changing(self) -> Changing:
        """The password at SCM itself."""
        from sectigo_tui.engine.changing import Changing

        return Changing(self.context, self._installer)

    @cached_property
    def following_rotation(self) -> FollowingRotation:
        """Credentials that another process has put in use."""
        from sectigo_tui.engine.following_rotation import FollowingRotation

        return FollowingRotation(self.context, self._installer)

    @cached_property
    def handing_over(self) -> HandingOver | None:
        """Telling certctl-server; None without one."""
        from sectigo_tui.engine.handing_over import HandingOver

        access = self._access()
        if access.certctl is None:
            return None
        return HandingOver(self.context, self._installer, access.certctl, access.issuer_id)

    @cached_property
    def diagnoser(self) -> Diagnoser:
        """Who orders wait for."""
        from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser

        return Diagnoser(self.context, self.account, self._dns, lambda: (self._installer.in_use.password,))

    @cached_property
    def follow_up(self) -> FollowUp:
        """What is done by itself about orders in doubt and revocations not confirmed."""
        from sectigo_tui.engine.followup import FollowUp

        return FollowUp(self.context, self._claims, (self.recovery, self._revoker))

    @cached_property
    def _claims(self) -> Claims:
        from sectigo_tui.engine.claims import Claims

        return Claims(self.context)

    @cached_property
    def _placing(self) -> Placing:
        from sectigo_tui.engine.placing import Placing

        return Placing(self.context, self._claims, self.supervisor.watch)

    @cached_property
    def _revoker(self) -> Revoker:
        from sectigo_tui.engine.revoker import Revoker

        return Revoker(self.context, self.supervisor.watch)

    @cached_property
    def _installer(self) -> Installer:
        from sectigo_tui.engine.installing import Installer

        access = self._access()
        return Installer(self.context, access.keeper, access.in_use, self.supervisor.resume, access.logins)
