"""Follows every column of a query back to the stored columns that its value depends on, through the whole query.

The tree is DuckDB's own, and names are looked up in every way in which DuckDB could read them: where that is not clear,
a column depends on all of it. Whatever is not known here is a refusal, never a pass: kinds of nodes, their keys,
functions, tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from courier.storage import query_words as words
from courier.storage.query_tree import Node, Place, children, lambda_names, makes_columns, own_name, place_of
from courier.storage.query_words import COUNTS, Known, Refusal
from courier.storage.relations import (
    NOTHING,
    Depends,
    Named,
    Relation,
    Scope,
    Sources,
    Stored,
    blur,
    by_name,
    by_position,
    union,
    with_aliases,
)

_NAME_IT = "Read the domain tables and views of this project, as shopify.customer."
_ONLY = "Write it with the usual parts of a SELECT."


class Follower:
    """One query on its way. What it read, by what it filtered, and why it is refused gathers here."""

    def __init__(self, known: Known, schema: str | None = None) -> None:
        self.refusals: list[Refusal] = []
        self.read: dict[Stored, Place | None] = {}
        self.tables: set[tuple[str, str]] = set()
        self.views: set[tuple[str, str]] = set()
        self.filtered: set[Stored] = set()
        self.parameters: set[str] = set()
        self._inside: set[Stored] = set()  # views
        self._known = known
        self._schema = schema  # of a view: where names without a schema are looked up

    def follow(self, root: Node) -> Relation:
        """What the query gives."""
        return self._query(root, Scope())

    @property
    def needed(self) -> frozenset[Stored]:
        """Every column whose values can change the result. The others only have to be there."""
        return frozenset({*self.read, *self.filtered, *self._inside})

    def _refuse(self, node: Node, message: str, fix: str, rule: str = "activation-sql") -> Depends:
        self.refusals.append(Refusal(place_of(node), rule, message, fix))
        return NOTHING

    def _only(self, node: Node, known: frozenset[str]) -> None:
        """Refuses what a node says beyond what is understood here."""
        for key, value in node.items():
            if value and key not in known and not key.startswith("query_location"):
                self._refuse(node, f"`{key.replace('_', ' ')}` is not followed here", _ONLY)

    # Queries

    def _query(self, node: Node, around: Scope) -> Relation:
        scope = self._with_ctes(node, around)
        if node["type"] == "SELECT_NODE":
            return self._select(node, scope)
        if node["type"] == "SET_OPERATION_NODE":
            return self._set(node, scope)
        if node["type"] == "RECURSIVE_CTE_NODE":
            return self._recursive(node, scope)
        self._refuse(node, f"a {node['type'].lower()} is not followed here", _ONLY)
        return Relation(())

    def _with_ctes(self, node: Node, around: Scope) -> Scope:
        scope = Scope(outer=around)
        for entry in node.get("cte_map", {}).get("map", ()):
            cte = entry["value"]
            self._only(cte, words.CTE)
            made = self._query(cte["query_node"], scope)
            found = self._called(made.distinctly(), node, entry["key"], cte["aliases"])
            scope = replace(scope, ctes={**scope.ctes, entry["key"].lower(): found})
        return scope

    def _called(self, relation: Relation, node: Node, name: str, aliases: Sequence[str]) -> Relation:
        renamed = relation.called(name or None, aliases)
        if renamed is None:
            self._refuse(node, f"`{name}` has fewer columns than names", _ONLY)
        return renamed or relation

    def _select(self, node: Node, scope: Scope) -> Relation:
        self._only(node, words.SELECT)
        here = replace(scope, sources=self._from(node["from_table"], scope))
        columns: list[Named] = []
        blurred: list[Depends] = []
        for expression in node["select_list"]:
            made = self._projection(expression, here)
            columns += made.columns
            blurred += [] if made.blurred is None else [made.blurred]
            here = replace(here, aliases=with_aliases(here.aliases, made))
        relation = Relation(tuple(columns))
        for part in ("where_clause", "group_expressions", "having", "qualify", "modifiers"):
            self._control(node.get(part), here)
        return blur(replace(relation, blurred=union(blurred))) if blurred else relation

    def _projection(self, expression: Node, scope: Scope) -> Relation:
        """The columns that one entry of a select list makes."""
        if expression["class"] == "STAR" and not expression.get("alias"):
            return self._star(expression, scope)
        depends = self._expression(expression, scope)
        if makes_columns(expression):
            return Relation((), blurred=depends)
        return Relation((Named(own_name(expression), depends),))

    def _set(self, node: Node, scope: Scope) -> Relation:
        self._only(node, words.SET)
        made = [self._query(child, scope) for child in node["children"]]
        named = node["setop_type"] == "UNION_BY_NAME"
        if node["setop_type"] not in ("UNION", "EXCEPT", "INTERSECT", "UNION_BY_NAME"):
            self._refuse(node, f"{node['setop_type'].lower()} is not followed here", _ONLY)
        relation = by_name(made) if named else by_position(made)
        self._control(node.get("modifiers"), replace(scope, sources=Sources((relation,), relation)))
        return relation

    def _recursive(self, node: Node, scope: Scope) -> Relation:
        self._only(node, words.RECURSIVE)
        name = node["cte_name"]
        made = self._called(self._query(node["left"], scope), node, name, node["aliases"])
        while True:
            inner = replace(scope, ctes={**scope.ctes, name.lower(): made})
            more = by_position([made, self._query(node["right"], inner)])
            again = self._called(more, node, name, node["aliases"])
            if again == made:
                return made
            made = again

    # FROM

    def _from(self, node: Node, scope: Scope) -> Sources:
        """`scope.sources`: what stands further left, which a subquery may name."""
        if node["type"] == "EMPTY":
            return Sources()
        known: Mapping[str, Callable[[Node, Scope], Sources]] = {
            "BASE_TABLE": self._table,
            "SUBQUERY": self._below,
            "JOIN": self._join,
            "TABLE_FUNCTION": self._table_function,
            "EXPRESSION_LIST": self._values,
        }
        made = known.get(node["type"])
        if made is None:
            self._refuse(node, f"{node['type'].lower().replace('_', ' ')} is not followed here", _ONLY)
            return Sources()
        return made(node, scope)

    def _table(self, node: Node, scope: Scope) -> Sources:
        self._only(node, words.TABLE)
        schema, name = node["schema_name"].lower(), node["table_name"].lower()
        cte = None if schema else scope.cte(name)
        relation = cte or self._stored(node, schema or self._schema or "", name)
        if node["alias"] or node["column_name_alias"] or cte:
            relation = self._called(relation, node, node["alias"] or name, node["column_name_alias"])
        return Sources((relation,), relation)

    def _stored(self, node: Node, schema: str, name: str) -> Relation:
        columns = self._known.columns.get((schema, name))
        if columns is not None:
            called = self._known.called.get(schema, schema)
            self.tables.add((called, name))
            named = tuple(Named(column, frozenset({Stored(called, name, column)})) for column in columns)
            return Relation(named, name, schema)
        if (schema, name) in self._known.views and self._schema is None:
            return replace(self._view(node, schema, name), name=name, schema=schema)
        shown = f"{schema}.{name}" if schema else name
        self._refuse(node, f"`{shown}` is no domain table, and no view of one", _NAME_IT)
        return Relation((), blurred=NOTHING)

    def _view(self, node: Node, schema: str, name: str) -> Relation:
        self.views.add((schema, name))
        tree = self._known.views[schema, name]
        if tree is None:
            self._refuse(node, f"the view `{schema}.{name}` cannot be read", "See what `courier validate` says of it.")
            return Relation((), blurred=NOTHING)
        inner = Follower(self._known, self._known.homes.get((schema, name), schema))
        relation = inner.follow(tree).distinctly()
        for refusal in inner.refusals:
            self._refuse(node, f"the view `{schema}.{name}` cannot be followed: {refusal.message}", refusal.fix)
        self.tables |= inner.tables
        self._inside |= inner.needed
        return relation

    def _below(self, node: Node, scope: Scope) -> Sources:
        self._only(node, words.BELOW)
        made = self._query(node["subquery"]["node"], scope).distinctly()
        relation = self._called(made, node, node["alias"] or "unnamed_subquery", node["column_name_alias"])
        return Sources((relation,), relation)

    def _join(self, node: Node, scope: Scope) -> Sources:
        self._only(node, words.JOIN)
        left = self._from(node["left"], scope)
        right = self._from(node["right"], replace(scope, sources=scope.sources.beside(left)))
        natural = node["ref_type"] == "NATURAL"
        known = natural or node["ref_type"] in ("REGULAR", "CROSS", "ASOF", "POSITIONAL")
        blurred = left.star.blurred is not None or right.star.blurred is not None
        if not known or node["join_type"] not in words.JOINS or node["nearest_count"] != 1 or (natural and blurred):
            self._refuse(node, "this kind of join is not followed here", "Write JOIN ... ON, or JOIN ... USING.")
        using = left.common(right) if natural else node["using_columns"]
        self._control(node.get("condition"), replace(scope, sources=left.beside(right)))
        for name in using:
            self.filtered |= (left.star.find(name.lower()) or NOTHING) | (right.star.find(name.lower()) or NOTHING)
        return left.beside(right, using, only_left=node["join_type"] in ("SEMI", "ANTI"))

    def _table_function(self, node: Node, scope: Scope) -> Sources:
        self._only(node, words.CALLED)
        called = node["function"]
        name = called["function_name"].lower()
        ordered = node["with_ordinality"] != "WITHOUT_ORDINALITY"
        if name != "unnest" or ordered or len(called["arguments"]) != 1:
            self._refuse(node, f"a query does not read from `{name}`", "Only unnest(list) is read from like a table.")
            return Sources((Relation((), blurred=NOTHING),), Relation((), blurred=NOTHING))
        depends = union(self._expression(child, scope) for child in children(called))
        made = Relation((Named("unnest", depends),))
        if node["alias"] and not node["column_name_alias"]:
            made = Relation((), blurred=depends)  # its column can be called by either name
        relation = self._called(made, node, node["alias"] or "unnest", node["column_name_alias"])
        return Sources((relation,), relation)

    def _values(self, node: Node, scope: Scope) -> Sources:
        self._only(node, words.LIST)
        rows = [[self._expression(one, scope) for one in row] for row in node["values"]]
        columns = tuple(Named(f"col{n}", union(column)) for n, column in enumerate(zip(*rows, strict=True)))
        relation = self._called(Relation(columns), node, node["alias"], node.get("column_name_alias", ()))
        return Sources((relation,), relation)

    # Expressions

    def _control(self, value: Any, scope: Scope) -> None:
        """What only says which rows there are, how they are grouped and ordered: nothing of it is in the result."""
        for child in children([value]):
            self.filtered |= self._expression(child, scope)

    def _expression(self, node: Node, scope: Scope) -> Depends:
        kind = node["class"]
        if kind not in words.EXPRESSIONS:
            return self._refuse(node, f"a {kind.lower().replace('_', ' ')} is not followed here", _ONLY)
        special: Mapping[str, Callable[[Node, Scope], Depends]] = {
            "COLUMN_REF": self._reference,
            "FUNCTION": self._function,
            "LAMBDA": self._lambda,
            "PARAMETER": self._parameter,
            "STAR": self._inner_star,
            "SUBQUERY": self._subquery,
            "WINDOW": self._window,
        }
        made = special.get(kind)
        return made(node, scope) if made else self._whole(node, scope)

    def _whole(self, node: Any, scope: Scope) -> Depends:
        return union([self._expression(child, scope) for child in children(node)])

    def _reference(self, node: Node, scope: Scope) -> Depends:
        names = node["column_names"]
        found = scope.find(names)
        if found is None and len(names) == 1 and names[0].lower() in words.BARE_WORDS:
            return self._refuse(node, f"{names[0]} can give another value at each run", "The data's time is $as_of.")
        if found is None:
            shown = ".".join(names)
            return self._refuse(node, f"`{shown}` cannot be followed", "Name columns with AS, and use these names.")
        return self._reading(node, found)

    def _reading(self, node: Node, found: Depends) -> Depends:
        for stored in found:
            self.read.setdefault(stored, place_of(node))
        return found

    def _function(self, node: Node, scope: Scope) -> Depends:
        name = self._check_call(node)
        depends = self._whole(node["arguments"], scope)
        self._control(node["filter"], scope)
        ordered = self._loosely(node["order_bys"], scope)
        return NOTHING if name in COUNTS else depends | ordered

    def _window(self, node: Node, scope: Scope) -> Depends:
        name = self._check_call(node)
        apart = ("partitions", "orders", "arg_orders", "filter_expr", "arguments")
        self._control(node.get("filter_expr"), scope)
        arranged = union(self._loosely(node.get(part), scope) for part in ("partitions", "orders", "arg_orders"))
        depends = self._whole(node.get("arguments", []), scope)
        rest = self._whole({key: value for key, value in node.items() if key not in apart}, scope)
        return rest | arranged | (NOTHING if name in COUNTS else depends)

    def _loosely(self, value: Any, scope: Scope) -> Depends:
        """What arranges rows shows in the result as a rank: that of a key says nothing, that of a name does."""
        found = union([self._expression(child, scope) for child in children([value])])
        self.filtered |= found
        return self._but_keys(found)

    def _but_keys(self, found: Iterable[Stored]) -> Depends:
        return frozenset(stored for stored in found if not self._known.is_key(stored))

    def _check_call(self, node: Node) -> str:
        name = str(node["function_name"]).lower()
        alone = name == "age" and len(node["arguments"]) == 1
        why = "can give another value at each run" if alone else self._known.refused.get(name)
        if len(node.get("qualified_name", {}).get("path", ())) > 1:
            self._refuse(node, f"`{name}` is called in a schema", "Name the function alone.")
        elif why:
            self._refuse(node, f"{name} {why}", "The data's time is $as_of; leave chance and settings out.")
        return name

    def _lambda(self, node: Node, scope: Scope) -> Depends:
        """`x -> ...`, whose `x` is a name of its own; or `column -> '$.path'` of JSON, which is written the same."""
        names, bare = lambda_names(node["lhs"])
        known = NOTHING if bare else self._expression(node["lhs"], scope)
        for name in names:
            known |= scope.find([name]) or NOTHING
        self._reading(node["lhs"], known)
        inner = replace(scope, aliases={**scope.aliases, **dict.fromkeys((name.lower() for name in names), NOTHING)})
        return known | self._expression(node["expr"], inner)

    def _parameter(self, node: Node, _scope: Scope) -> Depends:
        name = str(node["identifier"])
        if name not in self._known.parameters:
            shown = ", ".join(f"${one}" for one in sorted(self._known.parameters))
            return self._refuse(node, f"there is no parameter `{name}`", f"There are: {shown}.", "parameter")
        self.parameters.add(name)
        return NOTHING

    def _subquery(self, node: Node, scope: Scope) -> Depends:
        before, self.filtered = self.filtered, set()
        made = self._query(node["subquery"]["node"], scope).depends
        child = self._whole({key: value for key, value in node.items() if key != "subquery"}, scope)
        inside, self.filtered = self.filtered, before | self.filtered
        if node["subquery_type"] == "SCALAR":
            return made | child
        # Whether there is such a row: which rows those are says nothing of their keys, and everything of the rest.
        shown = made if node["subquery_type"] == "ANY" else NOTHING
        return self._but_keys({*inside, *shown, *child})

    def _star(self, node: Node, scope: Scope) -> Relation:
        """`*` or `name.*` of a select list."""
        relation = self._starred(node, scope)
        self._reading(node, relation.depends)
        excluded, renamed = node["exclude_list"], node["rename_list"]
        replaced = {one["key"].lower(): self._expression(one["value"], scope) for one in node["replace_list"]}
        plain = all(isinstance(name, str) for name in excluded) and all(set(r["key"]) == {"column"} for r in renamed)
        odd = any(value and key not in words.STAR and not key.startswith("query_loc") for key, value in node.items())
        if odd or not plain or relation.blurred is not None:
            more = union(replaced.values(), self._whole(node, scope))
            return Relation((), blurred=relation.depends | more)
        without = {name.lower() for name in excluded}
        names = {one["key"]["column"].lower(): one["value"].lower() for one in renamed}
        kept = [column for column in relation.columns if column.name not in without]
        return Relation(
            tuple(Named(names.get(c.name or "", c.name), replaced.get(c.name or "", c.depends)) for c in kept)
        )

    def _starred(self, node: Node, scope: Scope) -> Relation:
        name = node["relation_name"]
        if not name:
            return scope.sources.star
        found = scope.relation(name)
        if found is None:  # the fields of a struct, or a relation of the query around
            return Relation((), blurred=self._reference({**node, "column_names": [name]}, scope))
        inside = scope.find([name])  # a column may have the relation's name
        return found if inside == found.depends else Relation((), blurred=(inside or NOTHING) | found.depends)

    def _inner_star(self, node: Node, scope: Scope) -> Depends:
        found = self._starred(node, scope).depends | self._whole(node, scope)
        return self._reading(node, found)
