"""Which stored columns the query of an activation lets out, and everything that is wrong with it.

No column of personal data and no key of a person leaves, through no alias, expression, subquery, star or view: only
counted, or to choose, join and group rows by. DuckDB says over empty tables whether the query holds; `follow` says what
its columns depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from courier.config.activation import Activation
from courier.config.activations import GIVEN_PARAMETERS
from courier.config.problems import Problem
from courier.config.project import Project
from courier.storage import activation_columns
from courier.storage.duck import error, quote
from courier.storage.entities import SCHEMA, entities_of, entity_sql
from courier.storage.expressions import changing_functions
from courier.storage.fleet_views import STORE
from courier.storage.follow import Follower
from courier.storage.personal import personal_columns
from courier.storage.query_tree import Node, NotRead, Place, line_and_column, parts, read_tree
from courier.storage.query_words import Known
from courier.storage.relations import Depends, Relation, Stored, union
from courier.storage.stage import Mistake, located, open_stage
from courier.storage.target import Target

if TYPE_CHECKING:
    from courier.storage.duck import Connection

EACH_STORE = "each store of "
"""Before a fleet's name: a schema with the tables of one store, which stands for all."""
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class OutputColumn:
    """A column of the query's result: its DuckDB type, and what its value depends on (shopify.customer.state)."""

    name: str
    type: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What a query reads and gives. Empty where `problems` say why.

    tables:     those under its views, and those that `must_occur` names, too
    parameters: those that it asks for
    columns:    those that its text names
    needed:     all upon which the result depends in any way, also those that views name
    """

    tables: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    needed: frozenset[Stored] = frozenset()
    output: tuple[OutputColumn, ...] = ()
    problems: tuple[Problem, ...] = ()

    def needed_of(self, schema: str, table: str) -> frozenset[str]:
        """The columns of one table."""
        return frozenset(one.column for one in self.needed if (one.schema, one.table) == (schema, table))


def check_activations(project: Project) -> list[Problem]:
    """Every mistake in the queries of the project's activations, and in what their YAML says of them."""
    if not project.activations:
        return []
    with Bench(project, tuple(project.activations.values())) as bench:
        return [problem for one in project.activations.values() for problem in bench.read(one).problems]


def reading(project: Project, activation: Activation) -> Reading:
    """What the activation's query reads and gives."""
    with Bench(project, (activation,)) as bench:
        return bench.read(activation)


