"""What a peer's DuckDB file holds, held against the truth: per table the ids, and one value that each row carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Rows = dict[str, str]  # id -> value, as text

# truth table -> the value that is compared
COMPARED = {
    "order": "total_price",
    "order_line": "order_id",
    "customer": "email",
    "product": "title",
    "product_variant": "price",
}


@dataclass(frozen=True)
class Outcome:
    """How many rows there are, and how many of the truth's are missing, different, or twice or more there."""

    rows: int
    missing: int
    different: int
    extra: int

    @property
    def right(self) -> bool:
        return not (self.missing or self.different or self.extra)

    def __str__(self) -> str:
        if self.right:
            return f"all {self.rows:,}"
        parts = {"missing": self.missing, "wrong": self.different, "too many": self.extra}
        return f"{self.rows:,}: " + ", ".join(f"{number:,} {name}" for name, number in parts.items() if number)


def truth(folder: Path) -> dict[str, Rows]:
    """The rows that every peer should have, from the made-up shop's own books."""
    from courier import sandbox
    from courier.sandbox.shopify.truth import truth_tables

    tables = truth_tables(sandbox.open_shop(folder), COMPARED)
    return {table: {str(row["id"]): _plain(row[COMPARED[table]]) for row in rows} for table, rows in tables.items()}


def compare(database: Path, queries: Mapping[str, str], told: Mapping[str, Rows]) -> dict[str, Outcome | None]:
    """Per table of the truth the outcome, None where the peer has no such table. `queries` give id and value."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = {table: connection.execute(sql).fetchall() for table, sql in queries.items()}
    return {table: _outcome(found[table], told[table]) if table in found else None for table in COMPARED}


def _outcome(found: list[tuple[Any, ...]], told: Rows) -> Outcome:
    held = {_digits(row[0]): _plain(row[1]) for row in found}
    return Outcome(
        rows=len(found),
        missing=len(told.keys() - held.keys()),
        different=sum(told[key] != value for key, value in held.items() if key in told),
        extra=len(found) - len(held.keys() & told.keys()),
    )


def _digits(identity: Any) -> str:
    """`42` of 42, "42" and gid://shopify/Order/42."""
    return str(identity).rsplit("/", 1)[-1]


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (Decimal, float)):
        return f"{Decimal(str(value)).quantize(Decimal('0.01'))}"
    return str(value)
