"""The tables of the schema `courier`: what was loaded, when, from whom, and what the columns mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from courier.storage.connection import Connection
from courier.storage.duck import quote, text
from courier.storage.journal_tables import OF_LEDGER
from courier.storage.postgres.journal_tables import create_journal
from courier.storage.postgres.session import Session
from courier.storage.tables import Existing, existing
from courier.storage.warehouse import PRIVATE


@dataclass(frozen=True)
class LedgerTable:
    """One table: its meaning, and its columns as name -> (type, meaning)."""

    name: str
    comment: str
    columns: dict[str, tuple[str, str]]


_SCHEMA = ("VARCHAR", "the schema, which is the courier's name")
_TABLE = ("VARCHAR", "the domain table, which is the feed's name")
_RUN = ("VARCHAR", "the courier run")
_COURIER = ("VARCHAR", "the courier")
_FEED = ("VARCHAR", "the feed")
_APPLY = ("VARCHAR", "the apply of the activation")
_ACTIVATION = ("VARCHAR", "the activation")
_KEY = ("VARCHAR", "the item: the value of the activation's key column")
_ENTRY = ("VARCHAR", "its place in the journal of activations")

TABLES = (
    LedgerTable(
        "run",
        "One row per committed courier run",
        {
            "run": _RUN,
            "courier": _COURIER,
            "connector": ("VARCHAR", "the connector that fetched"),
            "identity": ("VARCHAR", "the shop's, store's or account's own id"),
            "started": ("TIMESTAMPTZ", "when the run began"),
            "committed_at": ("TIMESTAMPTZ", "when its rows were committed"),
            "load_id": ("VARCHAR", "_dlt_loads.load_id of its landing; null if there was nothing to land"),
            "api_version": ("VARCHAR", "the version that the source answered with"),
            "changed": ("BOOLEAN", "whether a row, a table or its description changed"),
            "requests": ("BIGINT", "requests sent to the source, those that were repeated included"),
            "retries": ("BIGINT", "requests that repeated another one"),
            "bytes": ("BIGINT", "bytes of the answers, unpacked; of killed processes they are not counted"),
            "config": ("VARCHAR", "changes with the courier's configuration and with courier itself"),
            "courier_version": ("VARCHAR", "courier's version"),
            "dlt_version": ("VARCHAR", "dlt's version"),
            "duckdb_version": ("VARCHAR", "DuckDB's version"),
        },
    ),
    LedgerTable(
        "feed_run",
        "One row per feed of a run; read = inserted + updated + unchanged + rejected + errors",
        {
            "run": _RUN,
            "courier": _COURIER,
            "feed": _FEED,
            "read": ("BIGINT", "rows offered and records in error"),
            "inserted": ("BIGINT", "rows that were new"),
            "updated": ("BIGINT", "rows that replaced an older version"),
            "unchanged": ("BIGINT", "rows that were stored already"),
            "rejected": ("BIGINT", "rows that lost to a newer version, or belong to a set that did"),
            "errors": ("BIGINT", "records that could not become rows"),
            "deleted": ("BIGINT", "stored rows that were removed"),
            "outside_window": ("BIGINT", "records fetched beyond the request, by a filter of whole days"),
            "period_since": ("TIMESTAMPTZ", "the period that the run covers; null is the beginning"),
            "period_until": ("TIMESTAMPTZ", "the end of the period, exclusive"),
            "request_since": ("TIMESTAMPTZ", "what was asked for: the period and its look-back; null is the beginning"),
            "request_until": ("TIMESTAMPTZ", "the end of the request, exclusive"),
            "watermark": ("TIMESTAMPTZ", "up to where the feed is covered without a gap after this run"),
            "fetched": ("BIGINT", "records that the feed's request brought, before rows were made of them"),
        },
    ),
    LedgerTable(
        "coverage",
        "The intervals of time that each feed has loaded, merged",
        {
            "courier": _COURIER,
            "feed": _FEED,
            "since": ("TIMESTAMPTZ", "start; null is the beginning"),
            "until": ("TIMESTAMPTZ", "end, exclusive"),
        },
    ),
    LedgerTable(
        "domain_table",
        "The domain tables and what identifies a row",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "primary_key": ("VARCHAR[]", "the columns that identify a row"),
            "parent": ("VARCHAR", "the table whose rows own sets of this one's; null if none"),
            "parent_column": ("VARCHAR", "the column that holds the parent's key; null if it is kept beside the table"),
            "last_updated": ("VARCHAR", "the column by which the newest version wins; null if none"),
        },
    ),
    LedgerTable(
        "domain_column",
        "The columns of the domain tables",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "column_name": ("VARCHAR", "the column"),
            "position": ("INTEGER", "its place, from 1"),
            "type": ("VARCHAR", "its type, in the words of the YAML"),
            "pii": ("BOOLEAN", "whether it holds personal data"),
        },
    ),
    LedgerTable(
        "semantic_tag",
        "The semantic tags of the columns",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "column_name": ("VARCHAR", "the column"),
            "tag": ("VARCHAR", "the semantic tag"),
            "type": ("VARCHAR", "the tag's type, or else the column's"),
            "pii": ("BOOLEAN", "whether the column holds personal data"),
        },
    ),
    LedgerTable(
        "column_status",
        "Why a column is null, or from when on it has values",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "column_name": ("VARCHAR", "the column"),
            "reason": ("VARCHAR", "not_in_graphql, scope_missing:..., not_loaded_before, ..."),
            "detail": ("VARCHAR", "the reason in a sentence"),
        },
    ),
    LedgerTable(
        "metafield_namespace",
        "The namespaces of metafields: those that a feed keeps, and those that the source has besides",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "namespace": ("VARCHAR", "the namespace"),
            "chosen": ("BOOLEAN", "whether its records are kept"),
            "stored": ("BIGINT", "rows in the table"),
            "seen": ("BIGINT", "the most records of it that one run met; all of them after a run over everything"),
        },
    ),
    LedgerTable(
        "view",
        "The views of each schema, and why one is left out",
        {
            "schema_name": _SCHEMA,
            "view_name": ("VARCHAR", "the view"),
            "path": ("VARCHAR", "its file in the project"),
            "fingerprint": ("VARCHAR", "changes with its SQL and with the schema's columns"),
            "problem": ("VARCHAR", "why it could not be made; empty if it is there"),
        },
    ),
    LedgerTable(
        "record_error",
        "Records that could not become rows: where they are and what they look like, never what they hold",
        {
            "run": _RUN,
            "courier": _COURIER,
            "feed": _FEED,
            "file": ("VARCHAR", "the raw file, relative to the run's folder"),
            "line": ("BIGINT", "the line, from 1"),
            "column_name": ("VARCHAR", "the column; empty if the line as a whole is wrong"),
            "shape": ("VARCHAR", "what the value looks like"),
            "reason": ("VARCHAR", "why it was refused"),
        },
    ),
    LedgerTable(
        "deleted_record",
        "Rows that the source deleted; an older version of them does not come back",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "key": ("VARCHAR", "the primary key as text; a JSON list if it has several columns"),
            "deleted_at": ("TIMESTAMPTZ", "when it was deleted"),
        },
    ),
    LedgerTable(
        "parent_version",
        "Which version of its parent each set of child rows was fetched under; also of empty sets",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "parent": ("VARCHAR", "the parent's primary key as text"),
            "version": ("TIMESTAMPTZ", "the parent's last_updated in that response, or when it was deleted"),
            "fetched_at": ("TIMESTAMPTZ", "when the source answered"),
            "deleted": ("BOOLEAN", "whether the parent is gone"),
        },
    ),
    LedgerTable(
        "shared_version",
        "Child tables whose sets come together: parent_version has their versions once for all of them",
        {
            "schema_name": _SCHEMA,
            "table_name": _TABLE,
            "kept_by": ("VARCHAR", "the table under whose name parent_version has the versions of this one's sets"),
        },
    ),
    LedgerTable(
        "source_identity",
        "Whose data a schema holds; another shop's is refused",
        {
            "schema_name": _SCHEMA,
            "connector": ("VARCHAR", "the connector that fetched"),
            "identity": ("VARCHAR", "the shop's, store's or account's own id"),
            "bound_by": _RUN,
        },
    ),
    LedgerTable(
        "activation_run",
        "One row per apply of an activation",
        {
            "run": _APPLY,
            "activation": _ACTIVATION,
            "group_run": ("VARCHAR", "the group's run that applied it; null if a person did"),
            "result": ("VARCHAR", "succeeded, partial, failed, killed, or running until it ends"),
            "plan_hash": ("VARCHAR", "the hash of the plan that was carried out"),
            "as_of": ("TIMESTAMPTZ", "up to when the data was whole"),
            "started": ("TIMESTAMPTZ", "when it began"),
            "ended": ("TIMESTAMPTZ", "when it ended; null while it runs"),
            "credits_low": ("BIGINT", "what the plan expected it to cost at least"),
            "credits_high": ("BIGINT", "what the plan expected it to cost at most"),
            "credits": ("BIGINT", "what it did cost, counted from the answers"),
            "problem": ("VARCHAR", "why it did not succeed; null if it did"),
        },
    ),
    LedgerTable(
        "activation_item",
        "What each item of an activation has on the remote side, as far as is known",
        {
            "activation": _ACTIVATION,
            "key": _KEY,
            "name": ("VARCHAR", "the item's name there"),
            "state": ("VARCHAR", "done, pending, failed, or unknown: sent, and nobody can tell whether it took effect"),
            "remote_id": ("VARCHAR", "its id there"),
            "payload_hash": ("VARCHAR", "SHA-256 of what was sent last; empty where nobody can tell what took effect"),
            "credits": ("BIGINT", "what the last sending cost"),
            "run": _APPLY,
            "at": ("TIMESTAMPTZ", "when this was last known"),
        },
    ),
    LedgerTable(
        "egress",
        "Every body that an activation sent, byte for byte; also those of which nobody knows whether they arrived",
        {
            "entry": _ENTRY,
            "run": _APPLY,
            "activation": _ACTIVATION,
            "key": _KEY,
            "at": ("TIMESTAMPTZ", "just before it was sent"),
            "method": ("VARCHAR", "the HTTP method"),
            "path": ("VARCHAR", "the path of the request"),
            "body": ("VARCHAR", "the body"),
        },
    ),
    LedgerTable(
        "activation_result",
        "What came of each item, and what the remote side gave back",
        {
            "entry": _ENTRY,
            "run": _APPLY,
            "activation": _ACTIVATION,
            "key": _KEY,
            "name": ("VARCHAR", "the item's name there"),
            "action": ("VARCHAR", "create or update"),
            "state": ("VARCHAR", "done, pending, failed or unknown"),
            "remote_id": ("VARCHAR", "its id there"),
            "at": ("TIMESTAMPTZ", "when it was known"),
            "credits": ("BIGINT", "what this cost, counted from the answer"),
            "output": ("VARCHAR", "what it gave back, as JSON; null if nothing"),
            "problems": ("VARCHAR[]", "why it failed, or what is wrong with the answer"),
        },
    ),
)


def create_ledger(connection: Connection, tables: Existing) -> Existing:
    """Create what is not among `tables` yet, with comments: tables, and later columns. Returns all tables that were."""
    own: Sequence[LedgerTable] = TABLES
    if isinstance(connection, Session):
        if not _is_whole(tables):
            tables = {**tables, **_alone(connection)}
            _create_journal(connection)
        own = tuple(table for table in TABLES if table.name not in OF_LEDGER)
    missing = [table for table in own if ("courier", table.name) not in tables]
    if missing:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {PRIVATE}.courier")
    for table in missing:
        connection.execute(";".join(_statements(table)))
    for table in own:
        there = tables.get(("courier", table.name))
        for column in table.columns if there else ():
            if there and column not in there:
                connection.execute(";".join(_added(table, column)))
    return tables


def _create_journal(session: Session) -> None:
    """The journal of activations, and views of it in place of the tables that would be copies of it."""
    views = [table for table in TABLES if table.name in OF_LEDGER]
    create_journal(session, {view.name: types_in_ledger(view.name) for view in views})
    for view in views:
        session.execute(";".join(_comments(view, "VIEW")))


def types_in_ledger(name: str) -> dict[str, str]:
    """The columns of a table, with DuckDB's types."""
    table = next(table for table in TABLES if table.name == name)
    return {column: kind for column, (kind, _) in table.columns.items()}


