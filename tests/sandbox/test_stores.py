"""Many small shops behind one port: a token opens its own store, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from courier import sandbox
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.stores import options_of

NAMES = ("shop_uk", "shop_us")


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    main = sandbox.open_shop(None, Options(customers=5, orders=5, products=2, special=False))
    with sandbox.serve(main, stores=NAMES) as running:
        yield running


def shop_of(served: Sandbox, token: str) -> Any:
    url = f"{served.url}/admin/api/2026-10/graphql.json"
    asked = {"query": "{ shop { id myshopifyDomain } }"}
    answer = requests.post(url, json=asked, headers={"X-Shopify-Access-Token": token}, timeout=10)
    return answer.json()["data"]["shop"] if answer.status_code == 200 else answer.status_code


def test_each_token_opens_its_own_store(served: Sandbox) -> None:
    """The main shop's too; that of a store that nobody named opens nothing. A store is made when it is asked for."""
    credentials = [served.credential("shopify"), *(served.credential("shopify", name) for name in NAMES)]
    shops = [shop_of(served, one["access_token"]) for one in credentials]
    assert [one["myshopifyDomain"].split(".")[0] for one in shops] == [one["store"] for one in credentials]
    assert len({one["id"] for one in shops}) == 3
    assert shop_of(served, f"shpat_sandbox_{options_of('shop_fr').seed:x}") == 401
    assert set(served.stores.made) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_other_sources_know_their_stores(served: Sandbox, name: str) -> None:
    opened, key = served.credential("bigcommerce", name), served.credential("klaviyo", name)["api_key"]
    token = {"X-Auth-Token": opened["access_token"]}
    found = requests.get(f"{served.url}/stores/{opened['store_hash']}/v2/store", headers=token, timeout=10)
    other = requests.get(f"{served.url}/stores/{served.bigcommerce.hash}/v2/store", headers=token, timeout=10)
    assert (found.status_code, other.status_code) == (200, 401)
    headers = {"Authorization": f"Klaviyo-API-Key {key}", "revision": "2026-07-15"}
    assert requests.get(f"{served.url}/api/accounts", headers=headers, timeout=10).status_code == 200


def test_a_store_is_told_of_by_its_name_and_by_its_signed_files(served: Sandbox) -> None:
    truth = f"{served.url}/_sandbox/truth"
    told = {name: requests.get(truth, params={"store": name}, timeout=30).json()["tables"] for name in ("", *NAMES)}
    rows = {name: {one["table"]: one["rows"] for one in tables}["shopify.order"] for name, tables in told.items()}
    assert rows == {"": 5, "shop_uk": 60, "shop_us": 60} and told["shop_uk"] != told["shop_us"]
    unsigned = requests.get(f"{served.url}/bulk/none/bulk-1.jsonl", timeout=10)
    assert unsigned.status_code == 403


def test_a_store_is_the_same_whoever_opens_it() -> None:
    """Made of its name and of the main shop's beginning; of other names and other beginnings it is another one."""
    main = sandbox.open_shop(None, Options(customers=5, orders=5, products=2, special=False))
    first, again, other = (sandbox.open_store(main, name) for name in ("a", "a", "b"))
    assert (first.identity, first.token) == (again.identity, again.token) != (other.identity, other.token)
    assert first.history.orders.keys() == again.history.orders.keys()
