"""Wrong settings in one line each: key, source, what is wrong, what to write. Never a secret's value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from sectigo_tui.domain.errors import ConfigError


class ConfigErrors(ConfigError):
    """Several settings are wrong; `str()` has a line for each, the fields are those of the first.

    Args:
        errors: At least one.
    """

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        first = errors[0]
        super().__init__(key=first.key, source=first.source, reason=first.reason, remedy=first.remedy)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: Sequence[ConfigError]) -> None:
    """Raise the only error, or all of them as one; return when there is none.

    Raises:
        ConfigError: There is at least one.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)


def unknown_name(key: str, source: str, what: str, name: str, known: Iterable[str]) -> ConfigError:
    """Return the error for a name that does not exist, with the nearest one that does.

    Args:
        key: The key to report.
        source: Where the name was written.
        what: What kind of name it is, such as `key`.
        name: The name as written.
        known: The names that exist.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        remedy = f"did you mean {near[0]}?"
    elif names:
        remedy = f"known: {', '.join(names)}"
    else:
        remedy = "there are none"
    return ConfigError(key=key, source=source, reason=f"no such {what}", remedy=remedy)


def quoted(value: object) -> str:
    """Return a value for an error's one line: short, without line breaks."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
