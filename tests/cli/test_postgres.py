"""The commands that read, over a database: what they show is what they show of the same loads in DuckDB's file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from courier.config.project import View
from courier.storage.commit import commit
from courier.storage.load import RunRecord
from courier.storage.postgres.database import Postgres
from courier.storage.warehouse import Files, Warehouse, publish
from tests.cli.process import Done, courier
from tests.postgres_server import beside, execute
from tests.storage.loads import LINE, ORDER, SCHEMA, Set, Shop, at
from tests.storage.tagged import TAGS, tagged

LARGE = View(
    "large", "domain_tables/shop/large.sql", '-- Orders above one.\nSELECT id, total FROM "order" WHERE total > 1'
)
ORDERS = tagged(ORDER, id="ck", email="email", labels="txn-item/item-quantity", total="txn-item/item-revenue")
URL = "COURIER_POSTGRES_URL"


@dataclass(frozen=True)
class Reading:
    """Two projects with the same loads: in DuckDB's file, and in a database."""

    file: Path
    database: Path
    url: str

    def courier(self, *words: str) -> Done:
        return courier(self.database, *words, **{URL: self.url})


def store_all(root: Path, warehouse: Warehouse) -> None:
    shop = Shop(root)
    emails = ["a@b.co", "a@b.co", "nobody", " ", None, "ü@b.co"]
    orders: list[dict[str, Any]] = [
        {"id": n, "email": email, "total": f"{n}.50", "labels": [str(n), 'a "b"'], "updated_at": at(n)}
        for n, email in enumerate(emails)
    ]
    line = Set(1, 1, [{"id": 9, "order_id": 1, "title": "x"}])
    loads = [shop.rows_load(ORDERS, orders, fetched=1), shop.sets_load(LINE, [line])]
    record = RunRecord("r", SCHEMA, "made-up", SCHEMA, "2026-01-01T00:00:00Z", None, views=(LARGE,))
    commit(warehouse, record, loads, TAGS, SCHEMA)


def project(folder: Path, destination: str = "") -> Path:
    folder.mkdir()
    (folder / "courier_groups.yaml").write_text("shop:\n  schedule: null\n  couriers: [shop]\n")
    if destination:
        (folder / "courier.yaml").write_text(f"destination: {destination}\n")
    return folder


@pytest.fixture(scope="module")
def url(postgres_url: str) -> Iterator[str]:
    name = f"courier_test_{secrets.token_hex(6)}"
    execute(postgres_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    yield beside(postgres_url, name)
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def reading(url: str, tmp_path_factory: pytest.TempPathFactory) -> Reading:
    folder = tmp_path_factory.mktemp("reading")
    made = Reading(project(folder / "file"), project(folder / "database", "postgres"), url)
    files = Files.of(made.file)
    store_all(made.file, files)
    publish(files)
    store_all(made.database, Postgres(url, "made up"))
    return made


@pytest.mark.parametrize(
    "words",
    [
        ("tables",),
        ("tables", "--hash", "--json"),
        ("tables", "shop.order"),
        ("tables", "shop.large", "--json"),
        ("tables", "--tag", "email"),
        ("tables", "--profile"),
        ("tables", "--profile", "--json", "shop.order"),
        ("tables", "shop.ordr"),
        ("tables", "--tag", "phone"),
    ],
)
def test_tables_are_shown_as_those_of_duckdb(reading: Reading, words: tuple[str, ...]) -> None:
    of_file, of_database = courier(reading.file, *words), reading.courier(*words)
    assert (of_database.code, of_database.out, of_database.err) == (of_file.code, of_file.out, of_file.err)


@pytest.mark.prints_data
@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
def test_rows_are_printed_as_those_of_duckdb(reading: Reading, form: str) -> None:
    """Decimals, times, lists, flags and nulls look the same, whichever engine answered."""
    sql = """select *, total > 3 as more, id * 0.5::float8 as half from shop."order" order by id"""
    of_file = courier(reading.file, "query", sql.replace("float8", "double"), "--format", form)
    of_database = reading.courier("query", sql, "--format", form)
    assert (of_database.code, of_database.err) == (0, "6 rows\n")
    assert of_database.out == of_file.out


def test_a_mistake_is_told_with_its_place(reading: Reading) -> None:
    done = reading.courier("query", "select nothing\nfrom shop.order_line")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith('error: column "nothing" does not exist\nLINE 1: select nothing\n')


def test_rows_come_as_they_are_read(reading: Reading) -> None:
    """What fails late fails after the rows before it, and tells no value."""
    done = reading.courier(
        "query", "select 10 / (400000 - n) as x from generate_series(1, 400000) n", "--format", "csv"
    )
    assert (done.code, done.err.splitlines()[0]) == (2, "error: division by zero")
    assert done.out.startswith("x\n0\n")


@pytest.mark.parametrize(
    "words", [("tables",), ("query", "select 1"), ("status",), ("gaps",), ("plan", "--courier", "x")]
)
def test_a_database_that_cannot_be_reached_is_told(reading: Reading, words: tuple[str, ...]) -> None:
    nowhere = "postgresql://somebody:pg_made_up_secret@127.0.0.1:9/shop"
    done = courier(reading.database, *words, **{URL: nowhere})
    print(done.err)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: Postgres at shop at 127.0.0.1:9 cannot be reached")
    assert "secret" not in done.err and "Traceback" not in done.err


def test_an_empty_database_has_no_tables_yet(database: str, tmp_path: Path) -> None:
    done = courier(project(tmp_path / "p", "postgres"), "tables", **{URL: database})
    assert done.code == 2
    assert "is empty: nothing has been loaded" in done.err


def test_a_sandbox_that_never_ran_has_none_either(database: str, tmp_path: Path) -> None:
    """Its database is made by the first run."""
    made = project(tmp_path / "p", "postgres")
    for words in (("tables",), ("query", "select 1")):
        done = courier(made, *words, "--sandbox", "--json", **{URL: database})
        assert done.code == 2
        assert "nothing has been loaded" in json.loads(done.out)["problem"]["message"]
