"""Every failure is told in four fields, and an order that may have been placed is never offered again."""

from __future__ import annotations

import pytest

from sectigo_tui.domain import explain as codes
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
    ReadOnly,
    Refused,
    RefusedAlone,
    RevisionConflict,
    ScmFailure,
    SectigoTuiError,
    ServerFailure,
    StoreError,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.explain import explain, meaning_of_code

KNOWN_CODES = """
    0 -1400 -183 -109 -103 -140 -195 -129 -130 -110 -124 -126 -1450 -169 -1144 -5101 -16 -970 -3 -37 -7306 -220 -982
    -7 -9 -10 -138 -11 -13 -141 -170 -194 -36 -39 -111 -62 -102 -159 -164 -226 -639 -1021 -1023 -1010 -1112 -1140
    -1601 -2 -65 -107 -737 -1137 -181 -843 -1002
"""

FAILURES = [
    RefusedAlone("password_status", "x", http_status=401, code=-16),
    Unreachable("details", "x", sent=False),
    Unreadable("details", "x"),
    ServerFailure("details", "x", http_status=503),
    RateLimited("details", "x", retry_after_seconds=90),
    CredentialsRefused("details", "x", http_status=401, code=-16),
    NotFound("details", "x"),
    NotReady("collect", "x", code=0),
    Refused("enroll", "x", code=-36),
    Refused("enroll", "x", code=-99999),
    ScmFailure("later call", "x"),
    ConfigError(key="sectigo.term", source="environment", reason="is no number", remedy="write 90"),
    InputError("the reason is empty", "write one"),
    ReadOnly("revoke"),
    StoreError("/data", "disk full", "free some space"),
    RevisionConflict("/data", "changed", "look again"),
    DuplicateOrder("/data", "o1", 5),
    CertctlFailure("reading the issuer", "x", "check it"),
    DnsFailure("a.example", "no server answered"),
    KeyError("p4ssword-canary"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_every_failure_has_what_meaning_and_next_step_as_sentences(failure: Exception) -> None:
    told = explain(failure)
    assert told.what
    assert told.meaning.endswith(".")
    assert told.next_step.endswith(".")
    assert "canary" not in repr(told)


def test_every_branch_of_the_tree_is_among_them() -> None:
    branches = {*SectigoTuiError.__subclasses__(), *ScmFailure.__subclasses__(), *Refused.__subclasses__()}
    assert branches <= {type(failure) for failure in FAILURES}


@pytest.mark.parametrize("code", [int(code) for code in KNOWN_CODES.split()])
def test_every_code_of_the_manual_has_a_meaning_and_a_next_step(code: int) -> None:
    known = meaning_of_code(code)
    assert known is not None
    kind = NotReady if code in codes.NOT_READY_CODES else Refused
    told = explain(kind("collect", "HTTP 400", http_status=400, code=code))
    assert (told.code, told.meaning, told.next_step) == (code, known.meaning, known.next_step)


@pytest.mark.parametrize("kind", [Unreachable, Unreadable, ServerFailure])
@pytest.mark.parametrize("call", ["enroll", "renew", "revoke"])
def test_a_write_that_may_have_been_done_is_looked_up_first(kind: type[ScmFailure], call: str) -> None:
    told = explain(kind(call, "no answer", code=-2))
    assert "may have been done at SCM" in told.meaning
    assert told.next_step == "Look up its result at SCM before you repeat it."


def test_a_write_that_was_never_sent_may_be_repeated() -> None:
    told = explain(Unreachable("enroll", "scm refused the connection", sent=False))
    assert told.meaning == "Nothing reached SCM."
    assert told.next_step.endswith("then do it again.")
    assert explain(RateLimited("enroll", "HTTP 429")).next_step == "It was not done: wait, then do it again."


def test_code_0_is_processing_for_collect_alone() -> None:
    assert "still processing" in explain(NotReady("collect", "x", code=0)).meaning
    assert "no words" in explain(Refused("approve", "x", code=0)).meaning


def test_the_wait_that_scm_asks_for_is_told() -> None:
    assert "wait 90 s" in explain(RateLimited("details", "x", retry_after_seconds=90.4)).meaning
    assert "wait" not in explain(RateLimited("details", "x")).meaning


def test_the_call_is_named_in_words_and_scms_words_are_kept() -> None:
    told = explain(Refused("approve", "HTTP 400: 'no'", code=-1140))
    assert told.what == "Approving: HTTP 400: 'no'"
    assert told.meaning == "Who requested an EV order may not approve it."


@pytest.mark.parametrize("call", ["details", "enroll", "revoke"])
@pytest.mark.parametrize("code", [None, -2])
def test_a_wait_that_a_503_asks_for_is_told(call: str, code: int | None) -> None:
    told = explain(ServerFailure(call, "HTTP 503", http_status=503, code=code, retry_after_seconds=90.0))
    assert "; the answer asks to wait 90 s" in told.meaning
    assert ("may have been done" in told.meaning) is (call != "details")


@pytest.mark.parametrize("kind", [ServerFailure, Unreachable, Unreadable, RateLimited, NotReady])
def test_a_command_that_ends_promises_no_other_try(kind: type[ScmFailure]) -> None:
    told = explain(kind("collect", "it failed"), is_once=True)
    assert "schedule" not in told.next_step
    assert "as soon as" not in told.next_step


def test_a_call_that_is_refused_alone_is_not_told_as_wrong_credentials() -> None:
    told = explain(RefusedAlone("password_status", "HTTP 401", http_status=401, code=-16, description="Unknown user"))
    assert "accepts the same credentials for others" in told.meaning
    assert "otate" not in told.next_step


@pytest.mark.parametrize(
    ("code", "meaning", "next_step"),
    [
        (-139, "external requester", "e-mail"),
        (-180, "does not renew", "new order"),
        (-185, "no terms", "another profile"),
        (-135, "custom field", "correct its name"),
        (-78, "key is not valid", "key"),
        (-732, "domain name is not valid", "Correct"),
        (-1603, "domain is not valid", "Correct"),
        (-25, "not authorized", "privilege"),
        (-724, "validation status", "Complete"),
        (-715, "suspended", "activated"),
        (-738, "suspended", "delegation approved"),
        (-741, "delegation waits", "delegation approved"),
        (-1113, "not ready to be applied", "later"),
        (-1148, "installed automatically", "new order"),
        (-1608, "not used", "no failure"),
        (-16, "customer URI", "customer_uri"),
    ],
)
def test_a_code_has_its_own_meaning_and_its_own_next_step(code: int, meaning: str, next_step: str) -> None:
    told = explain(Refused("enroll", "HTTP 400", http_status=400, code=code))
    assert meaning in told.meaning
    assert next_step in told.next_step


@pytest.mark.parametrize("code", [-140, -195])
def test_try_again_later_is_no_waiting_certificate_where_nothing_is_collected(code: int) -> None:
    told = explain(Refused("enroll", "HTTP 400", http_status=400, code=code))
    assert told.next_step == "Try again later."
    assert "certificate" not in told.meaning
    assert "not available yet" in explain(NotReady("collect", "HTTP 400", code=code)).meaning


@pytest.mark.parametrize(
    ("code", "description", "meaning", "next_step"),
    [
        (-9, "The CSR is not valid Base-64 data!", "CSR cannot be read", "CSR anew"),
        (-9, "Unknown notification type: 9", "notification", "Report it"),
        (-39, "The certificate profile id is invalid!", "profile is not available", "Choose one"),
        (-39, "Something else", "own words", "Correct"),
        (-62, "Missing mandatory custom field!", "custom field is missing", "Fill in"),
        (-62, "Invalid IP address 10.0.0.300", "IP address", "leave it out"),
        (-105, "Person not found.", "person", "administrator"),
        (-105, "Error was occurred while renewing cert. Status = Applied", "cannot be renewed", "new order"),
        (-159, "Your certificate already revoked", "revoked already", "status"),
        (-159, "Custom fields limit has been exceeded for this customer.", "too many custom fields", "administrator"),
    ],
)
def test_the_two_meanings_of_a_code_are_told_apart_by_scms_words(
    code: int, description: str, meaning: str, next_step: str
) -> None:
    told = explain(Refused("enroll", f"HTTP 400: {description!r}", http_status=400, code=code, description=description))
    assert meaning in told.meaning
    assert next_step in told.next_step
    assert "two things" not in told.meaning
    assert told.text().index(description) < told.text().index(told.meaning) < told.text().index(told.next_step)


@pytest.mark.parametrize("code", [-9, -62, -105, -159])
def test_both_meanings_are_told_after_scms_own_words_where_these_tell_neither(code: int) -> None:
    told = explain(Refused("enroll", "HTTP 400", http_status=400, code=code, description="The moon is full."))
    assert told.meaning.startswith("SCM says 'The moon is full.'. ")
    assert "two things" in told.meaning
    assert "SCM says" not in explain(Refused("enroll", "HTTP 400", http_status=400, code=code)).meaning


FACTS = """
    -78 -25 -135 -139 -140 -195 -180 -185 -724 -1113 -1148 -732 -1603 -715 -741 -738 -727 -1608 -105 -123 -1
"""


@pytest.mark.parametrize("code", [int(code) for code in (FACTS + KNOWN_CODES).split()])
def test_no_code_that_is_known_is_without_words(code: int) -> None:
    known = meaning_of_code(code)
    assert known is not None
    assert known.meaning.endswith(".")
    assert known.next_step.endswith(".")
