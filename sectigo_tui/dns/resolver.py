"""DNS by dnspython, an optional dependency (the extra `dns`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from sectigo_tui.domain.dns import CaaAnswer, CaaRecord
from sectigo_tui.domain.errors import DnsFailure

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.rdtypes.ANY.CAA import CAA
    from dns.rdtypes.ANY.CNAME import CNAME
    from dns.rdtypes.ANY.TXT import TXT
    from dns.resolver import Answer

DEFAULT_TIMEOUT_SECONDS = 5.0


class SystemDns:
    """The DNS as this machine's resolver sees it; fulfils `domain.dns.Dns`.

    The CA checks from elsewhere, and may see another view of a split zone.

    Args:
        nameservers: Addresses to ask instead of the machine's own.
        port: Their port.
        timeout_seconds: How long one query may take, all attempts together.
    """

    def __init__(
        self, nameservers: Sequence[str] = (), *, port: int = 53, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> None:
        self._nameservers = tuple(nameservers)
        self._port = port
        self._timeout_seconds = timeout_seconds
        self._resolver: Resolver | None = None

    async def caa(self, domain: str) -> CaaAnswer:
        """Return the CAA records that hold for a domain, climbing from it towards the root.

        Source: RFC 8659, section 3; the root itself is not asked.

        Args:
            domain: A domain name, with or without `*.`.

        Raises:
            DnsFailure: A name on the way could not be looked up, so it is not known which records hold; or dnspython is
                not installed.
        """
        name = domain.removeprefix("*.").rstrip(".").casefold()
        labels = name.split(".")
        for start in range(len(labels)):
            climbed = ".".join(labels[start:])
            found = cast("list[CAA]", await self._ask(climbed, "CAA"))
            if found:
                return CaaAnswer(name, climbed, tuple(sorted(map(_caa_record, found), key=str)))
        return CaaAnswer(name)

    async def cname(self, name: str) -> str:
        """Return where a CNAME record points to, without the last dot; empty when there is none.

        Raises:
            DnsFailure: It could not be looked up, or dnspython is not installed.
        """
        found = cast("list[CNAME]", await self._ask(name, "CNAME"))
        return found[0].target.to_text(omit_final_dot=True) if found else ""

    async def txt(self, name: str) -> tuple[str, ...]:
        """Return the texts of a name's TXT records.

        Raises:
            DnsFailure: It could not be looked up, or dnspython is not installed.
        """
        found = cast("list[TXT]", await self._ask(name, "TXT"))
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in found)

    async def _ask(self, name: str, kind: str) -> list[object]:
        resolver = self._loaded()
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN, NoAnswer

        try:
            answer: Answer = await resolver.resolve(f"{name.rstrip('.')}.", kind, search=False)
        except (NXDOMAIN, NoAnswer):
            return []
        except (DNSException, OSError, UnicodeError) as error:
            raise DnsFailure(name, f"{kind}: {str(error) or type(error).__name__}") from error
        return list(answer)

    def _loaded(self) -> Resolver:
        if self._resolver is None:
            try:
                from dns.asyncresolver import Resolver
                from dns.resolver import NoResolverConfiguration
            except ImportError as missing:
                raise DnsFailure("resolver", "dnspython is not installed: install sectigo-tui[dns]") from missing
            try:
                resolver = Resolver(configure=not self._nameservers)
            except NoResolverConfiguration as error:
                raise DnsFailure("resolver", str(error)) from error
            if self._nameservers:
                resolver.nameservers = list(self._nameservers)
                resolver.port = self._port
            resolver.lifetime = self._timeout_seconds
            self._resolver = resolver
        return self._resolver


def _caa_record(record: CAA) -> CaaRecord:
    return CaaRecord(record.flags, record.tag.decode("ascii", "replace"), record.value.decode("utf-8", "replace"))
