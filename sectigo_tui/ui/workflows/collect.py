"""Collecting now, and saving as files for a server."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.errors import InputError
from sectigo_tui.engine.orders.batch import Outcome
from sectigo_tui.engine.orders.collect import Collected
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import AskText, Confirm, Notice
from sectigo_tui.ui.workflows.batch import done, outcomes_content, rows_content
from sectigo_tui.ui.workflows.workflow import Workflow, in_words


async def collect(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Collect one certificate or several, and save leaf, chain and full chain of each in one directory."""
    directory = await workflow.ask(
        AskText(
            f"Collect {len(rows)} certificate{'s' if len(rows) > 1 else ''}, and save as PEM",
            rows_content(rows),
            label="Directory",
            button="Collect and save",
            value=str(workflow.defaults.save_directory),
            longest=4_096,
        )
    )
    if directory is None:
        return
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    outcomes = await workflow.during("Collecting ...", workflow.engine.collecting.collect_all(ssl_ids), can_stop=True)
    if outcomes is None:
        return
    workflow.unmark(done(outcomes))
    failed: list[Outcome[int, Collected]] = []
    for outcome in outcomes:
        if outcome.result is None:
            failed.append(outcome)
        else:
            await _save(workflow, outcome.result, directory)
    if failed:
        await workflow.ask(Notice("Collect", outcomes_content(failed)))


async def _save(workflow: Workflow, collected: Collected, directory: str) -> None:
    try:
        paths = await workflow.engine.collecting.save(collected, directory)
    except InputError as there:
        if not await workflow.ask(Confirm("Save over what is there?", in_words(there), "Overwrite", is_danger=True)):
            return
        try:
            paths = await workflow.engine.collecting.save(collected, directory, overwrite=True)
        except InputError as refused:
            await workflow.ask(Notice("Not saved", in_words(refused)))
            return
    warning = collected.bundle.facts.warning
    workflow.notify("Saved: " + ", ".join(paths) + (f". Warning: {printable(warning)}" if warning else ""))
