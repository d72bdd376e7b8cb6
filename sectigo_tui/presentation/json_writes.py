"""What came of a write as JSON, in the shapes that `docs/json.md` promises."""

from __future__ import annotations

import json
import sys

from sectigo_tui.cli.results import Ending
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.orders.duplicates import Duplicates
from sectigo_tui.presentation.json import Json, moment_json, order_json


def print_json(document: Json) -> None:
    """Write one JSON document to stdout; what is not ASCII in it is escaped."""
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


def print_json_line(document: Json) -> None:
    """Write one JSON document to stdout as a line."""
    sys.stdout.write(f"{json.dumps(document)}\n")


def failure_json(failure: Exception | None, *, is_once: bool = True) -> dict[str, Json] | None:
    """Return a failure in the four fields that an operator reads.

    Args:
        failure: The failure; None for none.
        is_once: Whether the command ends with it, so that nothing more is done by itself.
    """
    if failure is None:
        return None
    told = explain(failure, is_once=is_once)
    return {"what": told.what, "scm_code": told.code, "meaning": told.meaning, "next_step": told.next_step}


def placed_json(
    ending: Ending | None, order: Order | None, duplicates: Duplicates | None, lost: Exception | None = None
) -> dict[str, Json]:
    """Return what came of ordering or renewing.

    Args:
        ending: How the order was left; None when it was not placed because of duplicates.
        order: The order.
        duplicates: The orders of the same name; None when they were not looked up.
        lost: How SCM's answer was lost.
    """
    return {
        "outcome": ending.value if ending is not None else "duplicates",
        "order": order_json(order) if order is not None else None,
        "lost_answer": failure_json(lost),
        "duplicates": duplicates_json(duplicates) if duplicates is not None else None,
    }


def duplicates_json(duplicates: Duplicates) -> dict[str, Json]:
    """Return the orders of the same name."""
    return {
        "local": [order_json(order) for order in duplicates.local],
        "remote": [details_json(details) for details in duplicates.remote],
        "not_examined": duplicates.not_examined,
        "failure": failure_json(duplicates.failure),
    }


def details_json(details: OrderDetails) -> dict[str, Json]:
    """Return what SCM tells of an order that need not be local."""
    return {
        "ssl_id": details.ssl_id,
        "scm_status": details.status,
        "common_name": details.common_name or None,
        "profile_id": details.profile_id,
        "organization_id": details.organization_id,
        "requested": moment_json(details.requested),
        "expires": moment_json(details.expires),
        "order_number": details.order_number or None,
    }
