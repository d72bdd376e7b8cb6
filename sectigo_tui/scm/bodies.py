"""What requests carry, with SCM's field names and limits. Source: SCM manual 25.5."""

from __future__ import annotations

import string
from collections.abc import Sequence

from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.errors import InputError

REASON_CODES = (0, 1, 3, 4, 5)
"""The RFC 5280 reasons that SCM takes."""

MAX_MESSAGE_CHARACTERS = 512
MAX_COMMENTS_CHARACTERS = 1_024

Body = dict[str, object]
"""A JSON object, about to be sent."""


def enroll(request: EnrollRequest) -> Body:
    """Return an enroll's body; what is empty is left out.

    Raises:
        InputError: The comments or the requester's addresses are too long.
    """
    _at_most(MAX_COMMENTS_CHARACTERS, "the comments", request.comments)
    _at_most(MAX_MESSAGE_CHARACTERS, "the external requester", request.external_requester)
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


def replace(csr_pem: str, reason: str, common_name: str, names: Sequence[str]) -> Body:
    """Return a replacement's body: here names are an array, unlike in an enroll.

    Raises:
        InputError: The reason is empty or too long.
    """
    body: Body = {"csr": csr_pem, "reason": _message("reason", reason), "subjectAlternativeNames": list(names)}
    return body | {"commonName": common_name} if common_name else body


def decision(message: str) -> Body:
    """Return an approval's or a refusal's body.

    Raises:
        InputError: The message is empty or too long.
    """
    return {"message": _message("message", message)}


def revoke(reason_code: int, reason: str) -> Body:
    """Return a revocation's body.

    Raises:
        InputError: SCM does not take the reason code, or the reason is empty or too long.
    """
    if reason_code not in REASON_CODES:
        raise InputError(f"SCM takes no reason code {reason_code}", "choose 0, 1, 3, 4 or 5")
    return {"reasonCode": reason_code, "reason": _message("reason", reason)}


def serial(serial_number: str) -> str:
    """Return a serial number as a path takes it.

    Raises:
        InputError: It is not hexadecimal.
    """
    digits = serial_number.strip()
    if not digits or not set(digits) <= set(string.hexdigits + ":"):
        raise InputError("the serial number is not hexadecimal", "copy it from the certificate")
    return digits


def domain(name: str) -> Body:
    """Return the body that asks about a domain."""
    return {"domain": name}


def new_password(password: str) -> Body:
    """Return the body that sets a password."""
    return {"newPassword": password}


def _message(what: str, words: str) -> str:
    if not words.strip():
        raise InputError(f"the {what} is empty", f"write 1 to {MAX_MESSAGE_CHARACTERS} characters")
    _at_most(MAX_MESSAGE_CHARACTERS, f"the {what}", words)
    return words


def _at_most(characters: int, what: str, words: str) -> None:
    if len(words) > characters:
        raise InputError(f"{what} has {len(words)} characters", f"write at most {characters}")
