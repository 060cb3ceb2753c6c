"""Activations whose rows and journal are in Postgres, where every host finds them: the same as over files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from courier.activations.contract import Item
from courier.activations.journal import Journal
from courier.activations.journal_move import take_over
from courier.errors import Locked, WarehouseUnreachable
from courier.runtime.activation_run import apply_activation
from courier.runtime.activation_states import journal_of
from courier.runtime.journal_move import MOVED
from courier.runtime.place import activation_lock
from courier.storage.journal_store import DatabaseStore, FileStore
from courier.storage.ledger import watermarks
from courier.storage.ledger_tables import types_in_ledger
from courier.storage.postgres.session import Session
from courier.storage.warehouse import opened
from tests.activations.acted import COHORTS, Acted, actions
from tests.activations.killed import APPLY, KILLED

FIRST_POST = 5  # of what an apply sends: its body, after what it asks for
LEFT = Item("left", "Buyer left", "create", "new", {"name": "Buyer left"}, None)


@pytest.fixture
def acted(acted_in_postgres: Acted) -> Acted:
    return acted_in_postgres


@pytest.fixture
def elsewhere(acted: Acted, tmp_path: Path) -> Iterator[Acted]:
    """The project on another host, which has nothing of it but its files."""
    root = tmp_path / "elsewhere" / "project"
    shutil.copytree(acted.root, root, ignore=shutil.ignore_patterns(".courier"))
    yield replace(acted, root=root, opened=None)


def table(acted: Acted, name: str) -> list[tuple[object, ...]]:
    assert acted.place.database is not None
    with acted.place.database.session() as session:
        return session.native(f"SELECT * FROM courier.{name} ORDER BY 1, 2").fetchall()


def test_what_one_host_applied_is_unchanged_for_every_other(acted: Acted, elsewhere: Acted) -> None:
    """The plan is the same plan wherever it is made, and after the apply nothing is left to do anywhere."""
    planned = acted.plan()
    assert actions(planned.plan) == dict.fromkeys(COHORTS, "create")
    assert [(one.key, one.guard) for one in planned.plan.left_out] == [("many", "min_cohort_size")]
    assert planned.plan.as_of == watermarks(acted.place.warehouse, "shopify", ["customer"])["customer"]
    applied = elsewhere.apply(expected=planned.plan.hash)
    assert (applied.result, applied.credits, acted.charged) == ("succeeded", 900, 900)
    for host in (acted, elsewhere):
        assert set(actions(host.plan().plan).values()) == {"unchanged"}
    again = acted.apply()
    assert (again.result, again.credits, again.carried, acted.charged) == ("succeeded", 0, (), 900)


def test_the_ledger_shows_the_journal(acted: Acted) -> None:
    """Byte for byte what left, under the names and types that DuckDB's tables have."""
    applied = acted.apply()
    sent = [(one.method, one.path, one.body.decode()) for one in acted.mavera.received if one.body]
    assert [row[-3:] for row in table(acted, "egress")] == sent
    assert [row[:2] for row in table(acted, "activation_item")] == [("buyers", cohort) for cohort in COHORTS]
    assert [row[:4] for row in table(acted, "activation_run")] == [(applied.run, "buyers", None, "succeeded")]
    assert [(row[3], row[6], row[-1]) for row in table(acted, "activation_result")] == [
        (cohort, "done", []) for cohort in COHORTS
    ]
    with opened(acted.place.warehouse) as session:
        assert isinstance(session, Session)
        columns = session.columns()
    for name in ("egress", "activation_item", "activation_run", "activation_result"):
        wanted = {
            column: kind.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
            for column, kind in types_in_ledger(name).items()
        }
        assert {c: kind for schema, found, c, kind in columns if (schema, found) == ("courier", name)} == wanted


