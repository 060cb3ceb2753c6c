"""Bulk operations and downloads that go wrong."""

from __future__ import annotations

import pytest
import requests

from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.faults import Fault
from tests.sandbox import bulk
from tests.sandbox.bulk import BulkClient, fetch, read_lines
from tests.sandbox.client import Json


@pytest.fixture
def client(served: Sandbox) -> BulkClient:
    return BulkClient(served)


def _facts(client: BulkClient, done: Json) -> tuple[int, int, int, int]:
    """Objects and roots as told and as there are."""
    lines = read_lines(done["url"])
    roots = sum("__parentId" not in line for line in lines)
    return int(done["objectCount"]), len(lines), int(done["rootObjectCount"]), roots


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (Fault("bulk_failed"), "FAILED", "INTERNAL_SERVER_ERROR"),
        (Fault("bulk_failed", error="TIMEOUT"), "FAILED", "TIMEOUT"),
        (Fault("bulk_access_denied"), "FAILED", "ACCESS_DENIED"),
        (Fault("bulk_expired"), "EXPIRED", None),
        (Fault("bulk_canceled"), "CANCELED", None),
    ],
)
def test_bad_ends(client: BulkClient, fault: Fault, status: str, error: str | None) -> None:
    """An operation ends otherwise; other requests do not use the fault up; the next operation is well."""
    client.sandbox.faults.add(fault)
    client.data("{ shop { id } }")
    done = client.result(bulk.orders())
    assert (done["status"], done["errorCode"], done["url"]) == (status, error, None)
    assert done["completedAt"] is not None
    assert client.result(bulk.orders())["status"] == "COMPLETED"


