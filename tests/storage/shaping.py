"""A small shop as raw JSON lines, its domain tables, and what shaping it gives."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import TYPE_CHECKING, Any

import orjson

from courier.config.project import Column, ColumnType, DomainTable, Feed, RowPath, Source, Step
from courier.storage.duck import connect, read_parquet
from courier.storage.load import Shaped
from courier.storage.raw import Layout, RawWriter
from courier.storage.selection import Computed
from courier.storage.shape import shape
from courier.storage.shape_prepare import open_locked

if TYPE_CHECKING:
    from courier.storage.duck import Connection

FETCHED = "2026-11-20T06:30:00.123456Z"
STREAMS = ("Order", "Order.lineItems", "Order.refunds", "Order.refunds.lines")
LAYOUT = Layout(STREAMS, ("Order.tags",))


def source(path: str) -> Source:
    """A source as it is written in a domain table: `parent.id`, `options[0].value`, `$index`, `tags[]`."""
    if path == "$value":
        return Source("value", text=path)
    if path == "$index":
        return Source("index", text=path)
    kind, _, name = path.partition(".")
    if kind == "computed":
        return Source("computed", (Step(name),), text=path)
    names = path.split(".")
    climb = len(names) - len([name for name in names if name != "parent"])
    steps = tuple(_step(name.removesuffix("[]")) for name in names[climb:])
    return Source("field", steps, climb, path.endswith("[]"), path)


def _step(name: str) -> Step:
    plain, _, index = name.partition("[")
    return Step(plain, int(index[:-1]) if index else None)


def column(name: str, kind: str = "string", *paths: str, sql: str | None = None) -> Column:
    plain, _, numbers = kind.partition("(")
    precision, scale = (int(n) for n in numbers[:-1].split(",")) if numbers else (None, None)
    column_type = ColumnType(plain, precision, scale)  # type: ignore[arg-type]
    return Column(name, column_type, tuple(source(path) for path in paths or (name,)), sql)


def table(name: str, rows: str, key: Sequence[str], *columns: Column, **more: Any) -> DomainTable:
    root, *lists = rows.removesuffix("[]").split("[].")
    first, *between = root.split(".", 1)
    lists = [*between, *lists]
    path = RowPath(first, tuple(tuple(names.split(".")) for names in lists))
    return DomainTable(name, f"domain_tables/shop/{name}.yaml", path, tuple(key), columns, **more)


ORDER = table(
    "order",
    "Order",
    ["id"],
    column("id", "integer", "legacyResourceId"),
    column("name"),
    column("total", "decimal", "totalSet.shopMoney.amount"),
    column("tags", "string[]", "tags"),
    column("updated_at", "datetime", "updatedAt"),
    last_updated="updated_at",
)
LINE = table(
    "order_line",
    "Order.lineItems[]",
    ["id"],
    column("id", "integer", "id", sql=r"regexp_extract($1, '(\d+)$', 1)"),
    column("order_id", "integer", "parent.legacyResourceId"),
    column("quantity", "integer"),
    column("position", "integer", "$index"),
    parent="order",
)
ALLOCATION = table(
    "allocation",
    "Order.lineItems[].allocations[]",
    ["line_id", "position"],
    column("line_id", "integer", "parent.id", sql=r"regexp_extract($1, '(\d+)$', 1)"),
    column("order_name", "string", "parent.parent.name"),
    column("position", "integer", "$index"),
    column("amount", "decimal", "amountSet.amount"),
    parent="order",
)
TAG = table(
    "order_tags",
    "Order.tags[]",
    ["order_id", "value"],
    column("order_id", "integer", "parent.legacyResourceId"),
    column("value", "string", "$value"),
    parent="order",
)
REFUND_LINE = table(
    "refund_line",
    "Order.refunds[].lines[]",
    ["id"],
    column("id", "integer"),
    column("refund_id", "integer", "parent.legacyResourceId"),
    column("order_id", "integer", "parent.parent.legacyResourceId"),
    parent="order",
)
TABLES = (ORDER, LINE, ALLOCATION, TAG, REFUND_LINE)


def order(number: int, **fields: Any) -> dict[str, Any]:
    """A root line."""
    return {
        "__record": number,
        "__fetchedAt": FETCHED,
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": str(1000 + number),
        "name": f"#{number}",
        "totalSet": {"shopMoney": {"amount": "12.3400"}},
        "tags": [],
        "updatedAt": "2026-11-20T01:02:03Z",
        **fields,
    }


def below(number: int, index: int, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    """A line of a stream below the root."""
    return {
        "__record": number,
        "__parentId": parent or f"gid://shopify/Order/{number}",
        "__index": index,
        "id": f"gid://shopify/LineItem/{100 * number + index}",
        **fields,
    }


@dataclass
class Made:
    """What shaping gave: Shaped by feed, and the rows of its parquet files as mappings."""

    shaped: dict[str, Shaped]
    folder: Path
    columns: dict[str, list[str]] = field(default_factory=dict)

    def rows(self, feed: str) -> list[dict[str, Any]]:
        return _read(self.shaped[feed].rows)

    def sets(self, feed: str) -> list[dict[str, Any]]:
        return _read(self.shaped[feed].sets)

    def errors(self, feed: str) -> list[tuple[str, int, str, str, str]]:
        found = self.shaped[feed].errors
        return [(error.file, error.line, error.column, error.shape, error.reason) for error in found]


def _read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    if not paths:
        return []
    result = _reader().execute(f"SELECT * FROM {read_parquet(paths)} ORDER BY ALL")
    names = [described[0] for described in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@cache
def _reader() -> Connection:
    """One for all tests: to open a connection costs 13 ms."""
    return connect()


@cache
def _shaper() -> Connection:
    """One for all tests, as a run has one for all its requests: to open it and lock it costs 20 ms."""
    temporary = Path(gettempdir()).resolve()
    nothing = Path(mkdtemp())
    atexit.register(nothing.rmdir)
    return open_locked(nothing, temporary)


def shaped(
    folder: Path,
    lines: Mapping[str, Iterable[Mapping[str, Any]]],
    tables: Iterable[DomainTable] = TABLES,
    *,
    layout: Layout = LAYOUT,
    computed: Sequence[Computed] = (),
    ordinal: int = 0,
    raw_lines: Mapping[str, Iterable[bytes]] | None = None,
    segment_bytes: int = 1 << 20,
) -> Made:
    """Write lines with RawWriter, `raw_lines` as they are at the end of their streams, and shape them."""
    raw = folder / "run" / "raw" / "Order"
    with RawWriter(raw, layout, segment_bytes) as writer:
        for stream, records in lines.items():
            for record in records:
                writer.write(stream, [record])
        writer.finish({})
    for stream, broken in (raw_lines or {}).items():
        append(raw, stream, broken)
    feeds = [Feed(table.name, table) for table in tables]
    found = shape(feeds, {"order": ORDER}, raw, folder / "run" / "shaped", computed, ordinal, _shaper())
    return Made({one.feed: one for one in found}, folder)


def append(raw: Path, stream: str, lines: Iterable[bytes]) -> None:
    """Bytes at the end of a stream's first file, counted by the manifest as if they had been fetched."""
    name = f"{stream}-00001.jsonl"
    path = raw / name
    with path.open("ab") as file:
        file.writelines(lines)
    data = path.read_bytes()
    count = len(data.splitlines()) if data.count(b"\r") == 0 else data.count(b"\n") + (not data.endswith(b"\n"))
    entry = {"segments": {name: (len(data), count)}, "records": 0, "position": None, "complete": True, "claims": {}}
    with (raw / "manifest.jsonl").open("ab") as manifest:
        manifest.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
