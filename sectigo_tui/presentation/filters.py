"""The filter of a list of orders: words found in what a row shows, and terms such as `on:dns` and `age>1d`.

A term may rest on what has not been looked up yet, as a validation level that SCM's listing does not tell. Then the
answer is neither yes nor no, so that a list can look it up rather than leave an order out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.presentation.columns import COLUMNS, RowContext, cell, is_slow, is_stale, outage_end
from sectigo_tui.presentation.rows import OrderRow, owner_matches

R = TypeVar("R")

Answer = bool | None
"""Whether a row is wanted; None while what decides it has not been looked up."""

_Test = Callable[[OrderRow, RowContext], Answer]
_WIDEST_CELLS = 200
_DAY_SECONDS = 86_400.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": _DAY_SECONDS, "w": 7 * _DAY_SECONDS}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_COMPARISON = re.compile(r"([a-z]+)(<=|>=|<|>|=)(.*)", re.DOTALL)


class Term(NamedTuple):
    """A term that a filter may have.

    Args:
        written: How it begins, or all of it where it takes no value: `on:`, `age>`, `slow`.
        example: It with a value.
        meaning: Which orders it finds.
        values: What may follow, for completing it; empty where that is free text.
    """

    written: str
    example: str
    meaning: str
    values: tuple[str, ...] = ()


TERMS = (
    Term(
        "on:",
        "on:dns",
        "blocked on: you, approver, dns, org, ca, nobody or unknown",
        ("you", "approver", "dns", "org", "ca", "nobody", "unknown"),
    ),
    Term("val:", "val:ev", "the validation level", ("dv", "ov", "ev")),
    Term("state:", "state:req", "the state's code or SCM's status", ("req", "saa", "apr", "apl", "iss", "col", "err")),
    Term("age>", "age>1d", "requested longer ago; `<` for less long ago", ("1h", "1d", "7d")),
    Term("left<", "left<7d", "the certificate in use ends within that time", ("1d", "7d", "30d")),
    Term("deadline<", "deadline<5m", "the polling window ends within that time", ("1m", "5m", "1h")),
    Term("attempts>", "attempts>5", "polled more often in this window", ("5", "10")),
    Term("slow", "slow", "slower than 9 of 10 orders of its profile"),
    Term("stale", "stale", "not polled in time: AGE has a `~`"),
    Term("local", "local", "placed or tracked here"),
    Term("remote", "remote", "only listed by SCM"),
    Term("name:", "name:shop", "the common name, or another name of the certificate"),
    Term("id:", "id:88000", "the sslId or the order number"),
    Term("profile:", "profile:multi", "the certificate profile"),
    Term("by:", "by:alice", "the requester"),
    Term("owner:", "owner:me", "who attends to it: me, none or a name", ("me", "none")),
)
"""All terms, in the order in which they are offered."""


_PARTY_WORDS = (*TERMS[0].values, "scm", "owner", "organization", "contact", "yet")
"""The words of those who may block an order; what decides it is loaded only when something is looked up."""


class Filter:
    """What an operator typed to find orders, ready to be asked about any number of rows.

    Args:
        query: Words and terms that must all hold, ignoring case. A word is found in any cell of a row, its names, its
            requester, its numbers and its comments. A `!` in front of a word or term excludes it, `one|other` finds
            either, and a `!` that stands alone at the beginning inverts the whole.

    Attributes:
        query: The same.
        error_text: What is wrong with it, and what would be right; empty where nothing is. Such a term finds nothing.
        wants_samples: Whether it rests on how long this account's orders took.
    """

    def __init__(self, query: str) -> None:
        self.query = query
        self.error_text = ""
        self._is_inverted, words = _words(query)
        self._tests = [self._word(word) for word in words]
        self.wants_samples = any("slow" in word.removeprefix("!").split("|") for word in words)

    def __bool__(self) -> bool:
        """Tell whether it says anything: an empty filter shows all."""
        return bool(self._tests)

    def test(self, row: OrderRow, now: RowContext) -> Answer:
        """Return whether a row is wanted.

        Args:
            row: The row.
            now: The time and what else its cells depend on.

        Returns:
            None while it depends on what has not been looked up.
        """
        wanted = _all(test(row, now) for test in self._tests)
        return _not(wanted) if self._is_inverted and self._tests else wanted

    def _word(self, word: str) -> _Test:
        is_excluded = word.startswith("!")
        text = word.removeprefix("!")
        if "|" not in text:
            tests = [self._term(text)]
        else:
            # A value may have others beside it: `on:dns|ca` is on:dns or on:ca.
            field = text.partition(":")[0] + ":" if ":" in text.partition("|")[0] else ""
            parts = [part for part in text.split("|") if part]
            tests = [self._term(part if _is_term(part) else f"{field}{part}") for part in parts]
            if not field:
                tests.append(_found(text))
        return lambda row, now: _not(_any(tests, row, now)) if is_excluded else _any(tests, row, now)

    def _term(self, text: str) -> _Test:
        if text in _FLAGS:
            return _FLAGS[text]
        name, colon, value = text.partition(":")
        if colon and name in _VALUES:
            if name == "on" and not any(word.startswith(value) for word in _PARTY_WORDS):
                self.error_text = f"on: takes {TERMS[0].meaning.removeprefix('blocked on: ')}."
            return _VALUES[name](value)
        if colon and name in _TEXTS:
            return _of_text(_TEXTS[name], value)
        found = _COMPARISON.fullmatch(text)
        if found is None or found[1] not in _NUMBERS:
            return _found(text)
        name, sign, value = found[1], found[2], found[3]
        measure = _NUMBERS[name]
        wanted = _number(value, is_count=name == "attempts")
        if wanted is None:
            if value:
                self.error_text = (
                    f"{name}{sign} takes {'a number' if name == 'attempts' else 'a time such as 30m, 12h or 7d'}."
                )
            return lambda _row, _now: not value
        return _compared(measure, sign, wanted)


def completed(
    query: str, *, values: Mapping[str, Iterable[str]] = MappingProxyType({}), terms: Sequence[Term] = TERMS
) -> list[str]:
    """Return how the last word of a filter may go on, the whole filter each.

    Args:
        query: What is typed so far.
        terms: The terms that the list takes.
        values: More values by the term they belong to, such as the profiles there are for `profile:`.
    """
    before, space, word = query.rpartition(" ")
    head = before + space
    sign = "!" if word.startswith("!") else ""
    word = word.removeprefix("!")
    earlier, bar, last = word.rpartition("|")
    head, last = head + sign + earlier + bar, last.casefold()
    for term in terms:
        if term.written[-1] in ":<>" and last.startswith(term.written):
            typed = last[len(term.written) :]
            known = dict.fromkeys((*term.values, *sorted(values.get(term.written, ()))))
            return [f"{head}{term.written}{value}" for value in known if value.startswith(typed) and value != typed]
    return [f"{head}{term.written}" for term in terms if term.written.startswith(last) and term.written != last]


def common_start(texts: Sequence[str]) -> str:
    """Return how all of some texts begin."""
    first, last = min(texts, default=""), max(texts, default="")
    same = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[:same]


def term_hint(query: str, terms: Sequence[Term] = TERMS) -> str:
    """Return what the last word of a filter may be, for the line below it."""
    word = query.rpartition(" ")[2].removeprefix("!").rpartition("|")[2].casefold()
    for term in terms:
        if word and word.startswith(term.written):
            return f"{term.example}: {term.meaning}"
    fitting = [term.written for term in terms if term.written.startswith(word)]
    return " ".join(fitting or [term.written for term in terms])


def words_filter(query: str) -> Callable[[str], bool]:
    """Return a filter of words for a list that has no terms; it takes `!` and `one|other` as `Filter` does.

    Args:
        query: The words.

    Returns:
        Tells whether a text is wanted.
    """

    def test_of(word: str) -> Callable[[str], bool]:
        return lambda content: word in content

    wanted = terms_filter(query, test_of)
    return lambda content: wanted(content.casefold())


def terms_filter(query: str, test_of: Callable[[str], Callable[[R], bool]]) -> Callable[[R], bool]:
    """Return a filter of words and terms for a list of which everything is known; it takes `!` and `one|other`.

    Args:
        query: The words and terms.
        test_of: Returns the test that one of them, casefolded, stands for.

    Returns:
        Tells whether a row is wanted.
    """
    is_inverted, words = _words(query)
    tests = [(word.startswith("!"), [test_of(one) for one in _either(word.removeprefix("!"))]) for word in words]

    def wanted(row: R) -> bool:
        holds = all(any(test(row) for test in either) is not is_excluded for is_excluded, either in tests)
        return holds is not (is_inverted and bool(tests))

    return wanted


def _either(word: str) -> list[str]:
    """Return what a word with `|` in it may be: itself, and its parts, each a value of the term it begins with."""
    first, *rest = word.split("|")
    field = first.partition(":")[0] + ":" if ":" in first else ""
    parts = [first, *(part if ":" in part else f"{field}{part}" for part in rest if part)]
    return list(dict.fromkeys((word, *filter(None, parts)))) if not field else parts


def _words(query: str) -> tuple[bool, list[str]]:
    """Return whether a filter is inverted as a whole, and its words; words in quotes are one, whether closed or not."""
    first, *rest = (word.replace('"', "") for word in _WORD.findall(query.casefold()) or [""])
    return (True, rest) if first == "!" else (False, [first, *rest] if first else [])


def _is_term(text: str) -> bool:
    comparison = _COMPARISON.fullmatch(text)
    is_comparison = comparison is not None and comparison[1] in _NUMBERS
    return text in _FLAGS or (":" in text and text.partition(":")[0] in {*_VALUES, *_TEXTS}) or is_comparison


def _all(answers: Iterable[Answer]) -> Answer:
    is_open = False
    for answer in answers:
        if answer is False:
            return False
        is_open = is_open or answer is None
    return None if is_open else True


def _any(tests: Sequence[_Test], row: OrderRow, now: RowContext) -> Answer:
    return _not(_all(_not(test(row, now)) for test in tests))


def _not(answer: Answer) -> Answer:
    return None if answer is None else not answer


def _found(word: str) -> _Test:
    """Return a test for a word in what a row shows, or what is known of it besides."""
    is_number = not any(character.isalpha() for character in word)

    def test(row: OrderRow, now: RowContext) -> Answer:
        if word in _searchable(row):
            return True
        for column in COLUMNS:
            text = cell(row, column.key, _WIDEST_CELLS, now).text.strip().casefold()
            # A number that is a part of a time would come and go with each second: the whole of it counts.
            is_whole = is_number and (column.ticking or column.key in _COUNTED)
            if word in (text.split() if is_whole else text):
                return True
        return False

    return test


_COUNTED = frozenset({"attempts", "in_use"})


def _searchable(row: OrderRow) -> str:
    details, order = row.details, row.order
    parts = [
        str(row.ssl_id or row.row_id),
        row.common_name,
        row.status,
        row.profile,
        row.validation,
        order.state if order is not None else "remote",
        row.owner,
        order.note.text if order is not None and order.note is not None else "",
    ]
    if details is not None:
        parts += [details.requester, details.order_number, details.backend_cert_id, details.comments]
        parts += details.subject_alternative_names
    return "\n".join(parts).casefold()


_Texts = Callable[[OrderRow, RowContext], tuple[Iterable[str], bool]]
"""Returns the texts in which a term's value is looked for, and whether there may be more once they are looked up."""


