"""SCM's error codes in plain words, and the one function that turns a failure into what the operator reads."""

from __future__ import annotations

from sectigo_tui.domain.errors import (
    CertctlFailure,
    ConfigError,
    CredentialsRefused,
    DnsFailure,
    DuplicateOrder,
    InputError,
    NotFound,
    NotReady,
    RateLimited,
    Refused,
    RefusedAlone,
    RefusedBefore,
    RevisionConflict,
    ScmFailure,
    ServerFailure,
    StoreError,
    Unreachable,
    Unreadable,
    UnusableRows,
)
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.records import Struct, replace


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
"""What says that the login is rejected, whatever 4xx it comes with."""

NO_RIGHT_CODES = frozenset({-3, -25, -37})
"""What says, under HTTP 400, that the login may not. Source: SCM manual 25.5; 400 observed in production clients."""

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
    CodeMeaning(-1144, "SCM must rediscover the certificate since it was migrated.", _SUPPORT),
    CodeMeaning(-1450, "SCM does not know the certificate format asked for.", "Report it: this program chose it."),
    CodeMeaning(-5101, "SCM does not find the certificate.", "Check the serial number or the sslId, and the account."),
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
    CodeMeaning(-976, "The new password is too short or too long.", "Choose another."),
    CodeMeaning(-977, "The new password does not have the length that SCM demands.", "Choose another."),
    CodeMeaning(-982, "The new password contains the login.", "Choose another."),
    CodeMeaning(-7306, "The new password does not fit the policy in the description.", "Choose another."),
    # enroll: the CSR and its key
    CodeMeaning(-10, "The CSR cannot be decoded.", _CSR),
    CodeMeaning(-11, "The CSR's key is not allowed.", _KEY),
    CodeMeaning(-13, "The CSR's key size is not allowed.", _KEY),
    CodeMeaning(-78, "The CSR's key is not valid, or of a kind that is not supported.", _KEY),
    CodeMeaning(-138, "The CSR is not valid.", _CSR),
    CodeMeaning(-1138, "SCM could not check the size of the CSR's key.", _CSR),
    CodeMeaning(-141, "The CSR's key is not allowed.", _KEY),
    CodeMeaning(-170, "The CSR's key type is not allowed.", _KEY),
    CodeMeaning(-194, "The CSR's key is not allowed, for instance because it is known to be weak.", _KEY),
    # enroll: the form
    CodeMeaning(-7, "A field that SCM needs is missing; the description may name it.", "Fill it in."),
    CodeMeaning(-36, "The profile does not offer this term.", "Choose one of the profile's terms."),
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
    CodeMeaning(-715, "A domain is suspended: it is inactive in SCM.", "Have the domain activated in SCM."),
    CodeMeaning(-724, "The domain's validation status forbids it.", "Complete the domain's validation."),
    CodeMeaning(-727, "SCM does not have the domain.", "Have the domain created and delegated in SCM."),
    CodeMeaning(-738, "This login may not do that on the domain, which may be suspended.", _DELEGATION),
    CodeMeaning(-741, "A domain's delegation waits for approval.", "Have the delegation approved in SCM."),
    CodeMeaning(-737, "Control of a domain is not validated, or has expired.", "Complete its DCV, then order again."),
    CodeMeaning(-843, "The organization is not validated for this kind.", "Complete the organization's validation."),
    CodeMeaning(-1137, "Control of a domain is not validated, or has expired.", "Complete its DCV, then order again."),
    CodeMeaning(-1608, "Domain control validation is not used for this customer.", "Nothing: it is no failure."),
    # approving and revoking
    CodeMeaning(-102, "Only an issued certificate can be revoked; this may be revoked already.", "Look at its status."),
    CodeMeaning(-1112, "The order is not in a state to be approved or declined.", "Look at its status."),
    CodeMeaning(-1113, "The order is not ready to be applied.", "Look at its status, and try again later."),
    CodeMeaning(-1148, "The certificate is installed automatically: it cannot be replaced.", "Place a new order."),
    CodeMeaning(-1140, "Who requested an EV order may not approve it.", "Have another administrator approve it."),
    CodeMeaning(-123, "The certificate to renew is not valid.", "Place a new order instead of a renewal."),
    # SCM itself
    CodeMeaning(-1, "SCM had an error that it does not name.", _SUPPORT),
    CodeMeaning(-14, "SCM had an error that it does not name.", _SUPPORT),
    CodeMeaning(-2, "SCM had an internal error.", _SUPPORT),
    CodeMeaning(-65, "SCM had an internal error.", _SUPPORT),
)

