"""`sectigo-tui enroll`: one certificate, ordered once."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.cli.outcomes import duplicate_lines, facts, follow, placed_by, reject_duplicates, show_placed
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import check_writable, session, settings_from
from sectigo_tui.cli.terminal import check_can_ask, complain, confirm, secret_from, secret_typed
from sectigo_tui.domain.errors import ConfigError, InputError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.account import CertificateProfile
    from sectigo_tui.domain.certificates import EnrollRequest
    from sectigo_tui.domain.pki import CsrFacts, KeyOrder
    from sectigo_tui.domain.ports import SecretText
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.engine.orders.enroll import EnrollOffer
    from sectigo_tui.engine.orders.lookup import Duplicates


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--csr", metavar="FILE", help="the certificate request; - is stdin")
    source.add_argument("--make-key", metavar="KIND", help="make a private key here, such as RSA:2048 or EC:P-256")
    key = parser.add_argument_group("key to be made")
    key.add_argument("--cn", metavar="NAME", default="", help="the common name")
    key.add_argument("--key-file", metavar="FILE", default="", help="where the key goes; nothing may be there")
    key.add_argument("--passphrase-file", metavar="FILE", default="", help="encrypt it; - is stdin")
    key.add_argument("--ask-passphrase", action="store_true", help="encrypt it, the passphrase is asked for")
    what = parser.add_argument_group("what is ordered; by default as configured")
    what.add_argument("--san", metavar="NAME", action="append", default=[], help="a further name; may be repeated")
    what.add_argument("--drop-other-names", action="store_true", help="leave out the CSR's names that are no DNS names")
    what.add_argument("--organization", metavar="ID", type=int, help="the organization or department")
    what.add_argument("--profile-id", "--cert-type", metavar="ID", type=int, help="the certificate profile")
    what.add_argument("--term", metavar="DAYS", type=int, help="the validity; one that the profile offers")
    what.add_argument("--requester", metavar="EMAIL", action="append", default=[], help="is notified; may be repeated")
    what.add_argument("--comments", metavar="TEXT", default="", help="kept by SCM")
    what.add_argument("--custom", metavar="NAME=VALUE", type=_pair, action="append", default=[], help="a custom field")
    what.add_argument("--dcv-mode", metavar="MODE", type=str.upper, default="", help="CNAME, EMAIL, HTTP, HTTPS, TXT")
    what.add_argument("--dcv-email", metavar="EMAIL", default="", help="the address that is asked with EMAIL")
    add_how(parser)


def add_how(parser: ArgumentParser) -> None:
    """Add how something is ordered: the arguments that `enroll` and `renew` share."""
    how = parser.add_argument_group("how")
    how.add_argument("--yes", action="store_true", help="order without asking")
    how.add_argument("--allow-duplicate", action="store_true", help="order although others have the same name")
    add_wait(parser, "poll until it is a certificate, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser)


def run(options: Namespace) -> int:
    """Order a certificate.

    Raises:
        InputError: Something cannot be ordered so; nothing was sent.
        ConfigError: The settings name no account, organization or profile.
        ScmFailure: SCM rejected, or certainly did not get it; nothing was ordered.
        StoreError: It could not be written down.
    """
    import asyncio

    settings = settings_from(options)
    check_writable(settings, "ordering")
    _check_together(options)
    if not options.yes:
        check_can_ask("--yes")
    return asyncio.run(_enroll(settings, options, _key_order(settings, options)))


async def read_csr(engine: Engine, path: str) -> CsrFacts:
    """Return what the CSR in a file says; `-` is stdin.

    Raises:
        InputError: There is not exactly one readable CSR in it.
    """
    from sectigo_tui.domain.pki import CSR_BYTES_AT_MOST

    if path == "-":
        return await engine.enrolling.read_csr(sys.stdin.buffer.read(CSR_BYTES_AT_MOST))
    return await engine.enrolling.read_csr_file(path)


async def _enroll(settings: Settings, options: Namespace, key: KeyOrder | None) -> int:
    from msgspec.structs import replace

    from sectigo_tui.engine.orders.lookup import Duplicates, OrderedMeanwhile

    async with session(settings) as engine:
        csr = _planned(key) if key is not None else await read_csr(engine, options.csr)
        organization_id = _setting(settings, options.organization, "org_id", "--organization")
        offer = await engine.enrolling.offer(organization_id)
        profile = _profile(settings, options, offer)
        wanted = _request(options, csr, organization_id, profile.id, _term(settings, options, profile))
        request = _prepared(engine, options, wanted, csr, offer)
        duplicates = await engine.enrolling.duplicates(request)
        if not duplicates.is_clear and not options.allow_duplicate:
            return reject_duplicates(duplicates, as_json=options.json)
        if not options.yes:
            await confirm(_summary(settings, request, csr, offer, key=key, duplicates=duplicates), "order")
        if key is not None:
            csr = await engine.enrolling.make_csr(key)
            complain(f"private key: {key.path}")
            request = engine.enrolling.prepare(replace(wanted, key_path=key.path), csr, offer)
        since = None if options.allow_duplicate else duplicates
        try:
            placed = await placed_by(engine, engine.enrolling.enroll(request, since=since))
        except OrderedMeanwhile as other:
            return reject_duplicates(Duplicates((other.order,)), as_json=options.json)
        ending, order = await follow(engine, placed, options.wait)
        return show_placed(ending, order, duplicates, placed.lost, as_json=options.json)


def _check_together(options: Namespace) -> None:
    of_key = {"--cn": options.cn, "--key-file": options.key_file, "--passphrase-file": options.passphrase_file}
    given = [flag for flag, value in of_key.items() if value] + ["--ask-passphrase"] * options.ask_passphrase
    if options.csr is not None and given:
        raise InputError(f"{given[0]} goes with --make-key, and a CSR is given", "give one or the other")
    if options.csr is None and not options.cn:
        raise InputError("no name is given for the key to be made", "give --cn NAME")


def _key_order(settings: Settings, options: Namespace) -> KeyOrder | None:
    from sectigo_tui.domain.pki import KeyOrder

    if options.csr is not None:
        return None
    algorithm, _, size = options.make_key.partition(":")
    directory = settings.paths.data_dir / "keys"
    path = Path(options.key_file).expanduser() if options.key_file else _free_path(directory, options.cn)
    return KeyOrder(
        path=str(path),
        common_name=options.cn,
        alternative_names=tuple(options.san),
        key_type=algorithm.upper(),
        key_size=size,
        passphrase=_passphrase(options),
    )


def _passphrase(options: Namespace) -> SecretText | None:
    if options.passphrase_file:
        return secret_from(options.passphrase_file, "passphrase")
    if not options.ask_passphrase:
        return None
    check_can_ask("--passphrase-file FILE")
    passphrase = secret_typed("Passphrase of the private key:")
    if passphrase is None or passphrase != secret_typed("The same again:"):
        raise InputError("the passphrase is empty, or was not typed twice the same", "nothing was done; do it again")
    return passphrase


def _free_path(directory: Path, common_name: str) -> Path:
    from sectigo_tui.pki.names import file_stem

    stem, number = file_stem(common_name), 1
    path = directory / f"{stem}.key"
    while path.exists():
        number += 1
        path = directory / f"{stem}-{number}.key"
    return path


def _planned(key: KeyOrder) -> CsrFacts:
    """Return what a key's CSR will say, so that all is checked before a key is made."""
    from sectigo_tui.domain.pki import CsrFacts
    from sectigo_tui.pki.names import parse_name

    names = tuple(dict.fromkeys(str(parse_name(name)) for name in (key.common_name, *key.alternative_names)))
    return CsrFacts(
        common_name=names[0],
        subject_alternative_names=names,
        key_type=key.key_type,
        key_size=key.key_size,
        signature_ok=True,
        pem="",
    )


