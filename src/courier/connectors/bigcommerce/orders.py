"""An order's lines and coupons.

Lines come embedded, 250 orders to a request. The embed stops at 50 lines of a consignment, and has been seen empty, so
that they are added up: where they are not what the order says (`items_total`), the order's own list is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from courier import clock
from courier.connectors.bigcommerce.answers import Record, page, single
from courier.connectors.bigcommerce.client import LARGEST, Client
from courier.connectors.bigcommerce.families import Family
from courier.connectors.contract import Progress, Waiting
from courier.errors import Incomplete

EMBEDDED = {"include": "consignments.line_items", "consignment_structure": "object"}
VERSION_TRIES = 6
_GONE = frozenset({404})


def families(
    client: Client, records: Iterable[Record], received: datetime, wanted: Iterable[str], progress: Progress
) -> Iterator[Family]:
    """The orders with those of `products` and `coupons` that are wanted. One that is gone by now is left out."""
    for record in records:
        family = _whole(client, Family(record, received), frozenset(wanted), progress)
        if family is not None:
            yield family


def _whole(client: Client, family: Family, wanted: frozenset[str], progress: Progress) -> Family | None:
    found: Family | None = family
    below: dict[str, list[Record]] = {}
    if "products" in wanted:
        found, lines = _with_lines(client, family, progress)
        below["products"] = lines
    if found is not None and "coupons" in wanted:
        below["coupons"] = _coupons(client, found.record)
    return Family(found.record, found.received, below) if found is not None else None


def _with_lines(client: Client, family: Family, progress: Progress) -> tuple[Family | None, list[Record]]:
    """The order and its lines, both of one version. Raises Incomplete where they never agree."""
    lines = embedded(family.record)
    going: Family | None = family
    for tries in range(VERSION_TRIES):
        if going is None or (lines is not None and _agrees(going.record, lines)):
            return going, lines or []
        if tries:
            progress(Waiting(2.0**tries / 2, "an order that keeps changing"))
            clock.sleep(2.0**tries / 2)
            going = _again(client, going.record)
        lines = _all(client, f"v2/orders/{family.record['id']}/products")
    raise Incomplete(
        f"v2/orders: the lines of an order do not add up to the {family.record.get('items_total')} items that it says",
        fix="run again; nothing was committed",
    )


def embedded(record: Mapping[str, Any]) -> list[Record] | None:
    """The lines in an order's consignments, of all kinds; None where it has none of them, or not all are shown."""
    consignments = record.get("consignments")
    if not isinstance(consignments, Mapping):
        return None
    lines: list[Record] = []
    for consignment in _consignments(consignments):
        shown = consignment.get("line_items")
        if "__warning__" in consignment or not isinstance(shown, list):
            return None
        lines += shown
    return lines


def _consignments(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    email = found.get("email")
    certificates = email.get("gift_certificates") if isinstance(email, Mapping) else None
    for listed in (found.get("shipping"), found.get("pickups"), found.get("downloads"), certificates):
        for consignment in listed if isinstance(listed, list) else ():
            yield consignment if isinstance(consignment, Mapping) else {}


def _agrees(record: Mapping[str, Any], lines: Iterable[Record]) -> bool:
    return _number(record.get("items_total")) == sum(_number(line.get("quantity")) for line in lines)


def _number(value: Any) -> int:
    """V2 writes some numbers as texts."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def _again(client: Client, record: Mapping[str, Any]) -> Family | None:
    path = f"v2/orders/{record['id']}"
    reply = client.get(path, allowed=_GONE)
    return None if reply.status in _GONE else Family(single(path, reply.body), reply.received)


def _coupons(client: Client, record: Mapping[str, Any]) -> list[Record]:
    """One request, for an order that says that coupons took something off it."""
    try:
        taken = float(record.get("coupon_discount") or 0)
    except (TypeError, ValueError):
        taken = 1.0
    return _all(client, f"v2/orders/{record['id']}/coupons") if taken else []


def _all(client: Client, path: str) -> list[Record]:
    """All pages of one of an order's lists; nothing where the order is gone by now."""
    records: list[Record] = []
    number = 1
    while True:
        reply = client.get(path, {"limit": str(LARGEST), "page": str(number)}, _GONE)
        shown = [] if reply.status in _GONE else page(path, reply.body).records
        records += shown
        if len(shown) < LARGEST:
            return records
        number += 1
