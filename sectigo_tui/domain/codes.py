"""SCM's error codes in plain words: what each means, and what to do next.

Source: SCM manual 25.5; 0 for collect, and -102 for an order already revoked, observed in production clients.
"""

from __future__ import annotations

from msgspec import Struct


class CodeMeaning(Struct, frozen=True):
    """A code in plain words.

    Args:
        code: SCM's own error code: negative, or 0.
        meaning: What it says.
        next_step: What the operator can do.
    """

    code: int
    meaning: str
    next_step: str


NOT_READY_CODES = frozenset({0, -103, -109, -129, -130, -140, -183, -195, -1400})
"""What collect answers, under HTTP 400, while the certificate cannot be retrieved yet."""

CREDENTIAL_CODES = frozenset({-16, -970})
"""What says that the login is refused, whatever 4xx it comes with."""

TWO_MEANINGS = frozenset({-9, -39, -62, -105, -159})
"""Codes that SCM uses for two things each: only its own words tell which. Source: SCM manual 25.5."""

UNKNOWN_ORDER_CODES = frozenset({-124})
"""What says that there is no order with this sslId, whatever 4xx it comes with."""

NEVER_COLLECTABLE_CODES = frozenset({-110, -124, -126, -169, -1144, -1450, -5101})
"""What collect answers where asking again cannot help."""

INTERNAL_CODES = frozenset({-1, -2, -65})
"""SCM's own internal errors: they say nothing of the order, nor of how far SCM had come."""

WAIT_FOR_CERTIFICATE = "Nothing: it is collected as soon as it is ready."
_KEY = "Make a CSR with a key that the profile offers."
_CSR = "Make the CSR anew and check it before sending."
_SUPPORT = "Quote code, description and time to Sectigo support."
_ADMINISTRATOR = "Ask your SCM administrator."
_DELEGATION = "Have the domain activated, or its delegation approved, in SCM."