def _setting(settings: Settings, given: int | None, key: str, flag: str) -> int:
    value: int | None = given if given is not None else getattr(settings.sectigo, key)
    if value is None:
        raise ConfigError(key=key, source="not set", reason="needed to order", remedy=f"set it, or give {flag} ID")
    return value


def _profile(settings: Settings, options: Namespace, offer: EnrollOffer) -> CertificateProfile:
    profile_id = _setting(settings, options.profile_id, "cert_type", "--profile-id")
    if offer.profiles.failure is not None:
        raise offer.profiles.failure
    profile = offer.profile(profile_id)
    if profile is None:
        offered = ", ".join(f"{each.id} {each.name}" for each in offer.profiles.items)
        raise InputError(f"the organization may not order profile {profile_id}", f"offered are {offered or 'none'}")
    return profile


def _term(settings: Settings, options: Namespace, profile: CertificateProfile) -> int:
    from sectigo_tui.engine.orders.enroll import choose_term

    wanted: int = options.term if options.term is not None else settings.sectigo.term
    choice = choose_term(profile, wanted)
    if choice.note:
        raise InputError(choice.note, f"give --term {choice.term_days}, or another that is offered")
    return wanted


def _request(options: Namespace, csr: CsrFacts, organization_id: int, profile_id: int, term_days: int) -> EnrollRequest:
    from sectigo_tui.domain.certificates import EnrollRequest

    return EnrollRequest(
        organization_id=organization_id,
        profile_id=profile_id,
        term_days=term_days,
        subject_alternative_names=(*csr.subject_alternative_names, *options.san),
        external_requester=",".join(options.requester),
        comments=options.comments,
        custom_fields=tuple(options.custom),
        dcv_mode=options.dcv_mode,
        dcv_email=options.dcv_email,
    )


