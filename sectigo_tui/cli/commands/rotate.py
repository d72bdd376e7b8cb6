"""`sectigo-tui rotate`: new credentials, here, at SCM and at certctl-server."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from sectigo_tui.cli.exit_codes import FAILED, FINE
from sectigo_tui.cli.parser import add_json
from sectigo_tui.cli.session import acting, check_writable, settings_from
from sectigo_tui.cli.terminal import check_can_ask, complain, secret_from, secret_typed, show_message
from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.ports import SecretText
    from sectigo_tui.engine.credentials.certctl import StepDone
    from sectigo_tui.engine.credentials.service import SwitchedCredentials
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.presentation.json import Json


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--login", metavar="LOGIN", default="", help="the new login; by default the present one")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--password-file", metavar="FILE", help="the new password, else it is asked for; - is stdin")
    how.add_argument("--at-sectigo", action="store_true", help="set a new random password at SCM")
    how.add_argument("--settle", action="store_true", help="find out which password works after an interrupted change")
    parser.add_argument("--insist", action="store_true", help="test even credentials that SCM has rejected before")
    parser.add_argument("--certctl", action="store_true", help="update certctl-server too")
    add_json(parser)


def run(options: Namespace) -> int:
    """Rotate the credentials.

    Raises:
        InputError: What was given cannot be used; nothing was sent.
        ScmFailure: SCM rejects the new credentials, or whether they work is not known; the present ones stay.
        ConfigError: The new password could not be kept before it was sent; nothing was sent.
        StoreError: The same.
    """
    import asyncio

    settings = settings_from(options)
    if options.at_sectigo:
        check_writable(settings, "changing the password")
    if options.certctl:
        check_writable(settings, "changing certctl-server's issuer")
    if options.certctl and settings.certctl_server() is None:
        raise InputError("no certctl-server is configured", "set url and issuer_id in [certctl], or omit --certctl")
    if options.login and (options.at_sectigo or options.settle):
        raise InputError("a login goes with its own password", "give --login without --at-sectigo and --settle")
    password = None if options.at_sectigo or options.settle else _password(settings, options)
    return asyncio.run(_rotate(settings, options, password))


def _password(settings: Settings, options: Namespace) -> SecretText | None:
    if options.password_file is not None:
        return secret_from(options.password_file, "password")
    check_can_ask("--password-file FILE")
    login = options.login or settings.account().login
    keep = ", empty to keep the present one" if options.login else ""
    return secret_typed(f"New password of {login!a}{keep}:")


async def _rotate(settings: Settings, options: Namespace, password: SecretText | None) -> int:
    from sectigo_tui.presentation.json import print_json

    async with acting(settings) as engine:
        switched = await _switched_text(engine, options, password)
        if switched is None:
            complain("no change of the password was interrupted")
            if options.json:
                print_json(None)
            return FINE
        steps = await _hand_over(engine) if options.certctl else []
    return _print(_Rotated(switched, steps), as_json=options.json)


async def _switched_text(engine: Engine, options: Namespace, password: SecretText | None) -> SwitchedCredentials | None:
    if options.settle:
        settled = await engine.credentials.settle(again=True)
        if settled is None:
            return None
        proof = "SCM has accepted it" if settled.is_proven else "the other one was refused"
        complain(f"the {settled.candidate} password works: {proof}")
        return settled.switched
    if options.at_sectigo:
        return await engine.credentials.change()
    return await engine.credentials.rotate(options.login, password, insist=options.insist)


async def _hand_over(engine: Engine) -> list[StepDone]:
    handing_over = engine.handing_over
    return [] if handing_over is None else [step async for step in handing_over.hand_over()]


class _Rotated(Struct, frozen=True):
    switched: SwitchedCredentials
    steps: Sequence[StepDone]

    @property
    def is_complete(self) -> bool:
        return self.switched.keeping_failure is None and all(step.failure is None for step in self.steps)


def _print(rotated: _Rotated, *, as_json: bool) -> int:
    from sectigo_tui.domain.explain import explain
    from sectigo_tui.presentation.json import print_json

    switched = rotated.switched
    if as_json:
        print_json(_json(rotated))
    else:
        show_message(f"SCM accepts login {switched.login}")
        if switched.keeping_failure is None:
            show_message(f"kept in {switched.kept_in}")
        for step in rotated.steps:
            if step.failure is None:
                show_message(f"certctl-server, {step.step.value}: done {step.words}".rstrip())
    if switched.keeping_failure is not None:
        told = explain(switched.keeping_failure)
        complain(f"NOT kept for the next start: {told.meaning} {told.next_step}")
    if switched.overridden_by:
        complain(f"the next start takes them from {switched.overridden_by}: change them there too")
    for step in rotated.steps:
        if step.failure is not None:
            told = explain(step.failure)
            complain(f"certctl-server, {step.step.value}: FAILED, {told.meaning}\n  left to do: {told.next_step}")
    if switched.keeping_failure is None:
        complain("a dashboard or watch that runs already takes them over within seconds")
    return FINE if rotated.is_complete else FAILED


def _json(rotated: _Rotated) -> dict[str, Json]:
    from sectigo_tui.presentation.json import failure_json

    switched = rotated.switched
    return {
        "login": switched.login,
        "kept_in": switched.kept_in if switched.keeping_failure is None else None,
        "keeping_failure": failure_json(switched.keeping_failure),
        "overridden_by": switched.overridden_by or None,
        "certctl": [
            {"step": step.step.value, "words": step.words or None, "failure": failure_json(step.failure)}
            for step in rotated.steps
        ],
    }
