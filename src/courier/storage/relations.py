"""What a query can name at one point: relations whose columns know what they depend on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, order=True)
class Stored:
    """A column of a domain table."""

    schema: str
    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}.{self.column}"


Depends = frozenset[Stored]
NOTHING: Depends = frozenset()


@dataclass(frozen=True)
class Named:
    """A column of a relation; without a name where DuckDB makes one up."""

    name: str | None
    depends: Depends


@dataclass(frozen=True)
class Relation:
    """Rows that a query can name, by `name`, or by schema and name.

    blurred: how many columns there are, or which is which, is not known; then every column depends on all of this.
    """

    columns: tuple[Named, ...]
    name: str | None = None
    schema: str | None = None
    blurred: Depends | None = None

    @property
    def depends(self) -> Depends:
        """What any of it depends on."""
        return union((column.depends for column in self.columns), self.blurred or NOTHING)

    def find(self, name: str) -> Depends | None:
        if self.blurred is not None:
            return self.depends
        found = [column.depends for column in self.columns if column.name == name]
        return union(found) if found else None

    def called(self, name: str | None, aliases: Sequence[str]) -> Relation | None:
        """The same rows under another name, the first columns renamed; None where there are more names than columns."""
        if len(aliases) > len(self.columns) and self.blurred is None:
            return None
        rest = self.columns[len(aliases) :]
        renamed = (Named(alias.lower(), one.depends) for alias, one in zip(aliases, self.columns, strict=False))
        return replace(self, columns=(*renamed, *rest), name=name.lower() if name else None, schema=None)

    def distinctly(self) -> Relation:
        """As a subquery shows it: where names repeat, DuckDB makes up others, and which is which is not followed."""
        names = [column.name for column in self.columns if column.name is not None]
        return self if len(set(names)) == len(names) else blur(self)


def blur(relation: Relation) -> Relation:
    return replace(relation, columns=(), blurred=relation.depends)


def union(found: Iterable[Depends], also: Depends = NOTHING) -> Depends:
    return also.union(*found)


@dataclass(frozen=True)
class Sources:
    """A FROM clause: its relations, and what `*` stands for."""

    relations: tuple[Relation, ...] = ()
    star: Relation = field(default_factory=lambda: Relation(()))

    def beside(self, other: Sources, using: Sequence[str] = (), *, only_left: bool = False) -> Sources:
        """A join. `using`: the columns that are one; only_left: a semi or anti join."""
        names = [name.lower() for name in using]
        merged = {name: union(filter(None, (self.star.find(name), other.star.find(name)))) for name in names}
        left = [_merged(relation, merged) for relation in self.relations]
        if only_left:
            return Sources(tuple(left), _merged(self.star, merged))
        right = [_merged(relation, merged) for relation in other.relations]
        return Sources((*left, *right), _side_by_side(_merged(self.star, merged), other.star, names))

    def common(self, other: Sources) -> list[str]:
        """The columns that a natural join compares."""
        names = {column.name for column in other.star.columns}
        return [column.name for column in self.star.columns if column.name and column.name in names]


def _merged(relation: Relation, merged: Mapping[str, Depends]) -> Relation:
    columns = (replace(c, depends=c.depends | merged.get(c.name or "", NOTHING)) for c in relation.columns)
    return replace(relation, columns=tuple(columns))


def _side_by_side(left: Relation, right: Relation, without: Sequence[str]) -> Relation:
    if left.blurred is not None or right.blurred is not None:
        return Relation((), blurred=left.depends | right.depends)
    return Relation((*left.columns, *(column for column in right.columns if column.name not in without)))


@dataclass(frozen=True)
class Scope:
    """What the names of an expression mean. `aliases`: of the select list, so far; `outer`: of the query around it."""

    sources: Sources = field(default_factory=Sources)
    aliases: Mapping[str, Depends] = field(default_factory=dict)
    ctes: Mapping[str, Relation] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, names: Sequence[str]) -> Depends | None:
        """What a column reference depends on, in every way in which it can be read; None: it means nothing here."""
        written = [name.lower() for name in names]
        found = [one for one in self._readings(written) if one is not None]
        certain = bool(found) and len(written) == 1
        # A name that is an alias here may still mean a column of the query around.
        alias = self.aliases.get(written[0])
        further = self.outer.find(names) if self.outer and not certain else None
        found += [one for one in (alias, further) if one is not None]
        return union(found) if found else None

    def _readings(self, names: Sequence[str]) -> Iterator[Depends | None]:
        first, *rest = names
        for relation in self.sources.relations:
            yield relation.find(first)  # a column, and then the fields of a struct
            if relation.name == first:
                yield relation.find(rest[0]) if rest else relation.depends
            if relation.schema == first and rest and relation.name == rest[0]:
                yield relation.find(rest[1]) if len(rest) > 1 else relation.depends

    def relation(self, name: str) -> Relation | None:
        """The relation of this name, for `name.*`."""
        return next((one for one in self.sources.relations if one.name == name.lower()), None)

    def cte(self, name: str) -> Relation | None:
        found = self.ctes.get(name.lower())
        return found if found is not None or self.outer is None else self.outer.cte(name)


def with_aliases(aliases: Mapping[str, Depends], made: Relation) -> Mapping[str, Depends]:
    """The aliases of a select list, and those of its next entry."""
    named = {column.name: column.depends for column in made.columns if column.name}
    return {**aliases, **{name: aliases.get(name, NOTHING) | depends for name, depends in named.items()}}


def by_position(made: Sequence[Relation]) -> Relation:
    """The rows of several relations, one column under the other."""
    first = made[0]
    if any(one.blurred is not None or len(one.columns) != len(first.columns) for one in made):
        return Relation((), blurred=union(one.depends for one in made))
    columns = zip(*(one.columns for one in made), strict=True)
    return Relation(tuple(Named(beside[0].name, union(c.depends for c in beside)) for beside in columns))


def by_name(made: Sequence[Relation]) -> Relation:
    """The rows of several relations, columns of the same name under each other."""
    columns = [column for one in made for column in one.columns]
    if any(one.blurred is not None for one in made) or any(column.name is None for column in columns):
        return Relation((), blurred=union(one.depends for one in made))
    names = dict.fromkeys(column.name for column in columns)
    return Relation(tuple(Named(n, union(c.depends for c in columns if c.name == n)) for n in names))