def _of_text(texts: _Texts, value: str) -> _Test:
    def test(row: OrderRow, now: RowContext) -> Answer:
        known, may_grow = texts(row, now)
        if not value or any(value in text.casefold() for text in known):
            return True
        return None if may_grow else False

    return test


def _has_more(row: OrderRow) -> bool:
    """Return whether SCM has not told an order's details yet, and would."""
    return row.details is None and row.ssl_id is not None


def _blocked_on(value: str) -> _Test:
    """Return a test for who must act: the party that is certain, for a guess is no answer."""

    def test(row: OrderRow, now: RowContext) -> Answer:
        if not value:
            return True
        if not row.is_open or (target := row.target) is None:
            return False
        diagnoser = now.diagnoser()
        if diagnoser is None:
            return None
        from sectigo_tui.engine.diagnosis.rules.causes import Party
        from sectigo_tui.engine.diagnosis.verdict import Strength

        verdict = diagnoser.cheap(target)
        if any(word.casefold().startswith(value) for word in verdict.party.split()):
            return True
        is_asked = verdict.party is not Party.UNKNOWN or verdict.strength is not Strength.STATUS_ONLY
        return False if is_asked else None

    return test


def _validation(row: OrderRow, _now: RowContext) -> tuple[Iterable[str], bool]:
    return (row.validation,), not row.validation and _has_more(row)


