"""The resolver against a name server on loopback."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from sectigo_tui.dns.resolver import SystemDns
from sectigo_tui.domain.dns import CaaAnswer, CaaRecord
from sectigo_tui.domain.errors import DnsFailure


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone: record texts by name and type; `FAIL` is SERVFAIL, a name it does not have NXDOMAIN."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        records = self.zone.get((name, kind))
        if records == ["FAIL"]:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, records))
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(response.to_wire(), addr)  # type: ignore[attr-defined] # a datagram transport


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    yield protocol
    transport.close()


@pytest.fixture
def resolver(server: NameServer) -> SystemDns:
    return SystemDns(["127.0.0.1"], port=server.port, timeout_seconds=2.0)


async def test_caa_is_looked_for_from_the_name_up_to_the_first_that_has_records(
    server: NameServer, resolver: SystemDns
) -> None:
    server.zone = {("example.com", "CAA"): ['0 issue "letsencrypt.org"'], ("com", "CAA"): ['0 issue ";"']}
    answer = await resolver.caa("*.a.WWW.example.com")
    assert answer == CaaAnswer("a.www.example.com", "example.com", (CaaRecord(0, "issue", "letsencrypt.org"),))
    assert [name for name, _ in server.asked] == ["a.www.example.com", "www.example.com", "example.com"]


async def test_no_caa_anywhere_is_an_answer(server: NameServer, resolver: SystemDns) -> None:
    assert await resolver.caa("www.example.com") == CaaAnswer("www.example.com")
    assert server.asked[-1] == ("com", "CAA")


async def test_a_name_that_cannot_be_asked_is_a_failure_and_nothing_above_it_counts(
    server: NameServer, resolver: SystemDns
) -> None:
    server.zone = {("www.example.com", "CAA"): ["FAIL"], ("example.com", "CAA"): ['0 issue "sectigo.com"']}
    with pytest.raises(DnsFailure, match=r"www\.example\.com"):
        await resolver.caa("www.example.com")


async def test_dcv_records_are_read_as_published(server: NameServer, resolver: SystemDns) -> None:
    server.zone = {
        ("_abc.example.com", "CNAME"): ["1.2.sectigo.com."],
        ("_txt.example.com", "TXT"): ['"first" "half"', '"other"'],
    }
    assert await resolver.cname("_abc.example.com.") == "1.2.sectigo.com"
    assert await resolver.cname("_none.example.com") == ""
    assert sorted(await resolver.txt("_txt.example.com")) == ["firsthalf", "other"]


async def test_a_name_that_no_dns_could_have_is_a_failure_not_a_crash(resolver: SystemDns) -> None:
    with pytest.raises(DnsFailure):
        await resolver.cname("x" * 64 + ".example.com")


def test_dnspython_is_not_imported_before_the_first_lookup() -> None:
    code = "import sys, sectigo_tui.dns.resolver as r; r.SystemDns(); sys.exit('dns' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
