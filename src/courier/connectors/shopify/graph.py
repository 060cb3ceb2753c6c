"""What courier knows of Shopify's Admin GraphQL schema: where paths lead, what they cost, need and are missing from.

Only what cannot be seen from a `from` path is here. A scalar, an object or a plain list that this page does not name
is passed on as it is asked for, so that a new column is one line of YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

DEFAULT_VERSION = "2026-10"

Alternatives = tuple[str, ...]  # scopes of which one is enough


@dataclass(frozen=True)
class Root:
    """A record type that requests begin from.

    field, count: the root fields that page over it and count it
    arguments:    written into every page's query
    scope:        without it there is nothing to fetch
    searchable:   can be filtered by updated_at; `whole_days`: that filter matches whole days only
    subject:      its EventSubjectType, where deletes leave events
    """

    type: str
    field: str
    scope: str
    count: str | None = None
    arguments: str = ""
    searchable: bool = True
    whole_days: bool = False
    subject: str | None = None
    look_back: timedelta = timedelta(minutes=15)  # searches lag behind writes
    sort: str = "UPDATED_AT"  # the order of pages, where records can be searched
    lasting: bool = True  # whether the source keeps its records, so that absence from a full pull means deletion


ROOTS: Mapping[str, Root] = {
    root.type: root
    for root in (
        Root(
            "Customer",
            "customers",
            "read_customers",
            count="customersCount",
            whole_days=True,
            subject="CUSTOMER",
            look_back=timedelta(days=1),
        ),
        Root("Order", "orders", "read_orders", count="ordersCount", subject="ORDER"),
        Root("Product", "products", "read_products", count="productsCount", subject="PRODUCT"),
        # Its scope is not enough: who installed the app also needs the permission manage_abandoned_checkouts. There is
        # no sort key UPDATED_AT; and old ones vanish, which says nothing of them.
        Root(
            "AbandonedCheckout",
            "abandonedCheckouts",
            "read_orders",
            count="abandonedCheckoutsCount",
            sort="ID",
            lasting=False,
        ),
        Root(
            "Location",
            "locations",
            "read_locations",
            arguments="includeInactive: true, includeLegacy: true",
            searchable=False,
            look_back=timedelta(0),
        ),
    )
}


@dataclass(frozen=True)
class Link:
    """A field that leads to objects of a type. `first`: how many are asked for at once, where it is a connection."""

    type: str
    first: int = 0


# Connections carry their first page's size: large enough for nearly every record, small enough for 250 records a page.
_CONNECTIONS: Mapping[str, tuple[str, int]] = {
    "Customer.addressesV2": ("MailingAddress", 10),
    "Customer.orders": ("Order", 10),
    "Order.lineItems": ("LineItem", 20),
    "Order.discountApplications": ("DiscountApplication", 10),
    "Order.shippingLines": ("ShippingLine", 5),
    "Order.agreements": ("SalesAgreement", 10),
    "Order.fulfillmentOrders": ("FulfillmentOrder", 5),
    "Order.events": ("Event", 20),
    "Order.returns": ("Return", 5),
    "Fulfillment.fulfillmentLineItems": ("FulfillmentLineItem", 20),
    "Fulfillment.events": ("FulfillmentEvent", 10),
    "FulfillmentOrder.lineItems": ("FulfillmentOrderLineItem", 20),
    "Refund.refundLineItems": ("RefundLineItem", 20),
    "Refund.refundShippingLines": ("RefundShippingLine", 5),
    "Refund.orderAdjustments": ("OrderAdjustment", 5),
    "Refund.transactions": ("OrderTransaction", 5),
    "Product.variants": ("ProductVariant", 50),
    "Product.media": ("Media", 10),
    "Product.collections": ("Collection", 10),
    "Product.resourcePublicationsV2": ("ResourcePublicationV2", 20),
    "InventoryItem.inventoryLevels": ("InventoryLevel", 20),
    "Location.inventoryLevels": ("InventoryLevel", 50),
    **{
        f"{owner}.metafields": ("Metafield", 10)
        for owner in ("Customer", "Order", "Product", "ProductVariant", "Location")
    },
}

_OBJECTS: Mapping[str, str] = {
    "AbandonedCheckout.billingAddress": "MailingAddress",
    "AbandonedCheckout.customer": "Customer",
    "AbandonedCheckout.shippingAddress": "MailingAddress",
    "Customer.amountSpent": "MoneyV2",
    "Customer.defaultAddress": "MailingAddress",
    "Customer.defaultEmailAddress": "CustomerEmailAddress",
    "Customer.defaultPhoneNumber": "CustomerPhoneNumber",
    "Customer.lastOrder": "Order",
    "CustomerJourneySummary.firstVisit": "CustomerVisit",
    "CustomerJourneySummary.lastVisit": "CustomerVisit",
    "DiscountAllocation.discountApplication": "DiscountApplication",
    "DiscountApplication.value": "PricingValue",
    "FulfillmentLineItem.lineItem": "LineItem",
    "InventoryItem.measurement": "InventoryItemMeasurement",
    "InventoryItemMeasurement.weight": "Weight",
    "InventoryLevel.item": "InventoryItem",
    "InventoryLevel.location": "Location",
    "LineItem.discountAllocations": "DiscountAllocation",
    "LineItem.fulfillmentService": "FulfillmentService",
    "LineItem.product": "Product",
    "LineItem.staffMember": "StaffMember",
    "LineItem.variant": "ProductVariant",
    "LineItem.weight": "Weight",
    "Location.address": "LocationAddress",
    "Location.fulfillmentService": "FulfillmentService",
    "MoneyBag.presentmentMoney": "MoneyV2",
    "MoneyBag.shopMoney": "MoneyV2",
    "Order.app": "OrderApp",
    "Order.billingAddress": "MailingAddress",
    "Order.customer": "Customer",
    "Order.customerJourneySummary": "CustomerJourneySummary",
    "Order.fulfillments": "Fulfillment",
    "Order.refunds": "Refund",
    "Order.retailLocation": "Location",
    "Order.shippingAddress": "MailingAddress",
    "Order.staffMember": "StaffMember",
    "Order.transactions": "OrderTransaction",
    "Product.featuredMedia": "Media",
    "ProductVariant.inventoryItem": "InventoryItem",
    "ProductVariant.product": "Product",
    "ProductVariant.selectedOptions": "SelectedOption",
    "RefundLineItem.lineItem": "LineItem",
    "RefundLineItem.location": "Location",
    "ResourcePublicationV2.publication": "Publication",
    "ShippingLine.discountAllocations": "DiscountAllocation",
}

LINKS: Mapping[str, Link] = {
    **{path: Link(type_) for path, type_ in _OBJECTS.items()},
    **{path: Link(type_, first) for path, (type_, first) in _CONNECTIONS.items()},
}

# Lists of scalars.
SCALAR_LISTS = frozenset(
    {
        "AbandonedCheckout.discountCodes",
        "Customer.tags",
        "Order.tags",
        "Order.discountCodes",
        "Order.paymentGatewayNames",
        "Product.tags",
    }
)

# Fields that only members of an interface or a union have. A path names them as if the interface had them, and they are
# absent from the other members' records; `__typename` is a field like any other.
MEMBERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "DiscountApplication": {
        "code": ("DiscountCodeApplication",),
        "title": ("AutomaticDiscountApplication", "ManualDiscountApplication", "ScriptDiscountApplication"),
    },
    "PricingValue": {
        "amount": ("MoneyV2",),
        "currencyCode": ("MoneyV2",),
        "percentage": ("PricingPercentageValue",),
    },
}

# Every type that an interface's records can have, where one is listed.
IMPLEMENTED: Mapping[str, tuple[str, ...]] = {
    "DiscountApplication": (
        "AutomaticDiscountApplication",
        "DiscountCodeApplication",
        "ManualDiscountApplication",
        "ScriptDiscountApplication",
    ),
    "Event": ("BasicEvent", "CommentEvent"),
    "Media": ("ExternalVideo", "MediaImage", "Model3d", "Video"),
    "SalesAgreement": ("OrderAgreement", "OrderEditAgreement", "RefundAgreement", "ReturnAgreement"),
}

SCOPES: Mapping[str, Alternatives] = {
    "Customer": ("read_customers",),
    "FulfillmentService": ("read_fulfillments", "read_products", "read_custom_fulfillment_services"),
    "InventoryItem": ("read_products", "read_inventory"),
    "InventoryLevel": ("read_inventory",),
    "Location": ("read_locations", "read_inventory", "read_markets_home"),
    "Order": ("read_orders",),
    "Product": ("read_products",),
    "ProductVariant": ("read_products",),
    "Publication": ("read_publications",),
    "ResourcePublicationV2": ("read_publications",),
    "StaffMember": ("read_users",),
}

# Fields that came after the oldest version that can still be asked for.
SINCE: Mapping[str, str] = {
    "CustomerPhoneNumber.smsMarketingConsent": "2026-10",
    "LineItem.weight": "2026-07",
    "Order.attribution": "2026-07",
    "Order.cartToken": "2026-07",
    "Order.checkoutToken": "2026-07",
}

# Objects whose own cost is 0, found by comparing recorded queries with the cost that the API told of them.
FREE = frozenset(
    {"MoneyBag", "MoneyV2", "PageInfo", "LocationAddress", "ShopAddress", "Weight", "InventoryItemMeasurement"}
    | {"ShippingLine"}
)
FREE_FIELDS = frozenset({"Customer.defaultAddress"})


def is_free(owner: str | None, name: str, type_: str | None) -> bool:
    """Whether an object costs nothing itself. Every `...Set` of money is a MoneyBag."""
    return type_ in FREE or f"{owner}.{name}" in FREE_FIELDS


def link(owner: str | None, name: str) -> Link | None:
    """Where a field of a type leads, if it is known to lead to objects."""
    found = LINKS.get(f"{owner}.{name}")
    return Link("MoneyBag") if found is None and name.endswith("Set") else found


@dataclass(frozen=True)
class Need:
    """What a path takes: one scope of each of `scopes`, and at least the version `since`, for its `field`."""

    scopes: tuple[Alternatives, ...] = ()
    since: str = ""
    field: str = ""


def need_of(root: str, names: Sequence[str]) -> Need:
    """What it takes to read a path below a root record."""
    scopes: list[Alternatives] = [(ROOTS[root].scope,)]
    since, field = "", ""
    for owner, name, type_ in walk(root, names):
        scopes += [SCOPES[type_]] if type_ and type_ in SCOPES else []
        newest = SINCE.get(f"{owner}.{name}", "")
        if newest > since:
            since, field = newest, f"{owner}.{name}"
    return Need(tuple(dict.fromkeys(scopes)), since, field)


def walk(root: str, names: Sequence[str]) -> Iterator[tuple[str | None, str, str | None]]:
    """The steps of a path: the type that a field belongs to, the field, and the type that it leads to, where known."""
    owner: str | None = root
    for name in names:
        found = link(owner, name)
        yield owner, name, found.type if found else None
        owner = found.type if found else None


def granted(scopes: frozenset[str], wanted: Alternatives) -> bool:
    """Whether one of the alternatives is granted; writing implies reading."""
    return any(scope in scopes or scope.replace("read_", "write_", 1) in scopes for scope in wanted)
