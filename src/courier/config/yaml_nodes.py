"""The one door to YAML: text becomes nodes that know where they stand.

What is read is YAML 1.2's core: `NO`, `12:30` and `2026-10` stay text. Left out on purpose are anchors, aliases, merge
keys, tags and several documents in one file: each would let a value stand elsewhere than where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST_LEVELS = 30

Key = str | int
Path = tuple[Key, ...]


@dataclass(frozen=True)
class Span:
    """Where something stands: line and column from 1, and how many characters of that line it covers."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True)
class Scalar:
    span: Span
    value: str | int | float | bool | None
    plain: bool  # written without quotes


@dataclass(frozen=True)
class Items:
    span: Span
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entries:
    span: Span
    entries: Mapping[str, tuple[Span, Node]]


Node = Scalar | Items | Entries


@dataclass(frozen=True)
class Mistake:
    """Something that is not our YAML. `rule` is a name of rules.py."""

    span: Span
    rule: str
    message: str
    fix: str


class _NotYaml(Exception):
    """Reading cannot go on after this mistake."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


def parse(text: str) -> tuple[Node | None, list[Mistake]]:
    """The document's root, or None where it has none or cannot be read, and every mistake that was found."""
    builder = _Builder(text)
    try:
        return builder.document(), builder.mistakes
    except _NotYaml as stop:
        return None, [*builder.mistakes, stop.mistake]
    except yaml.YAMLError as error:
        return None, [*builder.mistakes, _explain(error, text)]


def plain_data(node: Node) -> Any:
    """The node as dicts, tuples and scalars."""
    if isinstance(node, Entries):
        return {key: plain_data(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, Items):
        return tuple(plain_data(item) for item in node.items)
    return node.value


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Span, Node]]:
    """Every key and list item below: its path, where it stands, its value."""
    if isinstance(node, Entries):
        for key, (span, value) in node.entries.items():
            yield (*path, key), span, value
            yield from walk(value, (*path, key))
    elif isinstance(node, Items):
        for index, item in enumerate(node.items):
            yield (*path, index), item.span, item
            yield from walk(item, (*path, index))


def split_lines(text: str) -> list[str]:
    """Lines as YAML counts them."""
    return re.split("\r\n|[\n\r\x85\u2028\u2029]", text)


