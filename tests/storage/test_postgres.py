"""What only a database has: sessions that hold locks, that are lost, and that work side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import adbc_driver_manager
import adbc_driver_postgresql
import pytest

from courier.errors import CommitUnknown, Locked, WarehouseUnreachable
from courier.storage import ledger
from courier.storage.commit import commit
from courier.storage.load import Committed, Counters, RunRecord
from courier.storage.postgres.database import Postgres, lock_of
from courier.storage.postgres.landing import land_in_postgres
from courier.storage.postgres.session import Session, connect
from courier.storage.postgres.streams import instant
from tests.storage.loads import ORDER, SCHEMA, TAGS, Shop, at, write_parquet


@pytest.fixture
def base(database: str) -> Postgres:
    """A database in which something was committed before."""
    found = Postgres(database, "the shop")
    commit_to(found, SCHEMA, run="earlier")
    return found


def commit_to(
    base: Postgres, schema: str, before_commit: Callable[[], None] = lambda: None, run: str = "run"
) -> Committed:
    record = RunRecord(run, schema, "shopify", f"id-of-{schema}", "2026-01-01T00:00:00Z", None)
    load = Shop(Path()).rows_load(ORDER, [{"id": len(run), "updated_at": at(1)}])
    return commit(base, record, [load], TAGS, schema, before_commit)


def end_session(base: Postgres, session: Session) -> None:
    """As an administrator does, or a network that goes away."""
    with closing(connect(base.url, base.shown)) as other:
        other.native("SELECT pg_terminate_backend(%s)", [session.number])


def test_couriers_commit_side_by_side(base: Postgres) -> None:
    """One that is about to commit keeps no other one waiting, not even one that makes its first tables."""
    is_about_to, other_is_done = Event(), Event()

    def wait() -> None:
        is_about_to.set()
        assert other_is_done.wait(30), "the other one waits for this one"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(commit_to, base, SCHEMA, wait)
        assert is_about_to.wait(30)
        assert commit_to(base, "other", run="other").changed
        other_is_done.set()
        assert first.result().changed
    assert {run.courier for run in ledger.last_runs(base)} == {SCHEMA, "other"}


def test_whoever_has_lost_the_lock_cannot_commit(base: Postgres) -> None:
    """Its session is gone, and with it the way to commit; whoever took the lock since is alone."""
    with base.locked(lock_of(SCHEMA)) as first:
        with pytest.raises(Locked), base.locked(lock_of(SCHEMA), wait=False):
            pass
        assert first.held is not None
        end_session(base, first.held)
        with base.locked(lock_of(SCHEMA)) as second:
            with pytest.raises(WarehouseUnreachable, match="the shop"):
                commit_to(first, SCHEMA)
            assert not ledger.committed(base, "run")
            assert commit_to(second, SCHEMA).counters == {"order": Counters(read=1, inserted=1)}


@pytest.mark.parametrize("taken_in", [True, False])
def test_a_commit_whose_answer_is_lost_is_looked_up(
    base: Postgres, taken_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks at the COMMIT: whether that took effect is asked once more, and told as it is."""
    send = Session.native

    def lossy(session: Session, statement: str, parameters: object = None) -> Session:
        if statement == "COMMIT":
            if taken_in:
                send(session, statement)
            session.close()
        return send(session, statement, parameters)

    monkeypatch.setattr(Session, "native", lossy)
    if taken_in:
        assert commit_to(base, SCHEMA).counters == {"order": Counters(read=1, inserted=1)}
    else:
        with pytest.raises(CommitUnknown):
            commit_to(base, SCHEMA)
    assert ledger.committed(base, "run") == taken_in


def test_a_statement_that_is_stopped_is_no_lost_connection(base: Postgres) -> None:
    """What the server was told to allow is named, and the session goes on."""
    with closing(connect(base.url, base.shown)) as session:
        session.native("SET statement_timeout = '20ms'")
        with pytest.raises(WarehouseUnreachable, match=r"statement_timeout .*\(57014\)"):
            session.native("SELECT pg_sleep(20)")
        assert session.native("SELECT 1").fetchone() == (1,)


def test_a_process_reads_the_databases_types_once(
    base: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files it lands, and whatever it then reads: ADBC asks for the columns of every store's tables."""
    made: list[str] = []

    def counted(url: str) -> adbc_driver_manager.AdbcDatabase:
        made.append(url)
        found: adbc_driver_manager.AdbcDatabase = plain(url)
        return found

    plain = adbc_driver_postgresql.connect
    monkeypatch.setattr(adbc_driver_postgresql, "connect", counted)
    files = [write_parquet(tmp_path / f"{n}.parquet", {"id": "BIGINT"}, [{"id": n}]) for n in range(3)]
    for run in ("first", "second"):
        landed = land_in_postgres(base, SCHEMA, run, {"one": files[:2], "two": files[2:]}, tmp_path / run)
        assert landed.counts == {"one": 2, "two": 1}
        with instant(base) as now:
            assert now.fetch('SELECT count(*) FROM shop."order"') == [(1,)]
    assert len(made) == 1
