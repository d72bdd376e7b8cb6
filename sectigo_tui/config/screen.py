"""The layout file: each profile's view, columns, sort and filters."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec import Struct

from sectigo_tui.domain.errors import InputError
from sectigo_tui.durable import replace_file


class ScreenFile(Struct, frozen=True):
    """Stores one profile's layout in the file, and leaves the others as they are.

    Args:
        path: The file.
        profile: The profile; empty for none.
    """

    path: Path
    profile: str = ""

    def load(self) -> str:
        """Return this profile's part as JSON; empty where there is none.

        Raises:
            InputError: The file is there, and cannot be used; it is left as it is until something is kept.
        """
        part = self._parts().get(self.profile)
        return "" if part is None else json.dumps(part)

    def save(self, text: str) -> None:
        """Store this profile's layout, as JSON.

        A file that cannot be read as one of these is replaced: nothing in it could be used any more.

        Raises:
            InputError: It cannot be written.
        """
        try:
            parts = self._parts()
        except InputError:
            parts = {}
        parts[self.profile] = json.loads(text)
        try:
            replace_file(self.path, json.dumps({"profiles": parts}, indent=1).encode())
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}", "make room, or choose another --data-dir") from error

    def _parts(self) -> dict[str, object]:
        try:
            parts = json.loads(self.path.read_bytes())["profiles"]
            return {str(profile): part for profile, part in parts.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}", "make it readable, or remove it") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.path} is damaged", "it is written anew when the screen changes") from error
