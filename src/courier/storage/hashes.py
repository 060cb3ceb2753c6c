"""A hash of a table's content that depends neither on the order of its rows nor on where it is stored.

Each column's value becomes a text that says whether it is null and how long it is, so that no two rows look alike by
accident; a row's md5 is taken over its columns in the order of their names; the two halves of the rows' md5 are summed.
Columns whose name begins with an underscore (`_fetched_at`, `_run`) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from courier.storage.duck import quote


def table_hash_sql(relation: str, columns: Mapping[str, str]) -> str:
    """A query that returns (rows, hash). `columns`: name -> DuckDB type."""
    parts = [_canonical(quote(name), columns[name]) for name in sorted(columns) if not name.startswith("_")]
    return f"""
        WITH hashed AS (SELECT md5({" || ".join(parts)}) AS digest FROM {relation}),
        halves AS (
            SELECT
                count(*) AS rows,
                coalesce(sum(('0x' || substr(digest, 1, 16))::UBIGINT::HUGEINT), 0) AS upper_half,
                coalesce(sum(('0x' || substr(digest, 17, 16))::UBIGINT::HUGEINT), 0) AS lower_half
            FROM hashed
        )
        SELECT rows, md5(rows || ':' || upper_half || ':' || lower_half) AS hash FROM halves
    """


def _canonical(name: str, duck_type: str) -> str:
    value = _text(name, duck_type)
    return f"CASE WHEN {name} IS NULL THEN 'N' ELSE 'V' || length({value}) || ':' || {value} END"


def _text(name: str, duck_type: str) -> str:
    if duck_type.startswith("TIMESTAMP"):
        return f"epoch_us({name})::VARCHAR"
    if duck_type == "VARCHAR":
        return name
    if duck_type.endswith("[]"):
        return f"to_json({name})::VARCHAR"
    return f"{name}::VARCHAR"
