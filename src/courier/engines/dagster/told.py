"""What came of a courier, as metadata of assets and as asset checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableSchema,
)

from courier import clock
from courier.config.project import Courier, DomainTable, Feed
from courier.engines.dagster.home import Home, Metadata, key_of, runs_key
from courier.runtime.freshness import Overdue, overdue
from courier.runtime.result import CourierResult, FeedResult
from courier.storage import ledger
from courier.storage.entities import SCHEMA as SEMANTIC
from courier.storage.inspect import open_published
from courier.storage.postgres.snapshot import snapshot
from courier.storage.profile import ColumnProfile, profiles

if TYPE_CHECKING:
    from courier.storage.duck import Connection

RECONCILED, FRESH, TAGS = "reconciled", "fresh", "tags"


def table_spec(courier: Courier, feed: Feed) -> AssetSpec:
    """A domain table, with its columns, their semantic tags, and which of them are personal."""
    table = feed.table
    columns = [
        TableColumn(one.name, str(one.type), tags=dict.fromkeys([*one.tags, *(["pii"] * one.pii)], ""))
        for one in table.columns
    ]
    metadata = {
        "dagster/column_schema": TableSchema(columns),
        "dagster/table_name": f"{courier.name}.{feed.name}",
        "primary key": ", ".join(table.primary_key),
        **_tagged(table),
    }
    return AssetSpec(
        key_of(courier.name, feed.name), group_name=courier.name, kinds={courier.connector}, metadata=metadata,
        description=f"One row per {table.rows}. {table.path}", skippable=True,
    )  # fmt: skip


def _tagged(table: DomainTable) -> Metadata:
    tags = {one.name: list(one.tags) for one in table.columns if one.tags}
    return {"semantic tags": tags, "pii columns": [one.name for one in table.columns if one.pii]}


def check_specs(courier: Courier) -> list[AssetCheckSpec]:
    tables = [key_of(courier.name, feed.name) for feed in courier.feeds]
    proof = "The source's counts, and what was fetched, shaped and landed agree."
    runs = runs_key(courier.name)
    return [
        *(AssetCheckSpec(RECONCILED, asset=key, description=proof) for key in tables),
        AssetCheckSpec(FRESH, asset=runs, description="Loaded up to the fires that should be in by now."),
        AssetCheckSpec(TAGS, asset=runs, description="The values of columns suit the semantic tags that they carry."),
    ]


def feed_metadata(result: CourierResult, feed: FeedResult, rows: int | None) -> Metadata:
    """Of one table: what the run did to it, and over which period."""
    return {
        "run": result.run,
        "load id": result.load_id or "",
        **({"dagster/row_count": rows} if rows is not None else {}),
        **asdict(feed.counters),
        "period": str(feed.period),
        "request": str(feed.request),
        **({"watermark": MetadataValue.timestamp(feed.watermark)} if feed.watermark else {}),
    }


def result_metadata(result: CourierResult) -> Metadata:
    """Of the courier's run: what `courier run --json` says of it."""
    report = MetadataValue.json(result.as_json())
    return {"run": result.run, "result": result.result, "problem": result.problem, "fix": result.fix, "report": report}


def reconciled_check(courier: Courier, feed: FeedResult) -> AssetCheckResult:
    counts = {"fetched": feed.fetched, "read": feed.counters.read, "errors": feed.counters.errors}
    metadata = {name: count for name, count in counts.items() if count is not None}
    key = key_of(courier.name, feed.feed)
    return AssetCheckResult(passed=feed.reconciled, check_name=RECONCILED, asset_key=key, metadata=metadata)


def fresh_check(home: Home, courier: Courier) -> AssetCheckResult:
    late = behind(home, courier)
    return AssetCheckResult(
        passed=not late, check_name=FRESH, asset_key=runs_key(courier.name), description=said_of(late),
        severity=AssetCheckSeverity.WARN,
    )  # fmt: skip


def behind(home: Home, courier: Courier) -> tuple[Overdue, ...]:
    """The feeds of the courier that are behind the schedules of its groups, by the ledger."""
    marks = ledger.watermarks(home.place.warehouse, courier.name, [feed.name for feed in courier.feeds])
    return overdue(courier, home.groups_of(courier.name), marks, clock.now())


def said_of(late: tuple[Overdue, ...]) -> str:
    lines = [
        f"{one.feed}: loaded up to {clock.rfc3339(one.watermark) if one.watermark else 'nothing'},"
        f" group {one.group} was due at {clock.rfc3339(one.due)}"
        for one in late
    ]
    return "\n".join(lines) or "as new as the schedules promise"


def tags_check(home: Home, courier: Courier, result: CourierResult) -> Iterator[AssetCheckResult]:
    """Of the tables that the run changed, if it changed any."""
    changed = [one.feed for one in result.feeds if one.counters.inserted or one.counters.updated]
    if not changed:
        return
    with _tables(home, courier, changed) as connection:
        found = profiles(connection, _every, [f"{courier.name}.{feed}" for feed in changed])
    wrong: Metadata = {f"{one.table}.{one.column}": _counts(one) for one in found if not one.suits}
    yield AssetCheckResult(
        passed=not wrong, check_name=TAGS, asset_key=runs_key(courier.name), severity=AssetCheckSeverity.WARN,
        metadata={"columns": len(found), **wrong},
    )  # fmt: skip


@contextmanager
def _tables(home: Home, courier: Courier, feeds: Sequence[str]) -> Iterator[Connection]:
    """The published tables; of a database, their tagged columns as of one instant."""
    if home.place.database is None:
        with open_published(home.place.files.published) as connection:
            yield connection
        return
    with snapshot(home.place.database, home.place.state) as taken:
        taken.copy_ledger()
        for schema, view in taken.types:
            if schema == SEMANTIC:
                taken.copy(schema, view, rows=False)
        for feed in feeds:
            if tagged := [one.name for one in courier.feed(feed).table.columns if one.tags]:
                taken.copy(courier.name, feed, tagged)
        yield taken.connection


def _every(tag: str) -> bool:
    return True


def _counts(one: ColumnProfile) -> dict[str, int]:
    return {"filled": one.filled, "invalid": one.invalid or 0, "unfit": one.unfit}
