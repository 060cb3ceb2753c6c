"""One GraphQL request from text to answer: version, validation, cost, execution, faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode

from courier.sandbox.faults import find
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.bucket import SINGLE_QUERY_LIMIT, Bucket
from courier.sandbox.shopify.bulk.server import Bulk, Run
from courier.sandbox.shopify.cost import query_cost
from courier.sandbox.shopify.documents import document, schema
from courier.sandbox.shopify.engine import execute
from courier.sandbox.shopify.faults import Fault, spoil
from courier.sandbox.shopify.listings import Listings
from courier.sandbox.shopify.root import Root
from courier.sandbox.shopify.scopes import GRANTED, denied
from courier.sandbox.shopify.values import Node, gid, parse_gid
from courier.sandbox.shopify.versions import SUPPORTED
from courier.sandbox.shopify.view import Index, View

STORE = "courier-sandbox"
_HELP = "https://shopify.dev/api/usage/rate-limits"


@dataclass(frozen=True)
class Settings:
    """How strict this server is. Sizes of the bucket are Shopify Plus's."""

    scopes: tuple[str, ...] = GRANTED
    bucket_size: float = 20_000
    restore_rate: float = 1_000
    whole_days: bool = True  # customers' updated_at is searched by whole days
    protected_data: bool = True  # whether the app is approved for personal data
    token_seconds: int = 86_399
    bulk_seconds: float = 0.0  # that a bulk operation takes, by the shop's clock; 0: done when it is asked about
    bulk_cancel_seconds: float = 0.0  # that a cancelled one is CANCELING
    bulk_slots: int | None = None  # None: what the API version allows
    index_lag_seconds: float = 0.0  # that searches and counts lag behind the records


@dataclass(frozen=True)
class Call:
    """The context of an execution."""

    scopes: frozenset[str]
    approved: bool

    def denied(self, type_name: str, field_name: str) -> str | None:
        return denied(self.scopes, type_name, field_name, protected=not self.approved)


@dataclass(frozen=True)
class _Asked:
    """A request that passed validation, and what it costs."""

    version: str
    text: str
    ast: DocumentNode
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    cost: int


