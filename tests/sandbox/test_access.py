"""Tokens, versions, scopes and the rate limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from courier import clock, sandbox
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.scopes import GRANTED
from courier.sandbox.shopify.service import Settings
from tests.sandbox import documents
from tests.sandbox.client import Client
from tests.sandbox.conftest import SMALL


@pytest.fixture
def strict(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of a shop with the Settings of the test's parameter."""
    with sandbox.serve(sandbox.open_shop(None, SMALL), settings=request.param) as running:
        yield Client(running)


def without(*scopes: str) -> Settings:
    return Settings(scopes=tuple(scope for scope in GRANTED if scope not in scopes))


def test_a_wrong_token_is_refused(client: Client) -> None:
    """401, and no data."""
    client.session.headers["X-Shopify-Access-Token"] = "shpat_wrong"
    assert client.post(documents.PREFLIGHT).status_code == 401


@pytest.mark.parametrize("as_json", [True, False])
def test_client_credentials_make_a_token_that_expires(served: Sandbox, as_json: bool) -> None:
    """Law: a minted token works until its time and not a second longer; wrong secrets mint nothing."""
    known = served.credentials
    body = {
        "grant_type": "client_credentials",
        "client_id": known["SHOPIFY_CLIENT_ID"],
        "client_secret": known["SHOPIFY_CLIENT_SECRET"],
    }
    url = f"{served.url}/admin/oauth/access_token"
    sent = {"json": body} if as_json else {"data": body}
    found = requests.post(url, timeout=5, **sent).json()  # type: ignore[arg-type]
    assert found["expires_in"] == 86_399 and "read_orders" in found["scope"].split(",")
    client = Client(served)
    client.session.headers["X-Shopify-Access-Token"] = found["access_token"]
    assert client.post(documents.PREFLIGHT).status_code == 200
    requests.post(f"{served.url}/_sandbox/clock", json={"advance": 86_400}, timeout=5)
    assert client.post(documents.PREFLIGHT).status_code == 401
    assert requests.post(url, data={**body, "client_secret": "wrong"}, timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("asked", "status", "answered"),
    [
        ("2026-10", 200, "2026-10"),
        ("2026-07", 200, "2026-07"),
        ("unstable", 200, "unstable"),
        ("2025-01", 200, "2026-01"),
        ("2027-01", 404, None),
        ("tomorrow", 404, None),
    ],
)
def test_old_versions_fall_forward(reading: Client, asked: str, status: int, answered: str | None) -> None:
    """Law: a version too old is answered by the oldest supported one, and only the header says so."""
    found = Client(reading.sandbox, asked).post(documents.PREFLIGHT)
    assert (found.status_code, found.headers.get("X-Shopify-API-Version")) == (status, answered)


@pytest.mark.parametrize("version", ["2026-01", "2026-04"])
@pytest.mark.parametrize("field", ["cartToken", "checkoutToken", "lineItems(first: 1) { nodes { weight { value } } }"])
def test_older_versions_lack_fields(reading: Client, version: str, field: str) -> None:
    """Fields of 2026-07 do not exist before it."""
    error = Client(reading.sandbox, version).answer(f"{{ orders(first: 1) {{ nodes {{ {field} }} }} }}")["errors"][0]
    assert error["extensions"]["code"] == "undefinedField"


@pytest.mark.parametrize("strict", [without("read_customers")], indirect=True)
def test_a_missing_scope_takes_a_field_away(strict: Client) -> None:
    """The field is null, the rest is there, and an error names the path and the scope."""
    found = strict.answer("{ orders(first: 2) { nodes { id customer { legacyResourceId } } } }")
    assert [node["customer"] for node in found["data"]["orders"]["nodes"]] == [None, None]
    error = found["errors"][0]
    assert error["path"] == ["orders", "nodes", 0, "customer"]
    assert error["extensions"]["code"] == "ACCESS_DENIED" and "read_customers" in error["message"]
    refused = strict.answer("{ customers(first: 1) { nodes { id } } }")
    assert refused["data"] is None and refused["errors"][0]["path"] == ["customers"]


def test_staff_needs_a_scope_that_is_not_granted(reading: Client) -> None:
    """read_users is withheld by default."""
    found = reading.answer("{ orders(first: 1) { nodes { staffMember { id } } } }")
    assert found["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


@pytest.mark.parametrize("strict", [without("read_all_orders")], indirect=True)
def test_old_orders_are_silently_out_of_sight(strict: Client) -> None:
    """Law: without read_all_orders only the last 60 days are listed, counted and found by id; nothing says so."""
    shop = strict.sandbox.shop
    oldest = int(shop.now().timestamp()) - 60 * 86_400
    visible = {i for i, family in shop.history.orders.items() if family.order.created_at >= oldest}
    found = strict.every(documents.IDS, "orders", first=250)
    assert {int(node["id"].rsplit("/", 1)[-1]) for node in found} == visible != set(shop.history.orders)
    assert strict.data("{ ordersCount { count } }")["ordersCount"]["count"] == len(visible)
    assert strict.data(documents.PROBE, ids=[f"gid://shopify/Order/{next(iter(shop.history.orders))}"])["nodes"] == [
        None
    ]


@pytest.mark.parametrize("strict", [Settings(protected_data=False)], indirect=True)
def test_protected_data_needs_approval(strict: Client) -> None:
    """Names are kept back, everything else is answered."""
    found = strict.answer("{ customers(first: 1) { nodes { id firstName } } }")
    assert found["data"]["customers"]["nodes"][0]["firstName"] is None
    assert "not approved" in found["errors"][0]["message"]


@pytest.mark.parametrize("strict", [Settings(bucket_size=200, restore_rate=10)], indirect=True)
def test_the_bucket_empties_and_refills(strict: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: what is asked for is taken, THROTTLED takes nothing, time gives back at the restore rate."""
    start = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: start)
    first = strict.answer(documents.CUSTOMERS, first=250)["extensions"]["cost"]
    assert first["requestedQueryCost"] == 112 and first["actualQueryCost"] <= 112
    left = first["throttleStatus"]["currentlyAvailable"]
    strict.sandbox.service.bucket.available = 100
    throttled = strict.answer(documents.CUSTOMERS, first=250)
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED" and "data" not in throttled
    assert throttled["extensions"]["cost"]["actualQueryCost"] is None
    assert throttled["extensions"]["cost"]["throttleStatus"] == {
        "maximumAvailable": 200.0,
        "currentlyAvailable": 100,
        "restoreRate": 10.0,
    }
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(seconds=2))
    assert "errors" not in strict.answer(documents.CUSTOMERS, first=250)
    assert left == 200 - first["actualQueryCost"]


def test_what_was_not_used_is_given_back(reading: Client) -> None:
    """A page that is not full costs less than was asked for."""
    cost = reading.answer(documents.PRODUCTS, first=250)["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (13, 3)


def test_one_query_may_cost_a_thousand(reading: Client) -> None:
    """MAX_COST_EXCEEDED, whatever the bucket holds."""
    inner = "lineItems(first: 250) { nodes { product { id } variant { id } } }"
    text = f"{{ orders(first: 250) {{ nodes {{ {inner} b: {inner} c: {inner} }} }} }}"
    extensions = reading.answer(text)["errors"][0]["extensions"]
    assert extensions["code"] == "MAX_COST_EXCEEDED" and extensions["cost"] > extensions["maxCost"] == 1000