def test_a_partial_file(client: BulkClient) -> None:
    """What a failed operation had written may be fetched."""
    whole = client.lines(bulk.orders())
    client.sandbox.faults.add(Fault("bulk_failed", partial=True, share=0.25))
    done = client.result(bulk.orders())
    assert done["url"] is None and read_lines(done["partialDataUrl"]) == whole[: len(whole) // 4]


def test_canceling_takes_a_while(client: BulkClient) -> None:
    """CANCELING for seconds of the shop's clock, and in a slot as long."""
    client.sandbox.faults.add(Fault("bulk_canceling", seconds=60))
    identity = client.start(bulk.orders())
    assert client.poll(identity)["status"] == "CANCELING"
    client.move(61)
    assert client.poll(identity)["status"] == "CANCELED"


def test_foreign_operations_in_all_slots(client: BulkClient) -> None:
    """They are listed with their own text; who cancels one is found out; they end by themselves."""
    client.sandbox.faults.add(Fault("bulk_busy", count=5, seconds=60))
    assert client.run(bulk.orders())["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
    client.move(1)
    listed = client.data(bulk.LIST, query="status:running")["bulkOperations"]["nodes"]
    assert len(listed) == 5 and not any("made by a test" in node["query"] for node in listed)
    client.data(bulk.CANCEL, id=listed[0]["id"])
    assert client.sandbox.service.bulk.cancelled == [listed[0]["id"]]
    client.move(60)
    client.start(bulk.orders())
    assert client.data(bulk.LIST, query="status:running")["bulkOperations"]["nodes"] == []


def test_a_slow_operation(client: BulkClient) -> None:
    """It runs for seconds of the shop's clock."""
    client.sandbox.faults.add(Fault("bulk_slow", seconds=600))
    identity = client.start(bulk.orders())
    client.move(599)
    assert client.poll(identity)["status"] == "RUNNING"
    client.move(2)
    assert client.poll(identity)["status"] == "COMPLETED"


def test_a_line_short(client: BulkClient) -> None:
    """The file lacks a line; only the counts betray it."""
    client.sandbox.faults.add(Fault("bulk_short"))
    done = client.result(bulk.orders())
    told, there, _, _ = _facts(client, done)
    assert told == there + 1 and int(done["fileSize"]) == len(fetch(done["url"]).content)


@pytest.mark.parametrize("field", ["objectCount", "rootObjectCount"])
def test_counts_that_disagree(client: BulkClient, field: str) -> None:
    """One of the two is one too many."""
    client.sandbox.faults.add(Fault("bulk_miscount", field=field))
    told, there, told_roots, roots = _facts(client, client.result(bulk.orders()))
    assert (told - there, told_roots - roots) == ((1, 0) if field == "objectCount" else (0, 1))


def test_a_size_that_disagrees(client: BulkClient) -> None:
    """One byte more is told than there is."""
    client.sandbox.faults.add(Fault("bulk_filesize"))
    done = client.result(bulk.orders())
    assert int(done["fileSize"]) == len(fetch(done["url"]).content) + 1


def test_a_lost_root(client: BulkClient) -> None:
    """File and counts agree with each other, not with the count query; its children are gone too."""
    order = f"gid://shopify/Order/{next(iter(client.sandbox.shop.history.orders))}"
    client.sandbox.faults.add(Fault("bulk_lost_root", record=order))
    done = client.result(bulk.orders())
    told, there, told_roots, roots = _facts(client, done)
    assert (told, told_roots) == (there, roots)
    assert client.data("{ ordersCount { count } }")["ordersCount"]["count"] == roots + 1
    assert not any(order in (line["id"], line.get("__parentId")) for line in read_lines(done["url"]) if "id" in line)


def test_a_root_twice(client: BulkClient) -> None:
    """The same line comes twice, and the counts agree with the file."""
    client.sandbox.faults.add(Fault("bulk_duplicate"))
    done = client.result(bulk.orders())
    told, there, told_roots, roots = _facts(client, done)
    ids = [line["id"] for line in read_lines(done["url"]) if "__parentId" not in line]
    assert (told, told_roots) == (there, roots) and len(ids) == len(set(ids)) + 1


def test_a_torn_order(client: BulkClient) -> None:
    """Its line is old, its lines are new; afterwards it is found as changed since the operation began."""
    family = max(client.sandbox.shop.history.orders.values(), key=lambda i: len(i.lines))
    order = f"gid://shopify/Order/{family.order.id}"
    client.sandbox.faults.add(Fault("bulk_torn", record=order))
    done = client.result(bulk.orders())
    lines = read_lines(done["url"])
    root = next(line for line in lines if line.get("id") == order)
    own = {i["id"]: i["quantity"] for i in lines if i.get("__parentId") == order and i["__typename"] == "LineItem"}
    assert root["note"] == family.order.note != "touched"
    assert own == {f"gid://shopify/LineItem/{i.id}": i.quantity + 1 for i in family.lines}
    assert int(done["objectCount"]) == len(lines)
    since = client.data(
        "query($q: String) { orders(first: 5, query: $q) { nodes { id note } } }",
        q=f"updated_at:>='{done['createdAt']}'",
    )
    assert since["orders"]["nodes"] == [{"id": order, "note": "touched"}]


def test_ranges_and_signatures(client: BulkClient) -> None:
    """The URL needs no token, answers ranges, and is good for seven days of the shop's clock."""
    url = client.result(bulk.orders())["url"]
    whole = fetch(url)
    part = fetch(url, Range="bytes=1000-")
    assert (part.status_code, part.content) == (206, whole.content[1000:])
    logged = [(i["range"], i["status"]) for i in client.sandbox.requests if i.get("operation") == "download"]
    assert logged == [(None, 200), ("bytes=1000-", 206)]
    assert part.headers["Content-Range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    assert fetch(url, Range=f"bytes={len(whole.content)}-").status_code == 416
    assert fetch(url, Range="bytes=0-9").content == whole.content[:10]
    assert fetch(url.replace("Signature=", "Signature=0")).status_code == 403
    assert fetch(url.replace("Expires=", "Expires=9")).status_code == 403
    client.move(7 * 86_400 + 1)
    assert fetch(url).status_code == 403


@pytest.mark.parametrize("kind", ["download_truncated", "download_reset"])
def test_a_download_cut_off(client: BulkClient, kind: str) -> None:
    """A share of the bytes comes, then nothing; a second try gets all."""
    url = client.result(bulk.orders())["url"]
    client.sandbox.faults.add(Fault(kind, share=0.5))
    with requests.get(url, stream=True, timeout=10) as answer:
        size, read = int(answer.headers["Content-Length"]), 0
        with pytest.raises(requests.exceptions.RequestException) as failed:
            for chunk in answer.iter_content(1024):
                read += len(chunk)
    assert ("reset" in str(failed.value)) is (kind == "download_reset") and read <= size // 2
    assert len(fetch(url).content) == size


def test_downloads_otherwise_wrong(client: BulkClient) -> None:
    """A status; a range ignored; a byte changed. API requests do not use such faults up, nor downloads theirs."""
    url = client.result(bulk.orders())["url"]
    client.sandbox.faults.add(Fault("download_status", status=503), Fault("throttled"))
    assert fetch(url).status_code == 503
    whole = fetch(url)
    assert client.answer("{ shop { id } }")["errors"][0]["extensions"]["code"] == "THROTTLED"
    client.sandbox.faults.add(Fault("download_no_range"))
    ignored = fetch(url, Range="bytes=1000-")
    assert (ignored.status_code, ignored.content) == (200, whole.content)
    client.sandbox.faults.add(Fault("download_garbled"))
    garbled = fetch(url).content
    assert sum(a != b for a, b in zip(garbled, whole.content, strict=True)) == 1
