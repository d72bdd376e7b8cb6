"""Somebody else's client of the real API works against the simulator: `cert_manager` from the Python package index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from cert_manager import (  # type: ignore[import-untyped] # the package has no types
    SSL,
    Client,
    DomainControlValidation,
    Organization,
    PendingError,
)
from cryptography import x509
from simulated import Clock, csr_for

from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import World

PROFILE = "Sectigo SSL OV"


@pytest.fixture
def world() -> World:
    return World.seeded(3, issued=430, pending=7, clock=Clock())


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    own = world.account.credentials
    with served(world) as base_url, requests.Session() as session:
        yield Client(
            base_url=base_url, login_uri=own.customer_uri, username=own.login, password=own.password, session=session
        )


def enroll(ssl: SSL) -> int:
    """Order a certificate as a user of the package does."""
    answer = ssl.enroll(
        cert_type_name=PROFILE,
        csr=csr_for("shop.acme.example"),
        term=199,
        org_id=1001,
        subject_alt_names=["www.shop.acme.example"],
        external_requester="ops@acme.example",
    )
    assert answer.keys() == {"sslId", "renewId"}
    return int(answer["sslId"])


def test_it_reads_types_custom_fields_and_organizations(client: Client) -> None:
    ssl = SSL(client=client)
    assert ssl.types[PROFILE] == {"id": 502, "terms": [90, 199]}
    assert [one["name"] for one in ssl.custom_fields] == ["Cost center", "Ticket"]
    (department,) = Organization(client=client).find(org_name="Acme Holdings", dept_name="Retail")
    assert department["id"] == 1102


def test_it_lists_the_account_page_by_page(client: Client, world: World) -> None:
    ssl = SSL(client=client)
    assert len({row["sslId"] for row in ssl.list()}) == 437
    assert world.traffic.count("GET", "/ssl/v1$") == 3
    assert ssl.count() == 437
    assert ssl.count(status="Issued") == 430
    assert len(list(ssl.list(status="Requested", size=2))) == 1


def test_it_enrolls_waits_collects_and_revokes(client: Client, world: World) -> None:
    ssl = SSL(client=client)
    ssl_id = enroll(ssl)
    assert ssl.get(ssl_id)["status"] == "Approved"
    with pytest.raises(PendingError):
        ssl.collect(ssl_id, "x509")
    world.advance(3600)
    assert ssl.get(ssl_id)["status"] == "Issued"
    chain = x509.load_pem_x509_certificates(ssl.collect(ssl_id, "x509").encode())
    names = chain[-1].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.acme.example", "www.shop.acme.example"]
    assert "BEGIN PKCS7" in ssl.collect(ssl_id, "base64")
    assert ssl.revoke(ssl_id, reason="no longer needed") == {}
    assert ssl.get(ssl_id)["status"] == "Revoked"


def test_it_replaces_a_certificate(client: Client, world: World) -> None:
    ssl = SSL(client=client)
    ssl_id = enroll(ssl)
    world.advance(3600)
    csr = csr_for("shop.acme.example")
    assert ssl.replace(cert_id=ssl_id, csr=csr, common_name="shop.acme.example", reason="new key") == {}
    assert ssl.get(ssl_id)["status"] == "Approved"


def test_its_renewal_sends_a_json_string_and_is_refused(client: Client, world: World) -> None:
    ssl = SSL(client=client)
    ssl_id = enroll(ssl)
    world.advance(3600)
    with pytest.raises(requests.HTTPError) as refused:
        ssl.renew(ssl_id)
    answer = refused.value.response
    assert answer is not None
    assert (answer.status_code, answer.json()["code"]) == (400, -1002)
    assert world.enrolled == [ssl_id]


def test_it_reads_domain_control_validations(client: Client, world: World) -> None:
    dcv = DomainControlValidation(client=client)
    name = "pending-1.dcv-missing.acme.example"
    assert [one["dcvStatus"] for one in dcv.search(domain=name)] == ["NOT_VALIDATED"]
    assert dcv.get_validation_status(name)["orderStatus"] == "SUBMITTED"


def test_a_wrong_password_is_its_http_error(client: Client) -> None:
    client.add_headers({"password": "guess"})
    with pytest.raises(requests.HTTPError, match="401"):
        assert SSL(client=client).types
