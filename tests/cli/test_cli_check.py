"""`sectigo-tui check`: which optional rights the login has."""

from __future__ import annotations

from cli_site import Site


def test_check_tells_which_optional_rights_the_login_has_and_how_many_organizations_it_sees(site: Site) -> None:
    site.world.account.credentials.without = {"report", "usage"}
    ended = site.make("check", "--json")
    rights = {right["name"]: right for right in ended.document("check")["rights"]}
    assert {name: right["allowed"] for name, right in rights.items()} == {
        "reports": False,
        "DCV list": True,
        "organizations": True,
        "usage": False,
    }
    assert rights["organizations"]["count"] == 8
    assert rights["reports"]["failure"]["scm_code"] == -3
    lines = site.make("check").out.splitlines()
    assert any(line.split() == ["organizations", "yes,", "8", "organizations", "and", "departments"] for line in lines)
    assert any(line.startswith("reports") and "no: You are not authorized" in line for line in lines)


def test_check_sends_no_second_wrong_login_for_a_right(site: Site) -> None:
    site.world.faults.add("unauthorized", path="report")
    rights = site.make("check", "--json").document("check")["rights"]
    assert [right["allowed"] for right in rights] == [False, None, None, None]
    assert site.world.traffic.count(path="organization/v1") == 0
