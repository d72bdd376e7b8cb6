"""Merged values to checked sections, with pydantic's errors in the operator's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sectigo_tui.config.layers import Merged, shown
from sectigo_tui.config.model import SECRETS, SECTION_MODELS, Sections
from sectigo_tui.config.setting_errors import quoted, raise_all
from sectigo_tui.config.sources import Source, SourceKind
from sectigo_tui.domain.errors import ConfigError


def validate(merged: Mapping[str, Merged], base_directory: Path) -> tuple[Sections, Mapping[str, Source]]:
    """Return the checked sections, and each key's origin with the value as it will be used.

    Args:
        merged: Values by section.
        base_directory: What relative paths are relative to.

    Returns:
        The sections, and origins by key: `term`, `certctl.url`, `ui.theme`...

    Raises:
        ConfigError: A value is wrong; all wrong ones are named.
    """
    values = {name: section.values for name, section in merged.items()}
    try:
        sections = Sections.model_validate(values, context={"base_directory": base_directory})
    except ValidationError as error:
        # A list with several wrong items is one wrong key: its first error is enough.
        errors = {each["loc"][:2]: each for each in reversed(error.errors(include_url=False))}
    else:
        return sections, _used_values(sections, merged)
    # Outside the except block: pydantic's error keeps every input, passwords included.
    raise_all([_explained(each, merged) for each in reversed(errors.values())])
    raise AssertionError("pydantic raised without an error")


def _used_values(sections: Sections, merged: Mapping[str, Merged]) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for name, merged_section in merged.items():
        section: BaseModel = getattr(sections, name)
        for key, source in merged_section.sources.items():
            is_command = source.kind is SourceKind.PASSWORD_COMMAND
            sources[_full_key(name, key)] = (
                source if is_command else replace(source, value=shown(key, getattr(section, key)))
            )
    return sources


def _explained(error: ErrorDetails, merged: Mapping[str, Merged]) -> ConfigError:
    name, key = str(error["loc"][0]), str(error["loc"][1])
    field = SECTION_MODELS[name].model_fields[key]
    source = merged[name].sources[key]
    own_words = error.get("ctx", {}).get("error")
    if own_words is not None:
        reason = str(own_words)
    elif key in SECRETS:
        reason = "is no text"
    else:
        reason = f"{quoted(merged[name].values[key])} is not {field.description}"
    return ConfigError(
        key=_full_key(name, key), source=source.detail, reason=reason, remedy=_remedy(key, field, source)
    )


def _remedy(key: str, field: FieldInfo, source: Source) -> str:
    example = (field.examples or [""])[0]
    if source.kind is SourceKind.ENVIRONMENT:
        return f"write e.g. {source.detail.split()[-1]}={example}"
    if source.kind is SourceKind.ANSWER:
        return f"type e.g. {example}"
    if source.kind is SourceKind.FLAG:
        return f"write e.g. --{key.replace('_', '-')} {example}"
    if isinstance(example, dict):
        return "write e.g. " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in example.items())
    # Text, numbers, booleans and lists are written in TOML as in JSON.
    return f"write e.g. {key} = {json.dumps(example)}"


def _full_key(section: str, key: str) -> str:
    return key if section == "sectigo" else f"{section}.{key}"
