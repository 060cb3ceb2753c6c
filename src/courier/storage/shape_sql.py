"""The query that makes a table's rows of raw records, in steps that build on each other.

records   one row per line of the innermost stream, joined to the lines above it, with the sources' texts
elements  one row per element of the lists inside those lines, where the table's rows are elements
sources   `s<column>_<source>`: every source's value, a text or a list of texts
values    `v<column>`: that text, or what the column's `sql` makes of it
typed     `t<column>`: the value in the column's type, null where it does not fit
checked   `__error`: null for a good row, else what is wrong with it, as Fault.code says
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from courier.config.project import Column, DomainTable, Source
from courier.storage.duck import duck_type, quote
from courier.storage.raw import Layout
from courier.storage.selection import Node
from courier.storage.shape_fields import Levels, Pick, level_of, levels_of, node_at, pick_of, value_at
from courier.storage.shape_values import looks_nested, shape_of, typed

NO_ROOT, NO_PARENT, NO_INSTANT, NO_GROUND = -1, -2, -3, -4
SQL_FAILED, NOT_TYPED, NO_KEY, NESTED = 0, 1, 2, 3
KINDS = 4  # `__error` of a column is its position times this, plus one of the line above


@dataclass(frozen=True)
class Rows:
    """What a row query is made of.

    relations: stream -> SQL to read it from, with the fields of `nodes`
    roots:     relation over the root records of the request, for tables below them: `__record`, `__fetched` and the
               fields of `root_node`
    carried:   columns to keep from the first step to the last, name -> SQL over `l0` or `rt`
    guards:    SQL over the carried columns that is true for a root record that cannot be used
    bound:     column -> its `sql` over the names that `source_name` gives
    computed:  name -> relation with `__record`, `result` and `key`; `keyed` names those whose key counts
    doubtful:  relation with the `__record` of those that rest on a line that could not be read, if any
    verified:  every line was looked at, so a text that looks like JSON is one
    by_id:     the lines do not say the number of their root record: they are joined to it by `__parentId`
    """

    table: DomainTable
    layout: Layout
    relations: Mapping[str, str]
    nodes: Mapping[str, Node]
    roots: str = ""
    root_node: Node = field(default_factory=Node)
    carried: Mapping[str, str] = field(default_factory=dict)
    guards: tuple[str, ...] = ()
    bound: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    keyed: frozenset[str] = frozenset()
    doubtful: str = ""
    verified: bool = False
    by_id: bool = False

    @property
    def levels(self) -> Levels:
        return levels_of(self.table.rows, self.layout)


@dataclass(frozen=True)
class _Place:
    """A source's value as SQL, and the step of the query where it can first be had."""

    name: str
    sql: str
    is_list: bool
    inline: bool
    pick: Pick | None = None
    computed: str = ""


def source_name(column: int, source: int) -> str:
    """What the query calls the value of one source of one column."""
    return f"s{column}_{source}"


def good_rows(rows: Rows, extra: Mapping[str, str]) -> str:
    """The rows that hold: the table's columns in order, `_fetched_at`, and `extra` columns, name -> SQL."""
    columns = {column.name: f"t{number}" for number, column in enumerate(rows.table.columns)}
    return select_good(rows, {**columns, "_fetched_at": "__fetched", **extra})


def select_good(rows: Rows, columns: Mapping[str, str]) -> str:
    """Any columns, name -> SQL over the last step, of the rows that hold."""
    wanted = ", ".join(f"{sql} AS {quote(name)}" for name, sql in columns.items())
    return f"{_steps(rows)} SELECT {wanted} FROM checked WHERE __error IS NULL"


def bad_rows(rows: Rows) -> str:
    """The rows that do not: `__file`, `__record`, `__parentId`, `__index`, `__error` `shape` and `__id`."""
    cases = []
    places = _places(rows)
    for number in range(len(rows.table.columns)):
        shapes = [shape_of(place.name, place.is_list) for place in places[number]] or ["'null'"]
        cases.append(f"WHEN {number} THEN concat_ws(' and ', {', '.join(shapes)})")
    shape = f"CASE WHEN __error < 0 THEN '' ELSE CASE __error // {KINDS} {' '.join(cases)} END END"
    where = '__file, __record, "__parentId", __index, __error'
    return f"{_steps(rows)} SELECT {where}, {shape} AS shape, __id FROM checked WHERE __error IS NOT NULL"


