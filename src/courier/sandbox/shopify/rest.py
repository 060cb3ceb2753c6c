"""The REST Admin API of the made-up shop, as older clients ask it: lists, counts, single records, scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from courier.sandbox.shopify import rest_orders, rest_records
from courier.sandbox.shopify.listings import Listing, Listings
from courier.sandbox.shopify.rest_paging import WITH_PAGE_INFO, Parameters, Refused, accepts, link, page, unpacked
from courier.sandbox.shopify.rest_values import Json
from courier.sandbox.shopify.service import STORE, Service
from courier.sandbox.shopify.versions import answered_by
from courier.sandbox.shopify.view import Index, View

DOMAIN = f"{STORE}.myshopify.com"
HEADERS = {"X-Shopify-Shop-Api-Call-Limit": "1/40"}

Read = Callable[[Any], Any]


def _keep_all(asked: Parameters) -> Read:
    return lambda row: True


@dataclass(frozen=True)
class Resource:
    """One kind of list. `times` can be asked for as `<name>_min` and `_max`, and ordered by; `usual` is the order."""

    scope: str | None
    rows: Callable[[View], Iterable[Any]]
    shape: Callable[[Any, View], Json]
    identity: Callable[[Any], int]
    times: Mapping[str, Read]
    usual: str = "id asc"
    keeps: Callable[[Parameters], Read] = _keep_all


def _order_status(asked: Parameters) -> Read:
    """`open` unless something else is asked for: the parameter that is forgotten most often."""
    wanted = asked.get("status", "open")

    def keeps(row: Any) -> bool:
        own = "cancelled" if row.order.cancelled_at else "closed" if row.order.closed_at else "open"
        return wanted in ("any", own)

    return keeps


def _of_event(asked: Parameters) -> Read:
    kinds = {kind.strip().upper() for kind in asked.get("filter", "").split(",") if kind.strip()}
    verb = asked.get("verb")
    return lambda row: (not kinds or row.subject_type in kinds) and (not verb or row.action == verb)


RESOURCES = {
    "customers": Resource(
        "read_customers",
        lambda view: view.history.customers.values(),
        rest_records.customer,
        lambda row: row.customer.id,
        {"created_at": lambda row: row.customer.created_at, "updated_at": lambda row: row.customer.updated_at},
    ),
    "orders": Resource(
        "read_orders",
        lambda view: (family for family in view.history.orders.values() if view.sees(family)),
        rest_orders.order,
        lambda row: row.order.id,
        {
            "created_at": lambda row: row.order.created_at,
            "updated_at": lambda row: row.order.updated_at,
            "processed_at": lambda row: row.order.processed_at,
        },
        usual="created_at desc",
        keeps=_order_status,
    ),
    "products": Resource(
        "read_products",
        lambda view: view.history.products.values(),
        rest_records.product,
        lambda row: row.product.id,
        {
            "created_at": lambda row: row.product.created_at,
            "updated_at": lambda row: row.product.updated_at,
            "published_at": lambda row: row.product.published_at,
        },
    ),
    "locations": Resource(
        "read_locations",
        lambda view: view.history.locations.values(),
        rest_records.location,
        lambda row: row.id,
        {"created_at": lambda row: row.created_at, "updated_at": lambda row: row.updated_at},
    ),
    "events": Resource(
        None,
        lambda view: (event for event in view.history.events if event.created_at >= view.oldest_event),
        rest_records.event,
        lambda row: row.id,
        {"created_at": lambda row: row.created_at},
        keeps=_of_event,
    ),
}


class Rest:
    """GET requests below /admin. Whoever calls `answer` has checked the token."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._index: Index | None = None
        self._listings = Listings()

    def scopes(self) -> Response:
        handles = [{"handle": scope} for scope in self.service.settings.scopes]
        return _reply({"access_scopes": handles}, {})

    def answer(self, request: Request) -> Response:
        """The answer to /admin/api/{version}/{path}.json."""
        version = answered_by(request.path_params["version"])
        path = request.path_params["path"]
        self.service.log.append({"query": "", "version": version or "", "cost": None, "path": path})
        try:
            if version is None:
                raise Refused(404, "Not Found")
            return self._found(request, path, {"X-Shopify-API-Version": version})
        except Refused as refused:
            return _reply({"errors": refused.errors}, {}, refused.status)

    def _found(self, request: Request, path: str, headers: dict[str, str]) -> Response:
        asked = dict(request.query_params)
        match path.split("/"):
            case ["shop"]:
                return _reply({"shop": self._shop()}, headers)
            case [name] if name in RESOURCES:
                return self._list(request, name, asked, headers)
            case [name, "count"] if name in RESOURCES:
                listing, _ = self._listing(name, RESOURCES[name], asked, self._view(name))
                return _reply({"count": len(listing.keys)}, headers)
            case ["orders", text, "refunds"]:
                return _reply({"refunds": self._record("orders", text)["refunds"]}, headers)
            case [name, text] if name in RESOURCES:
                return _reply({name.removesuffix("s"): self._record(name, text)}, headers)
        raise Refused(404, "Not Found")

    def _view(self, name: str) -> View:
        scope = RESOURCES[name].scope
        if scope is not None and scope not in self.service.settings.scopes:
            raise Refused(403, f"[API] This action requires merchant approval for {scope} scope.")
        view = self.service.view()
        if view.index is not self._index:
            self._index, self._listings = view.index, Listings()
        return view

    def _shop(self) -> Json:
        shop = self.service.shop
        return rest_records.shop(
            shop.identity, f"{self.service.handle}.myshopify.com", shop.options.currency, shop.anchor_seconds
        )

    def _list(self, request: Request, name: str, asked: Parameters, headers: dict[str, str]) -> Response:
        view, resource = self._view(name), RESOURCES[name]
        of, cursor = unpacked(asked)
        listing, falling = self._listing(name, resource, of, view)
        found = page(listing.keys, listing.rows, of, cursor, falling)
        wanted = [field.strip() for field in of.get("fields", "").split(",") if field.strip()]
        shaped = [_only(resource.shape(row, view), wanted) for row in found.rows]
        linked = link(f"{origin(request)}{request.url.path}", of, found)
        return _reply({name: shaped}, {**headers, "Link": linked} if linked else headers)

    def _listing(self, name: str, resource: Resource, of: Parameters, view: View) -> tuple[Listing, bool]:
        order = "id asc" if of.get("since_id") else of.get("order", resource.usual)
        field, _, direction = order.partition(" ")
        value: Read = resource.times.get(field, resource.identity)
        kept = tuple(sorted((key, text) for key, text in of.items() if key not in WITH_PAGE_INFO))

        def make() -> Listing:
            keeps = _filter(resource, of)
            rows = [row for row in resource.rows(view) if keeps(row)]
            pairs = sorted(((value(row) or 0, resource.identity(row)), at) for at, row in enumerate(rows))
            return Listing([key for key, _ in pairs], [rows[at] for _, at in pairs])

        return self._listings.get((name, kept, view.oldest_order), make), direction.lower() == "desc"

    def _record(self, name: str, text: str) -> Json:
        view, resource = self._view(name), RESOURCES[name]
        wanted = int(text) if text.isdigit() else 0
        found = next((row for row in resource.rows(view) if resource.identity(row) == wanted), None)
        if found is None:
            raise Refused(404, "Not Found")
        return resource.shape(found, view)


def _filter(resource: Resource, of: Parameters) -> Callable[[Any], bool]:
    """Which rows the parameters ask for."""
    within, keeps = accepts(of, resource.times), resource.keeps(of)
    low = _numbers(of.get("since_id")) or [0]
    ids = frozenset(_numbers(of.get("ids")))

    def asked_for(row: Any) -> bool:
        identity = resource.identity(row)
        return identity > low[0] and (not ids or identity in ids) and bool(keeps(row)) and within(row)

    return asked_for


def _numbers(text: str | None) -> list[int]:
    return [int(part) for part in (text or "").split(",") if part.strip().isdigit()]


def _only(record: Json, wanted: list[str]) -> Json:
    return {name: record[name] for name in wanted if name in record} if wanted else record


def origin(request: Request) -> str:
    """As the client reaches this server: a shop's own domain is always behind TLS."""
    host = request.headers.get("host", DOMAIN)
    return f"{'https' if host.endswith('.myshopify.com') else 'http'}://{host}"


def _reply(content: Json, headers: Mapping[str, str], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, {**HEADERS, **headers}, "application/json; charset=utf-8")
