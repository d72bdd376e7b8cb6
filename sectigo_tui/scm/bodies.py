"""What requests carry, with SCM's field names and limits. Source: SCM manual 25.5."""

from __future__ import annotations

from sectigo_tui.domain.certificates import EnrollRequest, ReportDate, ReportQuery
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.limits import COMMENTS_AT_MOST, MESSAGE_AT_MOST, REASON_AT_MOST, REASONS, REQUESTERS_AT_MOST

Body = dict[str, object]
"""A JSON object, about to be sent."""


_ANY_STATUS = 0
_REPORT_DATES = {ReportDate.REVOKED: 2, ReportDate.EXPIRES: 3, ReportDate.REQUESTED: 4, ReportDate.ISSUED: 5}


def report(query: ReportQuery) -> Body:
    """Return the body that asks for a bulk report. Source: SCM manual 25.5, observed in public scripts."""
    body: Body = {
        "from": query.first.isoformat(),
        "to": query.last.isoformat(),
        "organizationIds": list(query.organization_ids),
        "commonName": query.common_name,
        "certificateStatus": _ANY_STATUS,
        "certificateDateAttribute": _REPORT_DATES[query.by],
    }
    return {name: value for name, value in body.items() if value not in ("", [])}


def enroll(request: EnrollRequest) -> Body:
    """Return an enroll's body; what is empty is left out.

    Raises:
        InputError: The comments or the requester's addresses are too long.
    """
    _at_most(COMMENTS_AT_MOST, "the comments", request.comments)
    _at_most(REQUESTERS_AT_MOST, "the external requester", request.external_requester)
    body: Body = {
        "orgId": request.organization_id,
        "csr": request.csr_pem,
        "certType": request.profile_id,
        "term": request.term_days,
        "subjAltNames": ",".join(request.subject_alternative_names),
        "comments": request.comments,
        "externalRequester": request.external_requester,
        "customFields": [{"name": name, "value": value} for name, value in request.custom_fields],
        "dcvMode": request.dcv_mode,
        "dcvEmail": request.dcv_email,
    }
    return {name: value for name, value in body.items() if value not in ("", [])}


def renew(csr_pem: str) -> Body:
    """Return a renewal's body for another key."""
    return {"csr": csr_pem}


def decision(message: str) -> Body:
    """Return an approval's or a decline's body.

    Raises:
        InputError: The message is empty or too long.
    """
    return {"message": _words("message", message, MESSAGE_AT_MOST)}


def revoke(reason_code: int, reason: str) -> Body:
    """Return a revocation's body.

    Raises:
        InputError: SCM does not take the reason code, or the reason is empty or too long.
    """
    if reason_code not in REASONS:
        raise InputError(f"SCM takes no reason code {reason_code}", "choose 0, 1, 3, 4 or 5")
    return {"reasonCode": reason_code, "reason": _words("reason", reason, REASON_AT_MOST)}


def domain(name: str) -> Body:
    """Return the body that asks about a domain."""
    return {"domain": name}


def new_password(password: str) -> Body:
    """Return the body that sets a password."""
    return {"newPassword": password}


def _words(what: str, words: str, at_most: int) -> str:
    if not words.strip():
        raise InputError(f"the {what} is empty", f"write 1 to {at_most} characters")
    _at_most(at_most, f"the {what}", words)
    return words


def _at_most(characters: int, what: str, words: str) -> None:
    if len(words) > characters:
        raise InputError(f"{what} has {len(words)} characters", f"write at most {characters}")
