"""What this program writes into `comments`, so that an order whose answer was lost is found again."""

from __future__ import annotations

import re

from sectigo_tui.domain.errors import InputError

COMMENTS_AT_MOST = 1024
"""Source: SCM manual 25.5."""

_ORDER_TAG = re.compile(r"\[sectigo-tui:([0-9a-f]{12})(?:\.(\d{1,4}))?\]")


def order_tag_of(order_id: str, attempt: int) -> str:
    """Return an order's marker; every time it is ordered again it gets another."""
    return f"[sectigo-tui:{order_id}]" if attempt == 1 else f"[sectigo-tui:{order_id}.{attempt}]"


def marked(comments: str, order_tag: str) -> str:
    """Return the operator's comments with a marker.

    Raises:
        InputError: They are too long together.
    """
    room = COMMENTS_AT_MOST - len(order_tag) - 1
    if len(comments) > room:
        raise InputError(f"the comments have {len(comments)} characters", f"use at most {room}")
    return f"{comments} {order_tag}" if comments else order_tag


def untagged(comments: str) -> str:
    """Return comments without any marker."""
    return _ORDER_TAG.sub("", comments).strip()


def tagged_orders(comments: str) -> frozenset[str]:
    """Return the local ids of the orders whose markers are in some comments."""
    return frozenset(found[1] for found in _ORDER_TAG.finditer(comments))
