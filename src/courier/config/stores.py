"""Many stores of one courier: the lines of the CSV that `stores:` names become a credential each, or problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from courier.config.csv_cells import Cell, Row, cells_of
from courier.config.documents import Document, pattern, read_text, reference
from courier.config.known_connectors import KNOWN_CONNECTORS, KnownConnector
from courier.config.masking import tokens_in
from courier.config.models import CourierModel
from courier.config.problems import Problem
from courier.config.project import Courier, Fleet, SecretRef
from courier.config.suggestions import did_you_mean, listed
from courier.config.tables import NAME
from courier.config.yaml_nodes import Mistake, Span

FOLDER = "couriers"
_COLUMN = re.compile(r"[A-Za-z_ ;]{1,40}")
"""What may be shown as one: in a file without a first line of names, a secret stands in its place."""
_STORE = re.compile(r"[a-z0-9][a-z0-9_]*")
_NAME = "name"
Credential = Mapping[str, str | SecretRef]


@dataclass(frozen=True)
class Store:
    """One line: the store's name, the courier that it becomes, and what it is opened with."""

    name: str
    courier: str
    at: Span
    credential: Credential


@dataclass(frozen=True)
class Stores:
    """A file of stores. `document` is what problems of its lines are told with."""

    document: Document
    stores: tuple[Store, ...] = ()


def read_stores(root: Path, courier: Document, model: CourierModel) -> tuple[Stores, list[Problem]]:
    """The stores of a courier with `stores:`, and everything that is wrong with their file."""
    assert model.stores is not None
    at = courier.value(("stores",))
    path = PurePosixPath(FOLDER, model.stores)
    if path.suffix != ".csv" or path.parent != PurePosixPath(FOLDER):
        message = f"`{model.stores}` is not the name of a CSV file beside this one"
        fix = f"Write `stores: {PurePosixPath(courier.path).stem}.csv`, and make it in {FOLDER}/."
        return Stores(Document(str(path))), [courier.problem(at, "bad-value", message, fix)]
    if not (root / path).is_file():
        message = f"there is no {path}"
        return Stores(Document(str(path))), [courier.problem(at, "missing-file", message, _example(model))]
    document, _, problems = read_text(root, str(path))
    connector = KNOWN_CONNECTORS.get(model.connector)
    if problems or connector is None:
        return Stores(document), problems
    return _Reading(document, courier, model, connector).read()


def _example(model: CourierModel) -> str:
    known = KNOWN_CONNECTORS.get(model.connector)
    return f"Make it: a line `{','.join(filter(None, [_NAME, known.handle if known else '']))}`, then a line per store."


