"""`sectigo-tui renew`: a new order from an old one, ordered once."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.commands.enroll import add_how, read_csr
from sectigo_tui.cli.outcomes import duplicate_lines, facts, follow, placed_by, reject_duplicates, show_placed
from sectigo_tui.cli.session import check_writable, session, settings_from
from sectigo_tui.cli.terminal import check_can_ask, complain, confirm

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.pki import CsrFacts
    from sectigo_tui.engine.orders.renew import RenewOffer


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("ssl_id", metavar="SSLID", type=int, help="the order to be renewed")
    parser.add_argument("--csr", metavar="FILE", help="a new certificate request; - is stdin; by default the old one")
    add_how(parser)


def run(options: Namespace) -> int:
    """Renew an order.

    Raises:
        InputError: It cannot be renewed so; nothing was ordered.
        ScmFailure: SCM rejected, or certainly did not get it; nothing was ordered.
        StoreError: It could not be written down.
    """
    import asyncio

    settings = settings_from(options)
    check_writable(settings, "renewing")
    if not options.yes:
        check_can_ask("--yes")
    return asyncio.run(_renew(settings, options))


async def _renew(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.engine.orders.lookup import Duplicates, OrderedMeanwhile

    async with session(settings) as engine:
        csr = await read_csr(engine, options.csr) if options.csr is not None else None
        for caution in csr.cautions if csr is not None else ():
            complain(f"warning: the CSR: {caution}")
        offer = await engine.renewing.offer(options.ssl_id)
        if not offer.duplicates.is_clear and not options.allow_duplicate:
            return reject_duplicates(offer.duplicates, as_json=options.json)
        if not options.yes:
            await confirm(_summary(settings, offer, csr), "order")
        since = None if options.allow_duplicate else offer.duplicates
        try:
            placed = await placed_by(engine, engine.renewing.renew(options.ssl_id, csr, since=since))
        except OrderedMeanwhile as other:
            return reject_duplicates(Duplicates((other.order,)), as_json=options.json)
        ending, order = await follow(engine, placed, options.wait)
        return show_placed(ending, order, offer.duplicates, placed.lost, as_json=options.json)


def _summary(settings: Settings, offer: RenewOffer, csr: CsrFacts | None) -> str:
    from sectigo_tui.presentation.json import moment_json

    old, section = offer.old, settings.sectigo
    lines = facts(
        ("account", f"{section.environment or ''} {section.customer_uri or ''}".strip()),
        ("renews", f"sslId {old.ssl_id}, {old.status}, expires {moment_json(old.expires) or '-'}"),
        ("common name", old.common_name),
        ("names", ", ".join(old.subject_alternative_names)),
        ("profile", f"{old.profile_name} ({old.profile_id})"),
        ("key", f"a new one, {csr.key}" if csr is not None else "the same"),
    )
    clear = offer.duplicates.is_clear
    same = [] if clear else ["other orders of the same name:", *duplicate_lines(offer.duplicates)]
    return "\n".join(["this is about to be ordered again, and billed:", *lines, *same])
