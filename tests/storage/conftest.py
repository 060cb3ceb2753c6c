"""Shops to load into: in a DuckDB file and in Postgres, where every law of the load path has to hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from courier.storage.postgres.database import Postgres
from courier.storage.postgres.session import Session, connect
from tests.postgres_server import beside, execute
from tests.storage.loads import Shop, shop_in_memory

NewShop: TypeAlias = Callable[[], AbstractContextManager[Shop]]
# What a shop left behind; the ledger's tables stay, because to make them takes longer than most tests.
EMPTY = """
    DO $$ DECLARE one text; BEGIN
        FOR one IN SELECT nspname FROM pg_namespace
            WHERE nspname NOT IN ('public', 'courier', 'courier_journal', 'information_schema')
                AND NOT starts_with(nspname, 'pg_')
        LOOP EXECUTE format('DROP SCHEMA %I CASCADE', one); END LOOP;
        FOR one IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname IN ('courier', 'courier_journal')
        LOOP EXECUTE 'DELETE FROM ' || one; END LOOP;
    END $$
"""


class Databases:
    """Databases that are emptied rather than made anew, each with a session that stays."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._made = 0
        self._free: list[tuple[Postgres, Session]] = []

    @contextmanager
    def empty(self) -> Iterator[Postgres]:
        database, session = self._free.pop() if self._free else self._another()
        session.native(EMPTY)
        yield replace(database, held=session)
        session.native("ROLLBACK")
        self._free.append((database, session))

    def _another(self) -> tuple[Postgres, Session]:
        name = f"shop_{self._made}"
        self._made += 1
        execute(self._server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
        url = beside(self._server, name)
        return Postgres(url, name), connect(url, name)

    def close(self) -> None:
        for _, session in self._free:
            session.close()


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    with closing(Databases(postgres_url)) as databases:
        yield databases


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def new_shop(request: pytest.FixtureRequest) -> NewShop:
    """Makes shops that hold nothing yet: with DuckDB in memory, one at a time."""
    return shop_in_memory if request.param == "duckdb" else _in(request.getfixturevalue("databases"))


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def lasting_shop(request: pytest.FixtureRequest) -> NewShop:
    """The same, with DuckDB in a file that is opened for each load, and closed."""
    return _in_a_file if request.param == "duckdb" else _in(request.getfixturevalue("databases"))


def _in(databases: Databases) -> NewShop:

    @contextmanager
    def shop_in_a_database() -> Iterator[Shop]:
        with tempfile.TemporaryDirectory() as folder, databases.empty() as database:
            yield Shop(Path(folder), database)

    return shop_in_a_database


@contextmanager
def _in_a_file() -> Iterator[Shop]:
    with tempfile.TemporaryDirectory() as folder:
        yield Shop(Path(folder))


@pytest.fixture
def shop(lasting_shop: NewShop) -> Iterator[Shop]:
    """One in DuckDB's files, and once more one in Postgres."""
    with lasting_shop() as shop:
        yield shop


@pytest.fixture
def filed(tmp_path: Path) -> Shop:
    """For what only DuckDB's files have: a published copy, and a look at what has not landed."""
    return Shop(tmp_path)
