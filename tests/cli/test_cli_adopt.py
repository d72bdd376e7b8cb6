"""`sectigo-tui adopt --certctl`: which orders certctl left behind, and that they are tracked and collected."""

from __future__ import annotations

from cli_site import Site

CERTCTL = "Issued by certctl"


def an_account(site: Site) -> dict[str, int]:
    """Place orders of certctl and of others; return their sslIds by name."""
    world, ours = site.world, site.world.account.credentials.login
    orders = {
        name: world.add_order(life=life, common_name=f"{name}.example", comments=comments, requester=requester)
        for name, life, comments, requester in (
            ("pending", "ov-approval", CERTCTL, ours),
            ("issued", "dv-instant", f"{CERTCTL} for the shop", ours),
            ("collected", "dv-instant", CERTCTL, ours),
            ("rejected", "ov-rejected", CERTCTL, ours),
            ("others", "ov-approval", CERTCTL, "somebody-else"),
            ("by-hand", "ov-approval", "for the shop", ours),
        )
    }
    world.advance(3_600)
    orders["collected"].downloaded = world.now()
    return {name: order.ssl_id for name, order in orders.items()}


def test_what_certctl_left_is_listed_and_nothing_else(site: Site) -> None:
    ids = an_account(site)
    listed = site.make("adopt", "--certctl", "--list", "--json").document("array of adopted order")
    assert {each["ssl_id"] for each in listed} == {ids["pending"], ids["issued"]}
    out = site.make("adopt", "--certctl", "--list").out
    assert "pending.example" in out
    assert "by-hand.example" not in out
    assert site.orders() == []
    others = site.make("adopt", "--certctl", "--list", "--json", "--login=somebody-else").document(
        "array of adopted order"
    )
    assert [each["ssl_id"] for each in others] == [ids["others"]]


def test_adopted_orders_are_local_and_issued_ones_collected_after_one_question(site: Site) -> None:
    ids = an_account(site)
    site.at_the_terminal("adopt")
    ended = site.make("adopt", "--certctl")
    assert "pending.example" in ended.out
    assert {order["ssl_id"]: order["state"] for order in site.orders()} == {
        ids["pending"]: "pending",
        ids["issued"]: "collected",
    }
    assert "certctl left nothing behind" in site.make("adopt", "--certctl", "--yes").err


def test_without_the_right_to_reports_orders_are_asked_for_one_by_one_and_that_is_said(site: Site) -> None:
    ids = an_account(site)
    site.world.faults.add("error", path="/report/", status=400, code=-3, description="You are not authorized.")
    ended = site.make("adopt", "--certctl", "--list", "--json")
    listed = ended.document("array of adopted order")
    # Whether an issued order was collected, only a report tells.
    assert {each["ssl_id"] for each in listed} == {ids["pending"], ids["issued"], ids["collected"]}
    assert "may have been collected" in site.make("adopt", "--certctl", "--list").err


def test_another_word_than_adopt_does_nothing_and_without_a_terminal_nothing_is_asked(site: Site) -> None:
    an_account(site)
    assert site.run("adopt", "--certctl").code == 2
    site.at_the_terminal("yes")
    assert site.run("adopt", "--certctl").code == 2
    assert site.orders() == []
    assert site.run("adopt").code == 2
    assert site.run("adopt", "--certctl", "--days=0").code == 2
