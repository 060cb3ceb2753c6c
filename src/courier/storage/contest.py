"""The contest: per key, the newest of what is offered and what is stored stays.

Everything here works through temporary tables and views of one connection, made anew for each feed:

    offered   what the load brings, in the table's columns and types, with `_rid` to tell its rows apart
    losers    `_rid` of rows that lose to another version of the same key in the same load
    buried    key -> deleted_at, for keys that the source deleted: a version that is not newer stays out
    met       `_rid` and `_stored` (rowid of the stored row) of offered rows whose key is stored; for tables whose rows
              stand for themselves, whether the versions are `_apart` and the offered one `_newer`
    compared  of those that are not apart: whether they are the `_same` and, where not, whether the offered one `_wins`
    decided   `_rid`, `_stored` and `_outcome` of every offered row
    gone      `_stored` of stored rows that are to be removed
    taken     the rows that were stored into an empty table
"""

from __future__ import annotations

from datetime import datetime

from courier.storage.connection import Connection
from courier.storage.duck import quote, text
from courier.storage.ledger import LEDGER
from courier.storage.load import Counters, FeedLoad
from courier.storage.postgres.session import Session
from courier.storage.tables import is_empty
from courier.storage.target import Target, comma, parent_type

TAKEN = "('inserted', 'updated')"
_RID = "(file_index::BIGINT << 40 | file_row_number)"  # parquet's own: which file, and which row of it


def offer(connection: Connection, target: Target, load: FeedLoad) -> None:
    """Make `offered`. A column that the rows lack (the shop cannot give it) is null."""
    extra = {"_fetched_at": "TIMESTAMPTZ"}
    if load.parent is not None:
        extra |= {"_set": "BIGINT", "_parent": parent_type(load.parent)}
    wanted = {name: kind for name, kind in target.types().items() if name != "_run"} | extra
    if not load.rows:
        empty = comma(_column(name, kind, False) for name, kind in wanted.items())
        connection.execute(f"CREATE OR REPLACE TEMP VIEW offered AS SELECT 0 AS _rid, {empty} WHERE false")
        return
    there = {name for name, *_ in connection.execute(f"SELECT * FROM {load.rows} LIMIT 0").description or ()}
    columns = comma(_column(name, kind, name in there) for name, kind in wanted.items())
    connection.execute(f"CREATE OR REPLACE TEMP VIEW offered AS SELECT {_RID} AS _rid, {columns} FROM {load.rows}")


def _column(name: str, kind: str, there: bool) -> str:
    return f"{quote(name)}::{kind} AS {quote(name)}" if there else f"NULL::{kind} AS {quote(name)}"


def bury(connection: Connection, target: Target, load: FeedLoad) -> None:
    """Make `buried`: the deletes known from earlier runs, and those that this load brings."""
    known = f"SELECT key, deleted_at FROM {LEDGER}.deleted_record WHERE {target.which}"
    new = f"UNION ALL SELECT key::VARCHAR, deleted_at::TIMESTAMPTZ FROM {load.deletes}" if load.deletes else ""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE buried AS SELECT key, max(deleted_at) AS deleted_at "
        f"FROM ({known} {new}) WHERE key IS NOT NULL AND deleted_at IS NOT NULL GROUP BY key"
    )


def has_twins(connection: Connection, target: Target, candidates: str = "offered") -> bool:
    """Whether a key comes twice. Makes `twins`, those keys."""
    keys = comma(target.key)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE twins AS
        SELECT {keys} FROM {candidates} GROUP BY {keys} HAVING count(*) > 1
    """)
    return not is_empty(connection, "twins")


def find_losers(connection: Connection, target: Target, candidates: str = "offered", first: str = "") -> None:
    """Make `losers`. Ranking is done only for keys that come twice; `first` ranks before the row's own version."""
    if not has_twins(connection, target, candidates):  # nearly always, and to plan the ranking costs 3 ms
        connection.execute("CREATE OR REPLACE TEMP TABLE losers AS SELECT 0::BIGINT AS _rid WHERE false")
        return
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE losers AS
        SELECT c._rid FROM {candidates} c SEMI JOIN twins t ON {target.same_key("c", "t")}
        QUALIFY row_number() OVER (PARTITION BY {comma(target.key, "c")}
            ORDER BY {first} {target.rank("c")} DESC, c._rid) > 1
    """)


def decide(connection: Connection, target: Target) -> None:
    """Make `decided` for a table whose rows stand for themselves."""
    find_losers(connection, target)
    _meet(connection, target)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE decided AS
        SELECT r._rid, m._stored, CASE
            WHEN r._rid IN (SELECT _rid FROM losers) THEN 'rejected'
            WHEN {target.version("r")} <= b.deleted_at THEN 'rejected'
            WHEN m._stored IS NULL THEN 'inserted'
            WHEN c._same THEN 'unchanged'
            WHEN coalesce(c._wins, m._newer) THEN 'updated'
            ELSE 'rejected' END AS _outcome
        FROM offered r
        LEFT JOIN met m ON m._rid = r._rid
        LEFT JOIN compared c ON c._rid = r._rid
        LEFT JOIN buried b ON b.key = {target.key_text("r")}
    """)


