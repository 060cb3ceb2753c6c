"""Instances of DuckDB that are gone on with: whoever is lent one finds nothing of those before, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from courier.storage import duck, instances
from courier.storage.instances import lent

SETTINGS = "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('max_vacuum_tasks')"
WIDE = "CREATE TEMP TABLE wide AS SELECT hash(i)::VARCHAR || repeat('x', 40) AS name FROM range(500_000) r(i)"


@pytest.fixture(autouse=True)
def none_idle() -> Iterator[None]:
    instances._end()
    yield
    instances._end()


def attached(connection: duck.Connection) -> set[str]:
    names = connection.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
    return {name for (name,) in names} - {"memory"}


def test_the_next_one_finds_nothing_of_the_last(tmp_path: Path) -> None:
    with lent("50MB", threads=1) as connection:
        before = connection.execute(SETTINGS).fetchone()
        duck.attach(connection, tmp_path / "a.duckdb", "private")
        duck.leave_untidy(connection)
        connection.execute("CREATE TEMP TABLE left_over AS SELECT 1 AS id")
        connection.execute("CREATE TABLE private.kept AS SELECT 2 AS id")
    assert len(instances._idle) == 1
    with lent("50MB", threads=1) as connection:
        assert not instances._idle
        assert connection.execute(SETTINGS).fetchone() == before
        assert attached(connection) == set()
        with pytest.raises(duckdb.CatalogException):
            connection.execute("FROM left_over")
        duck.attach(connection, tmp_path / "a.duckdb", "private")
        assert connection.execute("FROM private.kept").fetchall() == [(2,)]


def test_each_has_the_settings_that_it_asked_for(tmp_path: Path) -> None:
    wanted = [("50MB", 1), ("50MB", 2), ("90MB", 2), ("90MB", 1), ("50MB", 1)]
    for memory, threads in wanted:
        with duck.connect(memory, threads=threads) as fresh:
            expected = fresh.execute(SETTINGS).fetchone()
        with lent(memory, threads=threads, spill=tmp_path) as connection:
            assert connection.execute(SETTINGS).fetchone() == expected
            assert connection.execute("SELECT current_setting('temp_directory')").fetchone() == (str(tmp_path),)
        assert len(instances._idle) == 1


def test_what_was_attached_is_written_out(tmp_path: Path) -> None:
    with lent() as connection:
        duck.attach(connection, tmp_path / "a.duckdb", "private")
        connection.execute("CREATE TABLE private.kept AS SELECT 2 AS id")
    assert not (tmp_path / "a.duckdb.wal").exists()
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as other:
        assert other.execute("FROM kept").fetchall() == [(2,)]


def test_two_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    with lent("50MB", threads=1) as one, lent("90MB", threads=2) as other:
        duck.attach(one, tmp_path / "a.duckdb", "private")
        duck.attach(other, tmp_path / "b.duckdb", "private")
        one.execute("CREATE TABLE private.mine AS SELECT 1 AS id")
        with pytest.raises(duckdb.CatalogException):
            other.execute("FROM private.mine")
        assert one.execute(SETTINGS).fetchone() != other.execute(SETTINGS).fetchone()


def test_one_that_failed_is_not_lent_again(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error), lent() as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT nothing")
    assert instances._idle == []


def test_one_that_spilled_is_not_lent_again_and_leaves_no_file(tmp_path: Path) -> None:
    with lent("25MB", threads=1, spill=tmp_path / "spill") as connection:
        connection.execute(WIDE)
        assert list((tmp_path / "spill").iterdir())
    assert instances._idle == []
    assert not (tmp_path / "spill").exists()


def test_without_a_folder_none_spills_into_that_of_the_last(tmp_path: Path) -> None:
    with lent("25MB", threads=1, spill=tmp_path / "spill") as connection:
        connection.execute("SELECT 1")
    with pytest.raises(duckdb.OutOfMemoryException), lent("25MB", threads=1) as connection:
        connection.execute(WIDE)


def test_a_fork_has_an_instance_of_its_own() -> None:
    with lent() as connection:
        connection.execute("SELECT 1")
    child = os.fork()
    if child == 0:
        with lent() as connection:
            row = connection.execute("SELECT sum(i) FROM range(1_000_000) r(i)").fetchone()
        os._exit(0 if row == (499_999_500_000,) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_few_are_kept() -> None:
    with lent(), lent(), lent(), lent():
        pass
    assert len(instances._idle) == 2
