"""The lines of a bulk result -> streams, byte for byte, however they come."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.connectors.shopify.bulk.documents import bulk_layout
from courier.connectors.shopify.bulk.lines import read_roots
from courier.connectors.shopify.bulk.operations import Operation
from courier.connectors.shopify.bulk.result import Download, Got
from courier.connectors.shopify.bulk.split import Splitter
from courier.connectors.shopify.document import Field
from courier.connectors.shopify.ways import planned
from courier.errors import Incomplete
from courier.http import Opened
from courier.storage.raw import RawWriter, read_manifest
from tests.connectors.shopify.pulling import silent
from tests.connectors.shopify.test_bulk_documents import with_metafields

# (type, type of its parent, stream)
ORDERS = (
    ("Order", "", "Order"),
    ("LineItem", "Order", "Order.lineItems"),
    ("ManualDiscountApplication", "Order", "Order.discountApplications"),
    ("DiscountCodeApplication", "Order", "Order.discountApplications"),
    ("ShippingLine", "Order", "Order.shippingLines"),
    ("Metafield", "Order", "Order.metafields"),
)
PRODUCTS = (
    ("Product", "", "Product"),
    ("ProductVariant", "Product", "Product.variants"),
    ("Metafield", "Product", "Product.metafields"),
    ("Metafield", "ProductVariant", "Product.variants.metafields"),
)


@cache
def plan(root: str) -> Field:
    return planned(with_metafields(root))


def line(kind: tuple[str, str, str], number: int, text: str, form: int) -> tuple[str, bytes]:
    """A record of a type as a server may write it: escaped slashes, spaces, another order of its fields."""
    name, parent, stream = kind
    values: dict[str, Any] = {"__typename": name, "id": f"gid://shopify/{name}/{number}", "note": text}
    if parent:
        values["__parentId"] = f"gid://shopify/{parent}/{number}"
    if form & 1:
        values = dict(reversed(values.items()))
    data = orjson.dumps(values, option=orjson.OPT_INDENT_2 if form & 4 else None).replace(b"\n", b" ")
    data = data.replace(b"/", b"\\/") if form & 2 else data
    return stream, (b" \t" + data + b" \r\n" if form & 8 else data + b"\n")


def lines_of(kinds: tuple[tuple[str, str, str], ...]) -> st.SearchStrategy[list[tuple[str, bytes]]]:
    text = st.text(st.characters(codec="utf-8"), max_size=20) | st.just('{"__typename":"Order","')
    one = st.builds(line, st.sampled_from(kinds), st.integers(1, 10**12), text, st.integers(0, 15))
    return st.lists(one, max_size=30)


def pieces(data: bytes, random: Random) -> Iterator[bytes]:
    """Cut anywhere, also within a line and within a letter."""
    while data:
        size = random.choice((1, 2, 7, 100, 5000))
        yield data[:size]
        data = data[size:]


def taken(root: str, chunks: Iterator[bytes]) -> tuple[Got, dict[str, bytes]]:
    """What `chunks` become on disk: stream -> bytes."""
    with TemporaryDirectory() as folder, RawWriter(Path(folder), bulk_layout(plan(root), "now"), 4_000) as writer:
        download = Download(writer, Splitter(plan(root)), Operation("id", "COMPLETED", "now"), "made of", root, silent)
        assert download.take(Opened(0, chunks)) is None
        writer.checkpoint({})
        manifest = read_manifest(Path(folder))
        assert manifest and writer.records == manifest.lines(root)
        return download.got, {
            stream: b"".join(segment.path.read_bytes() for segment in segments)
            for stream, segments in manifest.segments.items()
        }


@pytest.mark.parametrize(("root", "kinds"), [("Order", ORDERS), ("Product", PRODUCTS)])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_the_streams_together_are_the_file(
    root: str, kinds: tuple[tuple[str, str, str], ...], data: st.DataObject
) -> None:
    """Each line is in the stream of its type, in the file's order and byte for byte; bytes and lines are counted."""
    found, ended = data.draw(lines_of(kinds)), data.draw(st.booleans())
    file = b"".join(line for _, line in found)
    file = file if ended else file.removesuffix(b"\n")
    got, streams = taken(root, pieces(file, data.draw(st.randoms(use_true_random=False))))
    expected: dict[str, bytes] = {}
    for stream, written in found:
        expected[stream] = expected.get(stream, b"") + written
    assert streams == expected
    assert (got.bytes, got.lines) == (len(file), len(found))


