"""The words of DuckDB's trees that are understood, and what a query may read and call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from courier.storage.query_tree import Node, Place
from courier.storage.relations import Stored


def _words(*written: str) -> frozenset[str]:
    return frozenset(" ".join(written).split())


COUNTS = frozenset({"count", "count_star", "approx_count_distinct"})
"""What these make of values says nothing of any of them."""
EXPRESSIONS = _words(
    "BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA OPERATOR PARAMETER STAR  "
    "SUBQUERY TYPE WINDOW"
)
BARE_WORDS = _words(
    "current_date current_time current_timestamp localtime localtimestamp current_catalog current_schema current_role  "
    "current_user session_user user"
)
SELECT = _words(
    "type modifiers cte_map select_list from_table where_clause group_expressions group_sets aggregate_handling having "
    "qualify"
)
SET = _words("type modifiers cte_map setop_type setop_all children")
RECURSIVE = _words("type modifiers cte_map cte_name union_all left right aliases")
CTE = _words("aliases materialized query_node")
TABLE = _words("type alias schema_name table_name column_name_alias qualified_name")
BELOW = _words("type alias subquery column_name_alias")
LIST = _words("type alias values column_name_alias expected_names expected_types")
CALLED = _words("type alias function column_name_alias with_ordinality")
JOIN = _words("type left right condition join_type ref_type using_columns is_implicit nearest_count nearest_order_type")
JOINS = _words("INNER LEFT RIGHT FULL OUTER SEMI ANTI")
STAR = _words("class type relation_name exclude_list replace_list rename_list")


@dataclass(frozen=True)
class Known:
    """What a query may read and call. Names are in lower case.

    columns: (schema, table) -> its columns. views: (schema, view) -> its tree, None where it cannot be read.
    homes: view -> the schema in which its own names are looked up, where that is another one.
    called: schema -> what it is called for people. refused: function -> why it may not be called.
    is_key: whether a column says who somebody is, and nothing of him.
    """

    columns: Mapping[tuple[str, str], Sequence[str]]
    views: Mapping[tuple[str, str], Node | None] = field(default_factory=dict)
    homes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    is_key: Callable[[Stored], bool] = lambda _: False


@dataclass(frozen=True)
class Refusal:
    """Why a query cannot be let through."""

    place: Place | None
    rule: str
    message: str
    fix: str
