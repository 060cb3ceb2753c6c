"""One transaction per courier run: rows, deletes, counters, coverage and the run itself, or none of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from courier import clock
from courier.config.project import DomainTable, SemanticTag
from courier.config.vocabulary import Vocabulary, vocabulary
from courier.errors import CommitUnknown, Incomplete, Locked, WarehouseUnreachable
from courier.storage import catalog, contest, families, ledger, namespaces, spanning, views
from courier.storage.connection import Connection, transaction
from courier.storage.duck import leave_untidy
from courier.storage.ledger_tables import create_ledger
from courier.storage.load import Committed, Counters, FeedLoad, RunRecord
from courier.storage.postgres.database import Postgres, lock_of
from courier.storage.postgres.session import Session
from courier.storage.tables import Existing, Prepared, described, existing, is_empty, prepare, target_of
from courier.storage.target import Family, Target
from courier.storage.warehouse import Files, Warehouse, has_ledger, last_change, opened, reading

FEW_ROWS = 200_000
"""So few that one thread decides them about as soon as two, for a tenth less CPU."""


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
    with opened(warehouse, _threads(loads)) as connection:
        try:
            return commit_on(connection, run, loads, project_tags, schema, before_commit)
        except CommitUnknown:
            if (known := _committed_after_all(warehouse, run, loads)) is None:
                raise
            return known


def commit_on(
    connection: Connection,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    project_tags: Sequence[SemanticTag],
    schema: str,
    before_commit: Callable[[], None] = lambda: None,
) -> Committed:
    """What `commit` does, on a connection to the warehouse."""
    if not isinstance(connection, Session) and ledger.changes(connection) % TIDIED_EVERY:
        leave_untidy(connection)
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


def _threads(loads: Sequence[FeedLoad]) -> int | None:
    return 1 if sum(load.read for load in loads) < FEW_ROWS else None


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
    with opened(warehouse, _threads(loads)) as connection, suppress(_HasNews):
        if has_ledger(connection):
            return _commit_once(connection, run, loads, project_tags, schema, before_commit, _load_without_news)
    return None


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
            ordered = _parents_first(loads)
            tags = vocabulary(tuple(project_tags))
            prepared, changed = _prepare(connection, run, ordered, tags, schema, tables)
            if loading is _load_without_news and any(one.changed for one in prepared.values()):
                raise _HasNews  # now, and not after views were made in vain: those of 200 stores take seconds
            shown = views.settle(connection, schema, run.views)
            in_postgres = isinstance(connection, Session)
            if not in_postgres:  # there, it would keep other couriers waiting while this one loads
                changed |= _settle_spanning(connection, run, tags, changed or shown.changed)
            committed = _commit(connection, run, ordered, prepared, changed or shown.changed, loading)
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
    known = described(connection, schema)
    prepared: dict[str, Prepared] = {}
    changed = False
    for load in loads:
        feed = load.feed.name
        prepared[feed] = prepare(connection, schema, load, known.get(feed), tables)
        different = catalog.describe(connection, prepared[feed], load, run, tags)
        changed = changed or different or prepared[feed].changed
    return prepared, changed


def _commit(
    connection: Connection,
    run: RunRecord,
    loads: Sequence[FeedLoad],
    prepared: Mapping[str, Prepared],
    changed: bool,
    loading: Loading,
) -> Committed:
    counters: dict[str, Counters] = {}
    removed: dict[str, int] = {}
    for load in loads:
        feed = load.feed.name
        counters[feed] = loading(connection, prepared[feed], load, run.run)
        for child, rows in _cascade(connection, prepared[feed].target.schema, load).items():
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


def _parents_first(loads: Sequence[FeedLoad]) -> list[FeedLoad]:
    """So that a parent's delete is known before its children's sets compete. Parents' tables are filled in."""
    tables: Mapping[str, DomainTable] = {load.feed.name: load.feed.table for load in loads}
    filled = []
    for load in loads:
        parent = load.parent or tables.get(load.feed.table.parent or "")
        if load.feed.table.parent is not None and parent is None:
            raise ValueError(f"the load of {load.feed.name} does not say what its parent's table is")
        filled.append(replace(load, parent=parent))

    def depth(load: FeedLoad) -> int:
        count, parent = 0, load.feed.table.parent
        while parent is not None and parent in tables and count < len(tables):
            count, parent = count + 1, tables[parent].parent
        return count

    return sorted(filled, key=depth)


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
    if prepared.changed or (_brings(load) and _offers_news(connection, target, load)):
        raise _HasNews
    if not _brings(load):
        return _load(connection, prepared, load, run)
    counters = contest.store(connection, target, run, prepared.kept)
    if target.family is None:
        contest.settle_deletes(connection, target)
    else:
        families.settle_versions(connection, target)
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
    if (until := _absent_until(load)) is not None:
        contest.bury_absent(connection, target, until)
    contest.find_gone(connection, target)
    counters = contest.store(connection, target, run, prepared.kept)
    contest.settle_deletes(connection, target)
    return counters


