"""Saving what is shown: the table, the order under the cursor, or a picture of the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from sectigo_tui.domain.errors import InputError
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import Confirm
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.dialogs.message import AskText
from sectigo_tui.ui.outside import WriteFile
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

LONGEST_PATH = 4_000


class Document(NamedTuple):
    """Something that can be saved.

    Args:
        id: What it is called.
        key: The key that chooses it.
        title: What it is.
        name: How a file of it is called, with its ending.
        content: Makes it; called when it was chosen.
        why_not: Why it cannot be saved now; empty when it can.
    """

    id: str
    key: str
    title: str
    name: str
    content: Callable[[], Awaitable[str]]
    why_not: str = ""


async def export(workflow: Workflow, documents: tuple[Document, ...], write_file: WriteFile, *, note: str = "") -> None:
    """Ask what to save and where, and save it; a file that is there is replaced only after another question.

    Args:
        flow: What every flow works with.
        documents: What can be saved.
        write_file: Writes a file.
        note: What is said of it before it is saved, such as what is left out.
    """
    chosen = await workflow.ask(
        Menu("Export", [MenuItem(one.id, one.key, one.title, one.why_not) for one in documents])
    )
    document = next((one for one in documents if one.id == chosen), None)
    if document is None:
        return
    content = (await document.content()).encode(errors="replace")
    wanted, error_text = str(workflow.defaults.save_directory / document.name), ""
    while True:
        about = "\n".join(filter(None, (f"{len(content):,} bytes, readable by you alone.", note)))
        answer = await workflow.ask(
            AskText(
                f"Export: {document.title}",
                about,
                label="File",
                button="Save",
                value=wanted,
                longest=LONGEST_PATH,
                error_text=error_text,
            )
        )
        if answer is None:
            return
        wanted = answer
        try:
            path = workflow.defaults.save_directory / _expanded(answer)
            if await _saved(workflow, write_file, path, content):
                workflow.notify(f"Saved {path}")
                return
        except InputError as refused:
            error_text = in_words(refused)
        else:
            error_text = ""


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"{text}: {error}", "write the whole path") from error


async def _saved(workflow: Workflow, write_file: WriteFile, path: Path, content: bytes) -> bool:
    if await asyncio.to_thread(write_file, path, content, replace=False):
        return True
    name = printable(str(path), limit=LONGEST_PATH)
    if await workflow.ask(Confirm("Replace the file?", f"There is a file already:\n{name}", "Replace", is_danger=True)):
        return await asyncio.to_thread(write_file, path, content, replace=True)
    return False
