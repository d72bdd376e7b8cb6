"""Pictures of the screen, one file each below `tests/snapshots`; `pytest --snapshot-update` accepts new ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped] # the plugin has no types

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation


class Screens(SVGImageExtension):  # type: ignore[misc] # nor has its class
    """Keeps the pictures of a test module in a folder named after it."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """Return the folder."""
        return str(Path(test_location.filepath).parents[1] / "snapshots" / test_location.basename)