class _Builder:
    """Makes nodes of libyaml's events. Events, not composed nodes: those hide which anchors and tags were written."""

    def __init__(self, text: str) -> None:
        self.mistakes: list[Mistake] = []
        self._lines = split_lines(text)
        self._events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self._levels = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    fix = "Keep one document: one file says one thing."
                    raise _NotYaml(Mistake(self._span(event), "yaml", "a second document begins here", fix))
                root = self._node(next(self._events))
        empty = isinstance(root, Scalar) and root.value is None and root.plain
        return None if empty else root

    def _node(self, event: Any) -> Node:
        self._refuse_decoration(event)
        span = self._span(event)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style in (None, "") and event.implicit[0]
            return Scalar(span, core_scalar(event.value) if plain else event.value, plain)
        if isinstance(event, yaml.AliasEvent):
            return Scalar(span, "", False)
        self._levels += 1
        if self._levels > MOST_LEVELS:
            message = f"more than {MOST_LEVELS} levels of lists and mappings"
            raise _NotYaml(Mistake(span, "yaml", message, "Nothing in a project is nested that deep."))
        node = self._items(span) if isinstance(event, yaml.SequenceStartEvent) else self._entries(span)
        self._levels -= 1
        return node

    def _items(self, span: Span) -> Items:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return Items(_until(span, event), tuple(items))

    def _entries(self, span: Span) -> Entries:
        entries: dict[str, tuple[Span, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, key_span = self._key(event), self._span(event)
            value = self._node(next(self._events))
            if key in entries:
                self._repeated(key, entries[key][0], key_span)
            elif key != "<<":
                entries[key] = (key_span, value)
        return Entries(_until(span, event), entries)

    def _key(self, event: Any) -> str:
        if isinstance(event, yaml.AliasEvent):
            raise _NotYaml(Mistake(self._span(event), "anchor", "an alias cannot be a key", _WRITE_OUT))
        if not isinstance(event, yaml.ScalarEvent):
            fix = "Write a name, then a colon and a space. Quote text that holds braces or brackets."
            raise _NotYaml(Mistake(self._span(event), "yaml", "a key must be a name", fix))
        self._refuse_decoration(event)
        if event.value == "<<":
            self.mistakes.append(Mistake(self._span(event), "anchor", "merge keys are not read", _WRITE_OUT))
        return str(event.value)

    def _repeated(self, key: str, first: Span, second: Span) -> None:
        message = f"`{key}` is already there, on line {first.line}"
        self.mistakes.append(Mistake(second, "duplicate-key", message, "Keep one of the two."))

    def _refuse_decoration(self, event: Any) -> None:
        if not (isinstance(event, yaml.AliasEvent) or event.anchor or getattr(event, "tag", None)):
            return
        span = self._span(event)
        # The names of anchors and tags are not repeated: a secret that begins with * & or ! is read as one.
        if isinstance(event, yaml.AliasEvent):
            fix = "Quote it if it is text; otherwise write the value out."
            self.mistakes.append(Mistake(span, "anchor", "YAML aliases are not read", fix))
        elif event.anchor:
            at = Span(span.line, span.column, len(event.anchor) + 1)
            self.mistakes.append(Mistake(at, "anchor", "YAML anchors are not read", _WRITE_OUT))
        if getattr(event, "tag", None):
            fix = "Take it away. Quote a value that must stay text."
            self.mistakes.append(Mistake(span, "yaml-tag", "YAML tags are not read", fix))

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        if start.line == end.line:
            return Span(start.line + 1, start.column + 1, max(1, end.column - start.column))
        rest = len(self._lines[start.line].rstrip()) - start.column if start.line < len(self._lines) else 1
        return Span(start.line + 1, start.column + 1, max(1, rest))


def _until(span: Span, end: Any) -> Span:
    """Of a list or mapping on one line all of it; of others their first character."""
    mark = end.end_mark
    return Span(span.line, span.column, mark.column + 1 - span.column) if mark.line + 1 == span.line else span


_WRITE_OUT = "Write the value out where it is used."
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def core_scalar(text: str) -> str | int | float | bool | None:
    """An unquoted scalar's value, as YAML 1.2's core schema has it (without octal and hexadecimal numbers)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _explain(error: yaml.YAMLError, text: str) -> Mistake:
    """PyYAML's message says what its scanner wanted; the two usual causes get their own."""
    lines = split_lines(text)
    mark = getattr(error, "problem_mark", None)
    at = Span(mark.line + 1, mark.column + 1) if mark else Span(1, 1)
    tab = next((n for n, line in enumerate(lines[: at.line], 1) if re.match(r" *\t", line)), None)
    if tab:
        column = lines[tab - 1].index("\t") + 1
        return Mistake(Span(tab, column), "tab", "a tab in the indentation", "Indent with spaces.")
    for found in (getattr(error, "context_mark", None), mark):
        if found and _character(lines, found.line, found.column) == "*":
            return _unquoted_alias(lines[found.line], found.line, found.column)
    # An unclosed quote or bracket runs to the end of the file: where it began says more.
    context = getattr(error, "context_mark", None)
    if context and at.line >= len(lines) and context.line < at.line - 1:
        at = Span(context.line + 1, context.column + 1)
    at = _last_text(lines, Span(min(at.line, len(lines)), at.column))
    said = getattr(error, "problem", None) or "it cannot be read"
    return Mistake(at, "yaml", f"this is not YAML: {said}", "Look for a missing quote, bracket or colon.")


def _last_text(lines: list[str], at: Span) -> Span:
    """The end of the last line with text, where something is missing at the end of the file."""
    while at.line > 1 and not lines[at.line - 1].strip():
        at = Span(at.line - 1, len(lines[at.line - 2].rstrip()) + 1)
    return at


def _character(lines: list[str], line: int, column: int) -> str:
    return lines[line][column : column + 1] if line < len(lines) else ""


def _unquoted_alias(line: str, number: int, column: int) -> Mistake:
    value = line[column:].split(" #")[0].rstrip()
    message = "an unquoted value that begins with * is a YAML alias"
    shown = value if re.fullmatch(r"[-0-9*/, ]+", value) else "..."
    return Mistake(Span(number + 1, column + 1, len(value)), "unquoted-alias", message, f'Quote it: "{shown}"')
