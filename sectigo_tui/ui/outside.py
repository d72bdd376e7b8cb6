"""What the screen reaches besides the engine: files, commands and the terminal's environment, given from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from sectigo_tui.domain.errors import InputError
from sectigo_tui.presentation.notifications import Run


class ScreenKeeper(Protocol):
    """Keeps between runs how the operator has arranged the screen, for one profile."""

    def load(self) -> str:
        """Return what was kept last; empty where nothing was.

        Raises:
            InputError: It is there, and cannot be read.
        """
        ...

    def save(self, text: str) -> None:
        """Keep a text in place of the last one.

        Raises:
            InputError: It cannot be written.
        """
        ...


class WriteFile(Protocol):
    """Writes a file that the operator asked for."""

    def __call__(self, path: Path, content: bytes, *, replace: bool) -> bool:
        """Write it, as a whole.

        Args:
            path: The file.
            content: All of it.
            replace: Whether a file of this name may be replaced.

        Returns:
            Whether it was written; False when there is such a file, which is untouched.

        Raises:
            InputError: It cannot be written.
        """
        ...


class _NothingKept:
    def load(self) -> str:
        return ""

    def save(self, text: str) -> None:
        pass


def _no_file(path: Path, content: bytes, *, replace: bool) -> bool:  # noqa: ARG001 - as `WriteFile` has them
    raise InputError(f"{path}: there is nowhere to write", "run sectigo-tui on a terminal")


async def _no_command(_arguments: Sequence[str], _stdin: bytes) -> str:
    return "no command can be run here"


async def _no_profile(_name: str) -> None:
    return


class Outside(Struct, frozen=True):
    """What the screen reaches besides the engine; without anything given it reaches nothing.

    Args:
        environ: The terminal's environment.
        keeper: Keeps how the screen is arranged.
        write_file: Writes a file.
        run: Runs a command.
        on_event: The command that is given each change of a watched order; empty for none.
        messages: The operator's own templates of messages, by recipient.
        keys: Other keys for actions, as the configuration's `[ui.keys]` has them.
        keys_named_by: Where those were configured, for errors.
        theme: The theme as configured: one that was chosen live instead of another is not recalled.
        recalls_theme: Whether a theme that was chosen live is shown again at all.
        profiles: Returns the profiles there are, an empty name for none of them; may wait for the disk.
        check_profile: Sees that a profile can be opened, before this one is left.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    keeper: ScreenKeeper = field(default_factory=_NothingKept)
    write_file: WriteFile = _no_file
    run: Run = _no_command
    on_event: Sequence[str] = ()
    messages: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    keys_named_by: str = "default"
    theme: str = "auto"
    recalls_theme: bool = True
    profiles: Callable[[], Sequence[str]] = tuple
    check_profile: Callable[[str], Awaitable[None]] = _no_profile

    def __repr__(self) -> str:
        return f"Outside(theme={self.theme!r}, keys={self.keys!r})"