class Bench:
    """Empty tables over which queries are tried, and what is known of their columns."""

    def __init__(self, project: Project, activations: Sequence[Activation]) -> None:
        self._project = project
        sql = " ".join(one.sql for one in activations).lower()
        over_all = SCHEMA in sql
        self._entities = entities_of(project) if over_all else ()
        read = {table.schema for entity in self._entities for table in entity.tables}
        self._fleets = [fleet for name, fleet in project.fleets.items() if name in sql]
        self._schemas = [name for name in project.couriers if name in sql or name in read]
        self._called = {EACH_STORE + fleet.name: fleet.name for fleet in self._fleets}
        self._personal = personal_columns(project, [*self._schemas, *self._called.values()])

    def __enter__(self) -> Bench:
        tables = {name: self._tables(name) for name in [*self._schemas, *self._called]}
        self._connection: Connection = open_stage(tables)
        self._known = Known(
            {(schema, name): tuple(columns) for schema, own in tables.items() for name, columns in own.items()},
            {
                (schema, name): self._view(schema, name, sql)
                for schema in self._schemas
                for name, sql in self._views(schema)
            }
            | self._semantic_views()
            | self._fleet_views(),
            homes={(name, view): home for home, name in self._called.items() for view in self._all_of(home)},
            called=self._called,
            refused=changing_functions(),
            is_key=self._personal.is_key,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _folder(self, schema: str) -> str:
        return self._project.folder_of(self._called.get(schema, schema))

    def _tables(self, schema: str) -> Mapping[str, Mapping[str, str]]:
        folder = self._project.folders.get(self._folder(schema), {})
        return {name: Target("", table).types() for name, table in folder.items()}

    def _views(self, schema: str) -> Iterator[tuple[str, str]]:
        for view in self._project.views.get(self._folder(schema), ()):
            yield view.name, view.sql

    def _all_of(self, schema: str) -> dict[str, str]:
        """Tables and views of a schema, each as what stands behind FROM."""
        tables = {name: f"{quote(schema)}.{quote(name)}" for name in self._tables(schema)}
        return tables | {name: f"(\n{sql}\n) AS each_store" for name, sql in self._views(schema)}

    def _fleet_views(self) -> dict[tuple[str, str], Node | None]:
        """Those over all stores, each read as if there were one."""
        made: dict[tuple[str, str], Node | None] = {}
        for home, fleet in self._called.items():
            self._connection.execute(f"CREATE SCHEMA {quote(fleet)}")
            held = {name: self._view(home, name, sql) for name, sql in self._views(home)}
            for name, read in self._all_of(home).items():
                if held.get(name, read) is None:
                    continue
                creation = f"SELECT '' AS {STORE}, * FROM {quote(home)}.{quote(name)}"
                self._connection.execute(f"CREATE VIEW {quote(fleet)}.{quote(name)} AS {creation}")
                made[fleet, name] = read_tree(self._connection, f"SELECT '' AS {STORE}, * FROM {read}")
        return made

    def _semantic_views(self) -> dict[tuple[str, str], Node | None]:
        """Those over all schemas, as they will be once every feed is loaded."""
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(SCHEMA)}")
        return {(SCHEMA, one.name): self._view(SCHEMA, one.name, entity_sql(one)) for one in self._entities}

    def _view(self, schema: str, name: str, sql: str) -> Node | None:
        """The view's tree, None for one that does not hold, which is told elsewhere."""
        try:
            tree = read_tree(self._connection, sql)
            self._connection.execute(f"USE {quote(schema)}")
            self._connection.execute(f"CREATE VIEW {quote(name)} AS\n{sql}")
        except (NotRead, error()):
            return None
        finally:
            self._connection.execute("USE main")
        return tree

    def read(self, activation: Activation) -> Reading:
        tree = self._tree(activation)
        if isinstance(tree, Problem):
            return Reading(problems=(tree,))
        parameters = frozenset({*GIVEN_PARAMETERS, *activation.parameters})
        follower = Follower(replace(self._known, parameters=parameters))
        relation = follower.follow(tree)
        unknown = [refusal for refusal in follower.refusals if refusal.rule == "parameter"]
        bound = [] if unknown else self._bound(activation, tree)
        if isinstance(bound, Mistake):
            return Reading(problems=(_bad_sql(activation, bound),))
        refused = [_problem(activation, r.place, r.rule, r.message, r.fix) for r in follower.refusals]
        if refused:
            return Reading(problems=tuple(sorted(set(refused))))
        return self._checked(activation, tree, follower, relation, bound)

    def _tree(self, activation: Activation) -> Node | Problem:
        try:
            statements = self._connection.extract_statements(activation.sql)
            if len(statements) != 1 or statements[0].type.name != "SELECT":
                return _bad_sql(activation, Mistake("a query is one SELECT, and nothing else"))
            return read_tree(self._connection, activation.sql)
        except error() as wrong:
            return _bad_sql(activation, located(activation.sql, str(wrong)))
        except NotRead as wrong:
            return _bad_sql(activation, Mistake(str(wrong)))

    def _bound(self, activation: Activation, tree: Node) -> list[tuple[str, str]] | Mistake:
        """Name and type of each column that the query gives, by DuckDB."""
        given = {"as_of": _ANY_TIME, "min_cohort_size": activation.guards.min_cohort_size, **activation.parameters}
        asked = {part["identifier"] for part in parts(tree) if part["class"] == "PARAMETER"}
        values = {name: given[name] for name in sorted(asked)}
        try:
            # On a line of its own, so that DuckDB counts the lines of the file.
            described = self._connection.execute(f"DESCRIBE\n{activation.sql}", values).fetchall()
        except error() as wrong:
            return located(activation.sql, str(wrong))
        return [(str(row[0]), str(row[1])) for row in described]

    def _checked(
        self, activation: Activation, tree: Node, follower: Follower, relation: Relation, bound: list[tuple[str, str]]
    ) -> Reading:
        names = [name.lower() for name, _ in bound]
        depends = _aligned(relation, names)
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if depends is None or twice is not None:
            message = f"two columns are called `{twice}`" if twice else "the columns of this query cannot be told apart"
            problem = _problem(activation, None, "activation-sql", message, "Name each column with AS.")
            return Reading(problems=(problem,))
        output = tuple(
            OutputColumn(name, kind, tuple(sorted(map(str, one))))
            for (name, kind), one in zip(bound, depends, strict=True)
        )
        problems = [
            *self._leaving(activation, follower, output, depends),
            *activation_columns.check(self._project, activation, {one.name: one.type for one in output}),
            *activation_columns.check_parameters(self._project, activation, follower.parameters),
            *activation_columns.check_consent(self._project, activation, follower.filtered),
            *activation_columns.check_must_occur(self._project, activation, self._personal),
        ]
        occurring = {written.rpartition(".")[0] for written in activation.must_occur.values()}
        tables = tuple(sorted({*map(".".join, follower.tables), *occurring}))
        views = tuple(sorted(map(".".join, follower.views)))
        asked, read = tuple(sorted(follower.parameters)), tuple(sorted(map(str, follower.read)))
        needed = follower.needed | {Stored(*written.split(".")) for written in activation.must_occur.values()}
        return Reading(tables, views, asked, read, needed, output, tuple(sorted(set(problems))))

    def _leaving(
        self, activation: Activation, follower: Follower, output: Sequence[OutputColumn], depends: Sequence[Depends]
    ) -> Iterator[Problem]:
        """The personal columns that would leave."""
        guards = activation.guards
        supported = {name.lower() for name in guards.support}
        for stored in sorted(union(depends)):
            why = self._personal.why(stored)
            names = [one.name for one, reads in zip(output, depends, strict=True) if stored in reads]
            released = str(stored) in guards.release and all(name.lower() in supported for name in names)
            if why and not released:
                yield _lets_out(activation, follower.read.get(stored), stored, why, names)


