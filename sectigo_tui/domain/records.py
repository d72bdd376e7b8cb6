"""What records are made with: msgspec, loaded without `typing_extensions`, which takes longer than msgspec itself.

msgspec asks that package for what `typing` has too, and takes `typing` where there is none.
"""

from __future__ import annotations

import sys

_OPTIONAL = "typing_extensions"
_is_free = _OPTIONAL not in sys.modules

if _is_free:
    sys.modules[_OPTIONAL] = None  # type: ignore[assignment]  # as where it is not installed
try:
    from msgspec import Struct, field
    from msgspec.structs import replace
finally:
    if _is_free:
        del sys.modules[_OPTIONAL]

__all__ = ["Struct", "field", "replace"]