@dataclass
class Service:
    """The Admin API of one shop. `answer` never raises on what a client sends."""

    shop: Shop
    settings: Settings = field(default_factory=Settings)
    log: list[dict[str, Any]] = field(default_factory=list)
    handle: str = STORE

    def __post_init__(self) -> None:
        self.bulk = Bulk(self.shop, self.settings)
        self._begin()

    def reset(self) -> None:
        """As at the start, without the bulk operations that there were."""
        self._begin()
        self.bulk.reset()

    def _begin(self) -> None:
        self.bucket = Bucket(self.settings.bucket_size, self.settings.restore_rate)
        self.log.clear()
        self._revision = -1
        self._last: dict[str, Mapping[str, Any]] = {}
        self._lagging: tuple[tuple[int, int], Index, Listings] | None = None
        self.index_lag = self.settings.index_lag_seconds

    def answer(self, body: Mapping[str, Any], version: str, faults: list[Fault]) -> Node:
        """The response's JSON. `body`: query, variables, operationName."""
        text, variables = str(body.get("query") or ""), body.get("variables") or {}
        entry: dict[str, Any] = {"query": text, "version": version, "cost": None}
        self.log.append(entry)
        read = document(version, text)
        if read.ast is None:
            return {"errors": list(read.errors)}
        operation = _operation(read.ast, body.get("operationName"))
        if operation is None:
            return {"errors": [{"message": "An operation name is required", "extensions": {"code": "BAD_REQUEST"}}]}
        entry["operation"] = operation.name.value if operation.name else ""
        cost = entry["cost"] = query_cost(schema(version), read.ast, operation, variables)
        refusal = self._refusal(cost, faults)
        if refusal is not None:
            return refusal
        return self._run(_Asked(version, text, read.ast, operation, variables, cost), faults)

    def _refusal(self, cost: int, faults: list[Fault]) -> Node | None:
        if cost > SINGLE_QUERY_LIMIT:
            message = f"Query cost is {cost}, which exceeds the single query max cost limit ({SINGLE_QUERY_LIMIT})."
            return _error(message, code="MAX_COST_EXCEEDED", cost=cost, maxCost=SINGLE_QUERY_LIMIT, documentation=_HELP)
        if not self.bucket.take(cost, self.shop.now()) or find(faults, "throttled"):
            throttled = _error("Throttled", code="THROTTLED", documentation=_HELP)
            return {**throttled, "extensions": {"cost": self._cost(cost, None)}}
        if find(faults, "internal_error"):
            message = "Internal error. Looks like something went wrong on our end.\nRequest ID: sandbox"
            return _error(message, code="INTERNAL_SERVER_ERROR", requestId="sandbox")
        return None

    def _cost(self, requested: int, actual: int | None) -> Node:
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self.bucket.status(),
        }

    def _run(self, asked: _Asked, faults: list[Fault]) -> Node:
        if find(faults, "duplicate_page"):
            asked = replace(asked, variables=self._last.get(asked.text, asked.variables))
        self._last[asked.text] = asked.variables
        self._mutate(find(faults, "mutate"), asked.variables)
        root = self._root(asked.version, faults)
        call = Call(frozenset(self.settings.scopes), self.settings.protected_data)
        name = asked.operation.name.value if asked.operation.name else None
        bulk = self.bulk.fields(Run(root, faults, call.denied, lambda: self.root(asked.version)))
        result = execute(asked.version, asked.ast, {**root.fields(), **bulk}, call, asked.variables, name)
        answer: Node = {"data": result.data}
        if result.errors:
            answer["errors"] = [_as_json(error) for error in result.errors]
        for fault in faults:
            if fault.kind == "bad_value":
                spoil(result.data, fault)
        return {**answer, "extensions": self._extensions(asked, result.data, root)}

    def _extensions(self, asked: _Asked, data: Node | None, root: Root) -> Node:
        def returned(response: str) -> int | None:
            found = (data or {}).get(response) or {}
            return len(found.get("nodes") or found.get("edges") or ())

        actual = query_cost(schema(asked.version), asked.ast, asked.operation, asked.variables, returned)
        self.bucket.give_back(asked.cost - actual)
        extensions: Node = {"cost": self._cost(asked.cost, actual)}
        if root.searches:
            extensions["search"] = root.searches
        return extensions

    def _mutate(self, fault: Fault | None, variables: Mapping[str, Any]) -> None:
        if fault is None:
            return
        wanted = parse_gid(fault.record or str(variables.get("id", ""))) or ("", 0)
        orders = self.shop.history.orders
        if wanted[0] == "Refund":
            wanted = ("Order", Index(self.shop.history).order_of_refund.get(wanted[1], 0))
        chosen = wanted[1] if wanted[1] in orders else list(orders)[len(orders) // 2]
        self.shop.add({"kind": "touch", "order": chosen, "at": self.shop.seconds()})

    def _root(self, version: str, faults: list[Fault]) -> Root:
        self.shop.refresh()
        if self._revision != self.shop.revision:
            self._revision = self.shop.revision
            self._index, self._listings = Index(self.shop.history), Listings()
        scopes = self.settings.scopes
        view = View(self._index, self.shop.options.currency, self.shop.seconds(), "read_all_orders" in scopes)
        indexed, listings = self._indexed(view)
        root = Root(view, listings, version, self._shop_node(), scopes, indexed)
        root.operation = self.bulk.node
        root.whole_days = self.settings.whole_days
        root.hidden = frozenset(fault.record for fault in faults if fault.kind == "hidden")
        return root

    def root(self, version: str = SUPPORTED[-1]) -> Root:
        """The root of a request without faults."""
        return self._root(version, [])

    def _indexed(self, view: View) -> tuple[View, Listings]:
        """What searches see, and their listings: the shop as it stood before the lag."""
        if not self.index_lag:
            return view, self._listings
        number, history = self.shop.history_at(int(self.shop.now().timestamp() - self.index_lag))
        if history is view.history:
            return view, self._listings
        key = (self._revision, number)
        if self._lagging is None or self._lagging[0] != key:
            self._lagging = key, Index(history), Listings()
        return View(self._lagging[1], view.currency, view.now, view.all_orders), self._lagging[2]

    def view(self) -> View:
        """The shop as it stands now, for what is not GraphQL."""
        return self._root(SUPPORTED[-1], []).view

    def _shop_node(self) -> Node:
        return {
            "__typename": "Shop",
            "id": gid("Shop", self.shop.identity),
            "name": "Courier Sandbox (made up)",
            "myshopifyDomain": f"{self.handle}.myshopify.com",
            "currencyCode": self.shop.options.currency,
            "ianaTimezone": "America/New_York",
            "weightUnit": "KILOGRAMS",
            "taxesIncluded": False,
            "plan": {"publicDisplayName": "Shopify Plus", "shopifyPlus": True, "partnerDevelopment": False},
        }


def _operation(ast: DocumentNode, name: object) -> OperationDefinitionNode | None:
    found = [i for i in ast.definitions if isinstance(i, OperationDefinitionNode)]
    if name is None:
        return found[0] if len(found) == 1 else None
    return next((i for i in found if i.name and i.name.value == name), None)


def _error(message: str, **extensions: object) -> Node:
    return {"errors": [{"message": message, "extensions": extensions}]}


def _as_json(error: GraphQLError) -> Node:
    found: Node = {"message": error.message}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        found["path"] = error.path
    extensions = error.extensions or ({"code": "INVALID_VARIABLE"} if error.message.startswith("Variable '$") else {})
    return {**found, "extensions": extensions} if extensions else found
