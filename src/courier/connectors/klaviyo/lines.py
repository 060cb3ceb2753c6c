"""Resources of JSON:API -> lines of the raw streams. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from courier.errors import Incomplete

Record = dict[str, Any]

# What integrations call the fields of a product of an order, the first that is there counts.
ITEMS = ("Items", "items", "line_items", "LineItems")
NAMES: Mapping[str, tuple[str, ...]] = {
    "product_id": ("ProductID", "ProductId", "product_id", "productId", "ID", "id"),
    "variant_id": ("VariantID", "VariantId", "variant_id", "variantId"),
    "sku": ("SKU", "Sku", "sku"),
    "quantity": ("Quantity", "quantity"),
    "line_value": ("$value", "RowTotal", "row_total", "LineTotal", "line_total"),
}
PRICES = ("ItemPrice", "Price", "price", "item_price")
ORDER_IDS = ("OrderId", "OrderID", "order_id", "orderId", "$event_id")


# What Klaviyo sends and nobody wants: anything else that no column names is told.
IGNORED: Mapping[str, tuple[str, ...]] = {
    "account": ("contact_information",),
    "campaign": ("send_options", "tracking_options"),
    "catalog-variant": (
        "description", "url", "image_full_url", "image_thumbnail_url", "images", "custom_metadata",
    ),
    "metric": ("integration.object", "integration.key", "integration.image_url"),
}  # fmt: skip

# The relationships to one other record that a column reads.
RELATED: Mapping[str, tuple[str, ...]] = {
    "event": ("profile", "metric"),
    "mapped-metric": ("metric", "custom-metric"),
    "flow-message": ("flow-action",),
    "campaign-message": ("template",),
    "catalog-variant": ("item",),
}


def plain(resource: Mapping[str, Any]) -> Record:
    """A resource as a line: id, attributes, and the ids that its relationships to one other lead to."""
    attributes = dict(_object(resource.get("attributes")))
    for path in IGNORED.get(str(resource.get("type")), ()):
        head, _, rest = path.partition(".")
        if rest and isinstance(attributes.get(head), Mapping):
            attributes[head] = {name: value for name, value in attributes[head].items() if name != rest}
        elif not rest:
            attributes.pop(head, None)
    line: Record = {"id": resource["id"], "attributes": attributes}
    relationships = _object(resource.get("relationships"))
    related = {
        name.replace("-", "_"): {"data": {"id": _object(_object(relationships.get(name)).get("data")).get("id")}}
        for name in RELATED.get(str(resource.get("type")), ())
    }
    return {**line, "relationships": related} if related else line


def event(resource: Mapping[str, Any]) -> Record:
    """An event with what its properties say under names that no path can spell."""
    told = _object(_object(resource.get("attributes")).get("event_properties"))
    attributed = _object(told.get("$attribution"))
    more = {
        "value": told.get("$value"),
        "event_key": _text(told.get("$event_id")),
        "attributed_flow": _text(attributed.get("$flow") or told.get("$flow")),
    }
    return {**plain(resource), **more}


def order_items(resource: Mapping[str, Any]) -> Iterator[Record]:
    """One line per product of a Placed Order event."""
    attributes = _object(resource.get("attributes"))
    told = _object(attributes.get("event_properties"))
    items = _first(told, ITEMS)
    profile = _object(_object(_object(resource.get("relationships")).get("profile")).get("data")).get("id")
    for number, item in enumerate(items if isinstance(items, list) else []):
        found = _object(item)
        line = {name: _first(found, names) for name, names in NAMES.items()}
        if line["line_value"] is None:
            line["line_value"] = _product(_first(found, PRICES), line["quantity"])
        yield {
            **line,
            **{name: _text(line[name]) for name in ("product_id", "variant_id", "sku")},
            "event_id": resource["id"],
            "line_no": number,
            "order_id": _text(_first(told, ORDER_IDS)),
            "profile_id": profile,
            "datetime": attributes.get("datetime"),
        }


def _product(price: Any, quantity: Any) -> float | None:
    numbers = isinstance(price, (int, float)) and isinstance(quantity, (int, float))
    return round(price * quantity, 4) if numbers else None


def _first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def campaign_messages(resource: Mapping[str, Any], included: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The messages of a campaign, out of what came with its page. Raises Incomplete where one did not come."""
    known = {found.get("id"): found for found in included if found.get("type") == "campaign-message"}
    listed = _object(_object(resource.get("relationships")).get("campaign-messages")).get("data")
    if not isinstance(listed, list):
        raise Incomplete("get_campaigns: a campaign came without its messages", fix="run again later")
    missing = [one for one in listed if one.get("id") not in known]
    if missing:
        raise Incomplete(f"get_campaigns: {len(missing)} messages of a campaign did not come", fix="run again later")
    return [plain(known[one["id"]]) for one in listed]


def flow_action(resource: Mapping[str, Any]) -> Record:
    """An action with its type beside its definition, which is kept whole."""
    return {**plain(resource), "type": _object(_object(resource.get("attributes")).get("definition")).get("type")}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def root_line(record: Record, number: int, received: str) -> Record:
    return {"__record": number, "__fetchedAt": received, **record}


def child_lines(records: Iterable[Record], number: int, parent: str, first: int = 0) -> list[Record]:
    """Lines below a root record, whose `id` is `parent`; `first` is the position of the first of them."""
    return [
        {"__record": number, "__parentId": parent, "__index": index, **record}
        for index, record in enumerate(records, first)
    ]
