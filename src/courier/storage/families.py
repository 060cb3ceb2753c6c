"""The contest of child tables: sets of rows compete, one set per parent, by the version of the parent they came with.

Temporary tables, beside those of contest.py:

    answered  the best set that the load brings for each parent: `_set`, `_parent`, `_version`, `_fetched_at`, its
              `_state`: 'newer' than the stored set, the 'same' answer once more, or 'older'; and of the stored set
              `_known` (its rowid in courier.parent_version) and `_before` (its version); a view, over `judged`
              where there are stored sets
    known     the rows of courier.parent_version that tell of this table's sets
    met       of offered rows whose key is stored: `_stored`, `_owner` (the stored row's parent), whether the row has
              `_moved` to another parent since, and whether the two are otherwise the `_same`

`known` and `answered` are of all tables whose sets come together (siblings.py), and are made once for them. To look a
few parents up in `known` costs as much as to read all of its texts: 0.1 CPU seconds of a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from courier.errors import Incomplete
from courier.storage import contest
from courier.storage.connection import Connection
from courier.storage.contest import TAKEN, find_losers
from courier.storage.duck import text
from courier.storage.ledger import LEDGER
from courier.storage.load import Counters, FeedLoad
from courier.storage.tables import is_empty
from courier.storage.target import BEGINNING, Family, Target, comma, parent_type

_BEST = """
    QUALIFY row_number() OVER (PARTITION BY _parent ORDER BY _version DESC NULLS LAST, _fetched_at DESC, _set) = 1"""


# A parent without versions (locations) is there again if it was seen after it was found to be gone.
_AFTER = f"b._version > k.version OR (b._version = {BEGINNING} AND b._fetched_at > k.version)"


def answer(connection: Connection, target: Target, load: FeedLoad) -> None:
    """Make `known` and `answered`. A set that is held, because one of its records is in error, does not compete."""
    family = _family(target)
    if load.rows and not load.sets:
        raise Incomplete(f"{target.schema}.{target.table.name}: rows came without the sets that they belong to.")
    connection.execute(f"""
        CREATE OR REPLACE TEMP VIEW known AS
        SELECT rowid AS _known, parent, version, fetched_at, deleted
        FROM {LEDGER}.parent_version WHERE {family.versions}
    """)
    kind = parent_type(load.parent) if load.parent else "VARCHAR"
    sets = load.sets or "(SELECT 0 AS _set, NULL AS _parent, NULL AS _version, NULL AS _fetched_at, true AS _held)"
    several = f"SELECT 1 FROM {sets} GROUP BY _parent HAVING count(*) > 1 LIMIT 1"
    # To rank a million sets of which no two are of one parent costs 0.4 CPU seconds, to see that there are none 0.1.
    best = _BEST if connection.execute(several).fetchone() is not None else ""
    offered = f"""
        SELECT _set, _parent::{kind} AS _parent, coalesce(_version::TIMESTAMPTZ, {BEGINNING}) AS _version,
            _fetched_at::TIMESTAMPTZ AS _fetched_at
        FROM {sets} WHERE NOT _held AND _parent IS NOT NULL {best}
    """
    if not best and is_empty(connection, "known"):
        # Nothing to compare with. To write a million sets down first costs 0.3 CPU seconds.
        unknown = "NULL::BIGINT AS _known, NULL::TIMESTAMPTZ AS _before, 'newer' AS _state"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW answered AS SELECT b.*, {unknown} FROM ({offered}) b")
        return
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT b.*, k._known, k.version AS _before, CASE
            WHEN k.parent IS NULL THEN 'newer'
            WHEN k.deleted THEN CASE WHEN {_AFTER} THEN 'newer' ELSE 'older' END
            WHEN b._version = k.version AND b._fetched_at = k.fetched_at THEN 'same'
            WHEN {_later("b._version", "b._fetched_at", "k")} THEN 'newer'
            ELSE 'older' END AS _state
        FROM ({offered}) b LEFT JOIN known k ON k.parent = b._parent::VARCHAR
    """)
    connection.execute("CREATE OR REPLACE TEMP VIEW answered AS SELECT * FROM judged")


