"""Which rows leave, and how exactly: every row that stands for people stands for many, and tells about them roughly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from courier.activations.contract import LeftOut
from courier.activations.scrub import scrubbed
from courier.activations.templates import Row, as_text
from courier.config.activation import COHORT_FLOOR, CUSTOMERS, SAMPLE_SIZE, Activation, Guards

ROUGH_FROM = 10
"""Numbers from here on have two digits that count, as decimals have below."""


@dataclass(frozen=True)
class Guarded:
    """The rows that may leave, rounded and scrubbed; those that may not; and what is wrong with the query itself."""

    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]
    problems: tuple[str, ...] = ()


def guarded(activation: Activation, columns: Sequence[str], rows: Sequence[Row]) -> Guarded:
    """Judge every row. Pure; the columns are those of the query, also of one without rows."""
    problems = tuple(_missing(activation, columns))
    if problems:
        return Guarded((), (), problems)
    kept: list[Row] = []
    left_out: list[LeftOut] = []
    for number, row in enumerate(rows, 1):
        against = _against(activation, row)
        if against is None:
            kept.append(_shown(activation, row))
        else:
            left_out.append(LeftOut(_name(activation, row, number), *against))
    return Guarded(tuple(kept), tuple(left_out))


def _missing(activation: Activation, columns: Sequence[str]) -> Iterator[str]:
    for column, why in _needed(activation).items():
        if column not in columns:
            yield f"{activation.sql_path} has no column `{column}`, which {why}"


def _needed(activation: Activation) -> Mapping[str, str]:
    guards = activation.guards
    needed = {CUSTOMERS: "`rows_are: cohorts` asks for"} if activation.rows_are == "cohorts" else {}
    needed |= {SAMPLE_SIZE: "`guards.distinct` compares with"} if guards.distinct else {}
    for name, pairs in (("support", guards.support), ("distinct", guards.distinct)):
        needed |= {column: f"`guards.{name}` names" for pair in pairs.items() for column in pair}
    return needed | ({activation.key: "is the key"} if activation.key else {})


def _against(activation: Activation, row: Row) -> tuple[str, str] | None:
    """The guard that keeps the row, and why."""
    guards = activation.guards
    if activation.key is not None and row[activation.key] is None:
        return "key", f"`{activation.key}` is null"
    if activation.rows_are == "cohorts" and _fewer(row[CUSTOMERS], _smallest(guards)):
        return "min_cohort_size", f"it stands for {_count(row[CUSTOMERS])}, fewer than {_smallest(guards)}"
    for column, support in guards.support.items():
        if row[column] is not None and _fewer(row[support], guards.min_support):
            shared = _count(row[support])
            return "support", f"its `{column}` is shared by {shared}, fewer than {guards.min_support}"
    for column, distinct in guards.distinct.items():
        if row[column] is not None and _nearly_unique(row[distinct], row[SAMPLE_SIZE]):
            return "distinct", f"more than half of those who have a `{column}` have their own: it is nearly a name"
    return None


def _smallest(guards: Guards) -> int:
    return max(guards.min_cohort_size, COHORT_FLOOR)


def _fewer(count: Any, than: int) -> bool:
    return count is None or count < than


def _nearly_unique(distinct: Any, sample: Any) -> bool:
    return distinct is None or sample is None or 2 * distinct > sample


def _count(count: Any) -> str:
    return "nobody" if not count else "1 customer" if count == 1 else f"{as_text(count)} customers"


def _name(activation: Activation, row: Row, number: int) -> str:
    """The row's key, where as many share it as may ever be told of; else its number."""
    key = row[activation.key] if activation.key else None
    told = activation.rows_are == "cohorts" and not _fewer(row[CUSTOMERS], COHORT_FLOOR)
    return as_text(key) if key is not None and (told or activation.rows_are == "things") else f"row {number}"


def _shown(activation: Activation, row: Row) -> Row:
    """The row as it may leave. The key and `exact` columns are not rounded."""
    if activation.rows_are == "things":
        return {column: scrubbed(value) for column, value in row.items()}
    exact = {*activation.guards.exact, activation.key}
    return {column: scrubbed(value if column in exact else rounded(value)) for column, value in row.items()}


def rounded(value: Any) -> Any:
    """A number with two digits that count; an integer below ten as it is. What it is part of is gone through."""
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, int):
        return int(_two_digits(Decimal(value))) if abs(value) >= ROUGH_FROM else value
    if isinstance(value, float):
        return float(_two_digits(Decimal(repr(value)))) if isfinite(value) else None
    return _two_digits(value) if value.is_finite() else None


def _two_digits(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(value.adjusted() - 1)) if value else value
