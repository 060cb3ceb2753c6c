"""Domain tables: a file of domain_tables/ becomes a DomainTable, or problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from courier.config.documents import Document
from courier.config.known_connectors import field_name
from courier.config.models import ColumnModel, DomainTableModel
from courier.config.paths import parse_rows, parse_source
from courier.config.problems import Problem
from courier.config.project import Column, ColumnType, DomainTable, RowPath, SemanticTag, Source
from courier.config.suggestions import closest, did_you_mean, listed
from courier.config.vocabulary import Vocabulary
from courier.config.yaml_nodes import Scalar

NAME = re.compile(r"[a-z][a-z0-9_]{0,126}")
NAME_FIX = "Begin with a lower-case letter; go on with lower-case letters, digits and underscores."


def resolve_table(
    document: Document, model: DomainTableModel, tags: Vocabulary
) -> tuple[DomainTable | None, list[Problem]]:
    """The table, and its problems as far as one file shows them. None where there is no table to speak of."""
    try:
        rows = parse_rows(model.rows)
    except ValueError as error:
        fix = "Write a record type, or a list below it: `Order.lineItems[]`."
        return None, [document.problem(document.value(("rows",)), "bad-path", str(error), fix)]
    problems = [*_check_keys(document, model), *_check_parent(document, model, rows)]
    columns = []
    for name, column in model.columns.items():
        resolved, found = _Column(document, name, column, rows, tags).resolve()
        columns += [resolved] if resolved else []
        problems += found
    path = PurePosixPath(document.path)
    keys = model.primary_key, tuple(columns), model.last_updated, model.parent
    return DomainTable(path.stem, document.path, rows, *keys), problems


def _check_keys(document: Document, model: DomainTableModel) -> Iterator[Problem]:
    for position, name in enumerate(model.primary_key):
        yield from _check_key(document, model, ("primary_key", position), name)
        if name in model.primary_key[:position]:
            at = document.value(("primary_key", position))
            yield document.problem(at, "bad-value", f"`{name}` is already part of the key", "Keep it once.")
    if model.last_updated is not None:
        yield from _check_key(document, model, ("last_updated",), model.last_updated)
        yield from _check_last_updated(document, model.columns.get(model.last_updated))


def _check_key(
    document: Document, model: DomainTableModel, path: tuple[str | int, ...], name: str
) -> Iterator[Problem]:
    at = document.value(path)
    column = model.columns.get(name)
    if column is None:
        fix = did_you_mean(name, model.columns, f"Columns: {listed(model.columns)}.")
        yield document.problem(at, "unknown-column", f"this table has no column `{name}`", fix)
    elif column.unavailable:
        fix = "Choose a column that has values."
        yield document.problem(at, "unavailable-column", f"`{name}` is always null", fix)


def _check_last_updated(document: Document, column: ColumnModel | None) -> Iterator[Problem]:
    if column and column.type and column.type.name != "datetime":
        message = f"versions are compared by time, and this column is {_a(column.type)}"
        fix = "Name a column of type datetime."
        yield document.problem(document.value(("last_updated",)), "last-updated-type", message, fix)


def _check_parent(document: Document, model: DomainTableModel, rows: RowPath) -> Iterator[Problem]:
    if rows.lists and model.parent is None:
        message = f"rows over a list of {rows.root} need a parent"
        fix = f"Add `parent:` with the feed whose rows are `{rows.root}`."
        yield document.problem(document.value(("rows",)), "bad-parent", message, fix)
    if not rows.lists and model.parent is not None:
        message = f"every row is a whole {rows.root}: it has no parent"
        fix = "Delete `parent:`, or write `rows:` as a list below the parent's record."
        yield document.problem(document.value(("parent",)), "bad-parent", message, fix)


class _Column:
    """One column on its way from model to value."""

    def __init__(self, document: Document, name: str, model: ColumnModel, rows: RowPath, tags: Vocabulary) -> None:
        self._document, self._name, self._model, self._rows, self._tags = document, name, model, rows, tags
        self._problems: list[Problem] = []

    def resolve(self) -> tuple[Column | None, list[Problem]]:
        """The column, without what is wrong with it; None where it has no type."""
        self._check_name()
        self._check_unavailable()
        found = self._find_tags()
        column_type = self._type(found)
        sources = () if self._model.unavailable else self._sources()
        if len(sources) > 1 and self._model.sql is None:
            fix = "Add `sql:` that makes one value of $1, $2, ..."
            self._say(("from",), "missing-sql", "a list of paths needs `sql`", fix)
        if column_type is None:
            return None, self._problems
        pii = self._model.pii or any(tag.pii for tag in found)
        unavailable = self._model.unavailable
        column = Column(self._name, column_type, sources, self._model.sql, self._model.tags, pii, unavailable)
        return column, self._problems

    def _say(self, path: tuple[str | int, ...], rule: str, message: str, fix: str, warning: bool = False) -> None:
        at = self._document.value(("columns", self._name, *path))
        self._problems.append(self._document.problem(at, rule, message, fix, warning=warning))

    def _check_name(self) -> None:
        if not NAME.fullmatch(self._name):
            at = self._document.key(("columns", self._name))
            message = f"`{self._name}` is no column name"
            self._problems.append(self._document.problem(at, "bad-name", message, NAME_FIX))

    def _check_unavailable(self) -> None:
        if not self._model.unavailable:
            return
        for key, value in (("from", self._model.source), ("sql", self._model.sql)):
            if value is not None:
                fix = f"Delete `{key}:` or `unavailable:`."
                self._say((key,), "unavailable-column", "a column without a source reads nothing", fix)

    def _find_tags(self) -> list[SemanticTag]:
        found = []
        for position, written in enumerate(self._model.tags):
            tag = self._tags.find(written)
            if written in self._model.tags[:position]:
                self._say(("tags", position), "duplicate-tag", f"`{written}` is already there", "Keep it once.")
            elif tag is None:
                self._unknown_tag(position, written)
            else:
                self._check_alias(position, written, tag)
                found.append(tag)
        return found

    def _unknown_tag(self, position: int, written: str) -> None:
        if self._tags.complete:
            known = [name for tag in self._tags.tags for name in (tag.name, *tag.aliases)]
            otherwise = "Add it to semantic_tags.yaml if it is yours."
            fix = did_you_mean(written, known, otherwise) + (f" {otherwise}" if closest(written, known) else "")
            self._say(("tags", position), "unknown-tag", f"there is no semantic tag `{written}`", fix)

    def _check_alias(self, position: int, written: str, tag: SemanticTag) -> None:
        if written in tag.aliases:
            message = f"`{written}` is another spelling of `{tag.name}`"
            self._say(("tags", position), "tag-alias", message, f"Write `{tag.name}`.", warning=True)

    def _type(self, tags: list[SemanticTag]) -> ColumnType | None:
        own = self._model.type
        for tag in tags:
            if own and tag.strict and tag.type and tag.type != own:
                message = f"a column tagged `{tag.name}` must be {_a(tag.type)}, not {_a(own)}"
                self._say(("type",), "tag-type", message, f"Delete `type:`, or write `type: {tag.type}`.")
        if own:
            return own
        typed = {str(tag.type): tag.type for tag in tags if tag.type}
        if len(typed) == 1:
            return next(iter(typed.values()))
        if len(tags) == len(self._model.tags) and not self._type_written():
            why = f"its tags disagree ({listed(sorted(typed))})" if typed else "and no tag that gives one"
            message = f"the column `{self._name}` has no type, {why}"
            self._say((), "missing-type", message, f"Add `type:`, for instance `{self._name}: string`.")
        return None

    def _type_written(self) -> bool:
        """Whether the file has a type, which then is one that does not exist and was reported."""
        short = self._document.node(("columns", self._name))
        written = self._document.node(("columns", self._name, "type"))
        return written is not None or (isinstance(short, Scalar) and short.value is not None)

    def _sources(self) -> tuple[Source, ...]:
        written = self._model.source
        if written is None and not NAME.fullmatch(self._name):
            return ()
        texts = (
            (field_name(PurePosixPath(self._document.path).parent.name, self._name),) if written is None else written
        )
        sources = []
        for position, text in enumerate(texts):
            try:
                sources.append(parse_source(text, self._rows))
            except ValueError as error:
                fix = "Write `a.b[0].c`, `parent.x`, `$index`, `$value` or `computed.name`."
                self._say(("from", position), "bad-path", str(error), fix)
        return tuple(sources)


def _a(column_type: ColumnType) -> str:
    return f"an {column_type}" if str(column_type)[0] in "aeiou" else f"a {column_type}"


def check_family(document: Document, table: DomainTable, tables: Mapping[str, DomainTable | None]) -> Iterator[Problem]:
    """A child table against its parent's, among `tables` of the same folder (None: one that cannot be read)."""
    if table.parent is None or not table.rows.lists:
        return
    at = document.value(("parent",))
    if table.parent not in tables:
        fix = did_you_mean(table.parent, tables)
        yield document.problem(at, "unknown-feed", f"there is no domain table `{table.parent}`", fix)
        return
    parent = tables[table.parent]
    if parent is None:
        return
    if parent.rows != RowPath(table.rows.root):
        message = f"the rows of `{parent.name}` are {parent.rows}; the parent of {table.rows} is {table.rows.root}"
        fix = f"Name the feed whose rows are `{table.rows.root}`."
        yield document.problem(at, "bad-parent", message, fix)