def store_first(connection: Connection, target: Target, load: FeedLoad, run: str) -> Counters:
    """Store the sets of a table that never had any. Needs `answered`."""
    # Every row's set is on offer; so where every set is taken, so is every row.
    counts = f"SELECT (SELECT count(*) FROM {load.sets}) = (SELECT count(*) FROM answered)"
    all_taken = connection.execute(counts).fetchone() == (True,)
    if all_taken and not contest.has_twins(connection, target):
        counters = contest.store_first(connection, target, run, but_losers=False)
    else:
        _make_candidates(connection)
        find_losers(connection, target, "candidates", _FIRST)
        counters = contest.store_first(connection, target, run, "candidates", but_losers=True)
    family = _family(target)
    if family.column is None:
        keys = comma(target.key)
        connection.execute(f"INSERT INTO {family.side} ({keys}, _parent) SELECT {keys}, _parent FROM taken")
    return counters


_FIRST = "(c._state = 'newer') DESC, c._version DESC, c._answered DESC, c._parent,"


def _make_candidates(connection: Connection) -> None:
    connection.execute("""
        CREATE OR REPLACE TEMP VIEW candidates AS
        SELECT r.*, a._version, a._fetched_at AS _answered, a._state
        FROM offered r JOIN answered a ON a._set = r._set AND a._parent = r._parent
        WHERE a._state <> 'older'
    """)


def decide_sets(connection: Connection, target: Target) -> None:
    """Make `decided` and `gone`. Rows of a set that is older, held or beaten are rejected, and so are losing twins."""
    family = _family(target)
    _make_candidates(connection)
    find_losers(connection, target, "candidates", _FIRST)
    _meet(connection, target)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE decided AS
        SELECT r._rid, m._stored, m._moved, CASE
            WHEN c._rid IS NULL OR r._rid IN (SELECT _rid FROM losers) THEN 'rejected'
            WHEN m._same AND NOT m._moved THEN 'unchanged'
            WHEN c._state = 'same' THEN 'rejected'
            WHEN m._stored IS NULL THEN 'inserted'
            WHEN NOT m._moved THEN 'updated'
            WHEN {_leaves("m._owner")} THEN 'updated'
            ELSE 'rejected' END AS _outcome
        FROM offered r
        LEFT JOIN candidates c ON c._rid = r._rid
        LEFT JOIN met m ON m._rid = r._rid
        LEFT JOIN answered w ON w._parent = m._owner AND w._state = 'newer'
        LEFT JOIN {_known_of_moved(connection)} k ON k.parent = CASE WHEN m._moved THEN m._owner::VARCHAR END
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT s._stored FROM {family.rows} s JOIN answered a ON a._parent = s._owner AND a._state = 'newer'
        WHERE s._stored NOT IN (SELECT _stored FROM decided WHERE _stored IS NOT NULL AND _outcome <> 'rejected')
    """)


def _meet(connection: Connection, target: Target) -> None:
    """Make `met`. An inner join: so that the few rows on offer come first, not the table and its side table."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE met AS
        SELECT r._rid, s._stored, s._owner, s._owner <> r._parent AS _moved, {target.equal("r", "s")} AS _same
        FROM offered r JOIN {_family(target).rows} s ON {target.same_key("r", "s")}
    """)


def _known_of_moved(connection: Connection) -> str:
    """The versions to look among for those of the parents that rows leave: none where no row does."""
    moved = connection.execute("SELECT 1 FROM met WHERE _moved LIMIT 1").fetchone()
    return "known" if moved else "(SELECT * FROM known WHERE false)"


def _leaves(owner: str) -> str:
    """Whether a stored row of another parent may move: that parent's own newer set lacks it, or is the older one."""
    return f"w._parent IS NOT NULL OR {owner} IS NULL OR k.parent IS NULL OR {_later('c._version', 'c._answered', 'k')}"


def _later(version: str, fetched_at: str, known: str) -> str:
    return f"({version} > {known}.version OR ({version} = {known}.version AND {fetched_at} > {known}.fetched_at))"


def has_news(connection: Connection, target: Target, load: FeedLoad, absent_until: datetime | None) -> bool:
    """Whether the load would change a row, or brings a set under a newer version. Needs `offered` and `answered`."""
    newer = "SELECT 1 FROM answered WHERE _state = 'newer' AND (_known IS NULL OR _version > _before) LIMIT 1"
    if connection.execute(newer).fetchone() is not None:
        return True
    decide_sets(connection, target)
    taken = f"SELECT 1 FROM decided WHERE _outcome IN {TAKEN} UNION ALL SELECT 1 FROM gone LIMIT 1"
    if connection.execute(taken).fetchone() is not None:
        return True
    if absent_until is None or not load.sets:
        return False
    absent_parents(connection, load, absent_until)
    return not is_empty(connection, "departed")