def _is_whole(tables: Existing) -> bool:
    return all(table.columns.keys() <= tables.get(("courier", table.name), {}).keys() for table in TABLES)


def _alone(session: Session) -> Existing:
    """The tables as they are once no other session is making the ledger; then this one may."""
    session.locks_until_commit("courier ledger")
    tables = existing(session)
    if ("courier", "run") not in tables:
        session.native("CREATE SCHEMA IF NOT EXISTS courier")
        session.native(_TRY_CAST)
    return tables


_TRY_CAST = """
    CREATE OR REPLACE FUNCTION courier.try_cast(value text, nothing anyelement) RETURNS anyelement
    LANGUAGE plpgsql STABLE AS $body$
    DECLARE result nothing%TYPE;
    BEGIN
        EXECUTE format('SELECT %L::%s', value, pg_typeof(nothing)) INTO result;
        RETURN result;
    EXCEPTION WHEN data_exception OR undefined_object THEN
        RETURN NULL;
    END $body$
"""


def _added(table: LedgerTable, column: str) -> Iterator[str]:
    """A column that a file of an earlier courier lacks: it comes last, as it does in a new file."""
    name, (kind, comment) = f"{PRIVATE}.courier.{quote(table.name)}", table.columns[column]
    yield f"ALTER TABLE {name} ADD COLUMN {quote(column)} {kind}"
    yield f"COMMENT ON COLUMN {name}.{quote(column)} IS {text(comment)}"


def _statements(table: LedgerTable) -> Iterator[str]:
    columns = ", ".join(f"{quote(column)} {kind}" for column, (kind, _) in table.columns.items())
    yield f"CREATE TABLE {PRIVATE}.courier.{quote(table.name)} ({columns})"
    yield from _comments(table, "TABLE")


def _comments(table: LedgerTable, kind: str) -> Iterator[str]:
    name = f"{PRIVATE}.courier.{quote(table.name)}"
    yield f"COMMENT ON {kind} {name} IS {text(table.comment)}"
    for column, (_, comment) in table.columns.items():
        yield f"COMMENT ON COLUMN {name}.{quote(column)} IS {text(comment)}"