def _prepared(
    engine: Engine, options: Namespace, request: EnrollRequest, csr: CsrFacts, offer: EnrollOffer
) -> EnrollRequest:
    """Return a request checked and completed; every warning, and every error but the first, goes to stderr.

    Raises:
        InvalidRequest: It cannot be ordered so.
    """
    from sectigo_tui.engine.orders.enroll import InvalidRequest

    # Asked about in the summary, where there is somebody to ask.
    drop_other_names = options.drop_other_names or not options.yes
    if offer.custom_fields.failure is not None:
        why = offer.custom_fields.failure.reason
        complain(f"warning: the account's custom fields are not known ({why}); SCM may ask for one")
    for caution in csr.cautions:
        complain(f"warning: the CSR: {caution}")
    if csr.other_names and drop_other_names:
        complain(f"warning: left out, not ordered: {', '.join(csr.other_names)}")
    try:
        return engine.enrolling.prepare(request, csr, offer, drop_other_names=drop_other_names)
    except InvalidRequest as invalid:
        for error in invalid.errors[1:]:
            complain(f"{error.reason}; {error.remedy}")
        raise


def _summary(
    settings: Settings,
    request: EnrollRequest,
    csr: CsrFacts,
    offer: EnrollOffer,
    *,
    key: KeyOrder | None,
    duplicates: Duplicates,
) -> str:
    names = {organization.id: organization.name for organization in offer.organizations.items}
    section = settings.sectigo
    lines = facts(
        ("account", f"{section.environment or ''} {section.customer_uri or ''}".strip()),
        ("common name", request.name),
        ("names", ", ".join(request.subject_alternative_names)),
        ("left out", ", ".join(csr.other_names)),
        ("key", csr.key),
        ("private key", f"to be made: {key.path}" if key is not None else "not made here"),
        ("profile", f"{request.profile_name} ({request.profile_id})"),
        ("organization", f"{names.get(request.organization_id, '')} ({request.organization_id})".strip()),
        ("term", f"{request.term_days} days"),
        ("requesters", request.external_requester),
        ("DCV", f"{request.dcv_mode} {request.dcv_email}".strip()),
        ("comments", request.comments),
        *request.custom_fields,
    )
    same = ["orders of the same name:", *duplicate_lines(duplicates)] if not duplicates.is_clear else []
    return "\n".join(["this is about to be ordered, and billed:", *lines, *same])


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
