"""REST: the same shop as GraphQL tells, in REST's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from courier import sandbox
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.service import Settings
from courier.sandbox.shopify.truth import truth_rows
from tests.sandbox.client import Client
from tests.sandbox.conftest import SMALL

Json = dict[str, Any]
ALL_ORDERS = """query($after: String) { orders(first: 100, after: $after) {
  nodes { id updatedAt totalPriceSet { shopMoney { amount } } } pageInfo { hasNextPage endCursor } } }"""


class RestClient:
    """A REST session with the static token."""

    def __init__(self, sandbox: Sandbox, version: str = "2025-01") -> None:
        self.root = f"{sandbox.url}/admin/api/{version}"
        self.session = requests.Session()
        self.session.headers["X-Shopify-Access-Token"] = sandbox.credentials["SHOPIFY_ACCESS_TOKEN"]

    def get(self, path: str, **asked: Any) -> requests.Response:
        return self.session.get(f"{self.root}/{path}.json", params=asked, timeout=10)

    def pages(self, name: str, to: str = "next", **asked: Any) -> Iterator[list[Json]]:
        answer = self.get(name, **asked)
        while True:
            assert answer.status_code == 200, answer.text
            yield answer.json()[name]
            if to not in answer.links:
                return
            answer = self.session.get(answer.links[to]["url"], timeout=10)

    def every(self, name: str, **asked: Any) -> list[Json]:
        return [record for page in self.pages(name, **asked) for record in page]


@pytest.fixture(scope="module")
def rest(reading: Client) -> RestClient:
    return RestClient(reading.sandbox)


def test_orders_are_those_of_graphql(rest: RestClient, reading: Client) -> None:
    """Law: same ids, update instants and totals as GraphQL tells, whatever the page size."""
    told = {
        int(i["id"].rsplit("/", 1)[1]): (
            datetime.fromisoformat(i["updatedAt"]),
            Decimal(i["totalPriceSet"]["shopMoney"]["amount"]),
        )
        for i in reading.every(ALL_ORDERS, "orders")
    }
    found = rest.every("orders", status="any", limit=50)
    assert len(found) == len(told) == 120
    assert {i["id"]: (datetime.fromisoformat(i["updated_at"]), Decimal(i["total_price"])) for i in found} == told


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def test_rest_holds_the_truth(rest: RestClient, reading: Client) -> None:
    """Law: orders, lines, codes, allocations, refund lines, customers, addresses, variants equal the truth's rows."""
    shop = reading.sandbox.shop
    orders = rest.every("orders", status="any", limit=250)
    customers, products = rest.every("customers", limit=250), rest.every("products", limit=250)
    lines = [line for order in orders for line in order["line_items"]]
    told = {
        "order": orders,
        "order_line": lines,
        "order_line_refund": [i for o in orders for r in o["refunds"] for i in r["refund_line_items"]],
        "customer": customers,
        "customer_address": [i for customer in customers for i in customer["addresses"]],
        "product": products,
        "product_variant": [i for product in products for i in product["variants"]],
        "locations": rest.every("locations"),
    }
    for table, records in told.items():
        rows = {row["id"]: row for row in truth_rows(shop, table)}
        assert {i["id"] for i in records} == rows.keys() and len(records) == len(rows), table
        for record in records:
            assert _differences(record, rows[record["id"]]) == {}, table
    assert sum(len(i["discount_allocations"]) for i in lines) == len(truth_rows(shop, "discount_allocation"))
    codes = {(i["id"], code["code"]): code for i in orders for code in i["discount_codes"]}
    for row in truth_rows(shop, "discount_codes"):
        code = codes.pop((row["order_id"], row["code"]))
        assert (Decimal(code["amount"]), code["type"]) == (row["amount"], row["type"] or "percentage")
    assert not codes
    tags = [tag for i in orders for tag in i["tags"].split(", ") if tag]
    assert sorted(tags) == sorted(row["value"] for row in truth_rows(shop, "order_tags"))


def _differences(record: Json, row: Json) -> Json:
    """Fields of the same name that say something else. What only one of the two APIs has is left out."""
    only_rest = {"number", "user_id", "published_scope", "fulfillment_service", "currency", "grams"}
    shared = record.keys() & row.keys() - only_rest
    return {name: (record[name], row[name]) for name in shared if not _same(record[name], row[name])}


def _same(sent: Any, held: Any) -> bool:
    if isinstance(held, Decimal):
        return sent is not None and Decimal(str(sent)) == held
    return _instant(sent) == held if isinstance(held, datetime) else bool(sent == held)