def settle_members(connection: Connection, target: Target) -> None:
    """Keep the side table true to `decided` and `gone`; before they are carried out."""
    family = _family(target)
    if family.column is not None:
        return
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE joining AS
        SELECT {comma(target.key, "r")}, r._parent FROM offered r JOIN decided d ON d._rid = r._rid
        WHERE d._outcome = 'inserted' OR (d._moved AND d._outcome <> 'rejected')
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE parting AS
        SELECT {comma(target.key)} FROM joining
        UNION SELECT {comma(target.key)} FROM {family.name} WHERE rowid IN (SELECT _stored FROM gone)
    """)
    connection.execute(f"DELETE FROM {family.side} f USING parting p WHERE {target.same_key('f', 'p')}")
    connection.execute(f"INSERT INTO {family.side} ({comma(target.key)}, _parent) FROM joining")


def settle_versions(connection: Connection, family: Family) -> None:
    """Remember the version of every set that was taken, also where none of its rows changed."""
    if not is_empty(connection, "known"):
        connection.execute(f"""
            DELETE FROM {LEDGER}.parent_version
            WHERE rowid IN (SELECT _known FROM answered WHERE _state = 'newer' AND _known IS NOT NULL)
        """)
    connection.execute(f"""
        INSERT INTO {LEDGER}.parent_version
        SELECT {text(family.schema)}, {text(family.keeper)}, _parent::VARCHAR, _version, _fetched_at, false
        FROM answered WHERE _state = 'newer'
    """)


def absent_parents(connection: Connection, load: FeedLoad, until: datetime) -> None:
    """Make `departed`: parents whose set is stored, and that a whole pull did not bring. Needs `answered`."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE departed AS
        SELECT k.parent AS key,
            greatest(k.version, coalesce((SELECT max(_version) FROM answered), k.version)) AS deleted_at
        FROM known k
        WHERE NOT k.deleted AND k.fetched_at <= coalesce((SELECT max(_fetched_at) FROM answered), $until)
            AND k.parent NOT IN (SELECT _parent::VARCHAR FROM {load.sets} WHERE _parent IS NOT NULL)
        """,
        {"until": until},
    )


def remove_families(connection: Connection, own: Sequence[Family]) -> dict[str, int]:
    """Remove the sets of the parents in `departed` (key as text, deleted_at), but newer ones, from tables whose
    versions are kept together. Returns the rows removed of each."""
    family = own[0]
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE leaving AS
        SELECT d.key, d.deleted_at, k.parent IS NOT NULL AS was_known
        FROM departed d LEFT JOIN (SELECT * FROM {LEDGER}.parent_version WHERE {family.versions}) k ON k.parent = d.key
        WHERE k.parent IS NULL OR k.version < d.deleted_at OR (k.version = d.deleted_at AND NOT k.deleted)
    """)
    if is_empty(connection, "leaving"):
        return {}
    removed = {one.table: _remove_leaving(connection, one) for one in own}
    connection.execute(f"""
        DELETE FROM {LEDGER}.parent_version
        WHERE {family.versions} AND parent IN (SELECT key FROM leaving WHERE was_known)
    """)
    connection.execute(f"""
        INSERT INTO {LEDGER}.parent_version
        SELECT {text(family.schema)}, {text(family.keeper)}, key, deleted_at, NULL, true FROM leaving
    """)
    return removed


def _remove_leaving(connection: Connection, family: Family) -> int:
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT s._stored FROM {family.rows} s WHERE s._owner::VARCHAR IN (SELECT key FROM leaving)
    """)
    if family.column is None:
        connection.execute(f"DELETE FROM {family.side} WHERE _parent::VARCHAR IN (SELECT key FROM leaving)")
    connection.execute(f"DELETE FROM {family.name} WHERE rowid IN (SELECT _stored FROM gone)")
    row = connection.execute("SELECT count(*) FROM gone").fetchone()
    return int(row[0]) if row else 0


def _family(target: Target) -> Family:
    if target.family is None:
        raise ValueError(f"{target.table.name} is not a child table")
    return target.family
