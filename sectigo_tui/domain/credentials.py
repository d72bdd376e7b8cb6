"""Ports for stored credentials, for a password change in progress, and for the login record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.ports import Credentials
from sectigo_tui.domain.records import Struct

VITAL_CALLS = frozenset({"types", "credentials", "listing", "count", "details"})
"""Calls whose 401 is about the credentials even where they were accepted before: the program lives on them."""


class Candidate(StrEnum):
    """One of the two passwords that may be valid after an interrupted change."""

    CURRENT = "current"
    PENDING = "pending"


class UnprovenPassword(Struct, frozen=True):
    """A password that may or may not have reached SCM.

    Args:
        credentials: The new credentials.
        tried: Which of the two were sent to SCM since, to learn which works.
        refused: Which of these SCM has rejected.
    """

    credentials: Credentials
    tried: frozenset[Candidate] = frozenset()
    refused: frozenset[Candidate] = frozenset()


class PastRejection(Struct, frozen=True):
    """A rejection of credentials that SCM has not accepted since.

    Args:
        at: When.
        code: SCM's code, where it told one.
    """

    at: datetime
    code: int | None


class TeamLogin(Struct, frozen=True):
    """How a team stands with a login, on whichever host: never its password.

    Args:
        login: The login.
        generation: How often it was rotated.
        rejected_at: When SCM rejected it; None while it does not.
        rejected_by: Whose request that was, and on which host.
        rejected_code: SCM's code, where it told one.
        rotated_at: When it was rotated last.
        rotated_by: By whom, and on which host.
    """

    login: str
    generation: int = 0
    rejected_at: datetime | None = None
    rejected_by: str = ""
    rejected_code: int | None = None
    rotated_at: datetime | None = None
    rotated_by: str = ""


class TeamLogins(Protocol):
    """What the processes of a team tell each other of a login. Writing raises `StoreError`."""

    def login(self, login: str) -> TeamLogin:
        """Return how the team stands with a login, as far as is known here."""
        ...

    def is_poller(self) -> bool:
        """Return whether this process polls."""
        ...

    async def reject_login(self, login: str, generation: int, code: int | None) -> None:
        """Tell every host that SCM rejected the login; ignored where it was rotated since that generation."""
        ...

    async def rotate_login(self, login: str) -> int:
        """Tell every host that the login works again with a new password, and return its generation."""
        ...


class Logins(Protocol):
    """The login record that all processes share: rejected credentials, and whose turn it is to send."""

    def rejection_of(self, credentials: Credentials) -> PastRejection | None:
        """Return when SCM rejected exactly these, unless it accepted them since; may take 0.1 s."""
        ...

    def is_accepted(self, credentials: Credentials) -> bool:
        """Return whether SCM has accepted exactly these since it rejected them; may take 0.1 s."""
        ...

    def insist(self, credentials: Credentials) -> None:
        """Allow one test of rejected credentials, at the operator's request."""
        ...

    def admitted(
        self, call: str, credentials: Credentials
    ) -> AbstractAsyncContextManager[Callable[[ScmFailure | None], None]]:
        """Wait for a request's turn, and return what is to be told how it ended; call that in a thread.

        Raises:
            RefusedBefore: SCM has rejected exactly these before; nothing is to be sent.
            Unreachable: Another process is testing credentials, and does not end; nothing may be sent.
        """
        ...


class CredentialsKeeper(Protocol):
    """Where credentials outlive this process; what a method has returned from survives a power cut.

    Every method raises `ConfigError` when what is kept cannot be used, and `StoreError` when it cannot be written.
    """

    @property
    def place(self) -> str:
        """Where they are kept, for a person."""
        ...

    def overridden_by(self) -> str:
        """Return what would override them at the next start, such as `environment CERTCTL_SECTIGO_PASSWORD`.

        Empty when nothing would.
        """
        ...

    async def kept(self) -> Credentials | None:
        """Return the credentials that are kept now, by whichever process; None when there are none."""
        ...

    async def save(self, credentials: Credentials) -> None:
        """Store tested credentials, and drop an untested password."""
        ...

    async def unproven(self) -> UnprovenPassword | None:
        """Return the password that was not proven yet; None when there is none."""
        ...

    async def save_unproven(self, credentials: Credentials) -> None:
        """Store a new password before it is sent, beside the present one."""
        ...

    async def mark_tried(self, candidate: Candidate) -> None:
        """Record, before it is sent, that one of the two is being tested; its earlier result is void."""
        ...

    async def mark_refused(self, candidate: Candidate) -> None:
        """Record that SCM has rejected one of the two."""
        ...

    async def promote(self) -> None:
        """Make the unproven password the present one: it was proven."""
        ...

    async def discard(self) -> None:
        """Forget the unproven password: it is not the account's."""
        ...
