"""A key made here is on disk, private and whole, before there is a CSR; names become what a CA accepts."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.pki import CsrFacts, KeyOrder
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.pki.csr import check_csr, load_csr, make_csr
from sectigo_tui.pki.names import common_name_text, file_stem, parse_name


def make(path: Path, **changes: object) -> CsrFacts:
    arguments: dict[str, object] = {"common_name": "www.example.com", "key_type": "EC", "key_size": "P-256"} | changes
    return make_csr(KeyOrder(path=str(path), **arguments))  # type: ignore[arg-type]


@pytest.mark.parametrize(("key_type", "key_size"), [("RSA", "2048"), ("EC", "P-256"), ("EC", "P-384"), ("EC", "P-521")])
def test_the_csr_is_for_the_key_on_disk(tmp_path: Path, key_type: str, key_size: str) -> None:
    path = tmp_path / "keys" / "www.key.pem"
    facts = make(path, key_type=key_type, key_size=key_size)
    key = load_pem_private_key(path.read_bytes(), None)
    assert load_csr(facts.pem.encode()).public_key() == key.public_key()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    check_csr(facts, {key_type: (key_size,)})


def test_the_common_name_is_an_alternative_name_too_and_each_name_is_there_once(tmp_path: Path) -> None:
    names = ["*.Example.com", "www.example.com.", "bücher.example", "192.0.2.1", "[2001:DB8::1]", "*.example.com"]
    facts = make(tmp_path / "k", alternative_names=names)
    assert facts.common_name == "www.example.com"
    assert facts.subject_alternative_names == (
        "www.example.com",
        "*.example.com",
        "xn--bcher-kva.example",
        "192.0.2.1",
        "2001:db8::1",
    )


def test_a_curve_may_be_spelt_as_the_profile_spells_it(tmp_path: Path) -> None:
    assert make(tmp_path / "k", key_type="ECC", key_size="secp384r1").key == "EC P-384"


def test_a_passphrase_encrypts_the_key(tmp_path: Path) -> None:
    make(tmp_path / "k", passphrase=SecretText("open sésame"))
    content = (tmp_path / "k").read_bytes()
    assert content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    with pytest.raises(TypeError):
        load_pem_private_key(content, None)
    load_pem_private_key(content, "open sésame".encode())


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_text("mine")
    with pytest.raises(InputError, match="a private key is never overwritten"):
        make(path)
    assert path.read_text() == "mine"


def test_there_is_no_csr_when_the_key_cannot_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        make(tmp_path / "k")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"common_name": "a" * 60 + ".example"}, "the common name has 68 characters"),
        ({"alternative_names": ["a@example.com"]}, "is an e-mail address"),
        ({"key_type": "RSA", "key_size": "1024"}, "no RSA 1024 key can be made here"),
        ({"key_type": "DSA"}, "no DSA P-256 key can be made here"),
        ({"passphrase": SecretText("")}, "the passphrase is empty"),
        ({"passphrase": SecretText("x" * 1024)}, "or too long"),
    ],
)
def test_what_cannot_be_made_leaves_no_key_behind(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        make(tmp_path / "k", **changes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "https://www.example.com",
        "www.example.com/path",
        "a@example.com",
        "*.*.example.com",
        "www.*.example.com",
        "*",
        "a..b",
        "_sip.example.com",
        "-a.example.com",
        "a b.example.com",
        "192.0.2.300",
        "www.example.com\n",
        "a" * 64 + ".example.com",
        ".".join(["a" * 60] * 5),
    ],
)
def test_a_name_that_no_certificate_holds_is_refused(text: str) -> None:
    if text.endswith("\n"):
        assert parse_name(text) == text.strip()
    else:
        with pytest.raises(InputError):
            parse_name(text)


def test_a_common_name_of_64_characters_is_the_longest() -> None:
    longest = "a" * 56 + ".example"
    assert common_name_text(longest) == longest


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("*.example.com", "_wildcard.example.com"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "unnamed"),
        ("a\x1b[31m b", "a_31m_b"),
        ("2001:db8::1", "2001_db8_1"),
        ("x" * 300, "x" * 100),
    ],
)
def test_any_name_is_a_safe_beginning_of_a_file_name(name: str, stem: str) -> None:
    assert file_stem(name) == stem


def test_cryptography_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys; import sectigo_tui.pki.bundle, sectigo_tui.pki.csr, sectigo_tui.pki.tools;"
        "print([name for name in ('pydantic', 'cryptography', 'idna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
