"""What SCM takes at most. Source: SCM manual 25.5."""

from __future__ import annotations

from collections.abc import Mapping

PAGE_SIZE = 200
"""Rows of a listing in one answer."""

COMMENTS_AT_MOST = 1024
"""Characters of an order's comments."""

REQUESTERS_AT_MOST = 512
"""Characters of the external requesters' addresses, comma-separated."""

MESSAGE_AT_MOST = 512
"""Characters of the message that an order is approved or declined with, of which there is at least one."""

REASON_AT_MOST = 512
"""Characters of the words that a certificate is revoked with, of which there is at least one."""

REASONS: Mapping[int, str] = {
    0: "unspecified",
    1: "keyCompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
}
"""The reason codes that a certificate is revoked for, by their names. Source: RFC 5280 5.3.1, too."""

WITHIN_DAYS = 45
"""How far ahead is read by default: a domain's validation lasts 198 days, and an organization's takes days."""

LONGEST_WITHIN_DAYS = 825

HORIZON_DAYS = 60
"""Certificates that expire within this time are listed for renewal, unless the operator says otherwise."""

REACH_DAYS = 400
"""How far ahead certificates are read: the longest term in use, so that the renewal of every one is found."""