def count_rows(rows: Rows) -> str:
    """How many rows there are, good and bad, without looking at any value."""
    levels = rows.levels
    listed = _list_to_open(levels, f"l{len(levels.streams) - 1}")
    innermost = f"{rows.relations[levels.innermost]} AS l{len(levels.streams) - 1}"
    records = f"records AS (SELECT {listed} AS __list FROM {innermost})"
    return f"WITH {', '.join([records, *_elements(levels)])} SELECT count(*) FROM {_last(levels)}"


def _steps(rows: Rows) -> str:
    places = _places(rows)
    steps = [_records(rows, places), *_elements(rows.levels), _sources(rows, places)]
    steps += [_values(rows, places), _typed(rows, places), _checked(rows, places)]
    return "WITH " + ",\n".join(steps)


def _places(rows: Rows) -> list[list[_Place]]:
    levels = rows.levels
    return [
        [_place(rows, levels, source_name(number, position), source) for position, source in enumerate(column.sources)]
        for number, column in enumerate(rows.table.columns)
    ]


def _place(rows: Rows, levels: Levels, name: str, source: Source) -> _Place:
    level = level_of(rows.table.rows, source)
    depth = level - len(levels.streams) + 1  # how many lists inside the line were opened
    if source.kind == "computed":
        published = source.steps[0].name
        return _Place(name, f"c_{published}.result::VARCHAR", False, True, computed=published)
    if source.kind == "index":
        position = f"__i{depth}" if depth > 0 else f"l{level}.__index"
        return _Place(name, f"{position}::VARCHAR", False, depth > 0)
    if source.kind == "value":
        return _Place(name, f"__e{depth}", False, True)
    pick = pick_of(rows.table.rows, source, levels, rows.layout)
    if pick:
        base, steps, node = _pick_alias(pick), pick.steps, rows.nodes[pick.stream]
    else:
        base, steps = (f"__e{depth}" if depth > 0 else _alias(rows, level)), source.steps
        node = _node_of(rows, levels, level)
    found = node_at(node, steps)
    picked = bool(steps) and steps[-1].index is not None
    return _Place(name, value_at(base, steps), found.is_list and not picked, depth > 0, pick)


def _node_of(rows: Rows, levels: Levels, level: int) -> Node:
    if level == 0 and rows.roots and len(levels.streams) > 1:
        return rows.root_node
    node = rows.nodes[levels.streams[min(level, len(levels.streams) - 1)]]
    for names in levels.inline[: max(0, level - len(levels.streams) + 1)]:
        for name in names:
            node = node.fields.get(name, Node())
    return node


def _alias(rows: Rows, level: int) -> str:
    return "rt" if level == 0 and len(rows.levels.streams) > 1 else f"l{level}"


def _pick_alias(pick: Pick) -> str:
    return quote(f"pick {pick.stream} {pick.level} {pick.index}")


def _records(rows: Rows, places: Sequence[Sequence[_Place]]) -> str:
    levels = rows.levels
    alias = f"l{len(levels.streams) - 1}"
    joined = _joined_levels(rows, places)
    record = "rt.__record" if rows.by_id else f"{alias}.__record"
    columns = [f'{record} AS __record, {alias}."__parentId" AS "__parentId", {alias}.__index AS __index']
    columns += [f"{_own_id(rows, alias)} AS __id"]
    columns += [f"{alias}.filename AS __file", f"{_broken(rows, joined)} AS __broken", _fetched(rows, alias)]
    columns += [f"{sql} AS {quote(name)}" for name, sql in rows.carried.items()]
    columns += [f"{p.sql} AS {p.name}" for found in places for p in found if not p.inline]
    columns += [f"{_list_to_open(levels, alias)} AS __list"]
    relations = [f"{rows.relations[levels.innermost]} AS {alias}"]
    relations += [_join_above(rows, level) for level in joined]
    if rows.roots:
        same = f'rt."id" = {alias}."__parentId"' if rows.by_id else f"rt.__record = {alias}.__record"
        relations.append(f"{rows.roots} AS rt ON {same}")
    relations += _picks(rows, places)
    return f"records AS (SELECT {', '.join(columns)}\nFROM {' LEFT JOIN '.join(relations)})"


