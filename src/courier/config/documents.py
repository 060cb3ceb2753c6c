"""A project's files as they stand: read, parsed, and able to say where and how something in them is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from courier.config.masking import covered, masked, tokens_in, urls_in
from courier.config.problems import Problem
from courier.config.yaml_nodes import (
    Entries,
    Items,
    Mistake,
    Node,
    Path,
    Scalar,
    Span,
    parse,
    plain_data,
    split_lines,
    walk,
)

MOST_BYTES = 4 * 1024 * 1024  # 10,000 courier groups take 1.3 MB
_MB = 1024 * 1024
EXCERPT_LENGTH = 240
ALERTS_FILE = "alerts.yaml"
SETTINGS_FILE = "courier.yaml"
_FILES_OF_URLS = (ALERTS_FILE, SETTINGS_FILE)  # any URL in them is a secret
_LITERAL = {"credential": "store", "destination": "type"}  # what may stand in a section of secrets as it is
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PATTERN = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*_)\*\}")


@dataclass(frozen=True)
class Document:
    """One file. `path` is relative to the project; `root` is None where nothing could be read."""

    path: str
    lines: tuple[str, ...] = ()
    root: Node | None = None
    secrets: tuple[Span, ...] = ()  # where literal ones stand, to be covered in every excerpt

    @property
    def data(self) -> Any:
        """The content as dicts, tuples and scalars."""
        return plain_data(self.root) if self.root else None

    def value(self, path: Path) -> Span:
        """Where the value at `path` stands, or as far as the path goes."""
        return self._find(path)[1]

    def key(self, path: Path) -> Span:
        """Where the key at `path` stands."""
        return self._find(path)[0]

    def node(self, path: Path) -> Node | None:
        """The node at exactly this path."""
        node = self.root
        for step in path:
            node = _child(node, step)[1]
        return node

    def _find(self, path: Path) -> tuple[Span, Span]:
        key, node = self._first_key(), self.root
        for step in path:
            span, child = _child(node, step)
            if child is None:
                break
            key, node = span, child
        empty = isinstance(node, Scalar) and node.value is None and node.plain
        nested = isinstance(node, Entries | Items) and node.span.line != key.line
        return key, key if node is None or empty or nested or not path else node.span

    def _first_key(self) -> Span:
        keys = self.root.entries.values() if isinstance(self.root, Entries) else ()
        return next((span for span, _ in keys), Span(1, 1))

    def problem(self, at: Span, rule: str, message: str, fix: str, *, warning: bool = False) -> Problem:
        """A problem of this file, with the line it stands in."""
        excerpt = self._excerpt(at.line)[: at.column + EXCERPT_LENGTH]
        length = max(1, min(at.length, len(excerpt) - at.column + 1))
        return Problem(self.path, at.line, at.column, rule, message, fix, excerpt, length, warning)

    def _excerpt(self, number: int) -> str:
        line = self.lines[number - 1] if number <= len(self.lines) else ""
        for span in self.secrets:
            if span.line == number:
                line = covered(line, span.column - 1, span.column - 1 + span.length)
        return masked(line, keys=not self.path.startswith("domain_tables/"), urls=self.path in _FILES_OF_URLS)

    def positions(self) -> Iterator[tuple[tuple[str, Path], tuple[int, int]]]:
        """(file, path of keys) -> (line, column), for every key and list item."""
        for path, span, _ in walk(self.root) if self.root else ():
            yield (self.path, path), (span.line, span.column)


def _child(node: Node | None, step: str | int) -> tuple[Span, Node | None]:
    if isinstance(node, Entries) and step in node.entries:
        return node.entries[str(step)]
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
        return node.items[step].span, node.items[step]
    return Span(1, 1), None


def read_document(root: FilePath, path: str) -> tuple[Document, list[Problem]]:
    """A file of the project, and what is wrong with it as text and as YAML."""
    document, text, problems = read_text(root, path)
    return (document, problems) if problems else _parsed(document, text)


def read_text(root: FilePath, path: str) -> tuple[Document, str, list[Problem]]:
    """A file of the project as text, and what is wrong with it as such."""
    raw = _bytes(root / path)
    if isinstance(raw, Mistake):
        return _unreadable(Document(path), raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = tuple(raw.decode("utf-8-sig", "replace").split("\n"))
        return _unreadable(Document(path, lines), _bad_bytes(raw, error))
    document = Document(path, tuple(split_lines(text)))
    control = _CONTROL.search(text)
    if control:
        return _unreadable(document, _bad_character(text, control.start()))
    return document, text, []


def _unreadable(document: Document, mistake: Mistake) -> tuple[Document, str, list[Problem]]:
    return document, "", [document.problem(mistake.span, mistake.rule, mistake.message, mistake.fix)]


def _parsed(document: Document, text: str) -> tuple[Document, list[Problem]]:
    root, mistakes = parse(text)
    if root is None and not mistakes:
        mistakes = [Mistake(Span(1, 1), "empty-file", "this file says nothing", "Fill it, or delete it.")]
    section = _section_of_secrets(document.path)
    secrets = tuple(_literal_secrets(root, section)) if section else ()
    suspected = tuple(_suspected_secrets(document.lines, section)) if section and mistakes else ()
    document = Document(document.path, document.lines, root, (*secrets, *suspected))
    problems = [document.problem(m.span, m.rule, m.message, m.fix) for m in mistakes]
    problems += [_literal_secret(document, span) for span in (*secrets, *_tokens(document.lines, secrets))]
    return document, [*problems, *_stray_references(document)]


def _bytes(path: FilePath) -> bytes | Mistake:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            message = f"this file has {size / _MB:.1f} MB; the limit is {MOST_BYTES // _MB} MB"
            return Mistake(Span(1, 1), "too-large", message, "Is it a data file in the wrong folder?")
        return path.read_bytes()
    except OSError as error:
        return Mistake(Span(1, 1), "unreadable", f"it cannot be read: {error.strerror}", "Look at its kind and mode.")


def _bad_bytes(raw: bytes, error: UnicodeDecodeError) -> Mistake:
    # the positions that Python gives do not count a byte order mark
    start = error.start + (3 if raw.startswith(b"\xef\xbb\xbf") else 0)
    before = raw[:start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig", "replace")) + 1
    return Mistake(Span(line, column), "encoding", f"byte 0x{raw[start]:02x} is not UTF-8", "Save the file as UTF-8.")


def _bad_character(text: str, start: int) -> Mistake:
    lines = split_lines(text[:start])
    message = f"control character U+{ord(text[start]):04X}"
    return Mistake(Span(len(lines), len(lines[-1]) + 1), "encoding", message, "Delete it.")


def reference(value: object) -> str | None:
    """NAME, where a value is ${NAME}."""
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found.group(1) if found else None


def pattern(value: object) -> str | None:
    """NAME_, where a value is ${NAME_*}: the secret of each of many stores, whose name takes the place of the star."""
    found = _PATTERN.fullmatch(value) if isinstance(value, str) else None
    return found.group(1) if found else None


def _section_of_secrets(path: str) -> str:
    """The key of a file whose values are secrets; empty where a file has none."""
    if path in _FILES_OF_URLS:
        return "targets" if path == ALERTS_FILE else "destination"
    return "credential" if path.startswith(("couriers/", "activations/")) else ""


def _is_secret(section: str, path: Path, node: Node) -> bool:
    """Whether a literal value is a secret: all of its section but a store's name or a destination's kind, and any URL.

    Not so where only a credential can be secret: an endpoint is a URL.
    """
    if not isinstance(node, Scalar) or node.value is None or reference(node.value) or pattern(node.value):
        return False
    stray_url = section != "credential" and any(urls_in(str(node.value)))
    literal = path == ("destination",) or path == (section, _LITERAL.get(section))
    return stray_url or (path[0] == section and not literal)


def _literal_secrets(root: Node | None, section: str) -> Iterator[Span]:
    for path, _, node in walk(root) if root else ():
        if _is_secret(section, path, node):
            yield node.span


def _suspected_secrets(lines: tuple[str, ...], section: str) -> Iterator[Span]:
    """What stands in the section of secrets of a file that is no good YAML, by its lines alone."""
    inside = False
    for number, line in enumerate(lines, 1):
        if re.match(r"[^\s#]", line):
            inside = line.startswith(section)
        found = re.match(r"(?:[^:]*:)?\s*", line)
        start = found.end() if found else 0
        rest = line[start:].rstrip()
        if inside and rest and not rest.startswith("${") and line.split(":")[0].strip() != _LITERAL.get(section):
            yield Span(number, start + 1, len(rest))


def _tokens(lines: tuple[str, ...], secrets: tuple[Span, ...]) -> Iterator[Span]:
    """Things that look like a vendor's token outside of a credential: those inside are found as its values."""
    inside = {(span.line, span.column) for span in secrets}
    for number, line in enumerate(lines, 1):
        for start, end in tokens_in(line):
            # one column further where the value is quoted
            if not inside & {(number, start + 1), (number, start)}:
                yield Span(number, start + 1, end - start)


def _literal_secret(document: Document, at: Span) -> Problem:
    """The problem of a secret written into a file. Neither its text nor its excerpt shows it."""
    fix = "Write ${NAME} and set NAME in the environment or in .env; then replace this secret, it may be known."
    return document.problem(at, "literal-secret", "a secret is written into this file", fix)


def _stray_references(document: Document) -> Iterator[Problem]:
    for path, _, node in walk(document.root) if document.root else ():
        section = _section_of_secrets(document.path) or "credential"
        named = isinstance(node, Scalar) and (reference(node.value) or pattern(node.value))
        if isinstance(node, Scalar) and named and path[0] != section:
            message = f"{node.value} is read in `{section}:` only"
            yield document.problem(node.span, "secret-reference", message, "Write the value itself here.")
