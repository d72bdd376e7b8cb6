"""Telling certctl-server the credentials in use, after they were rotated here; nothing here depends on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum

from msgspec import Struct

from sectigo_tui.domain.certctl import Certctl
from sectigo_tui.domain.errors import CertctlFailure
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.credentials.service import CredentialsService


class HandOverStep(Enum):
    """The steps, in order."""

    READ = "read the issuer"
    PUT = "send it back with the new credentials"
    TEST = "have certctl-server test it"


class StepDone(Struct, frozen=True):
    """What a step came to.

    Args:
        step: The step.
        words: What certctl-server told; untrusted.
        failure: Why it failed; None when it did not. Its remedy is what is left to do.
    """

    step: HandOverStep
    words: str = ""
    failure: CertctlFailure | None = None


class HandingOver:
    """Hands credentials over to certctl-server.

    Args:
        context: What every service works with.
        credentials: Has the credentials in use.
        certctl: certctl-server.
        issuer_id: The issuer there.
    """

    def __init__(self, context: Context, credentials: CredentialsService, certctl: Certctl, issuer_id: str) -> None:
        self._context = context
        self._credentials = credentials
        self._certctl = certctl
        self._issuer_id = issuer_id

    async def hand_over(self) -> AsyncIterator[StepDone]:
        """Give certctl-server the login and password in use, step by step.

        Yields:
            What each step came to; the one that failed is the last.

        Raises:
            InputError: The program is read-only; nothing was sent.
        """
        self._context.check_writable("changing certctl-server's issuer")
        step = HandOverStep.READ
        await self._credentials.note_asked(f"hand the credentials over to certctl-server, issuer {self._issuer_id}")
        try:
            issuer = await self._certctl.issuer(self._issuer_id)
            in_use = self._credentials.in_use
            if issuer.customer_uri and issuer.customer_uri != in_use.customer_uri:
                raise CertctlFailure(
                    step.value,
                    f"the issuer is of customer {issuer.customer_uri!r}",
                    "check certctl.issuer_id",
                    sent=False,
                )
            yield StepDone(step, issuer.name)
            step = HandOverStep.PUT
            await self._certctl.put_issuer(issuer, login=in_use.login, password=in_use.password)
            yield StepDone(step)
            step = HandOverStep.TEST
            test = await self._certctl.test_issuer(self._issuer_id)
            if not test.successful:
                raise CertctlFailure(step.value, test.words, "see certctl-server's log, and test the issuer there")
        except CertctlFailure as failure:
            await self._credentials.note_answered(f"certctl-server, {failure.step}: {failure.reason}")
            yield StepDone(step, failure=failure)
        else:
            await self._credentials.note_answered("certctl-server has the credentials, and its test succeeded")
            yield StepDone(step, test.words)
