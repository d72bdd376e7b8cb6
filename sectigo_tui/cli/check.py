"""`sectigo-tui check`: every setting and its origin, then the credentials tried once."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from sectigo_tui.cli.common import settings_from
from sectigo_tui.cli.config_command import settings_rows
from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.output import complain, say, table
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.certificates import CertificateProfile
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.engine.engine import Announcer
from sectigo_tui.wiring.clients import credentials_of, make_client


def run(options: Namespace) -> int:
    """Show the settings, then ask SCM for the account's profiles with them.

    Raises:
        ConfigError: The settings are wrong; exit code 2.
        ScmFailure: SCM refused the credentials, or could not be reached; exit codes 3 and 4.
    """
    settings = settings_from(options)
    say(table(settings_rows(settings)))
    for warning in settings.warnings:
        complain(f"warning: {warning}")
    say("")
    profiles = asyncio.run(_ask(settings))
    say(f"credentials accepted; {len(profiles)} profiles:")
    say(table([("certType", "name", "terms (days)", "keys"), *map(_profile_row, profiles)]))
    return FINE


async def _ask(settings: Settings) -> tuple[CertificateProfile, ...]:
    client = make_client(settings, credentials_of(settings), Announcer(), SystemClock())
    if client.proxy_in_use:
        # Said before it is asked: a proxy is what most often keeps SCM from being reached.
        say(f"asking SCM through the proxy {client.proxy_in_use}")
    try:
        return await client.types()
    finally:
        await client.aclose()


def _profile_row(profile: CertificateProfile) -> tuple[str, str, str, str]:
    keys = "; ".join(f"{kind} {', '.join(sizes)}" for kind, sizes in profile.key_types.items())
    return str(profile.id), profile.name, ", ".join(map(str, profile.terms_days)), keys
