"""The calls about the account's domains, control of them, and the contract."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sectigo_tui.simulator.account import Domain
from sectigo_tui.simulator.listing import LARGEST_PAGE, whole
from sectigo_tui.simulator.requests import ApiError, Body
from sectigo_tui.simulator.views import allowance_view, domain_row, domain_status, domain_view
from sectigo_tui.simulator.world import World

_STATES = {"active": False, "inactive": True}
_DELEGATIONS = {"approved": False, "requested": True}


class DomainCalls:
    """The handlers, over a world.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the calls, relative to the base URL."""
        validations = [f"/dcv/v{version}/validation" for version in (1, 2)]
        return [
            *(Route(path, self._validations, methods=["GET"]) for path in validations),
            *(Route(f"{path}/status", self._status, methods=["POST"]) for path in validations),
            *(Route(f"{path}/sync", self._sync, methods=["POST"]) for path in validations),
            Route("/domain/v1", self._domains, methods=["GET"]),
            Route("/domain/v1/{domain_id}", self._domain, methods=["GET"]),
            Route("/usage/v1", self._usage, methods=["GET"]),
        ]

    async def _validations(self, request: Request) -> Response:
        """List validations. Source: SCM manual 25.5; how the words of a filter match is assumed."""
        self._check_dcv()
        query, now = request.query_params, self._world.now()
        found = self._named(query, "domain")
        if days := whole(query, "expiresIn", 0):
            until = now + timedelta(days=days)
            found = [one for one in found if one.expires is not None and now <= one.expires <= until]
        for organization in filter(None, (query.get("org"), query.get("department"))):
            found = [one for one in found if int(organization) in self._delegated_to(one)]
        words: tuple[tuple[str, Callable[[Domain], str]], ...] = (
            ("dcvStatus", lambda one: one.status(now)),
            ("orderStatus", lambda one: one.order_status(now)),
        )
        for name, word in words:
            if wanted := query.get(name, ""):
                found = [one for one in found if _same(word(one), wanted)]
        return _page([domain_row(one, now) for one in found], query)

    async def _status(self, request: Request) -> Response:
        return JSONResponse(domain_status(await self._asked_about(request), self._world.now()))

    async def _sync(self, request: Request) -> Response:
        """Tell what the CA knows by now. Source: SCM manual 25.5; that a published record is found is assumed."""
        domain = await self._asked_about(request)
        if domain.published and domain.status(self._world.now()) != "VALIDATED":
            self._world.validate_domain(domain.name)
        return JSONResponse(domain_status(self._world.domain(domain.name), self._world.now()))

    async def _domains(self, request: Request) -> Response:
        """List domains. Source: SCM manual 25.5, "List domains"."""
        query = request.query_params
        found = self._named(query, "name")
        if (state := query.get("state", "").lower()) in _STATES:
            found = [one for one in found if one.suspended is _STATES[state]]
        if (status := query.get("status", "").lower()) in _DELEGATIONS:
            found = [one for one in found if (one.requested_for is not None) is _DELEGATIONS[status]]
        if organization := whole(query, "orgId", 0):
            found = [one for one in found if organization in self._delegated_to(one)]
        return _page([{"id": one.id, "name": one.name} for one in found], query)

    async def _domain(self, request: Request) -> Response:
        domain_id = request.path_params["domain_id"]
        for one in self._world.account.domains.values():
            if str(one.id) == domain_id:
                return JSONResponse(domain_view(one, self._delegated_to(one), self._world.now()))
        raise ApiError(-727, f"The domain '{domain_id}' does not exist.", 404)

    async def _usage(self, _: Request) -> Response:
        return JSONResponse([allowance_view(one) for one in self._world.account.allowances.values()])

    async def _asked_about(self, request: Request) -> Domain:
        body = Body.read(await request.body(), request.headers.get("content-type", ""))
        name = body.text("domain", required=True, longest=255)
        self._check_dcv()
        known = self._world.account.domain(name)
        if known is None and not self._world.dialect.any_domain:
            raise ApiError(-727, f"The domain '{name}' does not exist.")
        return known or self._world.domain(name)

    def _check_dcv(self) -> None:
        if not self._world.account.is_dcv_used:
            raise ApiError(-1608, "DCV is not enabled for this customer.")

    def _named(self, query: Mapping[str, str], name: str) -> list[Domain]:
        wanted = query.get(name, "").lower()
        return [one for domain, one in sorted(self._world.account.domains.items()) if wanted in domain]

    def _delegated_to(self, domain: Domain) -> Sequence[int]:
        """Return to whom a domain is delegated: every organization, or the one that still waits for it."""
        if domain.requested_for is not None:
            return (domain.requested_for,)
        return [one.id for one in self._world.account.organizations]


def _page(rows: Sequence[dict[str, object]], query: Mapping[str, str]) -> Response:
    size = whole(query, "size", LARGEST_PAGE, largest=LARGEST_PAGE)
    position = whole(query, "position", 0)
    return JSONResponse(rows[position : position + size], headers={"X-Total-Count": str(len(rows))})


def _same(word: str, wanted: str) -> bool:
    return word.replace("_", "").lower() == wanted.replace("_", "").replace(" ", "").lower()
