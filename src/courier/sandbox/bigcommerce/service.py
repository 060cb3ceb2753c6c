"""One made-up store behind its API: what is asked, by whom, how often; and the answer. Knows no HTTP server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from courier.sandbox.bigcommerce import catalogue, ids, people, sales
from courier.sandbox.bigcommerce.index import NOTHING, Index
from courier.sandbox.bigcommerce.limits import Quota
from courier.sandbox.bigcommerce.listing import Filters, Item, found, limit_of, page_of, paged
from courier.sandbox.bigcommerce.refusals import Refused, unknown_filter
from courier.sandbox.bigcommerce.values import parse_date
from courier.sandbox.faults import find
from courier.sandbox.history.rows import OrderFamily
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.faults import Fault

ORDERS = ("store_v2_orders_read_only", "store_v2_orders")
CUSTOMERS = ("store_v2_customers_read_only", "store_v2_customers")
PRODUCTS = ("store_v2_products_read_only", "store_v2_products")
INFORMATION = ("store_v2_information_read_only", "store_v2_information")
CHANNELS = ("store_channel_settings_read_only", "store_channel_settings")
REFUNDS = (*ORDERS, "store_v2_transactions_read_only", "store_v2_transactions")
GRANTED = (INFORMATION[0], CHANNELS[0], CUSTOMERS[0], PRODUCTS[0], ORDERS[0])
MODIFIED = ("date_modified",)


@dataclass(frozen=True)
class Settings:
    """How strict this server is, and how it misbehaves. The quota is that of the plan Pro.

    others:   requests that other apps send between two of ours
    includes: whether customers know the beta includes segment_ids and shopper_profile_id
    empty:    orders whose embedded consignments are empty, though they have lines
    short:    orders of whose lines the last one is shown nowhere
    """

    scopes: tuple[str, ...] = GRANTED
    quota: int = 450
    window_ms: int = 30_000
    others: int = 0
    includes: bool = True
    empty: frozenset[int] = frozenset()
    short: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Asked:
    """A GET: `v2` or `v3`, the path below it, its parameters, and what goes wrong with it."""

    version: str
    path: str
    query: Mapping[str, str]
    faults: tuple[Fault, ...] = ()

    @property
    def number(self) -> int:
        """The number in the path."""
        return int(next(part for part in self.path.split("/") if part.isdecimal()))


@dataclass(frozen=True)
class Endpoint:
    """A path and who may ask for it: any of `scopes`."""

    path: str
    scopes: tuple[str, ...]
    tell: Callable[[Store, Asked], Any]

    def matches(self, asked: Asked) -> bool:
        return re.fullmatch(self.path, f"{asked.version}/{asked.path}") is not None


@dataclass
class Store:
    """`answer` raises Refused; None is an answer without a body (204)."""

    shop: Shop
    settings: Settings = field(default_factory=Settings)
    log: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._given = self.settings
        self.reset()

    def reset(self) -> None:
        """As at the start."""
        self.settings = self._given
        self.quota = Quota(self.settings.quota, self.settings.window_ms)
        self.log.clear()
        self._revision = -1

    def set(self, **changes: Any) -> None:
        """Other settings, from now on until the next reset."""
        self.settings = replace(self.settings, **changes)
        self.quota = Quota(self.settings.quota, self.settings.window_ms)

    @property
    def hash(self) -> str:
        return ids.store_hash(self.shop.options, self.shop.anchor_seconds)

    @property
    def token(self) -> str:
        """It opens nothing but this made-up store."""
        return f"bc_sandbox_{self.shop.options.seed:x}"

    @property
    def index(self) -> Index:
        self.shop.refresh()
        if self._revision != self.shop.revision:
            self._revision = self.shop.revision
            self._index = Index(self.shop.history, self.shop.options.currency)
        return self._index

    def answer(self, asked: Asked) -> Any:
        """The content of an answer. Raises Refused."""
        endpoint = next((one for one in ENDPOINTS if one.matches(asked)), None)
        if endpoint is None:
            raise Refused(404)
        if not set(endpoint.scopes) & set(self.settings.scopes):
            raise Refused(403)
        self.index.include = NOTHING
        if find(asked.faults, "mutate"):
            orders = list(self.shop.history.orders)
            self.shop.add({"kind": "touch", "order": orders[len(orders) // 2], "at": self.shop.seconds()})
        return endpoint.tell(self, asked)

    def listed(self, asked: Asked, items: list[Item], filters: Filters) -> Any:
        """A V3 list. `hidden` takes a record out of pages, not out of the total."""
        content = paged(found(items, asked.query, filters), asked.query, filters)
        hidden = {fault.record for fault in asked.faults if fault.kind == "hidden"}
        content["data"] = [node for node in content["data"] if str(node.get("id")) not in hidden]
        return content

    def included(self, asked: Asked, known: frozenset[str]) -> None:
        """Take note of the `include` of a request. Raises Refused for what there is not."""
        wanted = frozenset(asked.query.get("include", "").split(",")) - {""}
        if not wanted <= known:
            raise Refused(422, "The include is not valid.")
        self.index.include = wanted


def _store(store: Store, asked: Asked) -> Any:
    hash_ = store.hash
    return {
        "id": hash_,
        "name": "Courier Sandbox (made up)",
        "domain": f"store-{hash_}.example.com",
        "secure_url": f"https://store-{hash_}.example.com",
        "status": "live",
        "currency": store.shop.options.currency,
        "timezone": {"name": "America/New_York", "raw_offset": -18000},
        "plan_name": "Pro",
        "plan_level": "Pro",
        "default_channel_id": 1,
    }


def _channels(store: Store, asked: Asked) -> Any:
    return store.listed(asked, store.index.channels, Filters(times=MODIFIED))


def _customers(store: Store, asked: Asked) -> Any:
    beta = frozenset({"segment_ids", "shopper_profile_id"})
    store.included(asked, people.INCLUDES if store.settings.includes else people.INCLUDES - beta)
    times = ("date_created", "date_modified")
    filters = Filters(times, ("id",), times, frozenset({"include"}), cursors=True)
    return store.listed(asked, store.index.customers, filters)


def _addresses(store: Store, asked: Asked) -> Any:
    store.included(asked, frozenset({"formfields"}))
    filters = Filters(among=("customer_id", "id"), plain=frozenset({"include"}))
    return store.listed(asked, store.index.addresses, filters)


def _attributes(store: Store, asked: Asked) -> Any:
    return store.listed(asked, store.index.attributes, Filters(times=MODIFIED))


def _attribute_values(store: Store, asked: Asked) -> Any:
    filters = Filters(MODIFIED, ("customer_id", "attribute_id", "id"))
    return store.listed(asked, store.index.attribute_values, filters)


def _form_field_values(store: Store, asked: Asked) -> Any:
    return store.listed(asked, store.index.form_field_values, Filters())


def _products(store: Store, asked: Asked) -> Any:
    """A date without a time gets the present time of day. With `include_fields` a product shows these and its id."""
    store.included(asked, catalogue.INCLUDES)
    query = {name: _whole(store, value) if name.startswith("date_") else value for name, value in asked.query.items()}
    filters = Filters(MODIFIED, ("id",), MODIFIED, frozenset({"include", "include_fields"}))
    content = store.listed(replace(asked, query=query), store.index.products, filters)
    fields = frozenset(asked.query.get("include_fields", "").split(",")) - {""}
    if fields:
        content["data"] = [{k: v for k, v in node.items() if k == "id" or k in fields} for node in content["data"]]
    return content


def _whole(store: Store, value: str) -> str:
    return f"{value}T{store.shop.now():%H:%M:%S}" if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value


def _variants(store: Store, asked: Asked) -> Any:
    return store.listed(asked, store.index.variants, Filters(among=("product_id", "id")))


def _reviews(store: Store, asked: Asked) -> Any:
    if asked.number not in store.index.families:
        raise Refused(404)
    content = store.listed(asked, store.index.reviews(asked.number), Filters(plain=frozenset({"status"})))
    return content if content["data"] else None


def _refunds(store: Store, asked: Asked) -> Any:
    return store.listed(asked, store.index.refunds, Filters(times=("created",), among=("order_id", "id")))


_OF_ORDERS = {"min_date_modified", "max_date_modified", "min_id", "max_id"}
_OF_THE_LIST = {"page", "limit", "sort", "include", "consignment_structure"}


def _orders(store: Store, asked: Asked) -> Any:
    rows = _asked_orders(store, asked.query, _OF_ORDERS | _OF_THE_LIST)
    how, way = asked.query.get("sort", "id:asc").partition(":")[::2]
    if how not in ("id", "date_modified"):
        raise unknown_filter("v2", "sort")
    moved = {identity: family.order.updated_at if how != "id" else 0 for identity, family in rows.items()}
    ordered = sorted(rows, key=lambda identity: (moved[identity], identity), reverse=way == "desc")
    limit, page = limit_of(asked.query), page_of(asked.query)
    embedded = "consignments.line_items" in asked.query.get("include", "").split(",")
    nodes = []
    hidden = {fault.record for fault in asked.faults if fault.kind == "hidden"}
    for identity in ordered[(page - 1) * limit : page * limit]:
        node = sales.order(rows[identity], store.shop.options.currency)
        if embedded and asked.query.get("consignment_structure") == "object":
            hollow = identity in store.settings.empty | store.settings.short
            node["consignments"] = sales.consignments(rows[identity], empty=hollow)
        if str(identity) not in hidden:
            nodes.append(node)
    return nodes or None


def _asked_orders(store: Store, query: Mapping[str, str], known: set[str]) -> dict[int, OrderFamily]:
    kept = store.index.orders
    for name, value in query.items():
        if name not in known:
            raise unknown_filter("v2", name)
        if name not in _OF_ORDERS:
            continue
        try:
            bound = parse_date(value) if name.endswith("modified") else float(value)
        except ValueError:
            raise Refused(400, f"The field '{name}' is invalid.") from None
        by_id, low = name.endswith("_id"), name.startswith("min")
        kept = {
            identity: family
            for identity, family in kept.items()
            if _holds(identity if by_id else family.order.updated_at, bound, low=low)
        }
    return kept


def _holds(value: float, bound: float, *, low: bool) -> bool:
    return value >= bound if low else value <= bound


def _order_count(store: Store, asked: Asked) -> Any:
    rows = _asked_orders(store, asked.query, _OF_ORDERS)
    kinds = [sales.status_id(family.order) for family in rows.values()]
    statuses = [{**sales.order_status(one), "count": kinds.count(one)} for one in range(len(sales.STATUSES))]
    return {"count": len(rows), "statuses": statuses}


def _of_order(store: Store, asked: Asked) -> OrderFamily:
    if asked.number not in store.index.orders:
        raise Refused(404)
    return store.index.orders[asked.number]


def _order(store: Store, asked: Asked) -> Any:
    return sales.order(_of_order(store, asked), store.shop.options.currency)


def _order_products(store: Store, asked: Asked) -> Any:
    limit, page = limit_of(asked.query), page_of(asked.query)
    lines = sales.lines(_of_order(store, asked))
    shown = lines[:-1] if asked.number in store.settings.short else lines
    return shown[(page - 1) * limit : page * limit] or None


def _order_coupons(store: Store, asked: Asked) -> Any:
    limit, page = limit_of(asked.query), page_of(asked.query)
    return sales.coupons(_of_order(store, asked))[(page - 1) * limit : page * limit] or None


def _order_statuses(store: Store, asked: Asked) -> Any:
    return [sales.order_status(number) for number in range(len(sales.STATUSES))]


def _time(store: Store, asked: Asked) -> Any:
    return {"time": int(datetime.now(UTC).timestamp())}


ENDPOINTS = (
    Endpoint("v2/store", INFORMATION, _store),
    Endpoint("v2/time", (*INFORMATION, *GRANTED), _time),
    Endpoint("v3/channels", CHANNELS, _channels),
    Endpoint("v3/customers", CUSTOMERS, _customers),
    Endpoint("v3/customers/addresses", CUSTOMERS, _addresses),
    Endpoint("v3/customers/attributes", CUSTOMERS, _attributes),
    Endpoint("v3/customers/attribute-values", CUSTOMERS, _attribute_values),
    Endpoint("v3/customers/form-field-values", CUSTOMERS, _form_field_values),
    Endpoint("v3/catalog/products", PRODUCTS, _products),
    Endpoint("v3/catalog/variants", PRODUCTS, _variants),
    Endpoint(r"v3/catalog/products/\d+/reviews", PRODUCTS, _reviews),
    Endpoint("v3/orders/payment_actions/refunds", REFUNDS, _refunds),
    Endpoint("v2/orders", ORDERS, _orders),
    Endpoint("v2/orders/count", ORDERS, _order_count),
    Endpoint(r"v2/orders/\d+", ORDERS, _order),
    Endpoint(r"v2/orders/\d+/products", ORDERS, _order_products),
    Endpoint(r"v2/orders/\d+/coupons", ORDERS, _order_coupons),
    Endpoint("v2/order_statuses", ORDERS, _order_statuses),
)