def test_two_hosts_apply_at_once_and_everything_is_made_once(acted: Acted, elsewhere: Acted) -> None:
    """Both wait for a third; then one makes the personas, and the other finds nothing to do."""
    words = ("activate", "buyers", *APPLY)
    hosts = (acted, elsewhere)
    with activation_lock(acted.place, "buyers"):
        left = [host.hurry.leave(host.root, host.served, words, host.root.with_name("left")) for host in hosts]
        with pytest.raises(Locked):
            apply_activation(replace(elsewhere.context, wait_for_lock=False), "buyers")
        assert any("another process" in note for note in elsewhere.plan().plan.notes)
        assert acted.charged == 0
    assert [acted.hurry.wait(process) for process in left] == [0, 0]
    names = [one["name"] for one in acted.mavera.personas]
    assert all(names.count(f"Buyer {cohort}") == 1 for cohort in COHORTS)
    assert (acted.charged, sorted(run.credits for run in acted.journal("buyers").runs())) == (900, [0, 900])


def test_what_one_host_left_open_another_one_settles(acted: Acted, elsewhere: Acted) -> None:
    """Killed as the first persona is about to leave: it is looked for, and paid once."""
    ended = acted.courier("activate", "buyers", *APPLY, end={"step": FIRST_POST, "seconds": 0})
    journal = acted.journal("buyers")
    assert ended.code in KILLED
    assert [(one.item.key, one.sent) for one in journal.open_intents("buyers")] == [("few", True)]
    assert elsewhere.apply().result == "succeeded"
    names = [one["name"] for one in acted.mavera.personas]
    assert all(names.count(f"Buyer {cohort}") == 1 for cohort in COHORTS)
    assert (acted.charged, journal.open_intents("buyers")) == (900, [])
    assert {run.result for run in journal.runs("buyers")} == {"killed", "succeeded"}


def test_whoever_lost_the_lock_can_intend_nothing(acted: Acted) -> None:
    """And what is not intended is not sent. What is intended is on disk, however the server is set."""
    with activation_lock(acted.place, "buyers") as held:
        journal = journal_of(held, acted.project.activations["buyers"])
        journal.intend("run", "buyers", LEFT, ())
        with journal.opened() as entry:
            ((synchronous,),) = (row.values() for row in entry.execute("SHOW synchronous_commit"))
            ((backend,),) = (row.values() for row in entry.execute("SELECT pg_backend_pid()"))
        assert synchronous == "on"
        with opened(acted.place.warehouse) as session:
            session.execute(f"SELECT pg_terminate_backend({backend})")
        with pytest.raises(WarehouseUnreachable):
            journal.intend("run", "buyers", LEFT, ())
    assert len(acted.journal("buyers").open_intents("buyers")) == 1


def test_a_journal_of_before_is_taken_over_once(acted: Acted) -> None:
    """With what was done, what is known, and what a killed process left open; the file is set aside."""
    acted.apply()
    journal = acted.journal("buyers")
    for sent in (True, False):
        intent = journal.intend("killed", "buyers", LEFT, ("seen",))
        if sent:
            journal.leaving(intent, "buyers", "POST", "/personas", b"{}")
    before = told(journal)
    file, aside = acted.place.activations, acted.place.activations.with_name(MOVED)
    assert acted.place.database is not None
    take_over(DatabaseStore(acted.place.database), FileStore(file))
    with journal.opened() as entry:
        entry.execute("DROP SCHEMA courier_journal CASCADE")
    assert any(MOVED in note for note in acted.plan("texts").plan.notes)
    assert (told(journal), file.exists(), aside.exists()) == (before, False, True)
    aside.rename(file)  # as a kill leaves it before the end
    acted.plan("texts")
    assert (told(journal), file.exists()) == (before, False)
    aside.unlink()


def told(journal: Journal) -> list[object]:
    runs = journal.runs()
    opened = [(one.run, one.item, one.seen, one.at, one.sent) for one in journal.open_intents("buyers")]
    assert [one[-1] for one in opened] == [True, False]
    return [journal.known("buyers"), journal.owned(), runs, *(journal.outcomes(run.run) for run in runs), opened]
