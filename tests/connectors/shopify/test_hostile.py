"""Legal answers that are no fun: what the API does not promise, no pull relies on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from courier.connectors.shopify.paging import Limits
from courier.connectors.shopify.session import ShopifySession
from courier.errors import Incomplete
from tests.connectors.shopify.pulling import lines, silent
from tests.connectors.shopify.shipped import courier, request
from tests.http.scripted import Answering, Asked, Scripted, json_answer, serving

WANTED = request("Product", feeds=("product_tags",))


def product(number: int, **more: Any) -> dict[str, Any]:
    id_ = f"gid://shopify/Product/{number}"
    return {"tags": [], "updatedAt": "2026-11-01T00:00:00Z", **more, "legacyResourceId": str(number), "id": id_}


def page(*nodes: Any, cursor: str | None = None) -> dict[str, Any]:
    return {"pageInfo": {"endCursor": cursor, "hasNextPage": cursor is not None}, "nodes": list(nodes)}


def shop(pages: Callable[[str | None, int], Any], count: int) -> Answering:
    """A shop whose pages of products are told by their cursor, and how often it was asked for."""
    times: dict[str | None, int] = {}

    def answer(asked: Asked) -> Scripted:
        body = asked.json
        name = re.match(r"query (\w+)", body["query"])
        assert name
        if name[1] == "ProductCount":
            return json_answer({"data": {"productsCount": {"precision": "EXACT", "count": count}}})
        cursor = body["variables"]["after"]
        times[cursor] = times.get(cursor, 0) + 1
        found = pages(cursor, times[cursor])
        return found if isinstance(found, Scripted) else json_answer({"data": {"products": found}})

    return answer


def pulled(folder: Path, pages: Callable[[str | None, int], Any], count: int) -> list[dict[str, Any]]:
    with serving(shop(pages, count)) as server:
        given = replace(courier(), endpoint=server.origin)
        session = ShopifySession(given, {"access_token": "x"}, folder / "state", silent, Limits())
        session.fetch(WANTED, folder / "Product")
        proof = session.reconcile(WANTED, folder / "Product")
    assert proof.fetched == count
    return lines(folder / "Product", "Product")


def test_empty_and_short_pages_are_not_the_end(tmp_path: Path) -> None:
    script = {None: page(cursor="a"), "a": page(product(1), cursor="b"), "b": page(cursor="c"), "c": page(product(2))}
    assert [line["id"][-1] for line in pulled(tmp_path, lambda cursor, _: script[cursor], 2)] == ["1", "2"]


def test_a_refused_cursor_is_replaced_by_a_new_chain_without_doubles(tmp_path: Path) -> None:
    refused = json_answer({"errors": [{"message": "Invalid cursor", "extensions": {"code": "BAD_REQUEST"}}]})

    def pages(cursor: str | None, times: int) -> Any:
        if cursor == "a" and times == 1:
            return refused
        return page(product(1), cursor="a") if cursor is None else page(product(2))

    assert [line["__record"] for line in pulled(tmp_path, pages, 2)] == [0, 1]


def test_an_old_page_that_comes_again_is_asked_for_again(tmp_path: Path) -> None:
    def pages(cursor: str | None, times: int) -> Any:
        if cursor is None or times == 1:
            return page(product(1), cursor="a")
        return page(product(2))

    assert len(pulled(tmp_path, pages, 2)) == 2


def test_pages_that_lead_in_a_circle_end_the_run(tmp_path: Path) -> None:
    circle = {None: "a", "a": "b", "b": "a"}
    with pytest.raises(Incomplete, match="lead nowhere"):
        pulled(tmp_path, lambda cursor, _: page(cursor=circle[cursor]), 1)


def test_a_page_without_a_way_on_ends_the_run(tmp_path: Path) -> None:
    endless = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}
    with pytest.raises(Incomplete, match="not where"):
        pulled(tmp_path, lambda cursor, _: endless, 1)


def test_strange_text_survives(tmp_path: Path, waits: list[float]) -> None:
    """A lone surrogate becomes U+FFFD; everything else arrives as it is."""
    body = b'{"data": {"products": {"nodes": [{"id": "gid://shopify/Product/1", "legacyResourceId": "1", '
    body += b'"updatedAt": "2026-11-01T00:00:00Z", "tags": ["a\\ud800", "\\u2028\\n\\"", "\xf0\x9f\x98\x80"]}], '
    body += b'"pageInfo": {"hasNextPage": false}}}}'
    found = pulled(tmp_path, lambda cursor, _: Scripted(200, body), 1)
    assert found[0]["tags"] == ["a\ufffd", '\u2028\n"', "\U0001f600"]


def test_a_null_record_is_not_taken_for_read(tmp_path: Path, waits: list[float]) -> None:
    with pytest.raises(Incomplete):
        pulled(tmp_path, lambda cursor, _: page(product(1), None), 2)
