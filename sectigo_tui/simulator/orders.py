"""An order as the simulator keeps it: what was asked for and what was done to it, never its status."""

from dataclasses import dataclass, field
from datetime import datetime

from sectigo_tui.simulator.account import Profile
from sectigo_tui.simulator.lives import Life


@dataclass(slots=True)
class Order:
    """An order for a certificate.

    Its status is not kept: it follows from its life and the time (see `course`).

    Args:
        ssl_id: Identity.
        common_name: The name of the certificate.
        names: All its names, the common one included.
        profile: What was ordered.
        organization_id: For whom; an organization's or a department's.
        life: What happens to it.
        requested: When it was ordered.
        term_days: Validity.
        csr: As sent; None for one the simulator made up.
        requester: Login or e-mail of who ordered.
        requested_via: How.
        renew_id: The renewal handle of the enrollment's answer.
        external_requester: E-mail addresses, comma-separated.
        comments: Free text.
        custom_fields: Names and values.
        dcv_mode: How control over the domains is to be shown.
        dcv_email: Where a mail about it goes.
        script_start: The moment from which the life counts, if not the request.
        approvals: When an API call approved, by stage.
        approver: Who approved or declined.
        declined: When an API call declined.
        revoked: When it was.
        revocation_code: With which reason.
        replaced: When a replacement was last asked for.
        renewed: When it was renewed.
    """

    ssl_id: int
    common_name: str
    names: tuple[str, ...]
    profile: Profile
    organization_id: int
    life: Life
    requested: datetime
    term_days: int = 199
    csr: str | None = None
    requester: str = "certctl-api"
    requested_via: str = "REST API"
    renew_id: str = ""
    external_requester: str = ""
    comments: str = ""
    custom_fields: tuple[tuple[str, str], ...] = ()
    dcv_mode: str = "CNAME"
    dcv_email: str = ""
    script_start: datetime | None = None
    approvals: dict[int, datetime] = field(default_factory=dict)
    approver: str = "Dana Approver"
    declined: datetime | None = None
    revoked: datetime | None = None
    revocation_code: int | None = None
    replaced: datetime | None = None
    renewed: datetime | None = None

    @property
    def order_number(self) -> int:
        """The number under which the CA knows it."""
        return 2_200_000_000 + self.ssl_id
