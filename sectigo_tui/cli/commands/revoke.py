"""`sectigo-tui revoke`: one certificate, for good."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from sectigo_tui.cli.outcomes import code_of_ending, facts, order_line
from sectigo_tui.cli.parser import add_json, add_wait
from sectigo_tui.cli.session import check_writable, session, settings_from
from sectigo_tui.cli.terminal import check_can_ask, complain, show_message, typed
from sectigo_tui.domain.errors import DoneUnsaved, InputError, StoreError
from sectigo_tui.domain.limits import REASONS

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.engine.orders.revoke import RevokeOffer
    from sectigo_tui.presentation.json import Ending


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("ssl_id", metavar="SSLID", type=int, help="the order's sslId")
    parser.add_argument(
        "--reason-code",
        metavar="CODE",
        type=int,
        required=True,
        help=", ".join(f"{code} {name}" for code, name in REASONS.items()),
    )
    parser.add_argument("--reason", metavar="TEXT", required=True, help="in words, kept by SCM")
    parser.add_argument("--confirm", metavar="NAME", help="its common name; asked for without")
    add_wait(parser, "until SCM has answered, wait up to SECONDS; by default poll_max_wait_seconds")
    add_json(parser)


def run(options: Namespace) -> int:
    """Revoke a certificate.

    Raises:
        InputError: It cannot be revoked, or not so; nothing was sent.
        ScmFailure: SCM rejected; the certificate is what it was.
        StoreError: It could not be recorded; nothing was sent.
    """
    import asyncio

    settings = settings_from(options)
    check_writable(settings, "revoking")
    if options.reason_code not in REASONS:
        known = ", ".join(f"{code} {name}" for code, name in REASONS.items())
        raise InputError(f"{options.reason_code} is no reason code that SCM takes", f"take one of {known}")
    if options.confirm is None:
        check_can_ask("--confirm COMMON_NAME")
    return asyncio.run(_revoke(settings, options))


async def _revoke(settings: Settings, options: Namespace) -> int:
    from sectigo_tui.cli.wait import current, left_as, wait_for
    from sectigo_tui.presentation.json import Ending

    async with session(settings) as engine:
        confirmed = options.confirm if options.confirm is not None else await _confirmed(engine, settings, options)
        order = await _revoked(engine, options, confirmed)
        ending = left_as(order)
        if ending is Ending.REVOKING and options.wait is not None:
            ending = (await wait_for(engine, [order.id], options.wait))[order.id]
            order = current(engine, order.id) or order
    return _print(order, ending, as_json=options.json)


async def _revoked(engine: Engine, options: Namespace, confirmed: str) -> Order:
    from sectigo_tui.domain.orders import OrderState

    try:
        return await engine.revoking.revoke(options.ssl_id, options.reason_code, options.reason, confirmed)
    except DoneUnsaved as done:
        complain("warning: SCM has revoked it, and that could not be saved here")
        return done.order
    except StoreError as error:
        order = engine.orders.by_ssl_id(options.ssl_id)
        if order is None or order.state is not OrderState.REVOKING:
            raise
        # It was recorded and sent, and the outcome could not be saved.
        complain(str(error))
        return order


async def _confirmed(engine: Engine, settings: Settings, options: Namespace) -> str:
    from sectigo_tui.engine.orders.revoke import ConfirmBy

    offer = await engine.revoking.offer(options.ssl_id)
    if offer.rejection:
        raise InputError(f"sslId {options.ssl_id} cannot be revoked: {offer.rejection}", "see its timeline")
    complain(_summary(settings, offer, options))
    name = "sslId" if offer.confirm_by is ConfirmBy.SSL_ID else "common name"
    return await typed(f"Type the {name} to revoke it for good:")


def _summary(settings: Settings, offer: RevokeOffer, options: Namespace) -> str:
    from sectigo_tui.presentation.json import moment_json

    details, section = offer.details, settings.sectigo
    lines = facts(
        ("account", f"{section.environment or ''} {section.customer_uri or ''}".strip()),
        ("common name", details.common_name),
        ("sslId", str(details.ssl_id)),
        ("serial number", f"...{offer.serial_tail}" if offer.serial_tail else ""),
        ("order number", details.order_number),
        ("status", details.status),
        ("expires", moment_json(details.expires) or ""),
        ("reason", f"{options.reason_code} {REASONS[options.reason_code]}: {options.reason}"),
    )
    return "\n".join(["this is about to be revoked:", *lines])


def _print(order: Order, ending: Ending, *, as_json: bool) -> int:
    from sectigo_tui.domain.orders import OrderState
    from sectigo_tui.presentation.json import Ending, order_json, print_json

    if as_json:
        print_json({"outcome": ending.value, "order": order_json(order)})
    else:
        show_message(order_line(order))
    if order.state is OrderState.REVOKED:
        complain(f"sslId {order.ssl_id}: revoked, and confirmed by SCM")
    elif order.state is OrderState.REVOKING:
        failure = (order.revocation.error if order.revocation else "") or "UNKNOWN, verifying"
        complain(
            f"sslId {order.ssl_id}: {failure}\n"
            "The revocation is recorded here, and SCM has not confirmed it. It is verified and sent again until SCM "
            "answers, whenever the dashboard or `sectigo-tui watch` runs."
        )
    else:
        complain(f"sslId {order.ssl_id}: NOT revoked, it is {order.scm_status or order.state}; see its timeline")
    is_told = order.state in (OrderState.REVOKED, OrderState.REVOKING)
    return code_of_ending(ending if is_told else Ending.ENDED)
