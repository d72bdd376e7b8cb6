"""Commands run without a shell and within a time limit: the standard library alone, for any layer that runs them."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

COMPLAINT_CHARACTERS = 160
"""How much of what a command complained about is told."""


async def run_command(
    arguments: Sequence[str], stdin: bytes, *, environ: Mapping[str, str], timeout_seconds: float
) -> str:
    """Run a command that is given something on its standard input.

    It has a session of its own, so it cannot ask the operator anything on the terminal; what it prints is not
    shown.

    Args:
        arguments: The program and its arguments.
        stdin: What it is given.
        environ: Its whole environment.
        timeout_seconds: How long it may take; then it is killed, with all that it has started.

    Returns:
        What went wrong, in words; empty when it ended well. Its arguments are no part of them: they may hold a
        token.
    """
    program = arguments[0]
    with tempfile.TemporaryFile() as complaint:
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=complaint,
                env=dict(environ),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"{program} cannot be run: {getattr(error, 'strerror', None) or error}"
        try:
            async with asyncio.timeout(timeout_seconds):
                await _feed(process, stdin)
                code = await process.wait()
        except TimeoutError:
            return f"{program} did not end within {timeout_seconds:g} s"
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return f"{program} ended with exit code {code}{_first_line(complaint)}" if code else ""


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    pipe = process.stdin
    if pipe is None:
        return
    # A command that does not read what it is given has not failed by that.
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(stdin)
        await pipe.drain()
    pipe.close()


def _first_line(complaint: IO[bytes]) -> str:
    complaint.seek(0)
    text = complaint.read(4 * COMPLAINT_CHARACTERS).decode(errors="replace").strip()
    line = "".join(character for character in text.split("\n", 1)[0] if character.isprintable())
    return f": {line[:COMPLAINT_CHARACTERS]}" if line else ""
