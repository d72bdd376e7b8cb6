"""Finding every place that sets a key, and choosing the strongest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel, SecretStr

from sectigo_tui.config.files import Table
from sectigo_tui.config.model import ALTERNATIVES, SECRETS
from sectigo_tui.config.setting_errors import quoted, unknown_name
from sectigo_tui.config.sources import MASK, Source, SourceKind
from sectigo_tui.domain.errors import ConfigError


class Layer(Struct, frozen=True):
    """A place that sets some keys.

    Args:
        kind: What kind of place.
        detail: The place in words; `{key}` in it becomes the key as a flag is written.
        values: What it sets, unchecked.
    """

    kind: SourceKind
    detail: str
    values: Mapping[str, object]


class Merged(Struct, frozen=True):
    """The strongest value of each key that is set anywhere, and the origin of it."""

    values: Mapping[str, object]
    sources: Mapping[str, Source]


def check_names(model: type[BaseModel], table: Table, source: str, prefix: str = "") -> list[ConfigError]:
    """Return an error for each key of a section that does not exist, or that rules another out.

    Args:
        model: The section's model.
        table: What was read.
        source: Where.
        prefix: What to write before the key, such as `ui.`.
    """
    known = model.model_fields
    errors = [unknown_name(f"{prefix}{key}", source, "key", key, known) for key in table if key not in known]
    errors += [
        ConfigError(
            key=f"{prefix}{key}",
            source=source,
            reason=f"{other} is set in the same section",
            remedy="delete one of the two",
        )
        for key, other in ALTERNATIVES.items()
        if key in known and key in table and other in table
    ]
    return errors


def drop_outweighed(layers: Sequence[Layer]) -> list[Layer]:
    """Return the configuration file's layers such that of two alternatives only the more specific is left.

    A profile's `password_command` outweighs the common `password`, and the other way round.

    Args:
        layers: Strongest first.
    """
    kept: list[Layer] = []
    gone: set[str] = set()
    for layer in layers:
        kept.append(replace(layer, values={key: value for key, value in layer.values.items() if key not in gone}))
        for pair in ALTERNATIVES.items():
            for key, other in (pair, pair[::-1]):
                if key in layer.values:
                    gone.add(other)
    return kept


def merge(model: type[BaseModel], layers: Iterable[Layer]) -> Merged:
    """Return the strongest value of each key of a section.

    Args:
        model: The section's model.
        layers: Strongest first.
    """
    values: dict[str, object] = {}
    found: dict[str, list[Source]] = {key: [] for key in model.model_fields}
    for layer in layers:
        for key, value in layer.values.items():
            if key not in found:
                continue
            values.setdefault(key, value)
            detail = layer.detail.replace("{key}", key.replace("_", "-"))
            found[key].append(Source(layer.kind, detail, shown(key, value)))
    sources = {
        key: replace(origins[0], overridden=tuple(origins[1:]))
        if origins
        else Source(SourceKind.DEFAULT, "default", shown(key, field.default))
        for (key, origins), field in zip(found.items(), model.model_fields.values(), strict=True)
    }
    return Merged(values, sources)


def shown(key: str, value: object) -> str:
    """Return a value for display: secrets masked, unset as empty text, a command by its program alone."""
    if value is None or value == {}:
        return ""
    if key in SECRETS or isinstance(value, SecretStr):
        return MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        # Arguments can hold a token of the secret manager.
        return f"{value[0]} ..." if len(value) > 1 else "".join(map(str, value))
    return value if isinstance(value, str) else quoted(value)
