"""The fields of QueryRoot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from courier.sandbox.shopify.listings import Listing, Listings, by, search
from courier.sandbox.shopify.listings import count as count_found
from courier.sandbox.shopify.paging import Arguments, connection, cut
from courier.sandbox.shopify.resources import (
    CHECKOUTS,
    CUSTOMERS,
    EVENTS,
    LOCATIONS,
    ORDERS,
    PRODUCTS,
    VARIANTS,
    Resource,
)
from courier.sandbox.shopify.search import Manner, Parsed, parse_query
from courier.sandbox.shopify.values import Node, gid, parse_gid
from courier.sandbox.shopify.versions import SUPPORTED, UNSTABLE, exclusive_after
from courier.sandbox.shopify.view import View

MOST_IDS = 250
LISTED: dict[str, Resource] = {
    "customers": CUSTOMERS,
    "orders": ORDERS,
    "products": PRODUCTS,
    "productVariants": VARIANTS,
    "abandonedCheckouts": CHECKOUTS,
    "events": EVENTS,
}
DEFAULT_COUNT_LIMIT = 10_000


class Root:
    """The root of one request. `searches` collects what extensions.search says; `hidden` ids are left out of pages."""

    def __init__(
        self,
        view: View,
        listings: Listings,
        version: str,
        shop: Node,
        scopes: Sequence[str],
        indexed: View | None = None,
    ) -> None:
        self.view = view
        self.indexed = indexed or view  # what searches see: the same, or the shop as it stood some time ago
        self.listings = listings
        self.version = version
        self.shop = shop
        self.scopes = scopes
        self.searches: list[dict[str, object]] = []
        self.hidden: frozenset[str] = frozenset()
        self.whole_days = True
        self.operation: Callable[[str], Node | None] = lambda identity: None

    def fields(self) -> Node:
        """Field name -> callable, for the executor."""
        found: Node = {name: self._lister(name, resource) for name, resource in LISTED.items()}
        counted = {name: resource for name, resource in LISTED.items() if name != "events"}
        found.update({f"{name}Count": self._counter(f"{name}Count", counted[name]) for name in counted})
        found.update({kind.lower(): self._finder(kind) for kind in ("Customer", "Order", "Refund")})
        found.update(
            locations=self._locations,
            node=self._node,
            nodes=self._nodes,
            shop=self.shop,
            currentAppInstallation=self._installation(),
            publicApiVersions=[{"handle": i, "supported": i != UNSTABLE} for i in (*SUPPORTED, UNSTABLE)],
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
        nodes = [resource.node(row, self.view) for row in self._current(resource, part.of(listing.rows))]
        if self.hidden:
            nodes = [node for node in nodes if node["id"] not in self.hidden]
        return connection(f"{resource.type_name}Edge", listing.keys, part, nodes)

    def _current(self, resource: Resource, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as they stand now; an index that lags behind may know what is gone."""
        if self.indexed is self.view:
            return rows
        found = (resource.current(row, self.view) for row in rows)
        return [row for row in found if row is not None]

    def found(self, name: str, arguments: Mapping[str, Any]) -> tuple[Resource, Sequence[Any]]:
        """Every row that a root connection's arguments find, in order, for who reads them all."""
        given = dict(arguments)
        resource = LOCATIONS if name == "locations" else LISTED[name]
        if name == "locations":
            listing = self._chosen_locations(given)
        else:
            listing = self._listing(name, resource, given.get("query"), given.get("sortKey") or resource.default)
        rows = self._current(resource, listing.rows)
        return resource, rows[::-1] if given.get("reverse") else rows

    def _listing(self, name: str, resource: Resource, query: str | None, sort: str) -> Listing:
        parsed = self._parsed(name, resource, query)
        sort = sort if sort in resource.keys else "ID"
        key = (resource.type_name, query, sort, self._manner, self.indexed.oldest_order)
        return self.listings.get(key, lambda: search(resource, parsed, sort, lambda sort: self._whole(resource, sort)))

    def _parsed(self, name: str, resource: Resource, query: str | None) -> Parsed:
        parsed = parse_query(query, resource.fields, self._manner)
        if parsed.warnings:
            self.searches.append({"path": [name], "query": query, "warnings": parsed.warnings})
        return parsed

    @property
    def _manner(self) -> Manner:
        return Manner(exclusive_after(self.version), self.whole_days)

    def _whole(self, resource: Resource, sort: str) -> Listing:
        key = (resource.type_name, sort, self.indexed.oldest_order)
        return self.listings.sorted(key, lambda: by(resource, resource.rows(self.indexed), sort))

    def _locations(self, info: Any, **arguments: Any) -> Node:
        listing = self._chosen_locations(arguments)
        return self._page(LOCATIONS, listing, Arguments(**arguments))

    def _chosen_locations(self, arguments: dict[str, Any]) -> Listing:
        """The locations asked for; takes its own arguments out."""
        inactive, legacy = arguments.pop("includeInactive", False), arguments.pop("includeLegacy", False)
        query, sort = arguments.pop("query", None), arguments.pop("sortKey", "NAME")
        listing = self._listing("locations", LOCATIONS, query, sort)
        kept = [
            at
            for at, row in enumerate(listing.rows)
            if (inactive or row.is_active) and (legacy or not row.is_fulfillment_service)
        ]
        return Listing([listing.keys[at] for at in kept], [listing.rows[at] for at in kept])

    def _counter(self, name: str, resource: Resource) -> Callable[..., Node]:
        def count(info: Any, query: str | None = None, limit: int | None = DEFAULT_COUNT_LIMIT, **others: Any) -> Node:
            parsed = self._parsed(name, resource, query)
            found = count_found(resource, parsed, lambda sort: self._whole(resource, sort))
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
        if parts[0] == "BulkOperation":
            return self.operation(id)
        return self.view.node(*parts)

    def _nodes(self, info: Any, ids: list[str]) -> list[Node | None]:
        if len(ids) > MOST_IDS:
            message = f"The input array size of {len(ids)} is greater than the maximum allowed of {MOST_IDS}."
            raise GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
        return [self._node(info, identity) for identity in ids]
