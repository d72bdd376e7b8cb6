"""Rotating the credentials that the operator has changed elsewhere: tried with one request, then used by all."""

from __future__ import annotations

from functools import partial

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.credentials.switch import CredentialsSwitch, SwitchedCredentials


class Rotating:
    """Rotates.

    Args:
        context: The world.
        installer: Puts credentials in use.
    """

    def __init__(self, context: Context, installer: CredentialsSwitch) -> None:
        self._context = context
        self._credentials_switch = installer

    @property
    def login(self) -> str:
        """The login in use."""
        return self._credentials_switch.in_use.login

    @property
    def overridden_by(self) -> str:
        """What would win over rotated credentials at the next start, and must be changed there; empty for nothing."""
        return self._credentials_switch.keeper.overridden_by()

    def was_refused(self, login: str, password: SecretText | None) -> bool:
        """Return whether SCM is known to refuse exactly these: another try could lock the account."""
        return self._credentials_switch.was_refused(self._candidate(login, password))

    async def rotate(self, login: str, password: SecretText | None, *, insist: bool = False) -> SwitchedCredentials:
        """Try new credentials with exactly one request, and use them for everything when SCM takes them.

        No order changes state by it. When they cannot be kept for the next start, they are used all the same, and
        the result says so.

        Args:
            login: The new login; empty to keep the present one.
            password: The new password; None to keep the present one.
            insist: Try even what SCM is known to refuse: the operator had the account unlocked.

        Returns:
            What is in use now, and how many workers go on.

        Raises:
            InputError: Nothing was given, it is known to be refused, or another change is under way; nothing was
                sent.
            ScmFailure: SCM refuses them, or whether they work is not known; the present ones stay in use, and
                everything stays held back if it was.
        """
        candidate = self._candidate(login, password)
        if not login and password is None:
            raise InputError("neither a login nor a password was given", "give what is new")
        if password is not None and not password.reveal():
            raise InputError("the password is empty", "type it")
        if password is not None and password.reveal() != password.reveal().strip():
            raise InputError(
                "the password has a blank at its start or end", "type it without: no HTTP header carries one"
            )
        if not insist and self._credentials_switch.was_refused(candidate):
            raise InputError(
                "SCM has refused exactly these credentials",
                "more tries could lock the account: have it checked first, then insist (--insist, or the form's tick)",
            )
        installer = self._credentials_switch
        async with installer.one_at_a_time():
            await installer.note_asked(f"rotate credentials, login {candidate.login}")
            try:
                await installer.prove(candidate, insist=insist)
            except ScmFailure as failure:
                await installer.note_answered("credentials not rotated", failure)
                raise
            switched = await installer.switch_to(candidate, partial(installer.keeper.save, candidate))
            await installer.note_answered(f"credentials rotated, {switched.resumed} workers go on")
            return switched

    def _candidate(self, login: str, password: SecretText | None) -> Credentials:
        present = self._credentials_switch.in_use
        return Credentials(
            present.customer_uri, login or present.login, present.password if password is None else password
        )
