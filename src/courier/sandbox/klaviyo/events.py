"""Metrics, and what profiles did: orders as they were placed, and messages received, opened and clicked.

An event never changes once it is there: an order's edits leave it alone, as they do in Klaviyo.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID
from zlib import crc32

import orjson

from courier.sandbox.history.options import DAY
from courier.sandbox.history.rows import History, OrderFamily
from courier.sandbox.klaviyo.making import dice, json_text, number_of, profile_id
from courier.sandbox.klaviyo.messages import Sent, sent_by_campaigns, sent_by_flows
from courier.sandbox.klaviyo.rows import EventRow, ItemRow, MetricRow

SHOPIFY, KLAVIYO = ("0eMvjm", "Shopify", "eCommerce"), ("0rG4eQ", "Klaviyo", "Internal")
PLACED, ORDERED, REFUNDED, CANCELLED = "Placed Order", "Ordered Product", "Refunded Order", "Cancelled Order"
METRICS: dict[str, tuple[str, tuple[str, str, str], str | None]] = {
    PLACED: ("MtrOrd", SHOPIFY, "revenue"),
    ORDERED: ("MtrPrd", SHOPIFY, "ordered_product"),
    REFUNDED: ("MtrRef", SHOPIFY, "refunded_sales"),
    CANCELLED: ("MtrCan", SHOPIFY, "cancelled_sales"),
    "Received Email": ("MtrRec", KLAVIYO, None),
    "Opened Email": ("MtrOpn", KLAVIYO, None),
    "Clicked Email": ("MtrClk", KLAVIYO, None),
    "Bounced Email": ("MtrBnc", KLAVIYO, None),
    "Unsubscribed": ("MtrUns", KLAVIYO, None),
    "Received SMS": ("MtrSms", KLAVIYO, None),
    "Clicked SMS": ("MtrSmc", KLAVIYO, None),
    "Received Push": ("MtrPsh", KLAVIYO, None),
}
RECEIVED = {"email": "Received Email", "sms": "Received SMS", "mobile_push": "Received Push"}
CLICKED = {"email": "Clicked Email", "sms": "Clicked SMS"}
STRAY_YEARS = 20


def metrics(history: History) -> Iterator[MetricRow]:
    made = history.anchor - 700 * DAY
    for position, (name, (identity, integration, mapped)) in enumerate(METRICS.items()):
        yield MetricRow(identity, name, made + position, made + position * DAY, *integration, mapped)


def events(history: History) -> Iterator[EventRow]:
    stray = history.anchor + STRAY_YEARS * 365 * DAY
    for family in list(history.customers.values())[:2]:
        profile = profile_id(family.customer.id)
        yield _event(f"stray{profile[-3:]}", profile, PLACED, stray, {"Items": [], "OrderId": "0"}, stray=True)
    yield from _of_orders(history)
    yield from _of_campaigns(history)


def _event(key: str, profile: str, metric: str, at: int, told: dict[str, object], sent: Sent | None = None,
           value: float | None = None, event_key: str | None = None, stray: bool = False) -> EventRow:  # fmt: skip
    """`key` is what makes it unlike every other event, and so its id."""
    whole = dict(told)
    if value is not None:
        whole["$value"] = value
    if event_key is not None:
        whole["$event_id"] = event_key
    if sent:
        whole["$message"] = sent.message
        whole["$attribution"] = {"$message": sent.message, **({"$flow": sent.flow} if sent.flow else {})}
    identity = f"{metric.replace(' ', '')[:6]}{key}"
    flow, campaign = (sent.flow, sent.campaign) if sent else (None, None)
    message, channel = (sent.message, sent.send_channel) if sent else (None, None)
    uuid = str(UUID(int=crc32(identity.encode()) << 32 | at & 0xFFFFFFFF))
    where = (METRICS[metric][0], metric, profile, at)
    what = (json_text(whole), value, event_key)
    return EventRow(identity, uuid, *where, *what, flow, campaign, message, channel, stray)


def _of_orders(history: History) -> Iterator[EventRow]:
    by_flows, by_campaigns = sent_by_flows(history), sent_by_campaigns(history)
    for identity, family in history.orders.items():
        if family.order.customer_id is None:
            continue
        roll = dice(history, "klor", identity & 0xFFFFFFFF)
        flow = by_flows[int(roll() * len(by_flows))] if roll() < 0.4 else None
        earlier = [one for one in by_campaigns if one.at < family.order.created_at]
        sent = flow or (earlier[-1] if earlier and roll() < 0.2 else None)
        profile = profile_id(family.order.customer_id)
        yield from _of_order(history.placed.get(identity, family), profile, sent)
        yield from _afterwards(family, profile)
        if flow:
            yield from _received(profile, str(identity), flow, family.order.created_at, roll())


def _of_order(family: OrderFamily, profile: str, sent: Sent | None) -> Iterator[EventRow]:
    order = family.order
    items = [
        {
            "ProductID": str(line.product_id) if line.product_id else None,
            "VariantID": str(line.variant_id) if line.variant_id else None,
            "SKU": line.sku,
            "ProductName": line.title,
            "Quantity": line.quantity,
            "ItemPrice": line.price / 100,
            "RowTotal": line.price * line.quantity / 100,
        }
        for line in family.lines
    ]
    told: dict[str, object] = {
        "OrderId": str(order.id),
        "Items": items,
        "ItemNames": [line.title for line in family.lines],
    }
    key = str(order.id)
    yield _event(key, profile, PLACED, order.created_at, told, sent, order.total_price / 100, key)
    for position, item in enumerate(items):
        value, part = float(item["RowTotal"] or 0), f"{key}-{position}"
        yield _event(part, profile, ORDERED, order.created_at, {"OrderId": key, **item}, sent, value, part)


def _afterwards(family: OrderFamily, profile: str) -> Iterator[EventRow]:
    order = family.order
    if order.cancelled_at is not None:
        yield _event(str(order.id), profile, CANCELLED, order.cancelled_at, {"OrderId": str(order.id)})
    for refund in family.refunds:
        if refund.created_at is not None:
            told: dict[str, object] = {"OrderId": str(order.id)}
            yield _event(
                str(refund.id), profile, REFUNDED, refund.created_at, told, None, refund.total / 100, str(refund.id)
            )


def _of_campaigns(history: History) -> Iterator[EventRow]:
    people = [family.customer for family in history.customers.values()]
    for position, sent in enumerate(sent_by_campaigns(history)):
        for customer in people:
            roll = dice(history, f"kc{position}", number_of(customer.id))
            if customer.created_at < sent.at and roll() < 0.3:
                yield from _received(
                    profile_id(customer.id), f"{position}-{number_of(customer.id)}", sent, sent.at, roll()
                )


def _received(profile: str, key: str, sent: Sent, at: int, luck: float) -> Iterator[EventRow]:
    """One message to one profile; the luckier it was, the more came of it."""
    key, told = f"{sent.message}-{key}", {"Campaign Name": sent.message}
    yield _event(key, profile, RECEIVED[sent.channel], at, dict(told), sent)
    if sent.channel == "email" and luck < 0.05:
        yield _event(key, profile, "Bounced Email", at, dict(told), sent)
        return
    if sent.channel == "email" and luck > 0.5:
        yield _event(key, profile, "Opened Email", at, dict(told), sent)
    if sent.channel == "email" and luck > 0.8:
        yield _event(f"{key}-2", profile, "Opened Email", at, dict(told), sent)
    if sent.channel in CLICKED and luck > 0.7:
        yield _event(key, profile, CLICKED[sent.channel], at, dict(told), sent)
    if luck > 0.97:
        yield _event(key, profile, "Unsubscribed", at, dict(told), sent)


def items(rows: list[EventRow]) -> Iterator[ItemRow]:
    """The products of the orders that were placed."""
    for event in rows:
        if event.metric != PLACED or event.stray:
            continue
        told = orjson.loads(event.properties)
        for position, item in enumerate(told["Items"]):
            what = (item["ProductID"], item["VariantID"], item["SKU"], float(item["Quantity"]), float(item["RowTotal"]))
            yield ItemRow(event.id, position, told["OrderId"], event.profile_id, *what, event.at)
