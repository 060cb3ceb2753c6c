"""Publishing: readers see a whole file, old or new, whatever is killed and whoever has it open."""

from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from courier.errors import UsageError
from courier.storage import inspect, warehouse
from courier.storage.warehouse import Files, lock, publish, publish_if_behind
from tests.storage.loads import ORDER, PLACE, SCHEMA, Shop, at

# A DuckDB shell: reads statements, answers each with a line.
SHELL = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    print(connection.execute(line).fetchall(), flush=True)
connection.close()
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.load(made.rows_load(PLACE, [{"id": 1, "name": "first"}], fetched=1))
    assert publish(made.files) == []
    return made


class Typing:
    """What a person does in an open shell."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def say(self, statement: str) -> str:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(statement + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def shell(path: Path) -> Iterator[Typing]:
    command = [sys.executable, "-c", SHELL, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "ready\n"
    try:
        yield Typing(process)
    finally:
        process.communicate()


def read_elsewhere(path: Path) -> list[str]:
    """The places' names, read by another process."""
    code = f"import duckdb; c = duckdb.connect({str(path)!r}, read_only=True); print(*(n for (n,) in c.execute('SELECT name FROM shop.place ORDER BY id').fetchall()))"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def load_second(shop: Shop) -> None:
    shop.load(shop.rows_load(PLACE, [{"id": 2, "name": "second"}], fetched=2))


def test_an_open_shell_neither_blocks_nor_breaks(shop: Shop) -> None:
    """A run publishes while a shell reads; the shell keeps its old rows, the next reader sees the new ones."""
    with shell(shop.files.published) as person:
        load_second(shop)
        assert publish(shop.files) == []
        assert person.say("SELECT count(*) FROM shop.place") == "[(1,)]"
        assert read_elsewhere(shop.files.published) == ["first", "second"]


def test_a_query_beside_a_shell_that_may_write(shop: Shop) -> None:
    """DuckDB shuts other processes out of a file that one may write to; a query reads it all the same."""
    with shell(shop.files.published) as person:
        person.say("CREATE TABLE mine AS SELECT 1")
        with inspect.query(shop.files.published, "SELECT name FROM shop.place") as answer:
            assert list(answer.rows) == [("first",)]
        assert person.say("SELECT count(*) FROM mine") == "[(1,)]"
    assert not list(shop.files.private.parent.glob("reading-*"))


def test_a_shell_that_wrote_neither_blocks_nor_breaks(shop: Shop) -> None:
    """Its .wal is moved aside with a warning, before the new file stands beside it."""
    with shell(shop.files.published) as person:
        person.say("CREATE TABLE mine AS SELECT 1")
        assert shop.files.published.with_name("warehouse.duckdb.wal").exists()
        load_second(shop)
        (warning,) = publish(shop.files)
        assert "moved aside" in warning
        assert read_elsewhere(shop.files.published) == ["first", "second"]
    assert read_elsewhere(shop.files.published) == ["first", "second"]


def test_a_shell_that_writes_after_the_publishing_is_healed(shop: Shop) -> None:
    """It leaves a .wal of the file that it still has; our readers and the next start move that aside."""
    with shell(shop.files.published) as person:
        load_second(shop)
        publish(shop.files)
        person.say("CREATE TABLE mine AS SELECT 1")
        with inspect.open_published(shop.files.published) as connection:
            assert connection.execute("SELECT count(*) FROM shop.place").fetchall() == [(2,)]
        person.say("CHECKPOINT")
        person.say("CREATE TABLE more AS SELECT 1")
        # This .wal even carries the same checkpoint number as the new file.
        (warning,) = publish_if_behind(shop.files)
        assert "moved aside" in warning
        assert read_elsewhere(shop.files.published) == ["first", "second"]


def test_committed_and_killed_before_publishing(shop: Shop) -> None:
    """The next start publishes what was committed, once; then there is nothing to do."""
    load_second(shop)
    assert read_elsewhere(shop.files.published) == ["first"]
    publish_if_behind(shop.files)
    assert read_elsewhere(shop.files.published) == ["first", "second"]
    before = shop.files.published.stat().st_ino
    publish_if_behind(shop.files)
    assert shop.files.published.stat().st_ino == before


def test_killed_at_each_step_of_publishing(shop: Shop) -> None:
    """A torn copy, and a renamed file without its mark, are both put right by the next start."""
    load_second(shop)
    torn = shop.files.published.with_name(f".{shop.files.published.name}.new")
    torn.write_bytes(b"torn")
    publish_if_behind(shop.files)
    assert read_elsewhere(shop.files.published) == ["first", "second"] and not torn.exists()
    shop.files.marker.unlink()
    publish_if_behind(shop.files)
    shop.files.marker.write_text("torn")
    publish_if_behind(shop.files)
    shop.files.published.unlink()
    publish_if_behind(shop.files)
    assert read_elsewhere(shop.files.published) == ["first", "second"]


def test_a_run_without_changes_is_not_published(shop: Shop) -> None:
    """Its run and coverage are committed, but readers keep their file."""
    before = shop.files.published.stat().st_ino
    assert not shop.load(shop.rows_load(PLACE, [{"id": 1, "name": "first"}], fetched=5)).changed
    assert publish_if_behind(shop.files) == []
    assert shop.files.published.stat().st_ino == before