def _own_id(rows: Rows, alias: str) -> str:
    """What tells a line of a bulk result from others of the same parent: pages number theirs."""
    has_id = "id" in rows.nodes[rows.levels.innermost].fields
    return f'{alias}."id"' if rows.layout.is_bulk and has_id else "NULL"


def _fetched(rows: Rows, alias: str) -> str:
    return "rt.__fetched AS __fetched" if rows.roots else f'TRY_CAST({alias}."__fetchedAt" AS TIMESTAMPTZ) AS __fetched'


def _broken(rows: Rows, joined: Sequence[int]) -> str:
    cases = [f"WHEN rt.__record IS NULL THEN {NO_ROOT}"] if rows.roots else []
    cases += [f"WHEN l{level}.__record IS NULL THEN {NO_PARENT}" for level in joined]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::INTEGER"


def _joined_levels(rows: Rows, places: Sequence[Sequence[_Place]]) -> list[int]:
    """The streams between root and innermost that are needed, from the inside out."""
    innermost = len(rows.levels.streams) - 1
    wanted = [
        place.pick.level if place.pick else level_of(rows.table.rows, source)
        for column, found in zip(rows.table.columns, places, strict=True)
        for source, place in zip(column.sources, found, strict=True)
        if source.kind in ("field", "index")
    ]
    lowest = min((level for level in wanted if 0 < level < innermost), default=innermost)
    return list(range(innermost - 1, lowest - 1, -1))


def _join_above(rows: Rows, level: int) -> str:
    stream, below = rows.relations[rows.levels.streams[level]], f"l{level + 1}"
    return f'{stream} AS l{level} ON l{level}.__record = {below}.__record AND l{level}."id" = {below}."__parentId"'


def _picks(rows: Rows, places: Sequence[Sequence[_Place]]) -> list[str]:
    joins = {}
    for pick in (place.pick for found in places for place in found if place.pick):
        alias, above = _pick_alias(pick), _alias(rows, pick.level)
        joins[alias] = (
            f"{rows.relations[pick.stream]} AS {alias} ON {alias}.__record = {above}.__record "
            f"AND {alias}.__index = {pick.index}"
        )
        if pick.level:
            joins[alias] += f' AND {alias}."__parentId" = {above}."id"'
    return list(joins.values())


def _list_to_open(levels: Levels, base: str) -> str:
    if not levels.inline:
        return "NULL"
    return ".".join([base, *(quote(name) for name in levels.inline[0])])


def _elements(levels: Levels) -> list[str]:
    steps = []
    opened, before = "__list", "records"
    for depth in range(1, len(levels.inline) + 1):
        columns = f"*, unnest({opened}) AS __e{depth}, unnest(range(len({opened}))) AS __i{depth}"
        steps.append(f"elements{depth} AS (SELECT {columns} FROM {before})")
        before = f"elements{depth}"
        if depth < len(levels.inline):
            opened = ".".join([f"__e{depth}", *(quote(name) for name in levels.inline[depth])])
    return steps


def _last(levels: Levels) -> str:
    return f"elements{len(levels.inline)}" if levels.inline else "records"


def _sources(rows: Rows, places: Sequence[Sequence[_Place]]) -> str:
    last = _last(rows.levels)
    kept = ["__record", '"__parentId"', "__index", "__id", "__file", "__broken", "__fetched"]
    kept += [quote(name) for name in rows.carried]
    columns = [f"r.{name} AS {name}" for name in kept]
    joins = [f"{last} AS r"]
    for name in dict.fromkeys(place.computed for found in places for place in found if place.computed):
        key = f" AND c_{name}.key = r.__e{len(rows.levels.inline)}" if name in rows.keyed else ""
        joins.append(f"{rows.computed[name]} AS c_{name} ON c_{name}.__record = r.__record{key}")
    doubt = "NULL"
    if rows.doubtful:
        joins.append(f"{rows.doubtful} AS d ON d.__record = r.__record")
        doubt = "d.__record"
    columns += [f"{place.sql if place.inline else place.name} AS {place.name}" for found in places for place in found]
    return f"sources AS (SELECT {', '.join([*columns, f'{doubt} AS __doubt'])}\nFROM {' LEFT JOIN '.join(joins)})"