def _state(row: OrderRow, now: RowContext) -> tuple[Iterable[str], bool]:
    status = "".join(row.status.split())
    state = str(row.order.state) if row.order is not None else ""
    return (cell(row, "state", 5, now).text[:3], status, state), False


def _names(row: OrderRow, _now: RowContext) -> tuple[Iterable[str], bool]:
    more = row.details.subject_alternative_names if row.details is not None else ()
    listed = row.row.subject_alternative_names if row.row is not None else ()
    return (row.common_name, *more, *listed), _has_more(row) and row.row is None


def _numbers(row: OrderRow, _now: RowContext) -> tuple[Iterable[str], bool]:
    details = row.details
    more = (details.order_number, details.backend_cert_id) if details is not None else ()
    return (str(row.ssl_id or row.row_id), *more), False


def _profile(row: OrderRow, _now: RowContext) -> tuple[Iterable[str], bool]:
    return (row.profile,), _has_more(row)


def _requester(row: OrderRow, _now: RowContext) -> tuple[Iterable[str], bool]:
    return (row.requester,), _has_more(row)


_TEXTS: dict[str, _Texts] = {
    "val": _validation,
    "state": _state,
    "name": _names,
    "id": _numbers,
    "profile": _profile,
    "by": _requester,
}


_VALUES: dict[str, Callable[[str], _Test]] = {
    "on": _blocked_on,
    "owner": lambda value: lambda row, _now: owner_matches(row, value),
}


