"""The account that scenarios and tests start from."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sectigo_tui.simulator.account import (
    Account,
    Allowance,
    Credentials,
    CustomField,
    Department,
    Organization,
    OrganizationValidation,
    Profile,
)

_ORGANIZATION_LEVELS: tuple[Literal["OV", "EV"], ...] = ("OV", "EV")


def acme(start: datetime, *, mandatory_fields: Sequence[str] = ()) -> Account:
    """Make the account that scenarios and tests start from: an organization in every state of validation.

    Args:
        start: The moment it describes.
        mandatory_fields: Names of custom fields without which enrollments are rejected.
    """

    def day(count: float) -> datetime:
        return start + timedelta(days=count)

    def both(
        first_id: int,
        *,
        validated: datetime | None = None,
        expires: datetime | None = None,
        failed: datetime | None = None,
        error: str = "",
        background: str | None = None,
    ) -> list[OrganizationValidation]:
        return [
            OrganizationValidation(first_id + offset, level, day(-9), validated, expires, failed, error, background)
            for offset, level in enumerate(_ORGANIZATION_LEVELS)
        ]

    energy = both(2010, validated=day(-372), expires=day(26))
    energy[1] = OrganizationValidation(2011, "EV", day(-6), validator=(77, "Vetting Team 4"))
    return Account(
        credentials=Credentials(expires=day(61)),
        profiles=(
            Profile(501, "Sectigo SSL DV", "DV"),
            Profile(502, "Sectigo SSL OV", "OV"),
            Profile(503, "Sectigo SSL OV Multi-Domain", "OV"),
            Profile(505, "Sectigo SSL EV", "EV", key_types={"RSA": ("2048", "4096"), "EC": ("P-256", "P-384")}),
        ),
        organizations=[
            Organization(
                1001,
                "Acme Holdings",
                departments=(Department(1101, "Platform"), Department(1102, "Retail")),
                validations=both(2001, validated=day(-120), expires=day(278)),
            ),
            Organization(
                1002,
                "Acme Logistics",
                city="Rotterdam",
                country="NL",
                departments=(Department(1103, "Fleet"),),
                validations=both(2003),
            ),
            Organization(
                1003,
                "Acme Health",
                city="Lyon",
                country="FR",
                validations=both(
                    2005, failed=day(-2), error="Callback number could not be verified in a public directory"
                ),
            ),
            Organization(
                1004,
                "Acme Bank",
                city="Zurich",
                country="CH",
                validations=both(2007, validated=day(-401), expires=day(-3), background="PENDING"),
            ),
            Organization(1005, "Acme Energy", city="Oslo", country="NO", validations=energy),
        ],
        custom_fields=(
            CustomField(31, "Cost center", "Cost center" in mandatory_fields),
            CustomField(32, "Ticket", "Ticket" in mandatory_fields),
        ),
        allowances={
            "DV": Allowance("SSL DV", 500, 41),
            "OV": Allowance("SSL OV", 400, 268),
            "EV": Allowance("SSL EV", 60, 39),
        },
    )
