"""The simulator's CA: certificates that a program can trust, in every shape SCM delivers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.verification import PolicyBuilder, Store
from simulated import START, client_of, csr_for, enrollment, new_world

from sectigo_tui.simulator.ca import certificate
from sectigo_tui.simulator.world import Dialect, World


async def collected(world: World, form: str, name: str = "www.acme.example") -> bytes:
    """Enroll, let time pass, and collect."""
    scm = client_of(world)
    ssl_id = (await scm.post("/ssl/v1/enroll", json=enrollment(name))).json()["sslId"]
    world.advance(3600)
    return (await scm.get(f"/ssl/v1/collect/{ssl_id}/{form}")).content


def roles(chain: list[x509.Certificate]) -> list[str]:
    """Return what each certificate is."""
    made = []
    for one in chain:
        authority = one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        made.append("leaf" if not authority else "root" if one.issuer == one.subject else "issuer")
    return made


@pytest.mark.parametrize(
    ("form", "order"),
    [
        ("x509", ["root", "issuer", "leaf"]),
        ("pem", ["root", "issuer", "leaf"]),
        ("x509R", ["leaf", "issuer", "root"]),
        ("x509CO", ["leaf"]),
        ("pemco", ["leaf"]),
        ("x509IO", ["root", "issuer"]),
        ("x509IOR", ["issuer", "root"]),
        ("pemia", ["leaf", "issuer"]),
    ],
)
async def test_each_pem_format_has_its_certificates_in_its_order(form: str, order: list[str]) -> None:
    pem = await collected(new_world(), form)
    assert roles(x509.load_pem_x509_certificates(pem)) == order
    assert (b"\r\n" in pem) == form.startswith("x509")


@pytest.mark.parametrize(
    ("form", "load"),
    [("base64", pkcs7.load_pem_pkcs7_certificates), ("bin", pkcs7.load_der_pkcs7_certificates)],
)
async def test_pkcs7_holds_the_whole_chain(form: str, load: Callable[[bytes], list[x509.Certificate]]) -> None:
    assert sorted(roles(load(await collected(new_world(), form)))) == ["issuer", "leaf", "root"]


async def test_an_account_may_deliver_the_leaf_first() -> None:
    world = new_world(dialect=Dialect(bundle="leaf-first"))
    assert roles(x509.load_pem_x509_certificates(await collected(world, "pem"))) == ["leaf", "issuer", "root"]


async def test_the_certificate_is_for_the_key_and_names_that_were_asked_for_and_can_be_verified() -> None:
    chain = x509.load_pem_x509_certificates(await collected(new_world(), "pem"))
    root, issuer, leaf = chain
    asked = x509.load_pem_x509_csr(csr_for("www.acme.example").encode()).public_key()
    shape = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert leaf.public_key().public_bytes(*shape) == asked.public_bytes(*shape)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=199)
    verifier = PolicyBuilder().store(Store([root])).time(START + timedelta(days=1))
    path = verifier.build_server_verifier(x509.DNSName("alt.www.acme.example")).verify(leaf, [issuer])
    assert path == [leaf, issuer, root]


@pytest.mark.parametrize(("level", "parts"), [("dv", 1), ("ov", 4), ("ev", 6)])
def test_a_certificate_says_as_much_about_the_organization_as_its_level(level: str, parts: int) -> None:
    world = new_world()
    leaf = certificate(world, world.add_order(life=f"{level}-instant", common_name="a.acme.example"))
    assert leaf is not None
    assert len(list(leaf.subject)) == parts


def test_the_same_seed_makes_the_same_certificates() -> None:
    made = [
        certificate(world, world.add_order(life="ov-instant", common_name="a.acme.example"))
        for world in (new_world(seed=1), new_world(seed=1), new_world(seed=2))
    ]
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.mark.parametrize(
    "name", ["\x1b[31mred\x1b[0m.example", "x" * 100_000, "müller.example", "\u202eevil.example", "a\0b.example", "-"]
)
async def test_names_that_are_no_host_names_break_neither_details_nor_collecting(name: str) -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-instant", common_name=name)
    assert (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["commonName"] == name
    assert (await scm.get("/ssl/v1?size=5")).json()[0]["commonName"] == name
    assert (await scm.get(f"/ssl/v1/collect/{order.ssl_id}?format=pem")).status_code == 200
