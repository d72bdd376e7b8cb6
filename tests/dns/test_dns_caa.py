from __future__ import annotations

import pytest

from sectigo_tui.domain.dns import CaaAnswer, CaaRecord


def answer(*lines: str) -> CaaAnswer:
    records = []
    for line in lines:
        flags, tag, value = line.split(" ", 2)
        records.append(CaaRecord(int(flags), tag, value))
    return CaaAnswer("www.example.com", "example.com", tuple(records))


@pytest.mark.parametrize(
    ("lines", "plain_forbidden", "wildcard_forbidden"),
    [
        ((), False, False),
        (("0 issue sectigo.com",), False, False),
        (("0 issue Sectigo.COM",), False, False),
        (("0 ISSUE usertrust.com",), False, False),
        (("0 issue trust-provider.com; accounturi=x",), False, False),
        (("0 issue comodoca.com",), False, False),
        (("0 issue letsencrypt.org",), True, True),
        (("0 issue letsencrypt.org", "0 issue sectigo.com"), False, False),
        (("0 issue ;",), True, True),
        (("0 issue notsectigo.com",), True, True),
        (("0 issue www.sectigo.com",), True, True),
        (("0 issue letsencrypt.org", "0 issuewild sectigo.com"), True, False),
        (("0 issue sectigo.com", "0 issuewild ;"), False, True),
        (("0 issuewild letsencrypt.org",), False, True),
        (("0 iodef mailto:security@example.com",), False, False),
        (("128 issue sectigo.com",), False, False),
        (("128 tbs unknown", "0 issue sectigo.com"), True, True),
        (("0 tbs unknown",), False, False),
    ],
)
def test_caa_lets_sectigo_issue_as_rfc_8659_says(
    lines: tuple[str, ...], plain_forbidden: bool, wildcard_forbidden: bool
) -> None:
    found = answer(*lines)
    assert bool(found.forbidding(is_wildcard=False)) is plain_forbidden
    assert bool(found.forbidding(is_wildcard=True)) is wildcard_forbidden


def test_forbidding_records_are_shown_as_a_zone_file_has_them() -> None:
    (record,) = answer("0 issue letsencrypt.org").forbidding(is_wildcard=False)
    assert str(record) == '0 issue "letsencrypt.org"'