def _values(rows: Rows, places: Sequence[Sequence[_Place]]) -> str:
    columns = [_value(rows, column, found) for column, found in zip(rows.table.columns, places, strict=True)]
    named = [f"{sql} AS v{number}" for number, sql in enumerate(columns)]
    return f"values_made AS (SELECT {', '.join(['*', *named])} FROM sources)"


def _value(rows: Rows, column: Column, places: Sequence[_Place]) -> str:
    if column.name in rows.bound:
        kind = "VARCHAR[]" if column.type.name == "string[]" else "VARCHAR"
        # Null when the expression fails on this row, a struct of null when its value is null.
        return f"TRY(struct_pack(v := ({rows.bound[column.name]})::{kind}))"
    return places[0].name if places else "NULL::VARCHAR"


def _typed(rows: Rows, places: Sequence[Sequence[_Place]]) -> str:
    columns = []
    for number, column in enumerate(rows.table.columns):
        value, is_list = _value_name(rows, number, places[number])
        sql = typed(value, is_list, column.type) if places[number] else f"NULL::{duck_type(column.type)}"
        columns.append(f"{sql} AS t{number}")
    return f"typed AS (SELECT {', '.join(['*', *columns])} FROM values_made)"


def _value_name(rows: Rows, number: int, places: Sequence[_Place]) -> tuple[str, bool]:
    column = rows.table.columns[number]
    if column.name in rows.bound:
        return f"v{number}.v", column.type.name == "string[]"
    return f"v{number}", bool(places) and places[0].is_list


def _checked(rows: Rows, places: Sequence[Sequence[_Place]]) -> str:
    # Nested values come first: whether their lines are looked at must not hang on what else is wrong with a row.
    cases = [case for number in range(len(places)) for case in _nested_cases(rows, number, places[number])]
    cases += ["WHEN __broken IS NOT NULL THEN __broken", f"WHEN __fetched IS NULL THEN {NO_INSTANT}"]
    cases += [f"WHEN {guard} THEN {NO_ROOT}" for guard in rows.guards]
    if rows.doubtful:
        cases.append(f"WHEN __doubt IS NOT NULL THEN {NO_GROUND}")
    cases += [case for number in range(len(places)) for case in _column_cases(rows, number, places[number])]
    return f"checked AS (SELECT *, CASE {' '.join(cases)} END AS __error FROM typed)"


def _nested_cases(rows: Rows, number: int, places: Sequence[_Place]) -> list[str]:
    column = rows.table.columns[number]
    if rows.verified or column.type.name == "json":
        return []
    kept_as_text = column.name in rows.bound or column.type.name in ("string", "string[]")
    only = "" if kept_as_text else f"{_value_name(rows, number, places)[0]} IS NOT NULL AND t{number} IS NULL AND "
    code = number * KINDS + NESTED
    return [f"WHEN {only}{looks_nested(p.name, p.is_list)} THEN {code}" for p in places if not p.computed]


def _column_cases(rows: Rows, number: int, places: Sequence[_Place]) -> list[str]:
    column = rows.table.columns[number]
    has_sql = column.name in rows.bound
    value, is_list = _value_name(rows, number, places)
    checks = [(SQL_FAILED, f"v{number} IS NULL")] if has_sql else []
    if has_sql or column.type.name != "string" or is_list:
        checks.append((NOT_TYPED, f"{value} IS NOT NULL AND t{number} IS NULL"))
    if column.name in rows.table.primary_key:
        checks.append((NO_KEY, f"t{number} IS NULL"))
    return [f"WHEN {condition} THEN {number * KINDS + kind}" for kind, condition in checks]


def sources_read(rows: Rows) -> tuple[str, ...]:
    """The streams whose lines the query needs to be whole."""
    places = _places(rows)
    levels = rows.levels
    above = [levels.streams[level] for level in _joined_levels(rows, places)]
    picked = [place.pick.stream for found in places for place in found if place.pick]
    return tuple(dict.fromkeys([levels.innermost, *above, *picked]))


def needs_id(rows: Rows) -> tuple[str, ...]:
    """The streams whose `id` the query joins on."""
    places = _places(rows)
    levels = rows.levels
    picked = [place.pick.level for found in places for place in found if place.pick and place.pick.level]
    return tuple(levels.streams[level] for level in {*_joined_levels(rows, places), *picked})
