"""Landing in Postgres: a run's parquet files become one load package in a schema of the run's own.

dlt copies each file by ADBC, which does not know lists as text[], and Postgres stores no NUL in a text: files that have
either are written anew before. The schema goes after the commit; what a killed run leaves goes when its courier lands
again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from courier.errors import Incomplete
from courier.storage import duck
from courier.storage.land import FOLDER, landing, load_package
from courier.storage.load import KEPT, Landed
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.session import LANDING, Session

if TYPE_CHECKING:
    from courier.storage.duck import Connection

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def land_in_postgres(
    database: Postgres, courier: str, run: str, tables: Mapping[str, Sequence[Path]], run_folder: Path
) -> Landed:
    """Load parquet files as one package into the run's landing schema, afresh.

    tables: landing table -> its files, which all have the same columns. Raises Incomplete if dlt fails, if files of a
    table differ in their columns, or if a table is missing afterwards; and WarehouseUnreachable.
    """
    schema, notes = landing_schema(courier, run), []
    with database.session() as session:
        drop_landings(session, courier)
        with landing(run_folder, duck.MEMORY_LIMIT, threads=None) as connection:  # which may write files anew
            fit: dict[str, Sequence[Path]] = {}
            for table, files in tables.items():
                out = run_folder / FOLDER / "fit" / table
                fit[table], changed = _fit(connection, files, out)
                notes += [f"{table}.{column}: {_SAID}" for column in changed]
            load_package(connection, fit, run_folder, schema, database.url)
        return _landed(session, schema, tables, notes)


_SAID = f"values with a NUL, which Postgres cannot store, have a {_REPLACEMENT} in its place"


def landing_schema(courier: str, run: str) -> str:
    """The schema that a run lands in; short, whatever the names are: Postgres cuts names after 63 bytes."""
    return f"{_of_courier(courier)}{hashlib.sha256(run.encode()).hexdigest()[:16]}"


def _of_courier(courier: str) -> str:
    return f"{LANDING}{hashlib.sha256(courier.encode()).hexdigest()[:16]}_"


def drop_landings(session: Session, courier: str) -> None:
    """Remove what runs of the courier have landed. For whoever holds its lock."""
    query = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)"
    for (schema,) in session.native(query, [_of_courier(courier)]).fetchall():
        session.native(f"DROP SCHEMA IF EXISTS {duck.quote(schema)} CASCADE")


def _fit(connection: Connection, files: Sequence[Path], out: Path) -> tuple[Sequence[Path], list[str]]:
    """The files, those anew that Postgres could not take; and the columns that had a NUL."""
    fit, changed = [], dict[str, None]()
    for number, file in enumerate(files):
        source = duck.read_parquet([file])
        columns = {str(name): str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE FROM {source}").fetchall()}
        spoilt = _with_nul(connection, source, columns)
        changed |= dict.fromkeys(spoilt)
        if spoilt or any(kind == "VARCHAR[]" or name.startswith(KEPT) for name, kind in columns.items()):
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = out / f"{number}.parquet"
            values = ", ".join(_value(name, columns[name], name in spoilt) for name in _kept(columns))
            connection.execute(f"COPY (SELECT {values} FROM {source}) TO {duck.text(str(path))} (FORMAT parquet)")
            fit.append(path)
        else:
            fit.append(file)
    return fit, list(changed)


def _kept(columns: Iterable[str]) -> list[str]:
    return [name for name in columns if not name.startswith(KEPT)]


def _with_nul(connection: Connection, source: str, columns: Mapping[str, str]) -> list[str]:
    texts = [name for name in _kept(columns) if columns[name].startswith("VARCHAR")]
    if not texts:
        return []
    found = [f"bool_or(contains({duck.quote(name)}::VARCHAR, chr(0)))" for name in texts]
    row = connection.execute(f"SELECT {', '.join(found)} FROM {source}").fetchone() or ()
    return [name for name, spoilt in zip(texts, row, strict=True) if spoilt]


def _value(name: str, kind: str, spoilt: bool) -> str:
    column = duck.quote(name)
    if kind == "VARCHAR[]":  # as Postgres writes an array: {"a","b"}
        column = f"""'{{' || array_to_string(list_transform({column}, lambda one: coalesce(
            '"' || replace(replace(one, '\\', '\\\\'), '"', '\\"') || '"', 'NULL')), ',') || '}}'"""
    if spoilt:
        column = f"replace({column}, chr(0), {duck.text(_REPLACEMENT)})"
    return f"{column} AS {duck.quote(name)}"


def _landed(session: Session, schema: str, tables: Iterable[str], notes: Iterable[str]) -> Landed:
    """What lies in the landing schema, counted there, with a number for each row. Raises Incomplete."""
    there = {
        name for (name,) in session.native("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]).fetchall()
    }
    if missing := sorted({*tables} - there):
        raise Incomplete(f"Not in the landing: {', '.join(missing)}. Nothing was committed.")
    whole = session.native(f"SELECT load_id FROM {duck.quote(schema)}._dlt_loads WHERE status = 0").fetchall()
    if len(whole) != 1:
        raise Incomplete(
            f"dlt recorded {len(whole)} whole load packages where one was expected. Nothing was committed."
        )
    counts, relations = {}, {}
    for table in tables:
        name = f"{duck.quote(schema)}.{duck.quote(table)}"
        session.native(f"ALTER TABLE {name} ADD COLUMN _rid BIGINT GENERATED ALWAYS AS IDENTITY")
        session.native(f"ANALYZE {name}")
        counts[table] = int(session.native(f"SELECT count(*) FROM {name}").fetchone()[0])
        relations[table] = f"(SELECT *, 0 AS file_index, _rid AS file_row_number FROM {name})"
    return Landed(str(whole[0][0]), relations, counts, notes=tuple(notes))
