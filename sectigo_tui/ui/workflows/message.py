"""Writing to whoever blocks orders: the text, ready to be copied, saved, or given to the operator's own command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.messages import Recipient
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.message import Message, recipients_of
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.orders.batch import each
from sectigo_tui.presentation.json import message_json
from sectigo_tui.presentation.notifications import EventCommand
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.dialogs.confirm import Notice, Reading
from sectigo_tui.ui.dialogs.dialog import Choice
from sectigo_tui.ui.dialogs.menu import Menu, MenuItem
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

COPY, SAVE, SEND, SWITCH = "copy", "save", "send", "switch"
DIAGNOSED_AT_MOST = 20
"""How many marked orders are written about at once, at some requests each."""

_BETWEEN = "\n----------------------------------------\n\n"


class MessageText(Reading):
    """Shows a message, and asks where it goes.

    Args:
        title: To whom, and about what.
        note: By when it matters.
        text: The message; untrusted.
        can_send: Whether there is a command that sends it.
    """

    KEYS = "{message.copy} copies, {message.save} saves, {message.switch} to another"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", f"choose('{COPY}')", "Copy", show=False, id="message.copy", tooltip="Copy the message"),
        Binding("s", f"choose('{SAVE}')", "Save", show=False, id="message.save", tooltip="Save the message as a file"),
        Binding("e", f"choose('{SEND}')", "Send", show=False, id="message.send", tooltip="Give it to on_event"),
        Binding("t", f"choose('{SWITCH}')", "To", show=False, id="message.switch", tooltip="Write to somebody else"),
    ]

    def __init__(self, title: str, note: str, text: str, *, can_send: bool) -> None:
        super().__init__(title, note, text)
        self._can_send = can_send

    def choices(self) -> Sequence[Choice]:
        """Return where it can go."""
        sends = (Choice(SEND, "Send"),) if self._can_send else ()
        return (Choice(SWITCH, "To ..."), *sends, Choice(SAVE, "Save"), Choice(COPY, "Copy"))

    def action_choose(self, choice_id: str) -> None:
        """Answer as a button does."""
        if choice_id == SEND and not self._can_send:
            self.complain("There is no command to send it: ui.on_event of config.toml names one.")
        else:
            self.answer(choice_id)

    def answer(self, choice_id: str) -> None:
        """Answer with where it goes."""
        self.dismiss(choice_id)  # type: ignore[arg-type]  # a notice has no answer but this


async def write_message(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Write to whoever blocks one order or several.

    Args:
        workflow: What every workflow works with.
        rows: The orders.
    """
    outside = workflow.outside
    targets: list[Target] = [row.target for row in rows if row.target is not None][:DIAGNOSED_AT_MOST]
    if not targets:
        workflow.notify("There is no order here to write about.")
        return
    work = each(targets, workflow.engine.diagnoser.diagnose)
    outcomes = await workflow.during("Gathering what holds it up ...", work, can_stop=True)
    diagnoses = [outcome.result for outcome in outcomes or () if outcome.result is not None]
    if not diagnoses:
        return
    recipient = next((one for diagnosis in diagnoses for one in recipients_of(diagnosis)), None)
    if recipient is None:
        recipient = await _choose(workflow, diagnoses, f"It waits for {diagnoses[0].verdict.party}: write to whom?")
    while recipient is not None:
        chosen = [one for one in diagnoses if recipient in recipients_of(one)] or diagnoses
        messages = [workflow.engine.diagnoser.message(one, recipient, outside.messages) for one in chosen]
        form = _form(recipient, chosen, messages, can_send=bool(outside.on_event))
        given = await workflow.ask(form)
        answer: object = given
        if answer != SWITCH:
            await _deliver(workflow, answer, chosen, messages, outside)
            return
        recipient = await _choose(workflow, diagnoses, "Write to whom?") or recipient


def _form(
    recipient: Recipient, diagnoses: Sequence[Diagnosis], messages: Sequence[Message], *, can_send: bool
) -> MessageText:
    about = str(diagnoses[0].ref) if len(diagnoses) == 1 else f"{len(diagnoses)} orders"
    note = "Nothing is sent yet. The first line is the subject."
    text = _whole(messages).rstrip("\n")
    return MessageText(f"To {recipient.who}: {about}", note, text, can_send=can_send)


def _whole(messages: Sequence[Message]) -> str:
    return _BETWEEN.join(message.whole for message in messages)


async def _choose(workflow: Workflow, diagnoses: Sequence[Diagnosis], title: str) -> Recipient | None:
    items = []
    for number, recipient in enumerate(Recipient, 1):
        count = sum(recipient in recipients_of(one) for one in diagnoses)
        blocks = f" (blocks {count} of {len(diagnoses)})" if count else ""
        items.append(MenuItem(recipient, str(number), f"{recipient.who}{blocks}"))
    chosen = await workflow.ask(Menu(title, items))
    return Recipient(chosen) if chosen is not None else None


async def _deliver(
    workflow: Workflow, answer: object, diagnoses: Sequence[Diagnosis], messages: Sequence[Message], outside: Outside
) -> None:
    recipient, text = messages[0].recipient, _whole(messages)
    if answer == COPY:
        workflow.copy(text)
        workflow.notify(f"Copied the message to {recipient.who}.")
    elif answer == SAVE:
        await _save(workflow, diagnoses, recipient, text)
    elif answer == SEND:
        await _send(workflow, diagnoses, messages, outside)


async def _save(workflow: Workflow, diagnoses: Sequence[Diagnosis], recipient: Recipient, text: str) -> None:
    about = diagnoses[0].ref if len(diagnoses) == 1 else f"{len(diagnoses)}-orders"
    name = f"message-{recipient}-{about}-{workflow.engine.clock.now():%Y%m%dT%H%M%SZ}.txt"
    try:
        path = await asyncio.to_thread(workflow.defaults.keep, name, text)
    except InputError as refused:
        await workflow.ask(Notice("Not saved", in_words(refused)))
        return
    workflow.notify(f"Saved in {path}")


async def _send(
    workflow: Workflow, diagnoses: Sequence[Diagnosis], messages: Sequence[Message], outside: Outside
) -> None:
    command, now = EventCommand(outside.on_event, outside.run), workflow.engine.clock.now()
    try:
        for diagnosis, message in zip(diagnoses, messages, strict=True):
            event = json.dumps(message_json(diagnosis, message, now))
            await workflow.during("Giving it to on_event ...", command.deliver(event), can_stop=False)
            await workflow.engine.diagnoser.record_message(diagnosis, message)
    except InputError as failed:
        await workflow.ask(Notice("Not sent", in_words(failed)))
        return
    workflow.notify(f"Given to on_event: {len(messages)} for {messages[0].recipient.who}.")