def test_pages_go_both_ways(rest: RestClient) -> None:
    """Law: following previous from the last page gives next's pages backwards; orders come newest first."""
    answer = rest.get("orders", status="any", limit=25)
    forth, links = [answer.json()["orders"]], [set(answer.links)]
    while "next" in answer.links:
        answer = rest.session.get(answer.links["next"]["url"], timeout=10)
        forth.append(answer.json()["orders"])
        links.append(set(answer.links))
    back = list(rest.pages("orders", "previous", **_cursor(answer)))
    assert links == [{"next"}, *[{"next", "previous"}] * 3, {"previous"}]
    assert back == forth[-2::-1]
    made = [_instant(order["created_at"]) for page in forth for order in page]
    assert all(a and b and a >= b for a, b in pairwise(made))


def _cursor(answer: requests.Response) -> Json:
    return dict(parse_qsl(urlsplit(answer.links["previous"]["url"]).query))


def test_filters(rest: RestClient) -> None:
    """Law: a minimum and what is below it part the whole, both ends inclusive; status, fields, ids, since_id hold."""
    orders = sorted(rest.every("orders", status="any"), key=lambda i: _instant(i["updated_at"]) or 0)
    middle = orders[60]["updated_at"]
    later = rest.every("orders", status="any", updated_at_min=middle, order="updated_at asc", limit=7)
    earlier = rest.every("orders", status="any", updated_at_max=middle)
    both = {i["id"] for i in later} & {i["id"] for i in earlier}
    assert {i["id"] for i in later} | {i["id"] for i in earlier} == {i["id"] for i in orders}
    assert both == {i["id"] for i in orders if i["updated_at"] == middle}
    assert [i["updated_at"] for i in later] == [i["updated_at"] for i in orders[-len(later) :]]
    kinds = [len(rest.every("orders", status=status)) for status in ("open", "closed", "cancelled", "any")]
    assert sum(kinds[:3]) == kinds[3] == 120 and len(rest.every("orders")) == kinds[0]
    ids = sorted(i["id"] for i in orders)
    assert [i["id"] for i in rest.every("orders", status="any", since_id=ids[9], limit=50)] == ids[10:]
    chosen = rest.every("orders", status="any", ids=f"{ids[3]},{ids[5]}", fields="id,name")
    assert [set(i) for i in chosen] == [{"id", "name"}] * 2
    assert rest.get("orders/count", status="any").json() == {"count": 120}
    assert len(rest.get("orders", status="any", limit=999).json()["orders"]) == 120


def test_single_records_and_events(rest: RestClient) -> None:
    """Law: a record by its id is the one of the list; events can be picked by subject and verb."""
    orders = rest.every("orders", status="any")
    refunded = next(i for i in orders if i["refunds"])
    assert rest.get(f"orders/{refunded['id']}").json() == {"order": refunded}
    assert rest.get(f"orders/{refunded['id']}/refunds").json() == {"refunds": refunded["refunds"]}
    events = rest.every("events", filter="Product", verb="destroy")
    assert events and {(i["subject_type"], i["verb"]) for i in events} == {("Product", "destroy")}
    assert rest.every("events", filter="Order", verb="destroy") == []


def test_the_front_door(rest: RestClient, reading: Client) -> None:
    """Law: headers as Shopify's; no token 401, unknown paths 404, bad parameters 400; old versions fall forward."""
    answer = rest.get("shop")
    assert answer.headers["X-Shopify-Shop-Api-Call-Limit"] == "1/40"
    assert answer.headers["X-Shopify-API-Version"] == "2026-01"
    assert answer.json()["shop"]["id"] == reading.sandbox.shop.identity
    assert RestClient(reading.sandbox, "2026-10").get("shop").headers["X-Shopify-API-Version"] == "2026-10"
    scopes = rest.session.get(f"{reading.sandbox.url}/admin/oauth/access_scopes.json", timeout=5).json()
    assert {"handle": "read_all_orders"} in scopes["access_scopes"]
    assert requests.get(f"{rest.root}/shop.json", timeout=5).status_code == 401
    assert RestClient(reading.sandbox, "1999-01").get("shop").status_code == 404
    assert rest.get("nothing").status_code == rest.get("orders/1").status_code == 404
    bad: list[Json] = [{"page_info": "x"}, {"page_info": "e30=", "status": "any"}, {"limit": 0}]
    bad.append({"updated_at_min": "yesterday"})
    assert [rest.get("orders", **asked).status_code for asked in bad] == [400] * 4


def test_scopes_and_faults() -> None:
    """Law: without its scope a list is forbidden, without read_all_orders old orders are out of sight; faults hit."""
    shop = sandbox.open_shop(None, SMALL)
    with sandbox.serve(shop, settings=Settings(scopes=("read_orders",))) as running:
        client = RestClient(running)
        assert client.get("customers").status_code == 403
        assert 0 < len(client.every("orders", status="any")) < 120
        running.faults.add({"kind": "status", "status": 429, "contains": "orders.json"})
        assert [client.get("orders").status_code for _ in range(2)] == [429, 200]
