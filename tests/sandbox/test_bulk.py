"""Bulk operations: what the file holds, how an operation lives, what a query must look like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from courier import sandbox
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.service import Settings
from courier.sandbox.shopify.values import instant
from tests.sandbox import bulk
from tests.sandbox.bulk import BulkClient, fetch
from tests.sandbox.client import Json
from tests.sandbox.conftest import SMALL

_LINES = "lineItems { edges { node { id } } }"
SIX = "{ orders { edges { node { id " + " ".join(f"a{i}: {_LINES}" for i in range(5)) + " } } } }"


@pytest.fixture(scope="module")
def shared() -> Iterator[BulkClient]:
    """A shop that no test changes."""
    with sandbox.serve(sandbox.open_shop(None, SMALL)) as served:
        yield BulkClient(served)


@pytest.fixture
def slow() -> Iterator[BulkClient]:
    """Operations take a hundred seconds of the shop's clock."""
    with sandbox.serve(sandbox.open_shop(None, SMALL), settings=Settings(bulk_seconds=100)) as served:
        yield BulkClient(served)


def _paged(client: BulkClient) -> list[Json]:
    """What pages say, as bulk lines."""
    found: list[Json] = []
    for order in client.every(bulk.PAGED, "orders"):
        inner = [order.pop(name)["nodes"] for name in ("lineItems", "discountApplications", "shippingLines")]
        if len(inner[0]) == 250:
            inner[0] = client.every_line(order["id"])
        found.append(order)
        found.extend({**node, "__parentId": order["id"]} for nodes in inner for node in nodes)
    return found


def _sorted(lines: list[Json]) -> list[bytes]:
    return sorted(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) for line in lines)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_file_says_what_pages_say(shared: BulkClient, grouped: bool) -> None:
    """Law: the lines of a bulk file are the nodes of all pages, children with their parent's id."""
    done = shared.result(bulk.orders(), grouped=grouped)
    lines, paged = bulk.read_lines(done["url"]), _paged(shared)
    assert _sorted(lines) == _sorted(paged)
    assert (done["status"], int(done["objectCount"])) == ("COMPLETED", len(paged))
    assert int(done["rootObjectCount"]) == sum("__parentId" not in line for line in lines)
    assert (lines == paged) is grouped


def test_the_bytes_of_a_line(shared: BulkClient) -> None:
    """Slashes are escaped, __typename comes first and __parentId last; fileSize is the file's."""
    done = shared.result(bulk.orders())
    answer = fetch(done["url"])
    assert int(done["fileSize"]) == len(answer.content) == int(answer.headers["Content-Length"])
    assert answer.headers["Content-Type"] == "application/jsonl"
    assert f'filename="bulk-{done["id"].rsplit("/")[-1]}.jsonl"' in answer.headers["Content-Disposition"]
    assert rb"gid:\/\/shopify\/Order" in answer.content and b"gid://" not in answer.content
    children = [line for line in answer.content.splitlines() if b'"__typename":"LineItem"' in line]
    assert children and all(line.startswith(b'{"__typename":"LineItem","id":"gid:') for line in children)
    assert all(list(orjson.loads(line))[-1] == "__parentId" for line in children)


def test_the_order_is_shuffled_alike_each_time(shared: BulkClient) -> None:
    """Without groups a child may come before its parent; the same operation gives the same bytes and ETag."""
    first, again = (fetch(shared.result(bulk.orders())["url"]) for _ in range(2))
    assert (first.content, first.headers["ETag"]) == (again.content, again.headers["ETag"])
    seen, early = set(), 0
    for line in map(orjson.loads, first.content.splitlines()):
        early += "__parentId" in line and line["__parentId"] not in seen
        seen.add(line.get("id"))
    assert early > 100


def test_aliases_fragments_and_depth(shared: BulkClient) -> None:
    """Names are those of the document; a grandchild's __parentId is its parent's."""
    lines = shared.lines(
        """query { found: products { edges { node { __typename id called: title ...More } } } }
        fragment More on Product { variants { edges { node { __typename id price
          item: inventoryItem { tracked } metafields { edges { node { __typename id } } } } } } }"""
    )
    kinds: dict[str, list[Json]] = {}
    for line in lines:
        kinds.setdefault(line["__typename"], []).append(line)
    assert set(kinds["Product"][0]) == {"__typename", "id", "called"}
    assert set(kinds["ProductVariant"][0]) == {"__typename", "id", "price", "item", "__parentId"}
    assert {i["__parentId"] for i in kinds["ProductVariant"]} <= {i["id"] for i in kinds["Product"]}
    assert {i["__parentId"] for i in kinds["Metafield"]} <= {i["id"] for i in kinds["ProductVariant"]}


@pytest.mark.parametrize("root", ["customers", "products", "productVariants", "locations", "events"])
def test_every_root(shared: BulkClient, root: str) -> None:
    """Whatever can be listed can be had in bulk."""
    lines = shared.lines(f"{{ {root} {{ edges {{ node {{ __typename id }} }} }} }}")
    assert lines and all(set(line) == {"__typename", "id"} for line in lines)


def test_filters_are_those_of_pages(shared: BulkClient) -> None:
    """A bulk query finds what the same search finds; what finds nothing has no url."""
    middle = sorted(i.order.updated_at for i in shared.sandbox.shop.history.orders.values())[60]
    query = f"updated_at:>='{instant(middle)}'"
    found = shared.result(bulk.orders(query))
    counted = shared.data("query($q: String) { ordersCount(query: $q) { count } }", q=query)["ordersCount"]["count"]
    assert int(found["rootObjectCount"]) == counted == 60
    empty = shared.result(bulk.orders("updated_at:>'2100-01-01T00:00:00Z'"))
    assert (empty["status"], empty["objectCount"], empty["url"], empty["fileSize"]) == ("COMPLETED", "0", None, None)


