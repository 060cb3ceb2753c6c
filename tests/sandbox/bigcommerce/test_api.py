"""What the made-up BigCommerce answers, and the oddities of the real one that it has."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from courier.sandbox import open_shop, serve
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from tests.sandbox.bigcommerce.secured import secured


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(open_shop(options=Options(customers=45, orders=60, products=4))) as served:
        yield served


@pytest.fixture(autouse=True)
def _fresh(sandbox: Sandbox) -> None:
    sandbox.reset(changes=True)


def get(sandbox: Sandbox, path: str, **query: str) -> requests.Response:
    store = sandbox.bigcommerce
    asked = {name.replace("__", ":"): value for name, value in query.items()}
    url = f"{sandbox.url}/stores/{store.hash}/{path}"
    return requests.get(url, asked, headers={"X-Auth-Token": store.token}, timeout=30)


def data(sandbox: Sandbox, path: str, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(sandbox, path, **query).json()["data"]
    return found


def test_v2_lists_are_bare_and_end_in_204(sandbox: Sandbox) -> None:
    pages = [get(sandbox, "v2/orders", limit="50", page=str(number)) for number in (1, 2, 3)]
    assert [answer.status_code for answer in pages] == [200, 200, 204]
    assert [len(answer.json()) for answer in pages[:2]] == [50, 10]
    assert pages[2].content == b""
    assert get(sandbox, "v2/orders/count").json()["count"] == 60


def test_v2_writes_dates_and_money_as_texts(sandbox: Sandbox) -> None:
    orders = get(sandbox, "v2/orders", limit="250").json()
    assert {order["date_shipped"] == "" for order in orders} == {True, False}
    for order in orders:
        assert parsedate_to_datetime(order["date_modified"]).tzinfo
        whole, _, rest = order["total_inc_tax"].partition(".")
        assert whole.isdecimal() and len(rest) == 4


def test_embedded_lists_stop(sandbox: Sandbox) -> None:
    """Lines at 50 of a consignment, with a warning that no page documents; addresses and attributes at ten."""
    shown = get(
        sandbox, "v2/orders", limit="250", include="consignments.line_items", consignment_structure="object"
    ).json()
    cut = [one for order in shown for one in order["consignments"]["shipping"] if "__warning__" in one]
    assert cut and all(len(one["line_items"]) == 50 for one in cut)
    people = data(sandbox, "v3/customers", limit="250", include="addresses,attributes")
    many = [one for one in people if one["address_count"] > 10]
    assert many and all(len(one["addresses"]) == 10 for one in many)
    assert {len(one["attributes"]) for one in people if one["attribute_count"] > 10} == {10}
    identity = many[0]["id"]
    assert len(data(sandbox, "v3/customers/addresses", customer_id__in=str(identity))) == many[0]["address_count"]


def test_pages_and_cursors_lead_to_the_same_customers(sandbox: Sandbox) -> None:
    by_page = [one["id"] for n in (1, 2, 3) for one in data(sandbox, "v3/customers", limit="20", page=str(n))]
    by_cursor: list[int] = []
    after: dict[str, str] = {}
    while found := (body := get(sandbox, "v3/customers", limit="20", **after).json())["data"]:
        by_cursor += [one["id"] for one in found]
        after = {"after": body["meta"]["cursor_pagination"]["end_cursor"]}
    assert by_page == by_cursor and len(by_page) == 45


@pytest.mark.parametrize(
    ("path", "query", "status", "says"),
    [
        ("v2/orders", {"x": "1"}, 400, "The field 'x' is not supported by this resource."),
        ("v3/customers", {"name__in": "a"}, 422, "The filter(s): name:in are not valid filter parameter(s)."),
        ("v3/catalog/products", {"limit": "251"}, 413, ""),
        ("v2/orders", {"limit": "251"}, 413, ""),
        ("v3/catalog/products/999999/reviews", {}, 404, ""),
        ("v3/nothing", {}, 404, ""),
    ],
)
def test_what_is_not_known_is_refused(
    path: str, query: dict[str, str], status: int, says: str, sandbox: Sandbox
) -> None:
    """In V2 with an array, in V3 with an object."""
    answer = get(sandbox, path, **query)
    body = answer.json()
    assert answer.status_code == status
    if path.startswith("v2/"):
        assert body[0]["status"] == status and says in body[0]["message"]
    else:
        assert body["status"] == status and says in body["title"] and body["errors"] == {}


def test_a_bare_date_of_products_gets_the_time_of_day(sandbox: Sandbox) -> None:
    """So that what changed earlier that day is left out."""
    products = data(sandbox, "v3/catalog/products", limit="250")
    day = max(one["date_modified"] for one in products)[:10]
    whole = data(sandbox, "v3/catalog/products", date_modified__min=f"{day}T00:00:00+00:00")
    later = {one["id"] for one in whole if one["date_modified"][11:19] >= f"{sandbox.shop.now():%H:%M:%S}"}
    assert whole and {one["id"] for one in data(sandbox, "v3/catalog/products", date_modified__min=day)} <= later


def test_reviews_leave_out_their_product_and_may_be_204(sandbox: Sandbox) -> None:
    products = data(sandbox, "v3/catalog/products", include_fields="reviews_count,reviews_rating_sum")
    assert all(one.keys() == {"id", "reviews_count", "reviews_rating_sum"} for one in products)
    for product in products:
        answer = get(sandbox, f"v3/catalog/products/{product['id']}/reviews", limit="250")
        reviews = answer.json()["data"] if answer.status_code == 200 else []
        approved = [one["rating"] for one in reviews if one["status"] == "approved"]
        total = answer.json()["meta"]["pagination"]["total"] if reviews else 0
        assert total > 250 or (len(approved), sum(approved)) == (
            product["reviews_count"], product["reviews_rating_sum"]
        )  # fmt: skip
        assert "product_id" not in {name for one in reviews for name in one}
    assert get(sandbox, "v3/catalog/products/4/reviews", status="1").status_code in (200, 204)


def test_the_quota_is_told_and_shared_with_others(sandbox: Sandbox) -> None:
    sandbox.bigcommerce.set(quota=9, others=2)
    left = [get(sandbox, "v2/store").headers["X-Rate-Limit-Requests-Left"] for _ in range(3)]
    assert left == ["6", "3", "0"]
    refused = get(sandbox, "v2/store")
    assert refused.status_code == 429 and 0 < int(refused.headers["X-Rate-Limit-Time-Reset-Ms"]) <= 30_000
    sandbox.reset()
    sandbox.faults.add({"kind": "status", "status": 429})
    under_load = get(sandbox, "v2/store")
    assert under_load.status_code == 429 and "X-Rate-Limit-Requests-Left" not in under_load.headers


def test_the_vendors_own_client_reads_v2(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """bigcommerce 0.23.4, unmodified: it walks to the 204, reads the quota, and follows an order's lists."""
    from bigcommerce.api import BigcommerceApi

    store = sandbox.bigcommerce
    with secured(sandbox, tmp_path) as (address, trusted):
        monkeypatch.setenv("BC_API_ENDPOINT", address)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        api = BigcommerceApi(client_id="any", store_hash=store.hash, access_token=store.token)
        orders = list(api.Orders.iterall())
        assert len({order.id for order in orders}) == api.Orders.count() == 60
        assert api.Store.all().id == store.hash
        assert [status.id for status in api.OrderStatuses.all()] == list(range(15))
        some = next(order for order in orders if order.items_total and float(order.coupon_discount))
        assert sum(line.quantity for line in some.products()) == some.items_total
        assert sum(coupon.discount for coupon in some.coupons()) == pytest.approx(float(some.coupon_discount))
        assert api.connection.rate_limit["requests_quota"] == store.settings.quota
