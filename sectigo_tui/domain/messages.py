"""Messages to whoever blocks an order: to whom, and the templates they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter
from types import MappingProxyType


class Recipient(StrEnum):
    """Who is written to."""

    APPROVER = "approver"
    DNS = "dns"
    ORGANIZATION = "organization"
    SECTIGO = "sectigo"

    @property
    def who(self) -> str:
        """Who that is, for a person."""
        return _TITLES[self]


_TITLES = {
    Recipient.APPROVER: "the approver",
    Recipient.DNS: "the DNS owner",
    Recipient.ORGANIZATION: "the organization contact",
    Recipient.SECTIGO: "Sectigo support",
}

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "common_name": "the common name",
        "names": "all names of the certificate",
        "ssl_id": "SCM's id",
        "order_number": "the CA's order number",
        "backend_cert_id": "the number that Sectigo support asks for",
        "profile": "the certificate profile",
        "validation": "DV, OV or EV",
        "organization": "the organization",
        "requester": "who requested it",
        "approver": "the approver that SCM names",
        "requested": "when it was requested",
        "age": "how long ago that is",
        "status": "SCM's status",
        "why": "why it waits",
        "next_step": "what to do",
        "needed_by": "the date by which it matters, and why then",
        "records": "what the DNS owner has to publish, a line each",
        "next_check": "when the CA checks the domains next",
        "asked": "what the CA asked of the organization, in its words",
        "tracking_id": "the CA's number of the organization's validation",
        "address": "where to log in to SCM",
        "owner": "who attends to the order here",
        "pack": "the escalation pack",
    }
)
"""What a template may name in braces, and what stands there."""

_ORDER = """\
Order: sslId {ssl_id}, order number {order_number}
Names: {names}
Profile: {profile} ({validation})
Organization: {organization}
Requested: {requested} by {requester}, {age} ago
"""

TEMPLATES: Mapping[Recipient, str] = MappingProxyType(
    {
        Recipient.APPROVER: f"""\
Approval needed: certificate for {{common_name}}

Please approve this certificate order in Sectigo Certificate Manager.

{_ORDER}Approver: {{approver}}
Why: {{why}}
Needed: {{needed_by}}

How: {{next_step}}
Where: {{address}}, Certificates, SSL Certificates. Filter by the common name, select the order, Approve.
""",
        Recipient.DNS: f"""\
Please publish for the certificate of {{common_name}}

The certificate authority waits for proof of control over these domains. Please publish, exactly as written:

{{records}}

Why: {{why}}
Next check by the CA: {{next_check}}
Needed: {{needed_by}}

{_ORDER}""",
        Recipient.ORGANIZATION: f"""\
Organization validation for {{organization}}

Sectigo has to validate the organization before it issues the certificate for {{common_name}}.

Why: {{why}}
What Sectigo asked: {{asked}}
Tracking id: {{tracking_id}}
What to do: {{next_step}}
Needed: {{needed_by}}

{_ORDER}""",
        Recipient.SECTIGO: """\
Order {order_number} ({common_name}): {why}

Needed: {needed_by}

{pack}
""",
    }
)
"""What is written where the configuration has nothing else. The first line is the subject."""


def check_template(text: str) -> None:
    """Reject a template that cannot be filled in.

    Args:
        text: The subject in its first line, then the message; `{field}` is replaced, `{{` is a brace.

    Raises:
        ValueError: A brace is not closed, a field is unknown, or nothing is written.
    """
    if not text.strip():
        raise ValueError("is empty")
    fields = [(name, form, change) for _, name, form, change in Formatter().parse(text) if name is not None]
    unknown = [name for name, form, change in fields if name not in FIELDS or form or change]
    if unknown:
        raise ValueError(f"names {{{unknown[0]}}}, which is no field; the fields are {', '.join(FIELDS)}")


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its fields; a line of which no field is known is left out.

    Args:
        template: One that `check_template` takes.
        values: The fields' values; an empty one is unknown.
    """
    lines: list[str] = []
    for line in template.strip("\n").splitlines():
        names = [name for _, name, _, _ in Formatter().parse(line) if name]
        if names and not any(values.get(name) for name in names):
            continue
        shown = line.format_map({name: values.get(name) or "-" for name in FIELDS})
        if shown or (lines and lines[-1]):
            lines.append(shown)
    return "\n".join(lines).rstrip() + "\n"
