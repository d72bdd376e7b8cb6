"""`sectigo-tui check`: every setting and its origin, then a test of the credentials."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from sectigo_tui.cli.exit_codes import FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.screen_flags import check_keys
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.terminal import complain, complain_of, show_message, table
from sectigo_tui.domain.certificates import ReportDate, ReportQuery
from sectigo_tui.domain.errors import CredentialsRefused, ScmFailure, StoreError
from sectigo_tui.domain.explain import is_missing_right
from sectigo_tui.presentation.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.account import CertificateProfile
    from sectigo_tui.domain.validation import DomainPage
    from sectigo_tui.presentation.json import Json
    from sectigo_tui.scm.client import ScmClient


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--insist", action="store_true", help="test even credentials that SCM has rejected before")
    add_json(parser, "one JSON object (docs/json.md)")


def run(options: Namespace) -> int:
    """Show the settings, then ask SCM for the account's profiles with them, and for what the login may lack.

    Raises:
        ConfigError: The settings are wrong; exit code 2.
        ScmFailure: SCM rejected the credentials, or could not be reached; exit codes 3 and 4.
    """
    import asyncio

    from sectigo_tui.wiring.settings import remove_leftovers

    settings = settings_from(options)
    check_keys(settings)
    for warning in settings.warnings:
        complain(f"warning: {warning}")
    for path in remove_leftovers(settings.paths):
        complain(f"warning: {path} is a leftover of a killed process that cannot be removed; remove it")
    return asyncio.run((_check_as_json if options.json else _check)(settings, insist=options.insist))


async def _check(settings: Settings, *, insist: bool) -> int:
    from sectigo_tui.cli.commands.config import settings_rows

    show_message(table(settings_rows(settings)))
    _keys_without_order(settings)
    show_message("")
    async with _client(settings, insist=insist) as client:
        if client.proxy_in_use:
            # Said before it is asked: a proxy is what most often keeps SCM from being reached.
            show_message(f"asking SCM through the proxy {client.proxy_in_use}")
        profiles = await client.types()
        show_message(f"credentials accepted; {len(profiles)} profiles:")
        show_message(table([("certType", "name", "terms (days)", "keys"), *map(_profile_row, profiles)]))
        rights = await _rights(client)
    show_message("")
    show_message("optional rights of this login:")
    show_message(table([(right.name, right.text) for right in rights]))
    return FINE


async def _check_as_json(settings: Settings, *, insist: bool) -> int:
    from sectigo_tui.cli.commands.config import settings_json
    from sectigo_tui.presentation.json import failure_json, print_json

    document = settings_json(settings)
    document["keys_without_order"] = [str(path) for path in _keys_without_order(settings)]
    async with _client(settings, insist=insist) as client:
        document["proxy"] = client.proxy_in_use or None
        try:
            profiles = await client.types()
        except ScmFailure as failure:
            print_json({**document, "profiles": None, "rights": None, "failure": failure_json(failure)})
            raise
        rights = await _rights(client)
    document["profiles"] = [_profile_json(profile) for profile in profiles]
    document["rights"] = [_right_json(right) for right in rights]
    print_json({**document, "failure": None})
    return FINE


class Right(Struct, frozen=True):
    """Whether the login has a right that the program can do without.

    Args:
        name: What may be read by it.
        is_allowed: Whether the login may; None where SCM did not tell.
        count: How many organizations and departments the login sees; None for another right.
        failure: What SCM refused it with, or why it did not tell.
    """

    name: str
    is_allowed: bool | None
    count: int | None = None
    failure: ScmFailure | None = None

    @property
    def text(self) -> str:
        """For a person."""
        if self.is_allowed:
            return f"yes, {self.count} organizations and departments" if self.count is not None else "yes"
        failure = self.failure
        if failure is None:
            return "not asked: SCM refused the credentials for the call before"
        code = f", SCM code {failure.code}" if failure.code is not None else ""
        words = printable(failure.description or failure.reason)
        return f"{'not known' if self.is_allowed is None else 'no'}: {words}{code}"


async def _rights(client: ScmClient) -> list[Right]:
    """Ask for what a login may lack the right to; a 401 ends it, for another one could lock the account."""
    from datetime import UTC, datetime

    today = datetime.now(UTC).date()
    calls: dict[str, Callable[[], Awaitable[Iterable[object]]]] = {
        "reports": lambda: client.report(ReportQuery(ReportDate.ISSUED, today, today)),
        "DCV list": lambda: _rows(client.domain_validations(expires_in_days=None, position=0, size=1)),
        "organizations": client.organizations,
        "usage": client.usage,
    }
    rights: list[Right] = []
    is_ended = False
    for name, call in calls.items():
        if is_ended:
            rights.append(Right(name, None))
            continue
        try:
            found = await call()
        except ScmFailure as failure:
            is_ended = isinstance(failure, CredentialsRefused)
            rights.append(Right(name, False if is_ended or is_missing_right(failure) else None, failure=failure))
        else:
            rights.append(Right(name, True, len(tuple(found)) if name == "organizations" else None))
    return rights


async def _rows(page: Awaitable[DomainPage]) -> tuple[object, ...]:
    return (await page).rows


def _right_json(right: Right) -> dict[str, Json]:
    from sectigo_tui.presentation.json import failure_json

    return {
        "name": right.name,
        "allowed": right.is_allowed,
        "count": right.count,
        "failure": failure_json(right.failure),
    }


def _keys_without_order(settings: Settings) -> list[Path]:
    """Return the keys without an order, after a warning for each."""
    from sectigo_tui.wiring.settings import keys_without_order
    from sectigo_tui.wiring.store import orders_with_keys

    try:
        keys = keys_without_order(settings.paths, complain_of, lambda: orders_with_keys(settings, complain_of))
    except StoreError as error:
        complain(f"warning: whether each key has its order is not known: {error}")
        return []
    for key in keys:
        complain(f"warning: {key} is a private key that no local order was placed with; remove it unless you use it")
    return keys


@asynccontextmanager
async def _client(settings: Settings, *, insist: bool) -> AsyncIterator[ScmClient]:
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.engine.engine import EventSource
    from sectigo_tui.wiring.clients import credentials_of, logins_of, make_client

    credentials, clock = credentials_of(settings, may_prompt=True), SystemClock()
    logins = logins_of(settings, settings.sectigo.base_url, credentials.customer_uri, clock)
    if insist:
        logins.insist(credentials)
    client = make_client(settings, credentials, EventSource(), clock, logins)
    try:
        yield client
    finally:
        await client.aclose()


def _profile_json(profile: CertificateProfile) -> dict[str, Json]:
    return {
        "id": profile.id,
        "name": profile.name,
        "terms_days": list(profile.terms_days),
        "key_types": {kind: list(sizes) for kind, sizes in profile.key_types.items()},
    }


def _profile_row(profile: CertificateProfile) -> tuple[str, str, str, str]:
    keys = "; ".join(f"{kind} {', '.join(sizes)}" for kind, sizes in profile.key_types.items())
    return str(profile.id), profile.name, ", ".join(map(str, profile.terms_days)), keys