def test_a_kill_during_the_commit_leaves_the_state_before(shop: Shop) -> None:
    """A transaction that never committed is gone; one that did but was not written out is kept."""
    code = """
import os, sys
from pathlib import Path
from courier.storage.warehouse import Files, opened
with opened(Files.of(Path(sys.argv[1]))) as connection:
    connection.execute("BEGIN; UPDATE private.shop.place SET name = 'changed'")
    if sys.argv[2] == "committed":
        connection.execute("COMMIT")
    os.kill(os.getpid(), 9)
"""
    for state, name in (("open", "first"), ("committed", "changed")):
        source = {**os.environ, "PYTHONPATH": str(Path(warehouse.__file__).parents[2])}
        subprocess.run([sys.executable, "-c", code, str(shop.root), state], env=source, check=False)
        assert shop.rows(PLACE, "name") == [(name,)]


def test_files_are_for_their_owner(shop: Shop) -> None:
    """Folders 0700, files 0600, the published file 0640; the sandbox's files are others."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in shop.files.private.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(shop.files.private.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(shop.files.published.stat().st_mode) == 0o640
    real, made_up = Files.of(shop.root), Files.of(shop.root, sandbox=True)
    assert not set(vars(real).values()) & set(vars(made_up).values())
    assert publish_if_behind(made_up) == []


def _hold(root: Path, events: list[multiprocessing.synchronize.Event]) -> None:
    with lock(Files.of(root)):
        events[0].set()
        events[1].wait(10)


def test_one_holder_at_a_time(shop: Shop) -> None:
    """The lock shuts out other processes and other threads; the holder may take it again."""
    entered = threading.Event()

    def other() -> None:
        with lock(shop.files):
            entered.set()

    context = multiprocessing.get_context("spawn")
    events = [context.Event(), context.Event()]
    process = context.Process(target=_hold, args=(shop.root, events))
    process.start()
    assert events[0].wait(10)
    thread = threading.Thread(target=other)
    thread.start()
    assert not entered.wait(0.2)
    events[1].set()
    assert entered.wait(10)
    process.join()
    thread.join()
    with lock(shop.files), lock(shop.files):
        pass


def test_the_tables_tell_what_they_hold(shop: Shop) -> None:
    """Rows, key, types, tags, pii and status of each table; hashes depend neither on order nor on the run."""
    rows = [{"id": n, "email": f"{n}@example.com", "labels": ["a"], "updated_at": at(1)} for n in range(3)]
    shop.load(shop.rows_load(ORDER, rows))
    publish(shop.files)
    with inspect.open_published(shop.files.published) as connection:
        order, place = inspect.tables(connection, SCHEMA)
        assert inspect.tables(connection, "another") == []
        assert [table.hash for table in inspect.tables(connection, hashes=False)] == ["", ""]
    assert (order.table, order.rows, order.primary_key, place.table) == ("shop.order", 3, ("id",), "shop.place")
    assert order.columns[1] == inspect.TableColumn("email", "string", ("email",), True, "")
    other = Shop(shop.root / "other")
    other.load(other.rows_load(ORDER, rows[2:]))
    other.load(other.rows_load(ORDER, rows[:2], fetched=9))
    publish(other.files)
    with inspect.open_published(other.files.published) as connection:
        assert inspect.tables(connection)[0].hash == order.hash


def test_a_query_reads(shop: Shop) -> None:
    """Names resolve as in a shell on the file; parameters are passed beside the SQL."""
    with inspect.query(shop.files.published, "SELECT id, name FROM shop.place WHERE id = ?", [1]) as answer:
        assert (answer.columns, list(answer.rows)) == (("id", "name"), [(1, "first")])


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM shop.place",
        "CREATE TABLE memory.main.mine AS SELECT 1",
        "COPY shop.place TO 'out.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT 1; SELECT 2",
        "SET threads = 1",
        "ATTACH 'other.duckdb'",
        "SELECT nothing FROM shop.place",
        "SELECT name::INTEGER FROM shop.place",
        "",
    ],
)
def test_a_query_does_nothing_else(shop: Shop, sql: str) -> None:
    """Whatever writes, reads other files, changes a setting, or is no SQL, ends with exit code 2."""
    with pytest.raises(UsageError), inspect.query(shop.files.published, sql) as answer:
        list(answer.rows)


def test_nothing_published_yet(tmp_path: Path) -> None:
    """A query before the first load says what to do."""
    with (
        pytest.raises(UsageError, match=r"warehouse\.duckdb"),
        inspect.query(tmp_path / "warehouse.duckdb", "SELECT 1"),
    ):
        pass


@pytest.mark.parametrize("is_sandbox", [False, True])
def test_a_file_that_is_not_there_names_the_run_that_makes_it(tmp_path: Path, is_sandbox: bool) -> None:
    with pytest.raises(UsageError) as refused, inspect.open_published(Files.of(tmp_path, is_sandbox).published):
        pass
    assert refused.value.fix.endswith("courier run --group GROUP --sandbox" if is_sandbox else "--group GROUP")
