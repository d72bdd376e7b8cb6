"""Whether a collected certificate is for the names of its order."""

from __future__ import annotations

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.errors import OtherNames
from sectigo_tui.domain.names import name_key, name_keys

_TOLD = 5


def check_names(facts: CertificateFacts, name: str) -> None:
    """Refuse a certificate that is not for the name its order goes by.

    Of an order whose CSR is known the key tells its certificate; of any other the name is all there is. Its other
    names are no evidence: a CA may add some, and leave some out.

    Args:
        facts: The certificate.
        name: What the order goes by. Where one of the two has no name, nothing is refused.

    Raises:
        OtherNames: It is for others.
    """
    names = tuple(filter(None, dict.fromkeys((facts.common_name, *facts.subject_alternative_names))))
    if not names or not name.strip() or name_key(name) in name_keys(names):
        return
    told = ", ".join(names[:_TOLD]) + (f", and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
    raise OtherNames(
        f"the certificate that SCM gives is for {told}, and the order is for {name}",
        "it is kept aside, not used: check the order in SCM",
    )