def _aligned(relation: Relation, names: Sequence[str]) -> Sequence[Depends] | None:
    """What each column depends on; None where the columns that were followed are not those that DuckDB gives.

    names: DuckDB's, in lower case.
    """
    if relation.blurred is not None:
        return [relation.depends] * len(names)
    followed = [column.name for column in relation.columns]
    same = len(followed) == len(names) and all(
        mine in (None, theirs) for mine, theirs in zip(followed, names, strict=True)
    )
    return [column.depends for column in relation.columns] if same else None


def _lets_out(activation: Activation, place: Place | None, stored: Stored, why: str, names: Sequence[str]) -> Problem:
    shown = ", ".join(f"`{name}`" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    message = f"`{stored}` would leave in {shown}: {why}"
    fix = f"Leave it out, count it as count(DISTINCT {stored.column}), or only join, filter and group by it."
    if str(stored) in activation.guards.release:
        fix = f"Add the column that counts its customers to `guards: support:` in {activation.path}."
    return _problem(activation, place, "pii", message, fix)


def _problem(activation: Activation, place: Place | None, rule: str, message: str, fix: str) -> Problem:
    line, column, length = line_and_column(activation.sql, place)
    lines = activation.sql.split("\n")
    excerpt = lines[line - 1] if line <= len(lines) else ""
    return Problem(activation.sql_path, line, column, rule, message, fix, excerpt, length)


def _bad_sql(activation: Activation, mistake: Mistake) -> Problem:
    lines = activation.sql.split("\n")
    excerpt = lines[mistake.line - 1] if mistake.line <= len(lines) else ""
    fix = mistake.hint or "Read the domain tables and views of this project, as shopify.customer, and $parameters."
    where = activation.sql_path, mistake.line, mistake.column
    return Problem(*where, "activation-sql", mistake.message, fix, excerpt, mistake.length)