class _Reading:
    """One reading of a file; every step adds to `problems` and goes on."""

    def __init__(self, document: Document, courier: Document, model: CourierModel, connector: KnownConnector) -> None:
        self._document, self._courier, self._model, self._connector = document, courier, model, connector
        self._problems: list[Problem] = []
        self._fleet = PurePosixPath(courier.path).stem
        self._columns: list[str] = []
        self._keys: tuple[str, ...] = ()
        self._shared = {key: self._shared_value(key, value) for key, value in model.credential.items()}

    def read(self) -> tuple[Stores, list[Problem]]:
        rows, mistakes = cells_of(self._document.lines)
        self._cover(rows, mistakes)
        for mistake in mistakes:
            self._say(mistake.span, mistake.rule, mistake.message, mistake.fix)
        if not rows[1:] and not mistakes:
            at = rows[0][0].span if rows else Span(1, 1)
            self._say(at, "empty-file", "this file names no store", _example(self._model))
        stores = self._stores(rows) if rows and self._header(rows[0]) else ()
        return Stores(self._document, stores), self._problems

    def _say(self, at: Span, rule: str, message: str, fix: str) -> None:
        self._problems.append(self._document.problem(at, rule, message, fix))

    def _shared_value(self, key: str, value: str) -> str | SecretRef:
        """What the courier's own file says of all its stores."""
        name = reference(value)
        return SecretRef(name, self._courier.path, self._courier.value(("credential", key)).line) if name else value

    def _cover(self, rows: Sequence[Row], mistakes: Sequence[Mistake]) -> None:
        """Let no excerpt show what may be a secret: any value that is no reference, but names and handles."""
        columns = [cell.text for cell in rows[0]] if rows else []
        shown = {place for place, column in enumerate(columns) if column in (_NAME, self._connector.handle)}
        covered = [
            cell.span
            for row in rows[1:]
            for place, cell in enumerate(row)
            if cell.text and not reference(cell.text) and place not in shown
        ]
        covered += [cell.span for row in rows[:1] for cell in row if not _COLUMN.fullmatch(cell.text)]
        covered += [Span(one.span.line, 1, len(self._document.lines[one.span.line - 1])) for one in mistakes]
        self._document = replace(self._document, secrets=tuple(covered))

    def _header(self, row: Row) -> bool:
        """Whether the columns are such that the lines can be read."""
        before, known = len(self._problems), [_NAME, *self._connector.credential_keys]
        self._columns = [cell.text for cell in row]
        for place, cell in enumerate(row):
            if cell.text not in known:
                fix = did_you_mean(cell.text, known, f"Columns here: {listed(known)}.")
                named = f"unknown column `{cell.text}`" if _COLUMN.fullmatch(cell.text) else "this is no column"
                self._say(cell.span, "unknown-key", named, fix)
            elif cell.text in self._columns[:place]:
                self._say(cell.span, "duplicate-key", f"the column `{cell.text}` is already there", "Keep one of them.")
        if _NAME not in self._columns:
            fix = f"Add it: each store becomes the courier {self._fleet}_<{_NAME}>."
            self._say(row[0].span, "missing-key", f"the column `{_NAME}` is missing", fix)
        return len(self._problems) == before and self._choose_keys(row[0])

    def _choose_keys(self, first: Cell) -> bool:
        """The set of keys that every store is opened with: the first one that has all that are given."""
        given = {*self._model.credential, *self._columns} - {_NAME}
        if not given <= set(self._connector.credential_keys):
            return False  # which is told of the courier's own file
        self._keys = next((keys for keys in self._connector.credential if given <= set(keys)), ())
        if not self._keys:
            wanted = "; or ".join(" and ".join(f"`{key}`" for key in keys) for keys in self._connector.credential)
            message = f"{self._model.connector} cannot be opened with {listed(sorted(given))}"
            self._say(first.span, "bad-credential", message, f"Give {wanted}, here or in `credential:`.")
        return bool(self._keys)

    def _stores(self, rows: Sequence[Row]) -> tuple[Store, ...]:
        stores, named, opened = [], dict[str, int](), dict[str, int]()
        for row in rows[1:]:
            line = row[0].span.line
            if len(row) != len(rows[0]):
                message = f"the first line has {len(rows[0])} values, and this one {len(row)}"
                self._say(row[-1].span, "csv", message, "Write as many commas as in the first line.")
                continue
            cells = dict(zip(self._columns, row, strict=True))
            name = cells[_NAME]
            if not self._is_name(name):
                continue
            if name.text in named:
                message = f"the store `{name.text}` is already in line {named[name.text]}"
                self._say(name.span, "duplicate-key", message, "Give each line a name of its own.")
            named.setdefault(name.text, line)
            credential = self._credential(cells)
            if credential is not None:
                self._check_opened(cells, credential, opened)
                stores.append(Store(name.text, f"{self._fleet}_{name.text}", name.span, credential))
        return tuple(stores)

    def _is_name(self, cell: Cell) -> bool:
        if _STORE.fullmatch(cell.text) and NAME.fullmatch(f"{self._fleet}_{cell.text}"):
            return True
        shown = f"`{cell.text}` is no name" if cell.text and not any(tokens_in(cell.text)) else "this is no name"
        meant = re.sub(r"[^a-z0-9]+", "_", cell.text.lower()).strip("_")
        fix = f"Write `{meant}`." if meant and not any(tokens_in(cell.text)) else "Write lower-case letters and digits."
        self._say(cell.span, "bad-name", f"{shown} of a store", fix)
        return False

    def _credential(self, cells: Mapping[str, Cell]) -> Credential | None:
        found: dict[str, str | SecretRef] = {}
        for key in self._keys:
            value = self._value(key, cells)
            if value is None:
                return None
            found[key] = value
        return found

    def _value(self, key: str, cells: Mapping[str, Cell]) -> str | SecretRef | None:
        """What a store has for a key: its own cell, what the courier's file says for all, or the usual variable."""
        cell = cells.get(key)
        if cell is not None and cell.text:
            return self._own(key, cell)
        name = cells[_NAME]
        shared = self._shared.get(key, f"${{{self._connector.variables[key]}_*}}")
        stem = pattern(shared)
        return SecretRef(f"{stem}{name.text.upper()}", self._document.path, name.span.line) if stem else shared

    def _own(self, key: str, cell: Cell) -> str | SecretRef | None:
        secret = reference(cell.text)
        if secret:
            return SecretRef(secret, self._document.path, cell.span.line)
        if key == self._connector.handle and not any(tokens_in(cell.text)):
            return self._handle(cell)
        if "${" in cell.text:
            fix = "Write ${NAME} alone; or leave it empty, and write ${NAME_*} in `credential:`."
            self._say(cell.span, "secret-reference", "a reference to a secret must be the whole value", fix)
        else:
            fix = "Write ${NAME} and set NAME in the environment or in .env; then replace this secret, it may be known."
            self._say(cell.span, "literal-secret", "a secret is written into this file", fix)
        return None

    def _handle(self, cell: Cell) -> str | None:
        if self._connector.handles.fullmatch(cell.text.lower()):
            return cell.text
        example = "acme, or acme.myshopify.com" if self._connector.handle == "store" else "the abc123 of stores/abc123"
        message = f"`{cell.text}` is no {self._connector.handle.replace('_', ' ')} of {self._model.connector}"
        self._say(cell.span, "bad-handle", message, f"Write {example}; or ${{NAME}}.")
        return None

    def _check_opened(self, cells: Mapping[str, Cell], credential: Credential, opened: dict[str, int]) -> None:
        """Two lines for one store would load the same data twice."""
        key = self._connector.handle or self._keys[0]
        value = credential[key]
        seen = f"${{{value.name}}}" if isinstance(value, SecretRef) else value.lower().removesuffix(".myshopify.com")
        at = (cells[key] if key in cells and cells[key].text else cells[_NAME]).span
        if seen in opened:
            message = f"line {opened[seen]} is of the same store"
            self._say(at, "duplicate-store", message, f"Give each line a `{key}` of its own.")
        opened.setdefault(seen, at.line)


def check_names(stores: Stores, taken: Mapping[str, str], reserved: Callable[[str], str]) -> Iterator[Problem]:
    """Stores whose couriers are called as something else is. taken: names of couriers -> the files that make them.

    reserved: says why a name cannot be a schema's, or "".
    """
    for store in stores.stores:
        if message := reserved(store.courier):
            yield stores.document.problem(store.at, "reserved-name", message, "Give the store another name.")
        elif store.courier in taken:
            message = f"its courier would be `{store.courier}`, which {taken[store.courier]} makes already"
            fix = "Give the store, or the other courier, another name."
            yield stores.document.problem(store.at, "courier-name", message, fix)


def couriers_of(whole: Courier, stores: Stores) -> Iterator[Courier]:
    """A courier per store, all with the same feeds."""
    for store in stores.stores:
        yield replace(whole, name=store.courier, credential=store.credential, fleet=whole.name, store=store.name)


def fleet_of(name: str, stores: Stores) -> Fleet:
    """All stores of a courier as one."""
    return Fleet(name, stores.document.path, {store.courier: store.name for store in stores.stores})
