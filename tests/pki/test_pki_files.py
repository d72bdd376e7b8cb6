"""Certificates are saved as files for servers, never over other files unasked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.pki import CertificateBundle, CertificateTools
from sectigo_tui.pki.tools import PkiTools, save_certificate

FACTS = CertificateFacts(
    subject="CN=www",
    issuer="CN=ca",
    subject_alternative_names=(),
    serial_number="01",
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    not_after=datetime(2026, 7, 1, tzinfo=UTC),
    key="RSA 2048",
    sha256="",
    sha1="",
)
BUNDLE = CertificateBundle(leaf_pem="leaf\n", chain_pem="chain\n", facts=FACTS)


def files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_leaf_chain_and_full_chain_are_saved(tmp_path: Path) -> None:
    saved = save_certificate(BUNDLE, tmp_path / "new", "www")
    assert files(tmp_path / "new") == {
        "www.crt.pem": "leaf\n",
        "www.chain.pem": "chain\n",
        "www.fullchain.pem": "leaf\nchain\n",
    }
    assert [path.name for path in saved] == ["www.crt.pem", "www.chain.pem", "www.fullchain.pem"]
    assert {path.stat().st_mode & 0o777 for path in saved} == {0o644}


def test_a_certificate_without_a_chain_has_no_chain_file(tmp_path: Path) -> None:
    save_certificate(CertificateBundle(leaf_pem="leaf\n", chain_pem="", facts=FACTS), tmp_path, "www")
    assert files(tmp_path) == {"www.crt.pem": "leaf\n", "www.fullchain.pem": "leaf\n"}


def test_saving_twice_is_saving_once(tmp_path: Path) -> None:
    assert save_certificate(BUNDLE, tmp_path, "www") == save_certificate(BUNDLE, tmp_path, "www")


def test_another_file_is_not_overwritten_and_nothing_else_is_written(tmp_path: Path) -> None:
    (tmp_path / "www.fullchain.pem").write_text("mine")
    with pytest.raises(InputError, match=r"www\.fullchain\.pem exists with other content.*--overwrite"):
        save_certificate(BUNDLE, tmp_path, "www")
    assert files(tmp_path) == {"www.fullchain.pem": "mine"}


def test_another_file_is_replaced_once_the_operator_said_so(tmp_path: Path) -> None:
    (tmp_path / "www.fullchain.pem").write_text("mine")
    save_certificate(BUNDLE, tmp_path, "www", overwrite=True)
    assert files(tmp_path)["www.fullchain.pem"] == "leaf\nchain\n"


def test_a_directory_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory; name another directory"):
        save_certificate(BUNDLE, tmp_path / "file" / "below", "www")


def test_the_port_saves_a_wildcard_under_a_harmless_name(tmp_path: Path) -> None:
    tools: CertificateTools = PkiTools()
    saved = tools.save(BUNDLE, str(tmp_path), "*.example.com", overwrite=False)
    assert saved[0] == str(tmp_path / "_wildcard.example.com.crt.pem")


def test_the_port_explains_a_kept_bundle_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file or directory; collect the certificate again"):
        PkiTools().read_kept(str(tmp_path / "gone.pem"), "")


def test_a_chain_that_is_not_this_certificates_is_removed_once_the_operator_said_so(tmp_path: Path) -> None:
    alone = CertificateBundle(leaf_pem="new leaf\n", chain_pem="", facts=FACTS)
    save_certificate(BUNDLE, tmp_path, "www")
    with pytest.raises(InputError, match=r"www\.chain\.pem exists with other content"):
        save_certificate(alone, tmp_path, "www")
    assert files(tmp_path)["www.chain.pem"] == "chain\n"
    save_certificate(alone, tmp_path, "www", overwrite=True)
    assert files(tmp_path) == {"www.crt.pem": "new leaf\n", "www.fullchain.pem": "new leaf\n"}