def _meet(connection: Connection, target: Target) -> None:
    """Make `met` and `compared`: what is stored under the keys on offer, read as far as it takes to decide.

    A version that is another one says all: last_updated is a column, so the rows differ. To read every column costs
    0.3 CPU seconds of a million orders, the key and the version 0.03.
    """
    apart = f"{target.version('r')} <> {target.version('s')}" if target.table.last_updated else "false"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE met AS
        SELECT r._rid, s.rowid AS _stored, {apart} AS _apart, {target.version("r")} > {target.version("s")} AS _newer
        FROM offered r JOIN {target.name} s ON {target.same_key("r", "s")}
    """)
    close = connection.execute("SELECT 1 FROM met WHERE NOT _apart LIMIT 1").fetchone()
    which = f"""
        FROM (SELECT r.* FROM offered r SEMI JOIN (SELECT _rid FROM met WHERE NOT _apart) m ON m._rid = r._rid) r
        JOIN {target.name} s ON {target.same_key("r", "s")}
    """
    columns = f"r._rid, {target.equal('r', 's')} AS _same, {target.beats('r', 's')} AS _wins {which}"
    nothing = "NULL::BIGINT AS _rid, false AS _same, false AS _wins WHERE false"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE compared AS SELECT {columns if close else nothing}")


def bury_absent(connection: Connection, target: Target, until: datetime) -> None:
    """Add to `buried` the stored rows that a whole pull did not bring. Needs `decided`.

    A row stored from an answer later than the pull's last one is left alone: the pull is an old one, loaded late.
    They count as deleted at the newest version that the pull has seen, which is a time of the source's own clock.
    """
    unseen = target.version("s") if target.table.last_updated else "$until"
    connection.execute(
        f"""
        INSERT INTO buried
        SELECT {target.key_text("s")},
            greatest({target.version("s")}, coalesce((SELECT max({target.version("r")}) FROM offered r), {unseen}))
        FROM {target.name} s
        WHERE s._fetched_at <= coalesce((SELECT max(_fetched_at) FROM offered), $until)
            AND s.rowid NOT IN (SELECT _stored FROM decided WHERE _stored IS NOT NULL)
        """,
        {"until": until},
    )


def find_gone(connection: Connection, target: Target) -> None:
    """Make `gone`: stored rows that are buried, and that no newer offered row replaces. Needs `decided`."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT s.rowid AS _stored FROM {target.name} s JOIN buried b ON b.key = {target.key_text("s")}
        WHERE {target.version("s")} <= b.deleted_at
            AND s.rowid NOT IN (SELECT _stored FROM decided WHERE _outcome = 'updated')
    """)


def settle_deletes(connection: Connection, target: Target) -> None:
    """Bring `courier.deleted_record` in line with `buried`, but for keys that are stored now."""
    if is_empty(connection, "buried"):
        return
    connection.execute(f"DELETE FROM buried WHERE key IN (SELECT {target.key_text('s')} FROM {target.name} s)")
    connection.execute(f"DELETE FROM {LEDGER}.deleted_record WHERE {target.which}")
    connection.execute(f"""
        INSERT INTO {LEDGER}.deleted_record
        SELECT {target.names}, key, max(deleted_at) FROM buried GROUP BY key
    """)


def has_news(connection: Connection, target: Target, load: FeedLoad, absent_until: datetime | None) -> bool:
    """Whether the load would change a row or remember a delete. Needs `offered` and `buried`; writes nothing lasting.

    absent_until: for a load whose absences are deletes, the instant up to which it knows.
    """
    # Reads two columns where the contest reads all: enough to settle nearly every load that brings something.
    if is_empty(connection, "buried") and brings_newer(connection, target):
        return True
    decide(connection, target)
    if absent_until is not None:
        bury_absent(connection, target, absent_until)
    find_gone(connection, target)
    taken = f"SELECT 1 FROM decided WHERE _outcome IN {TAKEN} UNION ALL SELECT 1 FROM gone LIMIT 1"
    return connection.execute(taken).fetchone() is not None or _has_new_deletes(connection, target, load)


def brings_newer(connection: Connection, target: Target) -> bool:
    """Whether a version is offered that is newer than the stored one, or of a new key. Needs `offered`."""
    if target.table.last_updated is None:
        return False
    newer = f"{target.same_key('r', 's')} AND {target.version('s')} >= {target.version('r')}"
    query = f"SELECT 1 FROM offered r ANTI JOIN {target.name} s ON {newer} LIMIT 1"
    return connection.execute(query).fetchone() is not None


def _has_new_deletes(connection: Connection, target: Target, load: FeedLoad) -> bool:
    if not load.deletes:
        return False
    query = f"""
        SELECT 1 FROM {load.deletes} n ANTI JOIN (SELECT * FROM {LEDGER}.deleted_record WHERE {target.which}) d
        ON d.key = n.key::VARCHAR AND d.deleted_at >= n.deleted_at::TIMESTAMPTZ LIMIT 1
    """
    return connection.execute(query).fetchone() is not None


def store_first(
    connection: Connection, target: Target, run: str, candidates: str = "offered", *, but_losers: bool
) -> Counters:
    """Store `candidates`, all of `offered` or the part of it that counts, into an empty table: nothing to compare.

    Makes `taken`, a view of the rows that were stored. `but_losers`: `losers` were found, and stay out.
    """
    beaten = "ANTI JOIN losers l ON l._rid = r._rid" if but_losers else ""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW taken AS SELECT r.* FROM {candidates} r {beaten}")
    connection.execute(_insert(target, "taken r", run))
    inserted = _count(connection, target.name)
    return Counters(inserted=inserted, rejected=_count(connection, "offered") - inserted)


def store(connection: Connection, target: Target, run: str, kept: tuple[str, ...]) -> Counters:
    """Carry out `decided` and `gone`. `kept`: columns that the YAML has lost; an updated row keeps their values."""
    outcomes, deleted = _outcomes(connection), _count(connection, "gone")
    if outcomes["inserted"] or outcomes["updated"]:
        if isinstance(connection, Session):
            connection.execute(_merge(target, run))
        else:
            _replace(connection, target, run, kept)
    if deleted:
        _delete(connection, target, "SELECT _stored FROM gone")
    return Counters(deleted=deleted, **outcomes)


def _outcomes(connection: Connection) -> dict[str, int]:
    """How often each comes. Not grouped by it: DuckDB takes 2 MB for the groups, and four of them are known."""
    counts = comma(f"count(*) FILTER (WHERE _outcome = '{name}')" for name in _OUTCOMES)
    row = connection.execute(f"SELECT {counts} FROM decided").fetchone() or ()
    return dict(zip(_OUTCOMES, map(int, row), strict=True))


def _replace(connection: Connection, target: Target, run: str, kept: tuple[str, ...]) -> None:
    source = _TAKEN_ROWS
    if kept:
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE kept AS
            SELECT d._rid, {comma(map(quote, kept), "s")}
            FROM {target.name} s JOIN decided d ON d._stored = s.rowid AND d._outcome = 'updated'
        """)
        source += " LEFT JOIN kept k ON k._rid = r._rid"
    _delete(connection, target, "SELECT _stored FROM decided WHERE _outcome = 'updated'")
    connection.execute(_insert(target, source, run, kept))


