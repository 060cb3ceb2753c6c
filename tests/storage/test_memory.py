"""A commit gets little memory if it has few rows, and more where that was not enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from courier.storage import memory, news
from courier.storage.connection import Connection
from courier.storage.load import FeedLoad
from courier.storage.memory import FEW_ROWS, in_enough_memory
from courier.storage.target import Target
from tests.storage.loads import ORDER, SCHEMA, Shop

LARGE = "CREATE TEMP TABLE large AS SELECT hash(i)::VARCHAR AS name FROM range(2_000_000) r(i) ORDER BY name"


def limit(connection: Connection) -> str:
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert row is not None
    return str(row[0])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_few_rows_get_little_memory_and_many_more(shop: Shop) -> None:
    few = shop.rows_load(ORDER, [{"id": 1}], fetched=1)
    assert in_enough_memory(shop.files, [few], limit) == "122.0 MiB"
    assert in_enough_memory(shop.files, [replace(few, read=FEW_ROWS)], limit) == "305.1 MiB"


def test_what_does_not_fit_is_decided_anew_with_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_FOR_FEW", "3MB")
    tried = []

    def decide(connection: Connection) -> int:
        tried.append(limit(connection))
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE private.made AS SELECT 1 AS id")
        connection.execute(LARGE)
        connection.execute("COMMIT")
        return 7

    assert in_enough_memory(shop.files, [shop.rows_load(ORDER, [{"id": 1}], fetched=1)], decide) == 7
    assert tried == ["2.8 MiB", "305.1 MiB"]


def test_a_look_at_what_would_change_is_given_as_much_as_the_commit(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = shop.rows_load(ORDER, [{"id": 1}], fetched=1)
    shop.load(load)
    seen = []

    def recorded(connection: Connection, target: Target, offered: FeedLoad) -> bool:
        seen.append(limit(connection))
        return offers_news(connection, target, offered)

    offers_news = news.offers_news
    monkeypatch.setattr(news, "offers_news", recorded)
    assert news.preview(shop.warehouse, SCHEMA, [load]) == set()
    assert news.preview(shop.warehouse, SCHEMA, [replace(load, read=FEW_ROWS)]) == set()
    assert seen == ["122.0 MiB", "305.1 MiB"]


def test_what_no_memory_is_enough_for_fails(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FOR_FEW", "_FOR_MANY", "_AT_MOST"):
        monkeypatch.setattr(memory, name, "3MB")
    few = shop.rows_load(ORDER, [{"id": 1}], fetched=1)
    with pytest.raises(duckdb.OutOfMemoryException):
        in_enough_memory(shop.files, [few], lambda connection: connection.execute(LARGE))