def _load_sets(connection: Connection, prepared: Prepared, load: FeedLoad, run: str) -> Counters:
    target = prepared.target
    families.answer(connection, target, load)
    if load.sets and is_empty(connection, "known") and is_empty(connection, target.name):
        return families.store_first(connection, target, load, run)
    families.decide_sets(connection, target)
    families.settle_members(connection, target)
    counters = contest.store(connection, target, run, prepared.kept)
    families.settle_versions(connection, target)
    until = _absent_until(load)
    if target.family is not None and load.sets and until is not None:
        families.absent_parents(connection, load, until)
        removed = families.remove_families(connection, target.family)
        counters = replace(counters, deleted=counters.deleted + removed)
    return counters


def _absent_until(load: FeedLoad) -> datetime | None:
    """Up to when absence from the load means deletion; None if it means nothing.

    A record in error may be any row, so then absence proves nothing.
    """
    whole = load.whole or (load.feed.load == "truncate" and load.read > 0)
    return (load.request.until or clock.now()) if whole and not load.errors else None


def _cascade(connection: Connection, schema: str, load: FeedLoad) -> dict[str, int]:
    """Remove the sets of parents that this load's deletes took away. Returns rows removed, by child table."""
    if load.parent is not None or (not load.deletes and _absent_until(load) is None):
        return {}
    removed: dict[str, int] = {}
    for table in described(connection, schema).values():
        if table.parent == load.feed.name:
            connection.execute("CREATE OR REPLACE TEMP TABLE departed AS SELECT key, deleted_at FROM buried")
            family = Family(schema, table.name, table.primary_key, table.parent_column)
            removed[table.name] = families.remove_families(connection, family)
    return removed


def preview(warehouse: Warehouse, schema: str, loads: Sequence[FeedLoad]) -> set[str]:
    """The feeds whose loads would change something; the others need not be landed. In doubt, a feed has news.

    In Postgres that is every feed that brings something: what is not landed cannot be looked at there.
    """
    something = [load for load in _parents_first(loads) if _brings(load)]
    if not isinstance(warehouse, Files):
        return {load.feed.name for load in something}
    with reading(warehouse) as connection:
        if connection is None or ("courier", "domain_table") not in (tables := existing(connection, schema)):
            return {load.feed.name for load in something}
        known = described(connection, schema)
        return _with_news(
            connection, [(target_of(schema, load, known.get(load.feed.name)), load) for load in something], tables
        )


def _with_news(connection: Connection, loads: Sequence[tuple[Target, FeedLoad]], tables: Existing) -> set[str]:
    """A newer parent comes with newer sets, so they are not looked at, which costs 0.07 CPU seconds of a million."""
    news: set[str] = set()
    newer: set[str | None] = set()
    for target, load in loads:
        name = load.feed.name
        whole = target.types().keys() <= tables.get((target.schema, name), {}).keys()
        if not whole or load.feed.table.parent in newer or _offers_news(connection, target, load):
            news.add(name)
        if whole and name in news and load.parent is None and contest.brings_newer(connection, target):
            newer.add(name)
    return news


def _brings(load: FeedLoad) -> bool:
    return bool(load.rows or load.sets or load.deletes or load.whole)


def _offers_news(connection: Connection, target: Target, load: FeedLoad) -> bool:
    """Looks only at the rows. Where there is no news, what the contest decided is left for `contest.store`."""
    contest.offer(connection, target, load)
    if is_empty(connection, target.name) and not is_empty(connection, "offered"):
        return True
    if target.family is None:
        contest.bury(connection, target, load)
        return contest.has_news(connection, target, load, _absent_until(load))
    families.answer(connection, target, load)
    return families.has_news(connection, target, load, _absent_until(load))
