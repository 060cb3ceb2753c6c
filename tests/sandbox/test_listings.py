"""Searches in sorted listings, and an index that lags behind."""

from __future__ import annotations

import pytest
import requests

from courier import sandbox
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.listings import by, count, search
from courier.sandbox.shopify.resources import CUSTOMERS, ORDERS, PRODUCTS, Resource
from courier.sandbox.shopify.search import Manner, parse_query
from courier.sandbox.shopify.service import Settings
from courier.sandbox.shopify.values import instant
from tests.sandbox import bulk, documents
from tests.sandbox.bulk import BulkClient
from tests.sandbox.conftest import SMALL


@pytest.mark.parametrize("manner", [Manner(), Manner(exclusive_after=False), Manner(whole_days=False)])
@pytest.mark.parametrize("resource", [ORDERS, CUSTOMERS, PRODUCTS])
def test_a_range_is_cut_out(served: Sandbox, resource: Resource, manner: Manner) -> None:
    """Law: what is cut out of a sorted listing is what testing every record finds, in the same order."""
    view = served.service.root().view
    rows = list(resource.rows(view))
    low, high = (instant(int(sorted(map(resource.keys["UPDATED_AT"], rows))[at])) for at in (3, -3))
    texts = [f"updated_at:{op}'{at}'" for op in (">=", ">", "<", "<=", "", "!=") for at in (low, high)]
    texts += [f"updated_at:>='{low}' AND updated_at:<'{high}'", "", f"created_at:<'{high}' updated_at:>'{low}'"]
    texts += [f"updated_at:>='{low}' OR id:1", f"-updated_at:<'{high}'", f"updated_at:>'{low}' id:>7", "updated_at:x"]
    for text in texts:
        parsed = parse_query(text, resource.fields, manner)
        for sort in ("ID", "UPDATED_AT", "CREATED_AT"):
            expected = by(resource, [row for row in rows if parsed.accepts(row)], sort)
            found = search(resource, parsed, sort, lambda key: by(resource, rows, key))
            assert found == expected, text
        assert count(resource, parsed, lambda key: by(resource, rows, key)) == len(expected.keys), text


def test_the_index_lags_behind() -> None:
    """Law: searches, counts and bulk see membership and keys of a while ago; the nodes that they give are of now."""
    with sandbox.serve(sandbox.open_shop(None, SMALL), settings=Settings(index_lag_seconds=60)) as served:
        client, shop = BulkClient(served), served.shop
        order = next(iter(shop.history.orders))
        since = instant(shop.seconds())
        before = client.data("{ ordersCount { count } }")["ordersCount"]["count"]
        shop.add({"kind": "touch", "order": order, "at": shop.seconds()})
        shop.add({"kind": "change", "orders": 40, "number": 1, "at": shop.seconds()})
        changed = f"updated_at:>='{since}'"
        assert client.every(documents.IDS, "orders", first=50, query=changed) == []
        assert client.result(bulk.orders(changed))["objectCount"] == "0"
        lines = client.lines(bulk.orders())
        touched = next(line for line in lines if line.get("id") == f"gid://shopify/Order/{order}")
        assert touched["note"] == "touched" and sum("__parentId" not in line for line in lines) == before
        client.move(61)
        assert len(client.every(documents.IDS, "orders", first=50, query=changed)) > 10
        assert client.data("{ ordersCount { count } }")["ordersCount"]["count"] > before


def test_lag_over_http(served: Sandbox) -> None:
    """POST /_sandbox/lag sets it, reset takes it back."""
    client, shop = BulkClient(served), served.shop
    requests.post(f"{served.url}/_sandbox/lag", json={"seconds": 60}, timeout=5)
    order = next(iter(shop.history.orders))
    since = instant(shop.seconds())
    shop.add({"kind": "touch", "order": order, "at": shop.seconds()})
    changed = f"updated_at:>='{since}'"
    assert client.every(documents.IDS, "orders", first=50, query=changed) == []
    requests.post(f"{served.url}/_sandbox/reset", timeout=5)
    assert len(client.every(documents.IDS, "orders", first=50, query=changed)) == 1
