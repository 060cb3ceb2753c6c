"""The Postgres of the tests works, and goes with the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.postgres_server import NO_POSTGRES, binaries, execute

ROOT = Path(__file__).parents[1]
WITHOUT = """
from tests import postgres_server
from tests.conftest import database, postgres_url, pytest_terminal_summary

postgres_server.binaries = lambda: None
"""
HOLDS = """
import time
from tests.postgres_server import binaries, cluster

with cluster(binaries()) as server:
    print(server.url.rpartition(":")[2].partition("/")[0], server.folder, flush=True)
    time.sleep(600)
"""


def fetched(url: str, query: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def test_it_answers(database: str) -> None:
    assert str(fetched(database, "SELECT version()")[0][0]).startswith("PostgreSQL ")


@pytest.mark.parametrize("which", [1, 2])
def test_each_test_has_an_empty_utf8_database_of_its_own(database: str, which: int) -> None:
    """Whichever comes second meets nothing of the first."""
    assert fetched(database, "SHOW server_encoding") == [("UTF8",)]
    execute(database, "CREATE SCHEMA shop", "CREATE TABLE shop.orders AS SELECT 1 AS id")
    assert fetched(database, "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'shop'") == [
        ("shop", "orders")
    ]


def test_the_role_is_no_superuser(database: str) -> None:
    """What the tests may do is what docs/destinations.md asks of a server."""
    assert fetched(database, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [
        (False, True)
    ]


def without_postgres(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(WITHOUT)
    (folder / "test_it.py").write_text("def test_asks(database): pass")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURIER_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=120)


def test_a_machine_without_postgres_passes_and_says_what_to_install(tmp_path: Path) -> None:
    done = without_postgres(tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"1 test was skipped: {NO_POSTGRES}" in done.stdout


def test_a_machine_that_must_have_postgres_fails_without(tmp_path: Path) -> None:
    done = without_postgres(tmp_path, COURIER_REQUIRE_POSTGRES="1")
    assert done.returncode == 1
    assert NO_POSTGRES in done.stdout


def is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(binaries() is None, reason=NO_POSTGRES)
def test_the_server_goes_with_tests_that_are_killed() -> None:
    """And takes its folder along: nobody is there any more to do it."""
    with subprocess.Popen([sys.executable, "-c", HOLDS], cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        port, folder = tests.stdout.readline().split()
        assert is_open(int(port))
        tests.kill()
    for _ in range(300):
        if not is_open(int(port)) and not Path(folder).exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{folder} outlived its tests")
