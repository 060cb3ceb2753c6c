"""Faults on demand: each does what its name says, as often as asked, and leaves the shop as it was."""

from __future__ import annotations

import pytest
import requests

from courier import sandbox
from courier.errors import UsageError
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.faults import Fault, read_fault
from tests.sandbox import documents
from tests.sandbox.client import Client


@pytest.mark.parametrize("status", [401, 402, 403, 404, 423, 429, 430, 500, 502, 503, 504])
def test_a_status(served: Sandbox, client: Client, status: int) -> None:
    """The nth matching request fails, the next works."""
    served.faults.add(Fault("status", contains="Preflight", nth=2, status=status, retry_after=1.5))
    assert client.post(documents.PREFLIGHT).status_code == 200
    found = client.post(documents.PREFLIGHT)
    assert (found.status_code, found.headers["Retry-After"]) == (status, "1.5")
    assert client.post(documents.PREFLIGHT).status_code == 200


@pytest.mark.parametrize(("kind", "code"), [("throttled", "THROTTLED"), ("internal_error", "INTERNAL_SERVER_ERROR")])
def test_errors_at_http_200(served: Sandbox, client: Client, kind: str, code: str) -> None:
    """Shopify's own failures come with status 200."""
    served.faults.add({"kind": kind})
    found = client.post(documents.PREFLIGHT)
    assert found.status_code == 200 and found.json()["errors"][0]["extensions"]["code"] == code
    assert "errors" not in client.answer(documents.PREFLIGHT)


def test_a_connection_that_breaks(served: Sandbox, client: Client) -> None:
    """Reset: the body ends before its length. Truncated: the body is whole for HTTP, but half a JSON."""
    served.faults.add(Fault("reset"), Fault("truncated", nth=2))
    with pytest.raises(requests.exceptions.RequestException):
        client.post(documents.PREFLIGHT)
    found = client.post(documents.PREFLIGHT)
    assert found.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        found.json()
    assert "errors" not in client.answer(documents.PREFLIGHT)


def test_a_redirect(served: Sandbox, client: Client) -> None:
    """302 to another host, which no client may follow with its token."""
    served.faults.add(Fault("redirect", location="http://127.0.0.1:9/x"))
    found = client.post(documents.PREFLIGHT)
    assert (found.status_code, found.headers["Location"]) == (302, "http://127.0.0.1:9/x")


def test_a_page_sent_twice(served: Sandbox, client: Client) -> None:
    """The page before comes again with its own cursor; going on from there reaches the end."""
    served.faults.add(Fault("duplicate_page", contains="query Ids", nth=2))
    pages = list(client.pages(documents.IDS, "orders", first=50))
    assert pages[0] == pages[1]
    assert {node["id"] for page in pages for node in page} == {
        f"gid://shopify/Order/{i}" for i in served.shop.history.orders
    }


def test_a_hidden_record(served: Sandbox, client: Client) -> None:
    """Missing from pages, present in counts and by id: a reader that does not reconcile would lose it."""
    order = f"gid://shopify/Order/{next(iter(served.shop.history.orders))}"
    served.faults.add(Fault("hidden", record=order, times=0))
    found = {node["id"] for node in client.every(documents.IDS, "orders", first=50)}
    assert order not in found
    assert client.data("{ ordersCount { count } }")["ordersCount"]["count"] == len(found) + 1
    assert client.data(documents.PROBE, ids=[order])["nodes"][0]["id"] == order


def test_a_change_between_pages(served: Sandbox, client: Client) -> None:
    """Law: between two inner pages the order moves on, its lines with it; the truth follows."""
    before = sandbox.truth(served.shop)
    family = max(served.shop.history.orders.values(), key=lambda family: len(family.lines))
    identity = f"gid://shopify/Order/{family.order.id}"
    first = client.data(documents.ORDER_LINES, id=identity)["order"]["lineItems"]
    served.faults.add(Fault("mutate", contains="query Lines"))
    later = client.data(documents.ORDER_LINES, id=identity, after=first["pageInfo"]["endCursor"])["order"]["lineItems"]
    after = served.shop.history.orders[family.order.id]
    assert after.order.updated_at > family.order.updated_at
    assert [node["quantity"] for node in later["nodes"]] == [line.quantity + 1 for line in family.lines[250:]]
    changed = {a.table for a, b in zip(sandbox.truth(served.shop), before, strict=True) if a != b}
    assert changed == {"shopify.order", "shopify.order_line"}


def test_a_bad_value(served: Sandbox, client: Client) -> None:
    """One scalar of one record is not what its type promises."""
    line = next(family for family in served.shop.history.orders.values() if family.lines).lines[0]
    served.faults.add(Fault("bad_value", record=f"gid://shopify/LineItem/{line.id}", field="quantity", value="abc"))
    orders = client.every(documents.ORDERS, "orders", first=250)
    bad = [i["id"] for node in orders for i in node["lineItems"]["nodes"] if i["quantity"] == "abc"]
    assert bad == [f"gid://shopify/LineItem/{line.id}"]


def test_faults_over_http(served: Sandbox, client: Client) -> None:
    """POST adds, GET shows, DELETE and reset clear; what is no fault is refused with the kinds there are."""
    url = f"{served.url}/_sandbox/faults"
    shown = requests.post(url, json=[{"kind": "slow", "seconds": 0.01}], timeout=5).json()["faults"]
    assert [fault["kind"] for fault in shown] == ["slow"]
    assert client.post(documents.PREFLIGHT).status_code == 200
    assert requests.get(url, timeout=5).json()["faults"] == []
    requests.post(url, json={"kind": "throttled", "times": 0}, timeout=5)
    requests.post(f"{served.url}/_sandbox/reset", timeout=5)
    assert served.faults.pending() == []
    assert requests.post(url, json={"kind": "earthquake"}, timeout=5).status_code == 400
    with pytest.raises(UsageError):
        read_fault({"kind": "slow", "second": 1})


def test_the_log_has_no_token(served: Sandbox, client: Client) -> None:
    """What was asked is kept with its cost, never with a credential."""
    client.post(documents.PREFLIGHT)
    found = requests.get(f"{served.url}/_sandbox/requests", timeout=5)
    assert found.json()["requests"][0]["operation"] == "Preflight" and found.json()["requests"][0]["cost"] == 5
    assert not any(secret in found.text for name, secret in served.credentials.items() if name != "SHOPIFY_STORE")
