"""What a document in `docs/` promises of JSON, and where a value is something else.

A section such as `## Order` or `## Poll event` with a table of fields promises an object of that name. A type is
`string`, `integer`, `number`, `boolean`, `null`, the name of a section, `array of` or `object of` one of these, or
several with ` or ` between.
"""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

Shapes = dict[str, dict[str, str]]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def documented(*documents: str) -> Shapes:
    """Return the types of the fields by what they are fields of."""
    shapes: Shapes = {}
    for document in documents:
        sections = re.split(
            r"^## ([A-Z]\w*(?: \w+)*)$", (DOCS / document).read_text(encoding="utf-8"), flags=re.MULTILINE
        )[1:]
        for name, body in zip(sections[::2], sections[1::2], strict=True):
            fields = re.findall(r"^\| `(\w+)` \| (.+?) \|", body.split("\n## ")[0], re.MULTILINE)
            if fields:
                shapes[name.lower()] = dict(fields)
    return shapes


def differences(value: object, kinds: str, shapes: Shapes, where: str = "it") -> list[str]:
    """Return where a value is not what is documented."""
    for kind in kinds.split(" or "):
        if kind.startswith("array of ") and isinstance(value, list):
            inner = kind.removeprefix("array of ")
            return [text for one in value for text in differences(one, inner, shapes, where)]
        if kind.startswith("object of ") and isinstance(value, dict):
            inner = kind.removeprefix("object of ")
            return [text for key, one in value.items() for text in differences(one, inner, shapes, f"{where}.{key}")]
        if kind in shapes and isinstance(value, dict):
            found = [f"{where}: {key}" for key in value.keys() ^ shapes[kind].keys()]
            for key in value.keys() & shapes[kind].keys():
                found += differences(value[key], shapes[kind][key], shapes, f"{kind}.{key}")
            return found
        if kind in _TYPES and isinstance(value, _TYPES[kind]):
            return []
    return [f"{where} is {value!r}, not {kinds}"]
