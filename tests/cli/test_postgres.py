"""The commands that read, over a database: what they show is what they show of the same loads in DuckDB's file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from courier.clock import Interval
from courier.config.project import View
from courier.storage import ledger
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
NOWHERE = "postgresql://somebody:pg_made_up_secret@127.0.0.1:9/shop"


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
    period = Interval(at(0), at(100))
    loads = [shop.rows_load(ORDERS, orders, fetched=1, period=period, request=period), shop.sets_load(LINE, [line])]
    record = RunRecord("r", SCHEMA, "made-up", SCHEMA, "2026-01-01T00:00:00Z", None, views=(LARGE,))
    commit(warehouse, record, loads, TAGS, SCHEMA)


def project(folder: Path, destination: str = "") -> Path:
    folder.mkdir()
    (folder / "courier_groups.yaml").write_text("shop:\n  schedule: null\n  couriers:\n    shop:\n")
    (folder / "couriers").mkdir()
    (folder / "couriers" / "shop.yaml").touch()
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
        ("tables", "--hash"),
        ("tables", "shop.large", "--json"),
        ("tables", "--tag", "email"),
        ("tables", "--profile"),
        ("tables", "--profile", "--json", "shop.order"),
        ("tables", "shop.ordr"),
    ],
)
def test_tables_are_shown_as_those_of_duckdb(reading: Reading, words: tuple[str, ...]) -> None:
    of_file, of_database = courier(reading.file, *words), reading.courier(*words)
    assert (of_database.code, of_database.out, of_database.err) == (of_file.code, of_file.out, of_file.err)


def test_the_ledger_says_the_same_in_both(reading: Reading) -> None:
    """What status, plan, gaps, schedules and alerts ask of it."""
    file, database = Files.of(reading.file), Postgres(reading.url, "made up")
    feeds = ["order", "order_line", "nothing"]
    for ask in (
        lambda of: ledger.gaps(of, SCHEMA, feeds),
        lambda of: ledger.standing(of, SCHEMA, feeds),
        lambda of: ledger.stored_columns(of, SCHEMA),
        lambda of: ledger.row_counts(of, SCHEMA, feeds),
        lambda of: ledger.feed_history(of, SCHEMA),
        lambda of: ledger.recorded(of, "r"),
        lambda of: [replace(one, committed_at=at(0)) for one in ledger.last_runs(of)],
    ):
        assert ask(database) == ask(file)
        assert ask(file)


@pytest.mark.prints_data
@pytest.mark.parametrize("form", ["table", "json"])
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


@pytest.mark.parametrize("words", [("tables",), ("query", "select 1"), ("status",)])
def test_a_database_that_cannot_be_reached_is_told(reading: Reading, words: tuple[str, ...]) -> None:
    check_unreachable(courier(reading.database, *words, **{URL: NOWHERE}))


def test_what_needs_the_ledger_tells_it_too(tmp_path: Path) -> None:
    assert courier(tmp_path, "init").code == 0
    (tmp_path / "courier.yaml").write_text("destination: postgres\n")
    for words in (("gaps",), ("plan", "--group", "shopify"), ("schedule", "--next", "1")):
        check_unreachable(courier(tmp_path, *words, **{URL: NOWHERE}))


def check_unreachable(done: Done) -> None:
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: Postgres at shop at 127.0.0.1:9 cannot be reached")
    assert "somebody" not in done.err and "Traceback" not in done.err


def test_status_sees_a_run_on_another_host(reading: Reading) -> None:
    def state() -> str:
        (found,) = reading.courier("status", "--json").body["couriers"]
        return str(found["state"])

    with Postgres(reading.url, "made up").locked("courier shop"):
        assert state() == "running"
    assert state() == "idle"


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