def _merge(target: Target, run: str) -> str:
    """The same for Postgres, where a row that is updated in its place keeps what is not set."""
    columns = [*target.columns, "_fetched_at"]
    updates = ", ".join(f"{name} = n.{name}" for name in columns)
    return f"""
        MERGE INTO {target.name} s USING (SELECT r.*, d._stored FROM {_TAKEN_ROWS}) n ON s.rowid = n._stored
        WHEN MATCHED THEN UPDATE SET {updates}, _run = {text(run)}
        WHEN NOT MATCHED THEN INSERT ({comma(columns)}, _run) VALUES ({comma(columns, "n")}, {text(run)})
    """


_TAKEN_ROWS = f"offered r JOIN decided d ON d._rid = r._rid AND d._outcome IN {TAKEN}"
_OUTCOMES = ("inserted", "updated", "unchanged", "rejected")


def _insert(target: Target, source: str, run: str, kept: tuple[str, ...] = ()) -> str:
    columns = [*target.columns, "_fetched_at"]
    old = [quote(name) for name in kept]
    values = ", ".join([comma(columns, "r"), text(run), *(f"k.{name}" for name in old)])
    return f"INSERT INTO {target.name} ({comma([*columns, '_run', *old])}) SELECT {values} FROM {source}"


def _delete(connection: Connection, target: Target, stored: str) -> None:
    connection.execute(f"DELETE FROM {target.name} WHERE rowid IN ({stored})")


def _count(connection: Connection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0]) if row else 0
