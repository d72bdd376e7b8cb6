"""The certificate of an order: for the key of its CSR, with what the order and its account say."""

from cryptography import x509

from sectigo_tui.simulator.csr import read_csr
from sectigo_tui.simulator.orders import Order
from sectigo_tui.simulator.world import World


def certificate(world: World, order: Order) -> x509.Certificate | None:
    """Return the certificate of an order, or None while it has none.

    An order that came without a CSR gets a key of the CA's making.
    """
    course = world.course(order)
    if course.issued is None or course.expires is None:
        return None
    key = read_csr(order.csr).public_key if order.csr else world.ca.key(f"order/{order.ssl_id}").public_key()
    return world.ca.issue(
        public_key=key,
        names=order.names,
        level=order.profile.level,
        organization=world.account.organization(order.organization_id),
        serial=world.serial(order),
        issued=course.issued,
        expires=course.expires,
    )