_TABLE = (
    # collect, too early
    CodeMeaning(0, "The CA is still processing the order.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-103, "The certificate is not available yet.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-109, "The certificate is not available yet.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-129, "The certificate is not available yet.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-130, "The order is not in the state Issued; the description names its state.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-140, "The certificate is not available yet.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-183, "The certificate is not collectable yet.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-195, "The certificate is not available yet.", WAIT_FOR_CERTIFICATE),
    CodeMeaning(-1400, "The CA is still processing the order.", WAIT_FOR_CERTIFICATE),
    # collect, for good
    CodeMeaning(-110, "The certificate is revoked.", "Order a new one."),
    CodeMeaning(-124, "SCM knows no order with this sslId.", "Check the sslId and the account."),
    CodeMeaning(-126, "SCM does not know the certificate format asked for.", "Report it: this program chose it."),
    CodeMeaning(-169, "SCM asks to contact the administrator about this certificate.", _ADMINISTRATOR),
    CodeMeaning(-1144, "The certificate cannot be collected.", _SUPPORT),
    CodeMeaning(-1450, "SCM does not know the certificate format asked for.", "Report it: this program chose it."),
    CodeMeaning(-5101, "The certificate cannot be collected.", _SUPPORT),
    # credentials and rights
    CodeMeaning(-3, "This login may not do that.", "Ask your SCM administrator for the privilege."),
    CodeMeaning(
        -16,
        "SCM does not know this login and password under this customer URI: any of the three may be wrong.",
        "Rotate the credentials. Check customer_uri too: the last part of the address you log in to SCM at.",
    ),
    CodeMeaning(-25, "This login is not authorized to do that.", "Ask your SCM administrator for the privilege."),
    CodeMeaning(-37, "Access is denied to this login.", "Ask your SCM administrator for the privilege."),
    CodeMeaning(-220, "The new password is the one in use.", "Choose another."),
    CodeMeaning(-226, "This login has no rights on the organization.", "Ask its administrator, or choose another."),
    CodeMeaning(-970, "The login or password is wrong.", "Rotate the credentials."),
    CodeMeaning(-982, "The new password contains the login.", "Choose another."),
    CodeMeaning(-7306, "The new password does not fit the policy in the description.", "Choose another."),
    # enroll: the CSR and its key
    CodeMeaning(-9, "This code means two things, usually that the CSR cannot be read.", _CSR),
    CodeMeaning(-10, "The CSR cannot be decoded.", _CSR),
    CodeMeaning(-11, "The CSR's key is not allowed.", _KEY),
    CodeMeaning(-13, "The CSR's key size is not allowed.", _KEY),
    CodeMeaning(-78, "The CSR's key is not valid, or of a kind that is not supported.", _KEY),
    CodeMeaning(-138, "The CSR is not valid.", _CSR),
    CodeMeaning(-141, "The CSR's key is not allowed.", _KEY),
    CodeMeaning(-170, "The CSR's key type is not allowed.", _KEY),
    CodeMeaning(-194, "The CSR's key is not allowed, for instance because it is known to be weak.", _KEY),
    # enroll: the form
    CodeMeaning(-7, "A field that SCM needs is missing; the description may name it.", "Fill it in."),
    CodeMeaning(-36, "The profile does not offer this term.", "Choose one of the profile's terms."),
    CodeMeaning(
        -39,
        "This code means two things, usually that the certificate profile is not available here.",
        "Choose a profile the organization may use.",
    ),
    CodeMeaning(
        -62,
        "This code means two things, usually that a mandatory custom field is missing.",
        "Fill in every mandatory custom field.",
    ),
    CodeMeaning(-105, "This code means two things: only SCM's own words tell which.", "Read SCM's own words."),
    CodeMeaning(-111, "The certificate profile is not available here.", "Choose a profile the organization may use."),
    CodeMeaning(-135, "A custom field is not one that the account defines.", "Leave it out, or correct its name."),
    CodeMeaning(-139, "The order needs an external requester.", "Give the external requester's e-mail address."),
    CodeMeaning(-180, "This certificate profile does not renew.", "Place a new order instead of a renewal."),
    CodeMeaning(-185, "The certificate profile has no terms.", "Choose another profile, or have terms set for it."),
    CodeMeaning(-164, "A name is local or reserved: no public CA may certify it.", "Use a public domain name."),
    CodeMeaning(-639, "The organization cannot be used for this.", "Check org_id, or ask your SCM administrator."),
    CodeMeaning(-732, "A domain name is not valid.", "Correct it."),
    CodeMeaning(-1002, "SCM cannot read the request's body.", "Report it: this program wrote it."),
    CodeMeaning(-1010, "A domain is not allowed for this organization.", "Have it delegated to the organization."),
    CodeMeaning(-1021, "The organization is not known.", "Check org_id."),
    CodeMeaning(-1023, "The organization cannot be used for this.", "Check org_id, or ask your SCM administrator."),
    CodeMeaning(-1601, "A field's value is not valid; the description may name it.", "Correct it."),
    CodeMeaning(-1603, "A field's value or a domain is not valid; the description may name it.", "Correct it."),
    # validation
    CodeMeaning(-107, "Control of a domain is not validated.", "Complete its DCV, then order again."),
    CodeMeaning(-181, "The order does not match the account's EV anchor.", "Ask Sectigo support to correct it."),
    CodeMeaning(-715, "A domain is suspended, or its delegation waits for approval.", _DELEGATION),
    CodeMeaning(-724, "The domain's validation status forbids it.", "Complete the domain's validation."),
    CodeMeaning(-738, "A domain is suspended, or its delegation waits for approval.", _DELEGATION),
    CodeMeaning(-741, "A domain is suspended, or its delegation waits for approval.", _DELEGATION),
    CodeMeaning(-737, "Control of a domain is not validated, or has expired.", "Complete its DCV, then order again."),
    CodeMeaning(-843, "The organization is not validated for this kind.", "Complete the organization's validation."),
    CodeMeaning(-1137, "Control of a domain is not validated, or has expired.", "Complete its DCV, then order again."),
    CodeMeaning(-1608, "Domain control validation is not used for this customer.", "Nothing: it is no failure."),
    # approving and revoking
    CodeMeaning(-102, "Only an issued certificate can be revoked; this may be revoked already.", "Look at its status."),
    CodeMeaning(
        -159, "This code means two things, usually that the certificate is revoked already.", "Look at its status."
    ),
    CodeMeaning(-1112, "The order is not in a state to be approved or declined.", "Look at its status."),
    CodeMeaning(-1113, "The order is not ready to be applied.", "Look at its status, and try again later."),
    CodeMeaning(-1148, "The certificate is installed automatically: it cannot be replaced.", "Place a new order."),
    CodeMeaning(-1140, "Who requested an EV order may not approve it.", "Have another administrator approve it."),
    # SCM itself
    CodeMeaning(-2, "SCM had an internal error.", _SUPPORT),
    CodeMeaning(-65, "SCM had an internal error.", _SUPPORT),
)

_OUTSIDE_COLLECT = (
    CodeMeaning(-130, "The order is not in the state Issued; the description names its state.", "Look at its status."),
    CodeMeaning(-140, "SCM cannot do it now.", "Try again later."),
    CodeMeaning(-195, "SCM cannot do it now.", "Try again later."),
)

_BY_CODE = {row.code: row for row in _TABLE}
_BY_CODE_OUTSIDE_COLLECT = {row.code: row for row in _OUTSIDE_COLLECT}


def meaning_of_code(code: int) -> CodeMeaning | None:
    """Return what a code means; None for one that is not known here."""
    return _BY_CODE.get(code)


def meaning_outside_collect(code: int) -> CodeMeaning | None:
    """Return what a code means as the answer to any call but collect; None for one that is not known here."""
    if code in NOT_READY_CODES:
        return _BY_CODE_OUTSIDE_COLLECT.get(code)
    return _BY_CODE.get(code)
