"""How this program gets in, and who else is told when that changes."""

from __future__ import annotations

from msgspec import Struct

from sectigo_tui.domain.certctl import Certctl
from sectigo_tui.domain.credentials import CredentialsKeeper, Logins
from sectigo_tui.domain.ports import Credentials


class Access(Struct, frozen=True, kw_only=True):
    """The credentials and their places.

    Args:
        in_use: The credentials that requests are sent with first.
        keeper: Keeps credentials beyond this process.
        logins: What SCM refused of credentials; None where that is known to this process alone.
        certctl: certctl-server; None without one.
        issuer_id: The issuer there.
    """

    in_use: Credentials
    keeper: CredentialsKeeper
    logins: Logins | None = None
    certctl: Certctl | None = None
    issuer_id: str = ""
