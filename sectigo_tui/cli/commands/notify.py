"""`sectigo-tui notify`: tries the addresses that `watch` sends notifications to."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from sectigo_tui.cli.exit_codes import FAILED, FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.terminal import complain, show_message
from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.presentation.json import print_json


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("action", choices=("test",), help="test: send a message to each address, at once")
    add_json(parser, "one JSON array (docs/json.md)")


def run(options: Namespace) -> int:
    """Send a message to each address, whatever the time of day; nothing is asked of SCM.

    Raises:
        ConfigError: There is no address, or the command tells none.
        InputError: The extra is not installed.
    """
    import asyncio

    return asyncio.run(_test(options))


async def _test(options: Namespace) -> int:
    import asyncio

    settings = settings_from(options)
    if not settings.notify.urls and settings.urls_command is None:
        raise ConfigError(
            key="notify.urls",
            source="not set",
            reason="there is no address to send to",
            remedy=f"write urls or urls_command in [notify] of {settings.paths.config_file}",
        )
    from sectigo_tui.cli.notifier import Message, Weight, addresses_of, send, service_of

    addresses = await addresses_of(settings, may_prompt=True)
    account = settings.sectigo.customer_uri or "no account"
    message = Message(f"sectigo-tui {account}: test", "Notifications of sectigo-tui watch arrive here.", Weight.GOOD)
    errors = await asyncio.gather(*(send(address, message) for address in addresses))
    if options.json:
        pairs = zip(addresses, errors, strict=True)
        print_json([{"service": service_of(address), "error": error or None} for address, error in pairs])
    for address, error in zip(addresses, errors, strict=True):
        if error:
            complain(error)
        elif not options.json:
            show_message(f"{service_of(address)}  sent")
    return FAILED if any(errors) else FINE
