"""The fields of QueryRoot."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from courier.sandbox.shopify.paging import Arguments, Key, connection, cut
from courier.sandbox.shopify.resources import CUSTOMERS, EVENTS, LOCATIONS, ORDERS, PRODUCTS, VARIANTS, Resource
from courier.sandbox.shopify.search import Manner, parse_query
from courier.sandbox.shopify.values import Node, gid, parse_gid
from courier.sandbox.shopify.versions import SUPPORTED, UNSTABLE, exclusive_after
from courier.sandbox.shopify.view import View

MOST_IDS = 250
DEFAULT_COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class Listing:
    """The records that a query finds, in order: `keys` ascend, `rows` beside them."""

    keys: Sequence[Key]
    rows: Sequence[Any]


class Listings:
    """The last few listings of one state of the shop, so that the next page does not sort everything again."""

    def __init__(self) -> None:
        self.found: OrderedDict[tuple[object, ...], Listing] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], Listing]) -> Listing:
        if key not in self.found:
            self.found[key] = make()
            if len(self.found) > 16:
                self.found.popitem(last=False)
        return self.found[key]


class Root:
    """The root of one request. `searches` collects what extensions.search says; `hidden` ids are left out of pages."""

    def __init__(self, view: View, listings: Listings, version: str, shop: Node, scopes: Sequence[str]) -> None:
        self.view = view
        self.listings = listings
        self.version = version
        self.shop = shop
        self.scopes = scopes
        self.searches: list[dict[str, object]] = []
        self.hidden: frozenset[str] = frozenset()
        self.whole_days = True

    def fields(self) -> Node:
        """Field name -> callable, for the executor."""
        resources = {
            "customers": CUSTOMERS,
            "orders": ORDERS,
            "products": PRODUCTS,
            "productVariants": VARIANTS,
            "events": EVENTS,
        }
        found: Node = {name: self._lister(name, resource) for name, resource in resources.items()}
        counted = {name: resource for name, resource in resources.items() if name != "events"}
        found.update({f"{name}Count": self._counter(f"{name}Count", counted[name]) for name in counted})
        found.update({kind.lower(): self._finder(kind) for kind in ("Customer", "Order", "Refund")})
        found.update(
            locations=self._locations,
            node=self._node,
            nodes=self._nodes,
            shop=self.shop,
            currentAppInstallation=self._installation(),
            publicApiVersions=[{"handle": i, "supported": i != UNSTABLE} for i in (*SUPPORTED, UNSTABLE)],
            bulkOperation=lambda info, **arguments: None,
            bulkOperations=lambda info, **arguments: connection("", (), cut((), Arguments(first=1)), []),
        )
        return found

    def _installation(self) -> Node:
        return {"id": gid("AppInstallation", 1), "accessScopes": [{"handle": scope} for scope in self.scopes]}

    def _lister(self, name: str, resource: Resource) -> Callable[..., Node]:
        def page(info: Any, query: str | None = None, sortKey: str | None = None, **arguments: Any) -> Node:
            arguments.pop("savedSearchId", None)
            listing = self._listing(name, resource, query, sortKey or resource.default)
            return self._page(resource, listing, Arguments(**arguments))

        return page

    def _page(self, resource: Resource, listing: Listing, arguments: Arguments) -> Node:
        part = cut(listing.keys, arguments)
        nodes = [resource.node(row, self.view) for row in part.of(listing.rows)]
        if self.hidden:
            nodes = [node for node in nodes if node["id"] not in self.hidden]
        return connection(f"{resource.type_name}Edge", listing.keys, part, nodes)

    def _listing(self, name: str, resource: Resource, query: str | None, sort: str) -> Listing:
        manner = Manner(exclusive_after(self.version), self.whole_days)
        parsed = parse_query(query, resource.fields, manner)
        if parsed.warnings:
            self.searches.append({"path": [name], "query": query, "warnings": parsed.warnings})
        value = resource.keys.get(sort, resource.keys["ID"])

        def make() -> Listing:
            rows = [row for row in resource.rows(self.view) if parsed.accepts(row)]
            pairs = sorted(((value(row), resource.identity(row)), at) for at, row in enumerate(rows))
            return Listing([key for key, _ in pairs], [rows[at] for _, at in pairs])

        return self.listings.get((name, query, sort, manner, self.view.oldest_order), make)

    def _locations(
        self, info: Any, includeInactive: bool = False, includeLegacy: bool = False, **arguments: Any
    ) -> Node:
        listing = self._listing("locations", LOCATIONS, arguments.pop("query", None), arguments.pop("sortKey", "NAME"))
        kept = [
            at
            for at, row in enumerate(listing.rows)
            if (includeInactive or row.is_active) and (includeLegacy or not row.is_fulfillment_service)
        ]
        chosen = Listing([listing.keys[at] for at in kept], [listing.rows[at] for at in kept])
        return self._page(LOCATIONS, chosen, Arguments(**arguments))

    def _counter(self, name: str, resource: Resource) -> Callable[..., Node]:
        def count(info: Any, query: str | None = None, limit: int | None = DEFAULT_COUNT_LIMIT, **others: Any) -> Node:
            found = len(self._listing(name, resource, query, "ID").keys)
            capped = limit is not None and found > limit
            return {"count": limit if capped else found, "precision": "AT_LEAST" if capped else "EXACT"}

        return count

    def _finder(self, kind: str) -> Callable[..., Node | None]:
        def find(info: Any, id: str) -> Node | None:
            found = self._node(info, id)
            return found if found and found["__typename"] == kind else None

        return find

    def _node(self, info: Any, id: str) -> Node | None:
        parts = parse_gid(id)
        if parts is None:
            message = f"Invalid global id '{id}'"
            raise GraphQLError(
                message, extensions={"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"}
            )
        if id == self.shop["id"]:
            return self.shop
        return self.view.node(*parts)

    def _nodes(self, info: Any, ids: list[str]) -> list[Node | None]:
        if len(ids) > MOST_IDS:
            message = f"The input array size of {len(ids)} is greater than the maximum allowed of {MOST_IDS}."
            raise GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
        return [self._node(info, identity) for identity in ids]