def test_every_stream_of_a_result_has_lines_that_go_there() -> None:
    for root, kinds in (("Order", ORDERS), ("Product", PRODUCTS)):
        assert {stream for _, _, stream in kinds} == set(bulk_layout(plan(root), "x").streams)


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (b'{"__typename":"Refund","note":"secret-value"}\n', "a record of the type Refund"),
        (b'{"__typename":"secret-value and more"}\n', "a record of the type ?"),
        (b'{"__typename":["secret-value"]}\n', "a record of the type ?"),
        (b'{"id":"secret-value"}\n', "a record of the type None"),
        (b'["secret-value"]\n', "a record of the type None"),
        (b'{"__typename":"Metafield","__parentId":"gid://shopify/secret-value/1"}\n', "the type Metafield"),
        (b'{"__typename":"secret-value\n', "not JSON"),
        (b"secret-value\n", "not JSON"),
        (b"\n", "not JSON"),
    ],
)
def test_a_line_that_was_not_asked_for_is_never_left_out(spoiled: bytes, said: str) -> None:
    """It is an error that says what it is, never what it holds."""
    with pytest.raises(Incomplete) as caught:
        Splitter(plan("Product")).split([line(PRODUCTS[0], 1, "", 0)[1], spoiled])
    assert said in caught.value.message
    assert "secret" not in caught.value.message + caught.value.fix and caught.value.__cause__ is None


REFUNDS: tuple[Any, ...] = ([], None, [{"id": "gid://shopify/Refund/1"}], [{"id": "gid://shopify/Refund/2"}] * 2)


def root_line(number: int, refunds: object, note: str, form: int) -> bytes:
    values = {"__typename": "Order", "id": f"gid://shopify/Order/{number}", "note": note, "refunds": refunds}
    data = orjson.dumps(dict(reversed(values.items())) if form & 1 else values)
    data = data.replace(b"/", b"\\/") if form & 2 else data
    data = data.replace(b":", b" : ", 1).replace(b'"refunds":', b'"refunds" : ') if form & 4 else data
    return data + b"\n"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_roots_are_read_again_in_any_form(data: st.DataObject) -> None:
    """Their keys in order, and which of them have anything in a list: quickly where lines are as ours ask for."""
    numbers = data.draw(st.lists(st.integers(1, 10**12), unique=True, max_size=20))
    notes = st.text(st.characters(codec="utf-8"), max_size=9) | st.sampled_from(['"refunds":[]', '"refunds":[{', "\\"])
    drawn = [(number, data.draw(st.sampled_from(REFUNDS)), data.draw(notes)) for number in numbers]
    lines = [root_line(number, refunds, note, data.draw(st.integers(0, 7))) for number, refunds, note in drawn]
    with TemporaryDirectory() as folder:
        with RawWriter(Path(folder), bulk_layout(plan("Order"), "now")) as writer:
            writer.write_lines("Order", b"".join(lines), len(lines))
            writer.checkpoint({})
        roots = read_roots(Path(folder), "Order", ["refunds"])
        assert roots.keys == numbers
        assert roots.filled == [number for number, refunds, _ in drawn if refunds]
        assert read_roots(Path(folder), "Order") == roots  # kept beside the lines


def test_a_root_line_that_is_garbled_is_no_crash(tmp_path: Path) -> None:
    """Its type was still told, so that it was not read as JSON before."""
    with RawWriter(tmp_path, bulk_layout(plan("Order"), "now")) as writer:
        writer.write_lines("Order", b'{"__typename":"Order","id"!"gid://shopify/Order/7","refunds":[{"id":"1"}]}\n', 1)
        writer.checkpoint({})
    with pytest.raises(Incomplete, match="not JSON"):
        read_roots(tmp_path, "Order", ["refunds"])


def test_half_a_letter_does_not_stop_it() -> None:
    """A lone surrogate, of a name that was cut in two, is in no JSON reader's good books, but in shops."""
    cut = b'{"__typename":"Metafield","value":"\\ud83d","__parentId":"gid://shopify/Product/1"}\n'
    first = b'{"__typename":"Product","title":"\\ud83d"}\n'
    assert Splitter(plan("Product")).split([first, cut]) == {"Product": [first], "Product.metafields": [cut]}