_TWO_MEANINGS: dict[int, tuple[tuple[tuple[str, ...], CodeMeaning], ...]] = {
    -9: (
        (("csr", "base-64", "base64"), CodeMeaning(-9, "The CSR cannot be read.", _CSR)),
        (
            ("notification",),
            CodeMeaning(-9, "SCM does not know the type of notification.", "Report it: this program chose it."),
        ),
    ),
    -39: (
        (
            ("profile",),
            CodeMeaning(-39, "The certificate profile is not available here.", "Choose one the organization may use."),
        ),
        (("",), CodeMeaning(-39, "SCM refuses it for the reason in its own words.", "Correct what they name.")),
    ),
    -62: (
        (
            ("custom field", "mandatory"),
            CodeMeaning(-62, "A mandatory custom field is missing.", "Fill in every mandatory custom field."),
        ),
        (
            ("ip address",),
            CodeMeaning(-62, "An IP address among the names is not valid.", "Correct it, or leave it out."),
        ),
    ),
    -105: (
        (
            ("renew",),
            CodeMeaning(-105, "The certificate cannot be renewed in its present state.", "Place a new order instead."),
        ),
        (("person",), CodeMeaning(-105, "SCM does not know the person asked for.", _ADMINISTRATOR)),
    ),
    -159: (
        (("revoked",), CodeMeaning(-159, "The certificate is revoked already.", "Look at its status.")),
        (("custom field", "limit"), CodeMeaning(-159, "The account has too many custom fields.", _ADMINISTRATOR)),
    ),
}
"""Codes that SCM uses for two things each, told apart by its own words. Source: SCM manual 25.5, error codes."""

_OUTSIDE_COLLECT = (
    CodeMeaning(-130, "The order is not in the state Issued; the description names its state.", "Look at its status."),
    CodeMeaning(-140, "SCM cannot do it now.", "Try again later."),
    CodeMeaning(-195, "SCM cannot do it now.", "Try again later."),
)

_OWN_WORDS_CHARACTERS = 300

_BY_CODE = {row.code: row for row in _TABLE}
_BY_CODE_OUTSIDE_COLLECT = {row.code: row for row in _OUTSIDE_COLLECT}


def is_missing_right(failure: ScmFailure) -> bool:
    """Return whether SCM says that the login may not do this, or that the installation cannot."""
    if failure.http_status in (403, 404, 405, 501) or isinstance(failure, RefusedAlone):
        return True
    return isinstance(failure, Refused) and failure.code in NO_RIGHT_CODES


def meaning_of_code(code: int, description: str = "") -> CodeMeaning | None:
    """Return what a code means; None for one that is not known here.

    Args:
        code: SCM's code.
        description: SCM's own words, which tell the two meanings apart that some codes have.
    """
    meanings = _TWO_MEANINGS.get(code)
    if meanings is None:
        return _BY_CODE.get(code)
    said = description.casefold().strip()
    for words, meaning in meanings:
        if said and any(word in said for word in words):
            return meaning
    either = " Or: ".join(meaning.meaning for _, meaning in meanings)
    own = f"SCM says {one_line(description, _OWN_WORDS_CHARACTERS)!r}. " if said else ""
    return CodeMeaning(code, f"{own}This code means two things: {either}", "Read SCM's own words to tell which it is.")


def meaning_outside_collect(code: int) -> CodeMeaning | None:
    """Return what a code means as the answer to any call but collect; None for one that is not known here."""
    if code in NOT_READY_CODES:
        return _BY_CODE_OUTSIDE_COLLECT.get(code)
    return meaning_of_code(code)


