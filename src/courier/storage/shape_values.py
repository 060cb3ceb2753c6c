"""From a text to a column's type, or to null where the text does not say such a value exactly.

Each expression is null for a null, so a value that is not null and whose typed form is null is in error. The checks are
there because a plain cast is generous: `1.9` becomes 2, `12.34567` loses its last digit in a DECIMAL(19,4), `0x1F` and
`1_000` are numbers, and a time of day is cut off a date.
"""

from __future__ import annotations

from courier.config.project import ColumnType
from courier.storage.duck import duck_type

_EXPONENT = r"[+-]?\d+(\.\d+)?[eE][+-]?\d+"
_NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"

_REASONS = {
    "boolean": "is neither true nor false",
    "date": "is not a date (YYYY-MM-DD)",
    "datetime": "is not an instant (RFC 3339)",
    "float": "is not a finite number",
    "integer": "is not an integer of 64 bits",
    "json": "is not JSON",
    "string": "is a list where a text is wanted: give the column a `sql`, as array_to_string($1, ', ')",
    "string[]": "is not a list of texts",
}


def typed(value: str, is_list: bool, column_type: ColumnType) -> str:
    """SQL for the value of `column_type` that the text, or list of texts, `value` says exactly; else null."""
    wants_list = column_type.name == "string[]"
    if is_list != wants_list:
        return f"NULL::{duck_type(column_type)}"
    if column_type.name in ("string", "string[]"):
        return value
    return _CASTS[column_type.name](value, column_type)


def reason(column_type: ColumnType) -> str:
    """What is wrong with a value that `typed` made null, to be read after "the value"."""
    if column_type.name == "decimal":
        return f"is not a number that {duck_type(column_type)} holds without losing digits"
    return _REASONS[column_type.name]


def shape_of(value: str, is_list: bool) -> str:
    """SQL for what a value looks like, never what it holds: `text of 12 characters`, `list of 3`, `number`, `null`."""
    if is_list:
        return f"CASE WHEN {value} IS NULL THEN 'null' ELSE 'list of ' || len({value}) END"
    return (
        f"CASE WHEN {value} IS NULL THEN 'null' WHEN regexp_full_match({value}, '{_NUMBER}') THEN 'number' "
        f"ELSE 'text of ' || length({value}) || ' characters' END"
    )


def looks_nested(value: str, is_list: bool) -> str:
    """SQL that is true where a text could be the JSON of an object or a list that stood where a scalar belongs."""
    if is_list:
        return f"coalesce(list_bool_or(list_transform({value}, lambda x: {_json_text('x')})), false)"
    return _json_text(value)


def _json_text(value: str) -> str:
    # By code points, `[` and `{` come just before `\` and `|`. Comparing takes 10 ns a value, an expression 40.
    opens = rf"({value} >= '[' AND {value} < '\') OR ({value} >= '{{' AND {value} < '|')"
    return f"(CASE WHEN {opens} THEN json_valid({value}) ELSE false END)"


def _boolean(value: str, _: ColumnType) -> str:
    return f"CASE {value} WHEN 'true' THEN true WHEN 'false' THEN false END"


def _integer(value: str, _: ColumnType) -> str:
    cast = f"TRY_CAST({value} AS BIGINT)"
    return f"CASE WHEN {cast}::VARCHAR = {value} THEN {cast} {_exact_cases(value, 'BIGINT', 19, 0)} END"


def _decimal(value: str, column_type: ColumnType) -> str:
    kind = duck_type(column_type)
    precision, scale = (int(number) for number in kind[len("DECIMAL(") : -1].split(","))
    return f"CASE {_exact_cases(value, kind, precision, scale)} END"


def _exact_cases(value: str, kind: str, precision: int, scale: int) -> str:
    plain = rf"[+-]?\d+(\.\d{{0,{scale}}}0*)?"
    # DuckDB 2.0 makes 1.0000000000000002e+16 a DECIMAL(19,4) of 21 digits, so an exponent is written out first, into a
    # decimal that has room for all its digits.
    room = 38 - precision + scale
    written = f"TRY_CAST({value} AS DECIMAL(38,{room}))::VARCHAR"
    places = rf"length(regexp_extract({value}, '\.(\d+)', 1))"
    exponent = rf"TRY_CAST(regexp_extract({value}, '[eE][+]?(-?\d+)$', 1) AS INTEGER)"
    return (
        f"WHEN regexp_full_match({value}, '{plain}') THEN TRY_CAST({value} AS {kind}) "
        f"WHEN regexp_full_match({value}, '{_EXPONENT}') AND {places} - {exponent} <= {room} "
        f"AND regexp_full_match({written}, '{plain}') THEN TRY_CAST({written} AS {kind})"
    )


def _float(value: str, _: ColumnType) -> str:
    cast = f"TRY_CAST({value} AS DOUBLE)"
    return f"CASE WHEN regexp_full_match({value}, '{_NUMBER}') AND isfinite({cast}) THEN {cast} END"


def _date(value: str, _: ColumnType) -> str:
    cast = f"TRY_CAST({value} AS DATE)"
    return f"CASE WHEN {cast}::VARCHAR = {value} THEN {cast} END"


def _datetime(value: str, _: ColumnType) -> str:
    # A text that begins with a digit is none of DuckDB's special instants, as `infinity`.
    return f"CASE WHEN {value} >= '0' AND {value} < ':' THEN TRY_CAST({value} AS TIMESTAMPTZ) END"


def _json(value: str, _: ColumnType) -> str:
    return f"CASE WHEN json_valid({value}) THEN {value} END"


_CASTS = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "decimal": _decimal,
    "float": _float,
    "integer": _integer,
    "json": _json,
}
