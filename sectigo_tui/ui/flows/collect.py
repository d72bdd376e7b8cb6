"""Collecting now, and saving as files for a server."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.errors import InputError
from sectigo_tui.engine.batches import Outcome
from sectigo_tui.engine.collecting import Collected
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.message import AskText
from sectigo_tui.ui.flows.batch import done, outcomes_content, subjects_content
from sectigo_tui.ui.flows.flow import Flow, in_words
from sectigo_tui.ui.text import printable


async def collect(flow: Flow, subjects: Sequence[Subject]) -> None:
    """Collect one certificate or several, and save leaf, chain and full chain of each in one directory."""
    directory = await flow.ask(
        AskText(
            f"Collect {len(subjects)} certificate{'s' if len(subjects) > 1 else ''}, and save as PEM",
            subjects_content(subjects),
            label="Directory",
            button="Collect and save",
            value=str(flow.defaults.save_directory),
            longest=4_096,
        )
    )
    if directory is None:
        return
    ssl_ids = [subject.ssl_id for subject in subjects if subject.ssl_id is not None]
    outcomes = await flow.during("Collecting ...", flow.engine.collecting.collect_all(ssl_ids), can_stop=True)
    if outcomes is None:
        return
    flow.unmark(done(outcomes))
    failed: list[Outcome[int, Collected]] = []
    for outcome in outcomes:
        if outcome.result is None:
            failed.append(outcome)
        else:
            await _save(flow, outcome.result, directory)
    if failed:
        await flow.ask(Notice("Collect", outcomes_content(failed)))


async def _save(flow: Flow, collected: Collected, directory: str) -> None:
    try:
        paths = await flow.engine.collecting.save(collected, directory)
    except InputError as there:
        if not await flow.ask(Confirm("Save over what is there?", in_words(there), "Overwrite", is_danger=True)):
            return
        try:
            paths = await flow.engine.collecting.save(collected, directory, overwrite=True)
        except InputError as refused:
            await flow.ask(Notice("Not saved", in_words(refused)))
            return
    warning = collected.bundle.facts.warning
    flow.tell("Saved: " + ", ".join(paths) + (f". Warning: {printable(warning)}" if warning else ""))
