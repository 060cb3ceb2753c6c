"""One transaction per courier run: rows, deletes, counters, coverage and the run itself, or none of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

from courier.config.project import SemanticTag
from courier.config.vocabulary import Vocabulary, vocabulary
from courier.errors import CommitUnknown, Incomplete, Locked, WarehouseUnreachable
from courier.storage import catalog, contest, families, ledger, namespaces, siblings, spanning, views
from courier.storage.connection import Connection, transaction
from courier.storage.duck import tidy
from courier.storage.ledger_tables import create_ledger
from courier.storage.load import Committed, Counters, FeedLoad, RunRecord
from courier.storage.memory import in_enough_memory
from courier.storage.news import absent_until, brings, offers_news, parents_first
from courier.storage.postgres.database import Postgres, lock_of
from courier.storage.postgres.session import Session
from courier.storage.tables import Existing, Prepared, described, existing, is_empty, prepare
from courier.storage.target import Family, Target
from courier.storage.warehouse import Files, Warehouse, has_ledger, last_change


def commit(
    warehouse: Warehouse,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    project_tags: Sequence[SemanticTag],
    schema: str,
    before_commit: Callable[[], None] = lambda: None,
) -> Committed:
    """Commit a run's loads to the warehouse, all of them or none.

    A run that is committed already is not committed again: its recorded counters are returned. Raises ForeignData,
    ConfigurationError (a column's type changed), Incomplete (the counters do not add up), WarehouseUnreachable.
    """

    def decide(connection: Connection) -> Committed:
        try:
            return commit_on(connection, run, loads, project_tags, schema, before_commit)
        except CommitUnknown:
            if (known := _committed_after_all(warehouse, run, loads)) is None:
                raise
            return known

    return in_enough_memory(warehouse, loads, decide)


def commit_on(
    connection: Connection,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    project_tags: Sequence[SemanticTag],
    schema: str,
    before_commit: Callable[[], None] = lambda: None,
) -> Committed:
    """What `commit` does, on a connection to the warehouse."""
    if not isinstance(connection, Session) and ledger.changes(connection) % TIDIED_EVERY == 0:
        tidy(connection)
    return _commit_once(connection, run, loads, project_tags, schema, before_commit, _load)


def _committed_after_all(warehouse: Warehouse, run: RunRecord, loads: Sequence[FeedLoad]) -> Committed | None:
    """What came of a commit whose answer was lost with the connection; None if nothing did.

    The session that was lost holds the courier's lock until it has ended, and with it whatever it was about.
    """
    if not isinstance(warehouse, Postgres):
        return None
    again = replace(warehouse, held=None).locked(lock_of(run.courier), most_seconds=ENDING_SECONDS)
    with suppress(Locked, WarehouseUnreachable), again as database, database.session() as session:
        return _recorded(session, run, loads) if ledger.committed(session, run.run) else None
    return None


def _recorded(connection: Connection, run: RunRecord, loads: Sequence[FeedLoad]) -> Committed:
    watermarks = ledger.watermarks(connection, run.courier, [load.feed.name for load in loads])
    return Committed(ledger.recorded(connection, run.run), watermarks=watermarks)


ENDING_SECONDS = 30.0
"""How long a session may take to end that nobody is connected to any more."""


def commit_without_news(
    warehouse: Warehouse,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    project_tags: Sequence[SemanticTag],
    schema: str,
    before_commit: Callable[[], None] = lambda: None,
) -> Committed | None:
    """Commit loads that change no row, which need no landing. None, and nothing is done, if one of them has news.

    The usual case, so that it is settled in one look at the tables. Postgres cannot look at what has not landed, so
    there it is always None. Raises what `commit` raises.
    """
    if not isinstance(warehouse, Files) or not warehouse.private.exists():
        return None

    def decide(connection: Connection) -> Committed | None:
        with suppress(_HasNews):
            if has_ledger(connection):
                return _commit_once(connection, run, loads, project_tags, schema, before_commit, _load_without_news)
        return None

    return in_enough_memory(warehouse, loads, decide)


class _HasNews(Exception):
    """Ends the transaction of `commit_without_news`."""


TIDIED_EVERY = 8
"""Commits that change something from one that also fills the gaps of deleted rows to the next.

To do it each time took 0.4 of the 2.5 CPU seconds in which 50,000 of ten million rows change. Seven commits later
there are seven small groups of rows more to look through, and they are merged at once.
"""
Loading: TypeAlias = Callable[["Connection", Prepared, FeedLoad, str], Counters]


def _commit_once(
    connection: Connection,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    project_tags: Sequence[SemanticTag],
    schema: str,
    before_commit: Callable[[], None],
    loading: Loading,
) -> Committed:
    if ledger.committed(connection, run.run):
        committed = Committed(ledger.recorded(connection, run.run))
    else:
        with transaction(connection):
            tables = create_ledger(connection, existing(connection, schema))
            ledger.bind_identity(connection, schema, run)
            ordered = parents_first(loads)
            tags = vocabulary(tuple(project_tags))
            prepared, changed = _prepare(connection, run, ordered, tags, schema, tables)
            kept = siblings.settle(connection, schema, siblings.keepers(connection, schema, tables), ordered, prepared)
            if loading is _load_without_news and any(one.changed for one in prepared.values()):
                raise _HasNews  # now, and not after views were made in vain: those of 200 stores take seconds
            shown = views.settle(connection, schema, run.views)
            in_postgres = isinstance(connection, Session)
            if not in_postgres:  # there, it would keep other couriers waiting while this one loads
                changed |= _settle_spanning(connection, run, tags, changed or shown.changed)
            prepared = siblings.placed(prepared, kept)
            committed = _commit(connection, run, ordered, prepared, kept, changed or shown.changed, loading)
            if in_postgres:
                _settle_spanning(connection, run, tags, changed or shown.changed)
            committed = replace(committed, notes=(*shown.notes, *committed.notes))
            before_commit()
    watermarks = ledger.watermarks(connection, run.courier, [load.feed.name for load in loads])
    return replace(committed, watermarks=watermarks, last_change=last_change(connection))


def _settle_spanning(connection: Connection, run: RunRecord, tags: Vocabulary, described: bool) -> bool:
    fleets = [run.fleet] if run.fleet else []
    if not run.spanning_later:
        return spanning.settle(connection, tags, run.work.courier_version, fleets, described)
    if described:
        spanning.put_off(connection, fleets)
    return False


def _prepare(
    connection: Connection,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    tags: Vocabulary,
    schema: str,
    tables: Existing,
) -> tuple[dict[str, Prepared], bool]:
    """Make and describe the loads' tables. Returns them by feed, and whether any is other than before."""
    known, told = described(connection, schema), catalog.known(connection, schema)
    prepared: dict[str, Prepared] = {}
    changed = False
    for load in loads:
        feed = load.feed.name
        prepared[feed] = prepare(connection, schema, load, known.get(feed), tables)
        different = catalog.describe(connection, told, prepared[feed], load, run, tags)
        changed = changed or different or prepared[feed].changed
    return prepared, changed


def _commit(
    connection: Connection,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    prepared: Mapping[str, Prepared],
    kept: siblings.Keepers,
    changed: bool,
    loading: Loading,
) -> Committed:
    counters: dict[str, Counters] = {}
    removed: dict[str, int] = {}
    for group in siblings.together((prepared[load.feed.name].target, load) for load in loads):
        counters |= _load_together(connection, group, prepared, run.run, loading)
        for target, load in group:
            for child, rows in _cascade(connection, target.schema, load, kept).items():
                removed[child] = removed.get(child, 0) + rows
    for child, rows in removed.items():
        changed = changed or rows > 0
        if child in counters:
            counters[child] = replace(counters[child], deleted=counters[child].deleted + rows)
    settled = {load.feed.name: namespaces.settle(connection, prepared[load.feed.name].target, load) for load in loads}
    changed = changed or any(found.changed for found in counters.values()) or any(new for _, new in settled.values())
    ledger.record_run(connection, run, changed)
    ledger.record_feeds(connection, run, loads, counters)
    counts = {feed: found for feed, (found, _) in settled.items() if found}
    notes = tuple(note for feed, found in counts.items() for note in namespaces.notes(run.courier, feed, found))
    return Committed(counters, changed, namespaces=counts, notes=notes)


def _load_together(
    connection: Connection,
    group: Sequence[siblings.Offered],
    prepared: Mapping[str, Prepared],
    run: str,
    loading: Loading,
) -> dict[str, Counters]:
    """Load a table, or siblings whose sets are answered for, and remembered, once."""
    family = group[0][0].family
    if family is not None:
        families.answer(connection, *group[0])
    counters = {load.feed.name: loading(connection, prepared[load.feed.name], load, run) for _, load in group}
    if family is not None:
        families.settle_versions(connection, family)
        for child, rows in _remove_absent(connection, group).items():
            counters[child] = replace(counters[child], deleted=counters[child].deleted + rows)
    return counters


def _remove_absent(connection: Connection, group: Sequence[siblings.Offered]) -> dict[str, int]:
    """Remove the sets of parents that a whole pull did not bring. Returns rows removed, by table."""
    _, load = group[0]
    instants = [absent_until(load) for _, load in group]
    if not load.sets or (until := instants[0]) is None or None in instants:
        return {}
    families.absent_parents(connection, load, until)
    return families.remove_families(connection, [target.family for target, _ in group if target.family])


def _load(connection: Connection, prepared: Prepared, load: FeedLoad, run: str) -> Counters:
    target = prepared.target
    contest.offer(connection, target, load)
    if target.family is None:
        counters = _load_rows(connection, prepared, load, run)
    else:
        counters = _load_sets(connection, prepared, load, run)
    return _proven(target, load, counters)


def _load_without_news(connection: Connection, prepared: Prepared, load: FeedLoad, run: str) -> Counters:
    """Settle a load that was decided while looking for news, and had none. Raises _HasNews."""
    target = prepared.target
    if prepared.changed or (brings(load) and offers_news(connection, target, load)):
        raise _HasNews
    if not brings(load):
        return _load(connection, prepared, load, run)
    counters = contest.store(connection, target, run, prepared.kept)
    if target.family is None:
        contest.settle_deletes(connection, target)
    return _proven(target, load, counters)


def _proven(target: Target, load: FeedLoad, counters: Counters) -> Counters:
    counters = replace(counters, read=load.read, errors=len(load.errors))
    settled = counters.inserted + counters.updated + counters.unchanged + counters.rejected
    if counters.read != settled + counters.errors:
        raise Incomplete(
            f"{target.schema}.{target.table.name}: {counters.read} records were read, but {settled} rows and "
            f"{counters.errors} errors came to be committed. Nothing was committed.",
            fix="courier retry RUN makes the rows anew; if it happens twice, please report it",
        )
    return counters


def _load_rows(connection: Connection, prepared: Prepared, load: FeedLoad, run: str) -> Counters:
    target = prepared.target
    contest.bury(connection, target, load)
    if is_empty(connection, "buried") and is_empty(connection, target.name):
        contest.find_losers(connection, target)
        return contest.store_first(connection, target, run, but_losers=not is_empty(connection, "losers"))
    contest.decide(connection, target)
    if (until := absent_until(load)) is not None:
        contest.bury_absent(connection, target, until)
    contest.find_gone(connection, target)
    counters = contest.store(connection, target, run, prepared.kept)
    contest.settle_deletes(connection, target)
    return counters


def _load_sets(connection: Connection, prepared: Prepared, load: FeedLoad, run: str) -> Counters:
    target = prepared.target
    if load.sets and is_empty(connection, "known") and is_empty(connection, target.name):
        return families.store_first(connection, target, load, run)
    families.decide_sets(connection, target)
    families.settle_members(connection, target)
    return contest.store(connection, target, run, prepared.kept)


def _cascade(connection: Connection, schema: str, load: FeedLoad, kept: siblings.Keepers) -> dict[str, int]:
    """Remove the sets of parents that this load's deletes took away. Returns rows removed, by child table."""
    if load.parent is not None or (not load.deletes and absent_until(load) is None):
        return {}
    children: dict[str, list[Family]] = {}
    for table in described(connection, schema).values():
        if table.parent == load.feed.name:
            keeper = kept.get(table.name, table.name)
            family = Family(schema, table.name, table.primary_key, table.parent_column, keeper)
            children.setdefault(keeper, []).append(family)
    if children:
        connection.execute("CREATE OR REPLACE TEMP TABLE departed AS SELECT key, deleted_at FROM buried")
    removed = [families.remove_families(connection, own) for own in children.values()]
    return {table: rows for found in removed for table, rows in found.items()}
