"""SCM, DNS and certctl-server as they answer with whatever strangers typed into them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zlib import crc32

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import strategies as st

from sectigo_tui.domain.dns import CaaAnswer, CaaRecord
from sectigo_tui.domain.ports import SecretText

MARKUP = "x[reverse]Zq7[/reverse]"
INTERPRETED = "xZq7"
"""What `MARKUP` would show as, if anybody read it as markup."""

NASTY = (
    *("\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]52;c;cm0gLXJm\x07", "\x9b31m", "\x90q\x9c", "\r\n\n\n", "\t", "\x00"),
    *("\x08\x7f", "\u202egnp.exe", "\u2066\u2067\u2069", "\u200f\u200e\u061c", "a\u200bb\u2060c\ufeff", "\u00ad"),
    *("\U000e0061\U000e007f", "\u0301\u0301\u0301\u0301\u0301", "\u3164\u115f\uffa0\u2800", "証明書"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f", "\u0915\u093f\u094d"),
    *("\u05d0\u05d1 \u0639\u0631", "\ud800", "\udfff\ue000\uffff", "\u2028\u2029\x85\x0b\x0c\x1c"),
    *("[@click=app.quit]q[/]", "[link=https://evil.example]l[/link]", "[[/]][", "\\[", "[/]", "$accent", "{0}{x}%s"),
    *('=HYPERLINK("http://evil")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\uff1d1+1"),
    *("<script>x</script>", "|a|`b`\n# c", "![i](x)"),
    *("a" * 100_000, "www.\u0430cme.example", "9" * 5_000, "  ", ""),
)

HUGE = (2**63 - 1, 2**64, 10**30, -(2**63))
"""Numbers that nobody should have sent."""

ORDERS = st.permutations(range(len(NASTY)))
TYPED = st.lists(st.text(max_size=12), min_size=3, max_size=9)


def words_of(order: Sequence[int], typed: Sequence[str]) -> list[str]:
    """Return all the texts that nobody should have typed, in some order, each with more that somebody may have."""
    return [f"{NASTY[each]}{MARKUP}{typed[at % len(typed)]}" for at, each in enumerate(order)]


_MEANT = frozenset(
    {"status", "dcvStatus", "orderStatus", "validationLevel", "dcvMode", "orderMode", "state", "formats"}
)
"""Fields whose values the program understands; kept, they lead it to where the others are shown."""
_DATE = re.compile(r"\d{2,4}[-/]\d{2}[-/]\d{2,4}")


class HostileScm(httpx.AsyncBaseTransport):
    """Passes requests on, and puts other texts into each answer: into every field of it; and huge numbers.

    Args:
        inner: Answers as SCM does.
        words: The texts.
        keeps_meaning: Whether states and dates stay, so that an order comes as far as it would.

    Attributes:
        refuses: While set, each call is refused with an error body of such a text.
        fed: How many fields were given such a text.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, words: Sequence[str], *, keeps_meaning: bool) -> None:
        self._inner = inner
        self._words = words
        self._keeps_meaning = keeps_meaning
        self.refuses = 0
        self.fed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.refuses:
            return self._rejection()
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        if answer.status_code == 200 and "/collect/" in request.url.path:
            body = certificate(self._word("subject"), self._word("issuer"))
        elif body.startswith((b"{", b"[")):
            body = json.dumps(self._replaced(json.loads(body), "")).encode()
        return httpx.Response(answer.status_code, headers=headers, content=body)

    def _rejection(self) -> httpx.Response:
        told = {"code": -9, "description": self._word("description")}
        server = self._word("server").encode(errors="replace").translate(None, b"\r\n\0")[:200]
        html = f"<html><title>{self._word('title')}</title>".encode(errors="replace")
        body = html if self.refuses >= 500 else json.dumps(told).encode()
        return httpx.Response(self.refuses, headers=[(b"server", server)], content=body)

    def _replaced(self, value: Any, path: str) -> Any:
        match value:
            case str() if not (self._keeps_meaning and (path.rpartition(".")[2] in _MEANT or _DATE.match(value))):
                return self._word(path)
            case int() if not (isinstance(value, bool) or self._keeps_meaning or path.lower().endswith("id")):
                return HUGE[crc32(path.encode(errors="replace")) % len(HUGE)]
            case list():
                return [self._replaced(each, f"{path}.{number}") for number, each in enumerate(value)]
            case dict() if path.endswith((".keyTypes", ".settings")):
                return {
                    self._word(f"{path}.{key}"): self._replaced(each, f"{path}.{key}") for key, each in value.items()
                }
            case dict():
                return {key: self._replaced(each, f"{path}.{key}") for key, each in value.items()}
        return value

    def _word(self, path: str) -> str:
        self.fed += 1
        return self._words[crc32(path.encode(errors="replace")) % len(self._words)]


class HostileDns:
    """A resolver whose answers somebody else has written."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    async def caa(self, domain: str) -> CaaAnswer:
        del domain
        first, second, third, *_ = self._words
        return CaaAnswer(first, second, (CaaRecord(128, second, third), CaaRecord(0, "issue", first)))

    async def cname(self, name: str) -> str:
        del name
        return self._words[0]

    async def txt(self, name: str) -> tuple[str, ...]:
        del name
        return tuple(self._words)


def certctl_answers(words: Sequence[str], customer_uri: str) -> httpx.MockTransport:
    """Return a certctl-server whose issuer and words are not to be trusted."""
    first, second, *_ = words

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/test"):
            return httpx.Response(500, content=json.dumps({"error": second, "status": second}).encode())
        config = {"customer_uri": customer_uri, "login": second, "password": "********"}
        issuer = {"id": "iss-sectigo", "name": first, "type": "Sectigo", "config": config, "enabled": True}
        return httpx.Response(200, content=json.dumps(issuer).encode())

    return httpx.MockTransport(answer)


API_KEY = SecretText("api-key")


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(subject: str, issuer: str) -> bytes:
    """Return a certificate whose every name is one of these texts."""
    names = [_name(text, oid) for text, oid in ((subject, NameOID.COMMON_NAME), (subject, NameOID.ORGANIZATION_NAME))]
    ascii_only = subject.encode("ascii", "ignore").decode() or "x"
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([_name(issuer, NameOID.COMMON_NAME)]))
        .public_key(_key().public_key())
        .serial_number(4711)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=199))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(ascii_only)]), critical=False)
        .sign(_key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def _name(text: str, oid: x509.ObjectIdentifier) -> x509.NameAttribute[str]:
    carried = text.encode(errors="replace").decode()[:2_000] or "x"
    return x509.NameAttribute(oid, carried, _validate=False)