class Explanation(Struct, frozen=True):
    """A failure as the operator reads it; untrusted text inside is shown as text.

    Args:
        what: What failed, and how.
        code: SCM's own error code, where it told one.
        meaning: What that means, in plain words.
        next_step: What to do, or that nothing need be done.
    """

    what: str
    code: int | None
    meaning: str
    next_step: str

    @property
    def code_text(self) -> str:
        """SCM's code as it follows what failed: ` (SCM code -16)`; empty without one."""
        return "" if self.code is None else f" (SCM code {self.code})"

    def text(self, *, lead: str = " Next: ", next_step: str = "") -> str:
        """Return all of it as text: what failed, SCM's code, what it means, and what to do.

        Args:
            lead: What stands before what to do.
            next_step: What to do where it was met; empty for what is usual.
        """
        return f"{self.what}{self.code_text}: {self.meaning}{lead}{next_step or self.next_step}"


_CALLS = {
    "types": "Reading the certificate profiles",
    "credentials": "Trying the credentials",
    "custom_fields": "Reading the custom fields",
    "listing": "Listing the account's orders",
    "count": "Counting the account's orders",
    "details": "Looking at the order",
    "report": "Reading the bulk report",
    "enroll": "Ordering",
    "collect": "Collecting the certificate",
    "approve": "Approving",
    "decline": "Declining",
    "revoke": "Revoking",
    "revoke_by_serial": "Revoking",
    "renew": "Renewing",
    "replace": "Replacing",
    "dcv": "Reading the domain control validation",
    "recheck_dcv": "Asking for another domain check",
    "organizations": "Reading the organizations",
    "organization_validations": "Reading the organization's validations",
    "organization_validation": "Reading the organization's validation",
    "domain_status": "Reading the domain's validation",
    "domain_validations": "Listing the domains' validations",
    "sync_domain": "Asking SCM to ask the CA about the domain",
    "domains": "Listing the account's domains",
    "account_domain": "Reading the domain's delegations",
    "usage": "Reading what is left of the contract",
    "password_status": "Reading the password's expiry",
    "change_password": "Changing the password at SCM",
}

_WRITES = frozenset(
    {"enroll", "renew", "replace", "approve", "decline", "revoke", "revoke_by_serial", "change_password"}
)

_MAY_BE_DONE = "It may have been done at SCM all the same"
_CHECK_FIRST = "Look up its result at SCM before you repeat it."
_ROTATE = "Rotate the credentials: nothing is sent until then."
_BY_SCHEDULE = "An order that is polled is polled again by the schedule; do anything else again."
_COLLECT_AGAIN = "Collect it again later, or wait for it with `collect --wait`."
_RUN_AGAIN = "Run it again later; it is not repeated automatically."

_BY_CLASS: tuple[tuple[type[ScmFailure], str, str], ...] = (
    (
        Unreachable,
        "No answer came from SCM; every order stays what it was",
        f"Check network, proxy, CA bundle and base_url if it goes on. {_BY_SCHEDULE}",
    ),
    (
        UnusableRows,
        "These orders are not shown; all others are",
        "Look them up in SCM's own web interface, and quote the rows to Sectigo support.",
    ),
    (
        Unreadable,
        "What answered is not SCM's API: a proxy, a gateway, an overloaded SCM or a wrong base_url",
        f"Check base_url and what stands between if it goes on. {_BY_SCHEDULE}",
    ),
    (ServerFailure, "SCM, or a gateway before it, failed; every order stays what it was", _BY_SCHEDULE),
    (
        RefusedBefore,
        "Another bad login could lock the account, so these credentials are not sent again by themselves",
        "Rotate with `sectigo-tui rotate`; once the account is unlocked, try them with `sectigo-tui check --insist`.",
    ),
    (
        CredentialsRefused,
        "SCM rejects the credentials; more attempts with them could lock the account",
        _ROTATE,
    ),
    (
        NotFound,
        "SCM has nothing under this number or address for this login",
        "Check the sslId, the account and base_url.",
    ),
    (NotReady, "The certificate cannot be retrieved yet", WAIT_FOR_CERTIFICATE),
    (
        RefusedAlone,
        "SCM refuses this call alone: it accepts the same credentials for others",
        "Ask your SCM administrator for the privilege; polling goes on.",
    ),
    (
        Refused,
        "SCM refused it for a reason that this program has no words for",
        "Read SCM's own words; quote them with code and time to Sectigo support.",
    ),
)


