"""Password change at SCM: generate one, store it before it is sent, and test it after."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.credentials import Candidate, UnprovenPassword
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.credentials.switch import CredentialsSwitch, SwitchedCredentials
from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of
from sectigo_tui.engine.requests.limiter import Priority, alone

SOON = timedelta(days=14)
"""A password that expires within this time is worth a warning."""

_LENGTH = 28
_SHORT_LENGTH = 20
_SHORTEST = 8
_LETTERS = "abcdefghijkmnopqrstuvwxyz"
_CLASSES = (_LETTERS, _LETTERS.upper(), "23456789")
_SPECIAL = "!#$%*+-=?@_"
_PLAIN_SPECIAL = "!@#$"
_AT_MOST = re.compile(r"(?:no more than|at most|maximum(?: of)?|up to|exceed)\D{0,20}(\d{1,3})", re.IGNORECASE)


def new_password(login: str, *, refused_with: str | None = None) -> SecretText:
    """Return a random password.

    Args:
        login: What it must not contain.
        refused_with: The policy's text, when SCM refused another one by it: this one is then shorter, of plainer
            characters, and no longer than the text allows.
    """
    length, special = _LENGTH, _SPECIAL
    if refused_with is not None:
        told = _AT_MOST.search(refused_with)
        length = max(_SHORTEST, min(_SHORT_LENGTH, int(told[1]))) if told else _SHORT_LENGTH
        special = _PLAIN_SPECIAL
    classes = (*_CLASSES, special)
    everything = "".join(classes)
    while True:
        characters = [secrets.choice(each) for each in classes]
        characters += [secrets.choice(everything) for _ in range(length - len(classes))]
        secrets.SystemRandom().shuffle(characters)
        password = "".join(characters)
        # Begins with a letter, since some policies ask for it.
        if password[0].isalpha() and not (login and login.casefold() in password.casefold()):
            return SecretText(password)


def days_left(status: PasswordStatus, now: datetime) -> int | None:
    """Return the whole days until a password expires, negative after; None when it never does or SCM did not say."""
    if status.expires is None:
        return None
    if isinstance(status.expires, datetime):
        return (status.expires - now).days
    return (status.expires - now.date()).days


def expires_soon(status: PasswordStatus, now: datetime) -> bool:
    """Return whether a password has expired, or will within 14 days."""
    left = days_left(status, now)
    return status.state.upper() == "EXPIRED" or (left is not None and left < SOON.days)


POLICY_BROKEN = -7306
"""The description holds the policy. Source: SCM manual 25.5."""


class Settled(Struct, frozen=True):
    """Which of two passwords is the account's.

    Args:
        candidate: Which one.
        is_proven: Whether SCM has taken it; otherwise it is the one left, the other having been refused.
        switched: What is in use now.
    """

    candidate: Candidate
    is_proven: bool
    switched: SwitchedCredentials


class PasswordChange:
    """Changes the password at SCM.

    Args:
        context: The world.
        installer: Puts credentials in use.
    """

    def __init__(self, context: Context, installer: CredentialsSwitch) -> None:
        self._context = context
        self._credentials_switch = installer

    async def status(self) -> PasswordStatus:
        """Ask SCM when the password expires; see `passwords.expires_soon`.

        Raises:
            ScmFailure: SCM did not tell it; a login may lack the privilege (`Refused`).
        """
        return await self._context.limiter.run(
            Priority.SIGHT, self._context.scm.password_status, side="password_status"
        )

    async def change(self) -> SwitchedCredentials:
        """Set a new random password at SCM, while no other request is in flight.

        Returns:
            What is in use now: the new password, proven. When SCM's answer was lost, whichever of the two works.

        Raises:
            InputError: SCM refuses the present credentials, a change is under way or was not settled, or the
                program is read-only; nothing was sent.
            ScmFailure: SCM refused (-7306 with its policy, after one other try), and the present password stays;
                or which of the two works could not be learned, and `settle` is to be called.
            ConfigError: The new password could not be kept; nothing was sent.
            StoreError: The same.
        """
        self._context.check_writable("changing the password")
        if self._context.limiter.rejection is not None:
            raise InputError("SCM refuses the present credentials", "rotate to ones that work first")
        async with self._credentials_switch.one_at_a_time():
            if await self._credentials_switch.keeper.unproven() is not None:
                raise InputError("an earlier change of the password was not settled", "settle it first")
            await self._prove_present()
            await self._credentials_switch.note_asked("change the password at SCM")
            try:
                switched = await alone(self._context.limiter, self._change)
            except ScmFailure as failure:
                await self._credentials_switch.note_answered(
                    "the password was not changed, or which one works is not known", failure
                )
                raise
            await self._credentials_switch.note_answered("the password in use is proven")
            return switched

    async def is_unsettled(self) -> bool:
        """Return whether a change was interrupted, so that either password may be valid; sends nothing.

        Raises:
            ConfigError: What is kept cannot be used.
        """
        return await self._credentials_switch.keeper.unproven() is not None

    async def settle(self, *, again: bool = False) -> Settled | None:
        """Find out which password works after an interrupted change, with at most one test of each.

        To be called at every start before anything else is sent: it sends nothing when nothing was cut short.

        Args:
            again: Try those that were tried before, too: the operator has asked for it.

        Returns:
            Which one works, now in use; None when nothing was cut short.

        Raises:
            CredentialsRefused: Neither works; requests are paused until the operator rotates.
            ScmFailure: Which one works could not be learned.
            ConfigError: What is kept cannot be used.
            StoreError: A try could not be written down; it was not made.
        """
        async with self._credentials_switch.one_at_a_time():
            unproven = await self._credentials_switch.keeper.unproven()
            if unproven is None:
                return None
            if again:
                unproven = UnprovenPassword(unproven.credentials)
            try:
                settled = await self._undisturbed(partial(self._settle, unproven, insist=again))
            except ScmFailure as failure:
                await self._credentials_switch.note_answered("which password works is not known", failure)
                raise
            word = "proven" if settled.is_proven else "the one left"
            await self._credentials_switch.note_answered(f"the {settled.candidate} password works, {word}")
            return settled

    async def _prove_present(self) -> None:
        """Check that the present credentials work, so that a later rejection is about the new ones."""
        try:
            await self._context.limiter.run(Priority.WRITE, self._context.scm.types)
        except CredentialsRefused:
            raise
        except ScmFailure as failure:
            if write_outcome_of(failure) is not WriteOutcome.REFUSED:
                raise

    async def _undisturbed(self, settle: Callable[[], Awaitable[Settled]]) -> Settled:
        if self._context.limiter.rejection is not None:
            # The limiter is closed already, and would reject this too.
            return await settle()
        return await alone(self._context.limiter, settle)

    async def _change(self) -> SwitchedCredentials:
        keeper, present = self._credentials_switch.keeper, self._credentials_switch.in_use
        policy: str | None = None
        while True:
            password = new_password(present.login, refused_with=policy)
            candidate = Credentials(present.customer_uri, present.login, password)
            await keeper.save_unproven(candidate)
            try:
                await self._context.scm.change_password(candidate.password)
            except ScmFailure as failure:
                if write_outcome_of(failure) is WriteOutcome.UNKNOWN:
                    return (await self._settle(UnprovenPassword(candidate))).switched
                await keeper.discard()
                if failure.code != POLICY_BROKEN or policy is not None:
                    raise
                policy = failure.description
                continue
            return (await self._settle(UnprovenPassword(candidate))).switched

    async def _settle(self, unproven: UnprovenPassword, *, insist: bool = False) -> Settled:
        keeper = self._credentials_switch.keeper
        candidates: Mapping[Candidate, Credentials] = {
            Candidate.PENDING: unproven.credentials,
            Candidate.CURRENT: self._credentials_switch.in_use,
        }
        rejections: dict[Candidate, CredentialsRefused] = {}
        if self._context.limiter.rejection is not None:
            rejections[Candidate.CURRENT] = self._context.limiter.rejection
        for candidate, credentials in candidates.items():
            if candidate in unproven.tried or candidate in rejections:
                continue
            await keeper.mark_tried(candidate)
            try:
                await self._credentials_switch.prove(credentials, insist=insist)
            except CredentialsRefused as rejection:
                rejections[candidate] = rejection
                # If it cannot be stored, the next start asks again.
                with suppress(ConfigError, StoreError):
                    await keeper.mark_refused(candidate)
                continue
            return await self._settled(candidate, credentials, is_proven=True)
        refused = unproven.refused | rejections.keys()
        left = [candidate for candidate in candidates if candidate not in refused]
        if len(left) == 1:
            return await self._settled(left[0], candidates[left[0]], is_proven=False)
        if rejections:
            raise rejections.get(Candidate.PENDING) or rejections[Candidate.CURRENT]
        if refused:
            raise InputError("SCM has refused both passwords", "have the account checked, then settle again, or rotate")
        raise InputError(
            "both passwords were tried, and SCM did not say which works", "settle again, once SCM can be reached"
        )

    async def _settled(self, candidate: Candidate, credentials: Credentials, *, is_proven: bool) -> Settled:
        keeper = self._credentials_switch.keeper
        keep = keeper.promote if candidate is Candidate.PENDING else keeper.discard
        return Settled(candidate, is_proven, await self._credentials_switch.switch_to(credentials, keep))
