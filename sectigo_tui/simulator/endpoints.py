"""The calls of the API, each a handler over the world."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sectigo_tui.simulator.account import Organization
from sectigo_tui.simulator.actions import Actions
from sectigo_tui.simulator.ca import FORMATS, certificate
from sectigo_tui.simulator.domain_calls import DomainCalls
from sectigo_tui.simulator.listing import Listing, date_spans
from sectigo_tui.simulator.orders import Order
from sectigo_tui.simulator.report import report
from sectigo_tui.simulator.requests import ApiError, Body, wrong_id
from sectigo_tui.simulator.views import (
    dcv_view,
    order_view,
    organization_view,
    profile_view,
    validation_details,
    validation_view,
)
from sectigo_tui.simulator.world import World

Handler = Callable[[Request], Awaitable[Response]]

_LARGEST_ID = 2**31


def get(path: str, handler: Handler) -> Route:
    """Return a call by GET."""
    return Route(path, handler, methods=["GET"])


def post(path: str, handler: Handler) -> Route:
    """Return a call by POST."""
    return Route(path, handler, methods=["POST"])


class Api:
    """The API over a world.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._actions = Actions(world)
        self._listing = Listing(world)

    def routes(self) -> list[Route]:
        """Return its calls, relative to the base URL."""
        return [
            *self._of_orders("/ssl/v1", self._list),
            # 26.7 documents this one alone; its shapes were those of v1 in 25.9, but for filters by date.
            *self._of_orders("/ssl/v2", self._list_v2),
            get("/organization/v1", self._organizations),
            get("/organization/v2/{org_id}/validations", self._validations),
            get("/organization/v2/{org_id}/validations/{validation_id}", self._validation),
            *DomainCalls(self._world).routes(),
            post("/report/v1/ssl-certificates", self._report),
            get("/admin/v1/password", self._password),
            post("/admin/v1/changepassword", self._change_password),
        ]

    def _of_orders(self, at: str, listing: Handler) -> list[Route]:
        return [
            Route(at, listing, methods=["GET", "HEAD"]),
            get(f"{at}/types", self._types),
            get(f"{at}/customFields", self._custom_fields),
            post(f"{at}/enroll", self._enroll),
            get(f"{at}/collect/{{ssl_id}}", self._collect),
            get(f"{at}/collect/{{ssl_id}}/{{form}}", self._collect),
            post(f"{at}/approve/{{ssl_id}}", self._approve),
            post(f"{at}/decline/{{ssl_id}}", self._decline),
            post(f"{at}/revoke/serial/{{serial}}", self._revoke_by_serial),
            post(f"{at}/revoke/{{ssl_id}}", self._revoke),
            post(f"{at}/renewById/{{ssl_id}}", self._renew),
            post(f"{at}/replace/{{ssl_id}}", self._replace),
            get(f"{at}/{{ssl_id}}", self._details),
            get(f"{at}/{{ssl_id}}/dcv", self._dcv),
            post(f"{at}/{{ssl_id}}/dcv/recheck", self._recheck),
        ]

    async def _list_v2(self, request: Request) -> Response:
        query = dict(request.query_params)
        spans = date_spans(query, self._world.now()) if self._world.dialect.heeds_date_filters else {}
        return self._listed(request, query | spans)

    async def _list(self, request: Request) -> Response:
        return self._listed(request, dict(request.query_params))

    def _listed(self, request: Request, query: dict[str, str]) -> Response:
        if request.method == "HEAD":
            return Response(headers={"X-Total-Count": str(self._listing.count(query))})
        page = self._listing.page(query)
        return JSONResponse(page.rows, headers={"X-Total-Count": str(page.total)})

    async def _types(self, request: Request) -> Response:
        profiles = self._world.account.profiles
        organization = request.query_params.get("organizationId", "")
        if organization:
            found = self._organization(organization, status=400).id
            profiles = tuple(one for one in profiles if not one.organization_ids or found in one.organization_ids)
        return JSONResponse([profile_view(one) for one in profiles])

    async def _custom_fields(self, _: Request) -> Response:
        fields = self._world.account.custom_fields
        return JSONResponse([{"id": one.id, "name": one.name, "mandatory": one.mandatory} for one in fields])

    async def _details(self, request: Request) -> Response:
        order = self._order(request, status=404)
        return JSONResponse(order_view(self._world, order, self._date_format(request)))

    async def _enroll(self, request: Request) -> Response:
        order = self._actions.enroll(await _body(request))
        return JSONResponse({"sslId": order.ssl_id, "renewId": order.renew_id})

    async def _collect(self, request: Request) -> Response:
        order = self._order(request)
        form = request.path_params.get("form") or request.query_params.get("format") or "base64"
        if form not in FORMATS:
            raise ApiError(-126, f"Unknown SSL certificate file format requested: {form}")
        course = self._world.course(order)
        if course.status == "Revoked":
            raise ApiError(-110, "Certificate has been revoked and cannot be downloaded.")
        if course.status in {"Declined", "Rejected", "Invalid"}:
            raise ApiError(-130, f"SSL state is not 'ISSUED': {course.status}")
        leaf = certificate(self._world, order)
        if leaf is None:
            raise ApiError(0, "Being processed by Sectigo")
        if not course.collectable:
            return _not_collectable(order.life.collect_code)
        if order.downloaded is None and self._world.orders.get(order.ssl_id) is order:
            order.downloaded = self._world.now()
        root_first = self._world.dialect.bundle == "root-first"
        return Response(
            self._world.ca.bundle(leaf, form, root_first=root_first),
            media_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{order.ssl_id}.{"p7b" if form == "bin" else "cert"}"'
            },
        )

    async def _approve(self, request: Request) -> Response:
        self._actions.approve(self._order(request).ssl_id, await _body(request))
        return Response(status_code=204)

    async def _decline(self, request: Request) -> Response:
        self._actions.decline(self._order(request).ssl_id, await _body(request))
        return Response(status_code=204)

    async def _revoke(self, request: Request) -> Response:
        self._actions.revoke(self._order(request), await _body(request))
        return Response(status_code=204)

    async def _revoke_by_serial(self, request: Request) -> Response:
        serial = request.path_params["serial"]
        found = self._listing.find_serial(serial)
        order = None if found is None else self._world.order(found)
        if order is None:
            raise ApiError(-5101, f"Certificate not found. {serial}")
        self._actions.revoke(order, await _body(request))
        return Response(status_code=204)

    async def _renew(self, request: Request) -> Response:
        # Before the id is looked up: a client that sends "" is told about its body, whatever the id.
        body = await _body(request)
        return JSONResponse({"sslId": self._actions.renew(self._order(request).ssl_id, body).ssl_id})

    async def _replace(self, request: Request) -> Response:
        self._actions.replace(self._order(request).ssl_id, await _body(request))
        return Response(status_code=204)

    async def _dcv(self, request: Request) -> Response:
        order = self._order(request, status=404)
        if not self._world.account.is_dcv_used:
            raise ApiError(-1608, "DCV is not enabled for this customer.")
        view = dcv_view(self._world, order)
        return JSONResponse([view] if self._world.dialect.dcv_answer == "array" else view)

    async def _recheck(self, request: Request) -> Response:
        order = self._order(request, status=404)
        for name in order.names:
            domain = self._world.domain(name)
            if domain.published and domain.status(self._world.now()) != "VALIDATED":
                self._world.validate_domain(domain.name)
        return JSONResponse(dcv_view(self._world, order, instructions=False), status_code=202)

    async def _organizations(self, _: Request) -> Response:
        return JSONResponse([organization_view(one) for one in self._world.account.organizations])

    async def _validations(self, request: Request) -> Response:
        organization_id = request.path_params["org_id"]
        organization = self._organization(organization_id)
        # A department has no validations of its own.
        own = organization.validations if str(organization.id) == organization_id else []
        return JSONResponse([validation_view(one, self._world.now()) for one in own])

    async def _validation(self, request: Request) -> Response:
        organization = self._organization(request.path_params["org_id"])
        validation_id = request.path_params["validation_id"]
        for one in organization.validations:
            if str(one.id) == validation_id:
                return JSONResponse(validation_details(organization, one, self._world.now()))
        raise ApiError(-1, f"Validation '{validation_id}' not found.", 404)

    async def _report(self, request: Request) -> Response:
        return JSONResponse(report(self._world, await _body(request)))

    async def _password(self, _: Request) -> Response:
        expires = self._world.account.credentials.expires
        if expires is None:
            return JSONResponse({"state": "NEVER_EXPIRE"})
        state = "EXPIRED" if self._world.now() >= expires else "ALIVE"
        return JSONResponse({"expirationDate": f"{expires:%Y-%m-%d}", "state": state})

    async def _change_password(self, request: Request) -> Response:
        self._actions.change_password(await _body(request))
        return Response(status_code=204)

    def _date_format(self, request: Request) -> str:
        """Return the `dateFormat` asked for; blank where this account does not heed it."""
        return request.query_params.get("dateFormat", "") if self._world.dialect.heeds_date_format else ""

    def _order(self, request: Request, *, status: int = 400) -> Order:
        text = request.path_params["ssl_id"]
        if not (text.isascii() and text.isdigit()) or int(text) >= _LARGEST_ID:
            raise wrong_id(text, status=status)
        order = self._world.order(int(text))
        if order is None:
            raise wrong_id(text, status=status)
        return order

    def _organization(self, text: str, *, status: int = 404) -> Organization:
        found = self._world.account.organization(int(text)) if text.isascii() and text.isdigit() else None
        if found is None:
            raise ApiError(-1023, f"Organization '{text}' not found.", status)
        return found


async def _body(request: Request) -> Body:
    return Body.read(await request.body(), request.headers.get("content-type", ""))


def _not_collectable(code: int | None) -> Response:
    """Return what collecting answers to an order that is issued and cannot be collected yet."""
    if code is None:
        return Response(media_type="application/octet-stream")
    texts = {
        0: "Being processed by Sectigo",
        -103: "Certificate has not been collected yet.",
        -109: "Certificate is not available now, please try again later.",
        -129: "Connection error while applying certificate.",
        -130: "SSL state is not 'ISSUED': Applied",
        -140: "CSR decoding temporarily unavailable. Please try again later.",
        -169: "Certificate is not available, please contact administrator.",
        -183: "Certificate is not collectable.",
        -195: "CA is not available now. Please try again later.",
        -1400: "The request is being processed by Sectigo.",
    }
    raise ApiError(code, texts.get(code, "Unknown error."))
