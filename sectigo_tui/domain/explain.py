"""The one function that turns a failure into what the operator reads."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.codes import (
    TWO_MEANINGS,
    WAIT_FOR_CERTIFICATE,
    CodeMeaning,
    meaning_of_code,
    meaning_outside_collect,
)
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


_CALLS = {
    "types": "Reading the certificate profiles",
    "credentials": "Trying the credentials",
    "custom_fields": "Reading the custom fields",
    "listing": "Listing the account's orders",
    "count": "Counting the account's orders",
    "details": "Looking at the order",
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
    "domain_validations": "Reading the domain's validations",
    "password_status": "Reading the password's expiry",
    "change_password": "Changing the password at SCM",
}

_WRITES = frozenset(
    {"enroll", "renew", "replace", "approve", "decline", "revoke", "revoke_by_serial", "change_password"}
)

_OWN_WORDS_CHARACTERS = 300
_MAY_BE_DONE = "It may have been done at SCM all the same"
_CHECK_FIRST = "Do not repeat it before its result was looked up at SCM."
_ROTATE = "Rotate the credentials: nothing is sent until then."
_BY_SCHEDULE = "An order that is polled is polled again by the schedule; do anything else again."
_COLLECT_AGAIN = "Collect it again later, or wait for it with `collect --wait`."
_RUN_AGAIN = "Run it again later: nothing tries it again by itself."

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
        "SCM refuses the credentials; more tries with them could lock the account",
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
    known = meaning_outside_collect(failure.code)
    if known is None or failure.code not in TWO_MEANINGS:
        return known
    return CodeMeaning(known.code, _in_scms_words(failure, known.meaning), known.next_step)


def _in_scms_words(failure: ScmFailure, meaning: str) -> str:
    """Return SCM's own words, then ours: alone they tell which of a code's two meanings it is."""
    own = one_line(failure.description, _OWN_WORDS_CHARACTERS)
    return f"SCM says {own!r}. {meaning}" if own else meaning


def _by_class(failure: ScmFailure) -> tuple[str, str]:
    if isinstance(failure, RateLimited):
        wait = failure.retry_after_seconds
        asked = f" and asks to wait {wait:.0f} s" if wait is not None else ""
        return f"SCM has had too many requests from this account{asked}", _BY_SCHEDULE
    if isinstance(failure, CredentialsRefused) and not failure.sent and not isinstance(failure, RefusedBefore):
        return "The call was held back, since the credentials are refused or cannot be sent", _ROTATE
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
