"""A database's tables in a private DuckDB: the same rows and types as a DuckDB warehouse has, of one instant."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from courier.errors import CourierError, UsageError, WarehouseUnreachable
from courier.storage.load import FeedLoad
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.snapshot import Snapshot, snapshot
from courier.storage.warehouse import opened
from tests.postgres_server import execute
from tests.storage.loads import ORDER, PLACE, SCHEMA, Shop, at, store

AWKWARD: list[Mapping[str, Any]] = [
    {
        "id": 1,
        "email": "ü@example.com",
        "total": "99999999999999.9999",
        "updated_at": at(1),
        "labels": ['a "b"', "c,\\"],
    },
    {"id": -(2**63), "email": "a\n'b'", "total": "-0.0001", "labels": []},
    {"id": 2**63 - 1, "email": "", "total": "0", "updated_at": at(10**9), "labels": ["", "NULL"]},
    {"id": 4},
]


@pytest.fixture
def postgres(database: str) -> Postgres:
    return Postgres(database, "orders at here")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def rows_of(taken: Snapshot) -> list[tuple[Any, ...]]:
    return taken.connection.execute(f'FROM {SCHEMA}."order" ORDER BY id').fetchall()


def test_rows_and_types_are_those_of_a_duckdb_warehouse(shop: Shop, postgres: Postgres, tmp_path: Path) -> None:
    loads: list[FeedLoad] = [shop.rows_load(ORDER, AWKWARD), shop.rows_load(PLACE, [{"id": 1, "default": True}])]
    store(shop.files, *loads, run="one")
    store(postgres, *loads, run="one")
    tables = "SELECT * FROM private.courier.domain_column ORDER BY ALL"
    with opened(shop.files) as stored, snapshot(postgres, tmp_path) as taken:
        taken.copy_ledger()
        for table in ("order", "place"):
            taken.copy(SCHEMA, table)
            relation = f'private.{SCHEMA}."{table}"'
            for query in (f"DESCRIBE {relation}", f"FROM {relation} ORDER BY id", tables):
                assert taken.connection.execute(query).fetchall() == stored.execute(query).fetchall()


def test_chosen_columns_are_copied_and_streamed_in_the_tables_order(shop: Shop, postgres: Postgres) -> None:
    store(postgres, shop.rows_load(ORDER, AWKWARD))
    with snapshot(postgres) as taken:
        taken.copy(SCHEMA, "order", ["updated_at", "id"])
        assert [name for name, *_ in taken.connection.execute(f'DESCRIBE {SCHEMA}."order"').fetchall()] == [
            "id",
            "updated_at",
        ]
        with taken.streamed(SCHEMA, "order", ["total"]) as relation:
            found = taken.connection.execute(f"SELECT sum(total), count(*) FROM {relation}").fetchall()
        assert found == [(Decimal("99999999999999.9998"), 4)]
        with pytest.raises(UsageError, match=r"shop\.order.size is not loaded yet"):
            taken.copy(SCHEMA, "order", ["size"])


def test_everything_is_of_the_first_questions_instant(shop: Shop, postgres: Postgres) -> None:
    """What others commit meanwhile is seen in no table, however late it is copied."""
    store(postgres, shop.rows_load(ORDER, AWKWARD), shop.rows_load(PLACE, [{"id": 1}]))
    with snapshot(postgres) as taken:
        assert taken.count(SCHEMA, "place") == 1
        store(postgres, shop.rows_load(ORDER, [{"id": 5}]), shop.rows_load(PLACE, [{"id": 2}]))
        taken.copy(SCHEMA, "order")
        assert len(rows_of(taken)) == len(AWKWARD)
    with snapshot(postgres) as taken:
        taken.copy(SCHEMA, "order", rows=False)
        assert (taken.count(SCHEMA, "order"), rows_of(taken)) == (len(AWKWARD) + 1, [])


def test_an_empty_database_has_nothing_to_copy(postgres: Postgres) -> None:
    with snapshot(postgres) as taken:
        taken.copy_ledger()
        assert taken.types == {}
        with pytest.raises(UsageError, match=r"shop\.order is not loaded yet"):
            taken.copy(SCHEMA, "order")


def test_what_does_not_fit_into_memory_is_kept_from_others(postgres: Postgres, tmp_path: Path) -> None:
    """The folder is its owner's alone, and goes with the snapshot."""
    with snapshot(postgres, tmp_path) as taken:
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        spill = taken.connection.execute("SELECT current_setting('temp_directory')").fetchone()
        assert spill and Path(spill[0]).parent == folder
    assert not [*tmp_path.iterdir()]


def test_a_connection_that_is_lost_midway_is_told_without_its_url(shop: Shop, postgres: Postgres) -> None:
    store(postgres, shop.rows_load(ORDER, AWKWARD))
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with snapshot(postgres) as taken:
        assert taken.types
        execute(postgres.url, f"{others} AND datname = current_database()")
        with pytest.raises(WarehouseUnreachable, match="Postgres at orders at here cannot be reached") as told:
            taken.copy(SCHEMA, "order")
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_a_table_that_may_not_be_read_is_named(shop: Shop, postgres: Postgres) -> None:
    store(postgres, shop.rows_load(PLACE, [{"id": 1}]))
    execute(postgres.url, "REVOKE ALL ON shop.place FROM CURRENT_USER")
    with snapshot(postgres) as taken, pytest.raises(CourierError, match="permission denied for table place"):
        taken.count(SCHEMA, "place")
    with snapshot(postgres) as taken, pytest.raises(CourierError, match="permission denied for table place"):
        taken.copy(SCHEMA, "place")


def test_a_server_that_does_not_let_us_in_is_told_without_its_url(postgres: Postgres) -> None:
    wrong = Postgres(postgres.url.replace("courier:", "nobody:"), postgres.shown)
    with pytest.raises(WarehouseUnreachable) as told, snapshot(wrong):
        pass
    assert "nobody" not in told.value.message + told.value.fix