def test_an_operations_life(slow: BulkClient) -> None:
    """CREATED, then RUNNING with growing counts, then COMPLETED with a url; its text comes back with its comments."""
    identity = slow.start(bulk.orders())
    slow.move(30)
    running = slow.poll(identity)
    slow.move(30)
    later = slow.data(bulk.POLL_ANY, id=identity)["node"]
    assert running["status"] == later["status"] == "RUNNING" and running["url"] is running["completedAt"] is None
    assert 0 < int(running["objectCount"]) < int(later["objectCount"])
    slow.move(41)
    done = slow.poll(identity)
    assert done["status"] == "COMPLETED" and done["url"] and done["query"].startswith("# made by a test")
    assert int(done["objectCount"]) > int(later["objectCount"])


def test_slots(slow: BulkClient) -> None:
    """Five operations run at once; the sixth is told which; one that ends makes room."""
    made = [slow.start(bulk.orders()) for _ in range(5)]
    refused = slow.run(bulk.orders())
    assert refused["bulkOperation"] is None
    assert (
        refused["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS" and made[0] in refused["userErrors"][0]["message"]
    )
    slow.move(1)
    listed = slow.data(bulk.LIST, query="status:running operation_type:query", reverse=True)["bulkOperations"]["nodes"]
    assert [i["id"] for i in listed] == made[::-1]
    assert slow.data(bulk.CANCEL, id=made[0])["bulkOperationCancel"]["bulkOperation"]["status"] == "CANCELING"
    assert slow.poll(made[0])["status"] == "CANCELED"
    slow.start(bulk.orders())


def test_what_cannot_be_cancelled(shared: BulkClient) -> None:
    """What is done stays done, and what never was is not there."""
    done = shared.result(bulk.orders())
    answer = shared.data(bulk.CANCEL, id=done["id"])["bulkOperationCancel"]
    assert answer["userErrors"][0]["message"] == "A bulk operation cannot be canceled when it is completed"
    gone = shared.data(bulk.CANCEL, id="gid://shopify/BulkOperation/1")["bulkOperationCancel"]
    assert gone["userErrors"] == [{"field": ["id"], "message": "Bulk operation does not exist"}]


def test_a_missing_scope_fails_the_whole() -> None:
    """No field is named: the operation is FAILED with ACCESS_DENIED."""
    settings = Settings(scopes=("read_orders",))
    with sandbox.serve(sandbox.open_shop(None, SMALL), settings=settings) as served:
        done = BulkClient(served).result(bulk.orders())
    assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "ACCESS_DENIED", None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "{ products { nodes { id } } }",
            "Selecting via 'nodes' is not supported. Invalid connection fields: 'products'.",
        ),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "Connection fields without 'id': products.",
        ),
        (
            "{ products { edges { node { my: id variants { edges { node { id } } } } } } }",
            "Connection fields without 'id': products.",
        ),
        (
            "{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } } } } } } }",
            "within a list field",
        ),
        ("{ shop { id } }", "Bulk queries must contain at least one connection."),
        ('{ node(id: "gid://shopify/Order/1") { id } }', "Bulk queries cannot contain a top level `node` field."),
        ("{ products { edges { node { id } } } orders { edges { node { id } } } }", "exactly one top-level field"),
        (
            "{ products { edges { node { nope } } } }",
            "Invalid bulk query: Field 'nope' doesn't exist on type 'Product'",
        ),
        ("mutation { bulkOperationCancel(id: 1) { bulkOperation { id } } }", "Only `query` operations are supported."),
        ("query($a: Int) { products(first: $a) { edges { node { id } } } }", "cannot contain variables"),
        (SIX, "more than 5 connections"),
        ("", "syntax error, unexpected end of file"),
        ("#" * 65_536 + "\n{ shop { id } }", "65535 bytes"),
    ],
)
def test_rules(shared: BulkClient, query: str, message: str) -> None:
    """What breaks a rule makes no operation."""
    made = shared.run(query)
    assert made["bulkOperation"] is None
    assert any(message in error["message"] for error in made["userErrors"]), made["userErrors"]
    assert {(*error["field"], error["code"]) for error in made["userErrors"]} == {("query", "INVALID")}


def test_a_file_written_ahead(served: Sandbox) -> None:
    """Law: an operation that finds the same records takes the file that is there; a changed shop makes another."""
    client = BulkClient(served)
    ahead = served.write_bulk(bulk.orders("updated_at:<'2100-01-01T00:00:00Z'"))
    stamp = ahead.path.stat().st_ino
    done = client.result("# another comment\n" + bulk.orders("updated_at:<'2100-02-02T00:00:00Z'"))
    assert int(done["fileSize"]) == ahead.size and ahead.path.stat().st_ino == stamp
    assert fetch(done["url"]).headers["ETag"] == f'"{ahead.path.stem}"'
    sandbox.change(served.shop, 20)
    assert fetch(client.result(bulk.orders())["url"]).headers["ETag"] != f'"{ahead.path.stem}"'


def test_operations_outlive_their_server(tmp_path: Path) -> None:
    """A server started again on the same folder knows the operations, their files and their signatures."""
    with sandbox.serve(sandbox.open_shop(tmp_path, SMALL)) as served:
        identity = BulkClient(served).start(bulk.orders())
    with sandbox.serve(sandbox.open_shop(tmp_path)) as served:
        client = BulkClient(served)
        done = client.poll(identity)
        assert done["status"] == "COMPLETED" and len(bulk.read_lines(done["url"])) == int(done["objectCount"])
        assert client.start(bulk.orders()) != identity
        served.reset()
        assert client.data(bulk.LIST)["bulkOperations"]["nodes"] == []