def explain(failure: BaseException, *, is_once: bool = False) -> Explanation:
    """Return what the operator reads about a failure.

    Args:
        failure: Any exception; of one that is not this program's own, only the type is told, for its text might
            hold a secret.
        is_once: Whether it was met by a command that ends with it, so that nothing more is done by itself.
    """
    match failure:
        case ScmFailure():
            told = _explain_scm(failure)
            return replace(told, next_step=_of_one_run(told.next_step)) if is_once else told
        case ConfigError():
            what, meaning, next_step = f"{failure.key} ({failure.source})", failure.reason, failure.remedy
        case InputError():
            what, meaning, next_step = "Nothing was done", failure.reason, failure.remedy
        case StoreError():
            what, meaning, next_step = _store_what(failure), failure.reason, failure.remedy
        case CertctlFailure():
            what = f"certctl-server, {failure.step}: {failure.reason}"
            meaning = "certctl-server may still use the old credentials; the ones here are not touched by it"
            next_step = failure.remedy
        case DnsFailure():
            what = f"Looking up {failure.name} in DNS"
            meaning = f"{_sentence(failure.reason)} Nothing is known of its records"
            next_step = "Check the name and this machine's resolver, or look the name up from elsewhere"
        case _:
            what = f"An unexpected {type(failure).__name__}"
            meaning = "This is a defect of the program"
            next_step = "Report it with the crash report from the data directory"
    return Explanation(what, None, _sentence(meaning), _sentence(next_step))


def call_in_words(call: str) -> str:
    """Return a call as a person names it: `Reading the password's expiry`."""
    return _CALLS.get(call, call)


def _of_one_run(next_step: str) -> str:
    """Return a next step without what only a program that goes on running does."""
    return next_step.replace(_BY_SCHEDULE, _RUN_AGAIN).replace(WAIT_FOR_CERTIFICATE, _COLLECT_AGAIN)


def _explain_scm(failure: ScmFailure) -> Explanation:
    what = f"{call_in_words(failure.call)}: {failure.reason}"
    known = _known_code(failure)
    meaning, next_step = (known.meaning, known.next_step) if known else _by_class(failure)
    if failure.retry_after_seconds is not None and not isinstance(failure, RateLimited):
        meaning = f"{meaning.rstrip('.')}; the answer asks to wait {failure.retry_after_seconds:.0f} s"
    if failure.call in _WRITES:
        meaning, next_step = _of_a_write(failure, meaning, next_step)
    return Explanation(what, failure.code, _sentence(meaning), next_step)


def _known_code(failure: ScmFailure) -> CodeMeaning | None:
    if failure.code is None or isinstance(failure, (RateLimited, RefusedAlone, RefusedBefore)):
        return None
    if isinstance(failure, NotReady):
        return meaning_of_code(failure.code)
    if failure.code in _TWO_MEANINGS:
        return meaning_of_code(failure.code, failure.description)
    return meaning_outside_collect(failure.code)


def _by_class(failure: ScmFailure) -> tuple[str, str]:
    if isinstance(failure, RateLimited):
        wait = failure.retry_after_seconds
        asked = f" and asks to wait {wait:.0f} s" if wait is not None else ""
        return f"SCM has had too many requests from this account{asked}", _BY_SCHEDULE
    if isinstance(failure, CredentialsRefused) and not failure.sent and not isinstance(failure, RefusedBefore):
        return "The call was not sent, since the credentials are rejected or cannot be sent", _ROTATE
    for kind, meaning, next_step in _BY_CLASS:
        if isinstance(failure, kind):
            return meaning, next_step
    return "The call to SCM failed", "Look at the timeline, and try again."


def _of_a_write(failure: ScmFailure, meaning: str, next_step: str) -> tuple[str, str]:
    """Say whether it may have been done: nothing is worse than an order placed twice."""
    if isinstance(failure, RateLimited):
        return meaning, "It was not done: wait, then do it again."
    if not isinstance(failure, (Unreachable, Unreadable, ServerFailure)):
        return meaning, next_step
    if not failure.sent:
        return "Nothing reached SCM", "Check network, proxy, CA bundle and base_url, then do it again."
    return f"{meaning.rstrip('.')}. {_MAY_BE_DONE}", _CHECK_FIRST


def _store_what(failure: StoreError) -> str:
    match failure:
        case DuplicateOrder():
            return f"sslId {failure.ssl_id} is a local order already"
        case RevisionConflict():
            return "The order was changed by another process"
        case _:
            return f"Saving or reading {failure.path} failed"


def _sentence(words: str) -> str:
    text = words.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
