"""certctl-server, without a network."""

from __future__ import annotations

from sectigo_tui.domain.certctl import Issuer, IssuerTest
from sectigo_tui.domain.errors import CertctlFailure
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.credentials.certctl import HandOverStep


class FakeCertctl:
    """certctl-server as far as rotation sees it."""

    def __init__(self, *, fails_at: HandOverStep | None = None, customer_uri: str = "acme") -> None:
        self.calls: list[str] = []
        self.credentials = ("old", "old")
        self._fails_at = fails_at
        self._customer_uri = customer_uri

    async def issuer(self, issuer_id: str) -> Issuer:
        self._call(HandOverStep.READ)
        return Issuer(issuer_id, "Sectigo production", self._customer_uri, "old", b"{}")

    async def put_issuer(self, issuer: Issuer, *, login: str, password: SecretText) -> None:
        self._call(HandOverStep.PUT)
        self.credentials = (login, password.reveal())

    async def test_issuer(self, issuer_id: str) -> IssuerTest:
        if self._fails_at is HandOverStep.TEST:
            return IssuerTest(successful=False, words="connection refused")
        self._call(HandOverStep.TEST)
        return IssuerTest(successful=True, words="connection_successful")

    def _call(self, step: HandOverStep) -> None:
        self.calls.append(step.name)
        if step is self._fails_at:
            raise CertctlFailure(step.value, "it is down", "do it again")