def _slow(row: OrderRow, now: RowContext) -> Answer:
    diagnoser = now.diagnoser()
    if not row.is_open:
        return False
    if diagnoser is None or _has_more(row):
        return None
    return is_slow(row, now)


_FLAGS: dict[str, _Test] = {
    "slow": _slow,
    "stale": is_stale,
    "local": lambda row, _now: row.order is not None,
    "remote": lambda row, _now: row.order is None,
}


def _age_seconds(row: OrderRow, now: RowContext) -> tuple[float | None, bool]:
    requested, at = row.requested, now.clock.now()
    if requested is None:
        return None, _has_more(row)
    if isinstance(requested, datetime):
        return seconds_between(requested, at), False
    return (at.date() - requested).days * _DAY_SECONDS, False


def _outage_seconds(row: OrderRow, now: RowContext) -> tuple[float | None, bool]:
    end, at = outage_end(row, now), now.clock.now()
    if end is None:
        return None, row.is_open and _has_more(row)
    if isinstance(end, datetime):
        return seconds_between(at, end), False
    return (end - at.date()).days * _DAY_SECONDS, False


def _window_seconds(row: OrderRow, now: RowContext) -> tuple[float | None, bool]:
    window = row.order.window if row.order is not None and row.order.state.is_polled else None
    if window is None or not window.is_open:
        return None, False
    return (window.deadline_at - now.clock.now()) / timedelta(seconds=1), False


def _attempts(row: OrderRow, _now: RowContext) -> tuple[float | None, bool]:
    window = row.order.window if row.order is not None else None
    return (float(window.attempts), False) if window is not None else (None, False)


_Measure = Callable[[OrderRow, RowContext], tuple[float | None, bool]]
"""Returns a row's number, and whether it may have one once it is looked up."""

_NUMBERS: dict[str, _Measure] = {
    "age": _age_seconds,
    "left": _outage_seconds,
    "deadline": _window_seconds,
    "attempts": _attempts,
}


def compared(text: str) -> tuple[str, Callable[[float], bool] | None] | None:
    """Return a term such as `left<7d`: what it compares, and the test of seconds, None for what is no time yet.

    Args:
        text: The term; None is returned for what is none.
    """
    found = _COMPARISON.fullmatch(text)
    if found is None:
        return None
    wanted, sign = _number(found[3], is_count=False), _SIGNS[found[2]]
    return found[1], None if wanted is None else lambda seconds: sign(seconds, wanted)


def _number(text: str, *, is_count: bool) -> float | None:
    if is_count:
        return float(text) if text.isdecimal() else None
    if _DURATION.fullmatch(text) is None:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
    "=": lambda one, other: one == other,
}


def _compared(measure: _Measure, sign: str, wanted: float) -> _Test:
    def test(row: OrderRow, now: RowContext) -> Answer:
        number, may_come = measure(row, now)
        if number is None:
            return None if may_come else False
        return _SIGNS[sign](number, wanted)

    return test
