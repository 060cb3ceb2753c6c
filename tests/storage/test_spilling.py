"""What does not fit into memory goes where only its owner may look, never into the folder that somebody is in."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from courier.storage import inspect
from courier.storage.duck import connect
from courier.storage.warehouse import publish
from tests.storage.loads import PLACE, Shop

LARGE = "SELECT hash(i)::VARCHAR || repeat('x', 40) AS name FROM range(500_000) r(i) ORDER BY name"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def spilled(connection: duckdb.DuckDBPyConnection, query: str) -> list[Path]:
    """The files that lie there while a query's first row is being looked at."""
    connection.execute("CREATE TEMP TABLE sorted AS " + query)
    return [Path(path) for (path,) in connection.execute("SELECT path FROM duckdb_temporary_files()").fetchall()]


def test_a_connection_spills_into_the_folder_it_was_given(tmp_path: Path, elsewhere: Path) -> None:
    with connect("25MB", threads=1, spill=tmp_path / "spill") as connection:
        files = spilled(connection, LARGE)
        assert files and all(file.parent == tmp_path / "spill" for file in files)
    assert not list(elsewhere.iterdir())


def test_without_a_folder_nothing_is_spilled(elsewhere: Path) -> None:
    with connect("25MB", threads=1) as connection, pytest.raises(duckdb.OutOfMemoryException):
        spilled(connection, LARGE)
    assert not list(elsewhere.iterdir())


def test_a_query_of_the_published_file_spills_beside_the_private_one(tmp_path: Path, elsewhere: Path) -> None:
    shop = Shop(tmp_path)
    shop.load(shop.rows_load(PLACE, [{"id": 1, "name": "first"}], fetched=1))
    publish(shop.files)
    place = tmp_path / ".courier"
    place.mkdir(exist_ok=True)
    with inspect.open_published(shop.files.published) as connection:
        connection.execute("SET threads = 1")
        connection.execute("SET memory_limit = '25MB'")
        files = spilled(connection, LARGE)
        assert files and all(file.is_relative_to(place) for file in files)
    assert not any(file.exists() for file in files)
    assert not list(elsewhere.iterdir())
