"""`sectigo-tui message`: the text for whoever blocks an order, ready to be sent."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.cli.commands.diagnose import check_known, target_of
from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import session, settings_from
from sectigo_tui.cli.terminal import complain, show_message
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.messages import Recipient

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.diagnosis.message import Message
    from sectigo_tui.engine.diagnosis.result import Diagnosis
    from sectigo_tui.engine.engine import Engine


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("order", metavar="ID", help="an sslId, or a local order's id")
    parser.add_argument("--to", choices=[*Recipient], help="who is written to; by default whoever blocks the order")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write it to a file, which must not be there yet")
    parser.add_argument("--copy", action="store_true", help="put it on the terminal's clipboard")
    parser.add_argument("--send", action="store_true", help="give it to the command of ui.on_event")
    add_json(parser, "one JSON object (docs/json.md)")


def run(options: Namespace) -> int:
    """Write to whoever blocks one order, by its sslId or local id.

    Raises:
        InputError: There is no such order, nobody blocks it, or the message cannot go where it should.
        ScmFailure: It is only remote, and SCM did not tell it.
    """
    settings = settings_from(options)
    if options.send and not settings.ui.on_event:
        raise InputError("there is no command to send it", "name one in on_event of [ui]")
    if options.copy and not sys.stderr.isatty():
        raise InputError("there is no terminal to copy it to", "use --output FILE, or read it from stdout")
    import asyncio

    return asyncio.run(_message(settings, options))


async def _message(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.cli.outside import write_file
    from sectigo_tui.presentation.json import message_json, print_json

    async with session(settings) as engine:
        target = target_of(engine, options.order)
        await check_known(engine, target)
        diagnosis = await engine.diagnoser.diagnose(target)
        recipient = Recipient(options.to) if options.to else _blocker(diagnosis)
        message = engine.diagnoser.message(diagnosis, recipient, settings.ui.messages)
        if options.output is not None and not write_file(options.output, message.whole.encode(), replace=False):
            raise InputError(f"{options.output} is there already", "name another file")
        if options.copy:
            await _copy(settings, message.whole)
        if options.send:
            await _send(settings, engine, diagnosis, message)
        if options.json:
            print_json(message_json(diagnosis, message, engine.clock.now()))
        elif options.output is None and not options.copy and not options.send:
            show_message(message.whole.rstrip("\n"))
        else:
            complain(f"the message to {recipient.who} is ready: {message.subject}")
    return FINE


def _blocker(diagnosis: Diagnosis) -> Recipient:
    from sectigo_tui.engine.diagnosis.message import recipients_of

    blockers = recipients_of(diagnosis)
    if not blockers:
        verdict = diagnosis.verdict
        reason = f"order {diagnosis.ref} waits for {verdict.party}, who is not written to: {verdict.sentence}"
        raise InputError(reason, "give --to to write to somebody all the same")
    return blockers[0]


async def _copy(settings: Settings, text: str) -> None:
    from sectigo_tui.cli.outside import runner
    from sectigo_tui.ui.terminal.clipboard import Clipboard, request

    def ask_terminal(copied: str) -> None:
        sys.stderr.write(request(copied, os.environ))
        sys.stderr.flush()

    await Clipboard(os.environ, runner(lambda: [settings]), ask_terminal).copy(text)


async def _send(settings: Settings, engine: Engine, diagnosis: Diagnosis, message: Message) -> None:
    import json

    from sectigo_tui.cli.outside import runner
    from sectigo_tui.presentation.json import message_json
    from sectigo_tui.presentation.notifications import EventCommand

    event = message_json(diagnosis, message, engine.clock.now())
    await EventCommand(settings.ui.on_event or (), runner(lambda: [settings])).deliver(json.dumps(event))
    await engine.diagnoser.record_message(diagnosis, message)
