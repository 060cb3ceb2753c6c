"""Shopify's search language: `field:op'value'`, AND, OR, NOT, -, parentheses, prefix*, bare words.

A query becomes a predicate over rows. A field that a resource does not have is left out of the search with a warning,
as Shopify does: the result is then wider than was asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Predicate = Callable[[Any], bool]
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) | (?P<minus>-(?=[\w(])) |
        (?P<field>[A-Za-z_][\w.]*)\s*:\s*(?P<op><=|>=|<|>|!=|=)?\s*
            (?:'(?P<single>(?:[^'\\]|\\.)*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>[^\s()]+)) |
        '(?P<phrase>(?:[^'\\]|\\.)*)' | "(?P<phrase2>(?:[^"\\]|\\.)*)" | (?P<word>[^\s()]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Field:
    """How to search by one field. `kind`: time, day (times compared by whole days), number, text, tags."""

    kind: str
    read: Callable[[Any], Any]
    sparse: bool = False  # whether rows may have none


@dataclass
class Parsed:
    """`accepts` tells whether a row is found; `warnings` as Shopify puts them into extensions.search.

    `bounds` are half-open ranges, by field, that every row found lies in; `exact` says that nothing else is asked.
    """

    accepts: Predicate
    warnings: list[dict[str, str]] = field(default_factory=list)
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    exact: bool = False


@dataclass(frozen=True)
class Manner:
    """`exclusive_after`: `>` excludes its whole second, as from 2026-10; before it behaved like `>=`.

    `whole_days`: fields of kind day are compared by days, as customers' updated_at is documented to be.
    """

    exclusive_after: bool = True
    whole_days: bool = True


PLAIN = Manner()


def parse_query(text: str | None, fields: Mapping[str, Field], manner: Manner = PLAIN) -> Parsed:
    """A query as a predicate; what cannot be understood is left out, with a warning."""
    parser = _Parser(_tokens(text or ""), fields, manner)
    predicate = parser.any_of()
    bounds, exact = _bounds(parser.tokens, fields, manner)
    return Parsed(predicate, parser.warnings, bounds, exact)


def _bounds(
    tokens: list[dict[str, str | None]], fields: Mapping[str, Field], manner: Manner
) -> tuple[dict[str, tuple[float, float]], bool]:
    """The ranges that a query of ANDs alone asks for, and whether it asks for nothing else."""
    found: dict[str, tuple[float, float]] = {}
    terms = [token for token in tokens if (token["word"] or "").upper() != "AND"]
    if any(token["field"] is None for token in terms):
        return found, False
    exact = True
    for token in terms:
        name = token["field"] or ""
        span = _range(token, fields[name], manner) if name in fields else None
        exact = exact and span is not None
        if span is not None:
            low, high = found.get(name, (-math.inf, math.inf))
            found[name] = max(low, span[0]), min(high, span[1])
    return found, exact


def _range(token: dict[str, str | None], known: Field, manner: Manner) -> tuple[float, float] | None:
    """What a comparison of times leaves of all times; None for any other comparison."""
    op, value = token["op"] or "=", token["single"] or token["double"] or token["plain"] or ""
    if known.kind not in ("time", "day") or op == "!=" or value == "*" or known.sparse:
        return None
    try:
        wanted = _seconds(value)
    except ValueError:
        return None
    step = 86_400 if known.kind == "day" and manner.whole_days else 1
    start = wanted // step * step
    loose = step > 1 or not manner.exclusive_after
    low = {">=": start, "=": start, ">": start if loose else start + step}.get(op, -math.inf)
    high = {"<": start, "<=": start + step, "=": start + step}.get(op, math.inf)
    return low, high


def _tokens(text: str) -> list[dict[str, str | None]]:
    found = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        found.append(match.groupdict())
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[dict[str, str | None]], fields: Mapping[str, Field], manner: Manner) -> None:
        self.tokens = tokens
        self.at = 0
        self.fields = fields
        self.manner = manner
        self.warnings: list[dict[str, str]] = []

    def _word(self) -> str:
        return (self.tokens[self.at]["word"] or "") if self.at < len(self.tokens) else ""

    def any_of(self) -> Predicate:
        parts = [self.all_of()]
        while self._word().upper() == "OR":
            self.at += 1
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def all_of(self) -> Predicate:
        parts: list[Predicate] = []
        while self.at < len(self.tokens) and not self.tokens[self.at]["close"] and self._word().upper() != "OR":
            if self._word().upper() == "AND":
                self.at += 1
                continue
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def one(self) -> Predicate:
        token = self.tokens[self.at]
        self.at += 1
        if token["minus"] or (token["word"] or "").upper() == "NOT":
            inner = self.one() if self.at < len(self.tokens) else _everything
            return inner if inner is _everything else lambda row: not inner(row)
        if token["open"]:
            inner = self.any_of()
            self.at += 1
            return inner
        if token["field"]:
            return self._term(token)
        return self._words(token["phrase"] or token["phrase2"] or token["word"] or "")

    def _words(self, text: str) -> Predicate:
        wanted = text.lower().rstrip("*")
        readers = [known.read for known in self.fields.values() if known.kind == "text"]
        return lambda row: any(wanted in str(read(row) or "").lower() for read in readers)

    def _term(self, token: dict[str, str | None]) -> Predicate:
        name = token["field"] or ""
        known = self.fields.get(name)
        if known is None:
            self._warn(name, "invalid_field", "Invalid search field for this query.")
            return _everything
        quoted = next((token[kind] for kind in ("single", "double") if token[kind] is not None), None)
        value = quoted if quoted is not None else token["plain"] or ""
        try:
            return _compare(known, token["op"] or "=", value, self.manner)
        except ValueError:
            self._warn(name, "invalid_value", f"Input `{name}` is not valid for this field.")
            return _everything

    def _warn(self, name: str, code: str, message: str) -> None:
        self.warnings.append({"field": name, "message": message, "code": code})


def _everything(row: Any) -> bool:
    return True


def _compare(known: Field, op: str, value: str, manner: Manner) -> Predicate:
    read = known.read
    if value == "*":
        return lambda row: read(row) not in (None, "", ())
    if known.kind in ("time", "day"):
        return _compare_times(known, op, _seconds(value), manner)
    if known.kind == "number":
        return _ordered(read, op, int(value.rsplit("/", 1)[-1]))
    if known.kind == "tags":
        return _tagged(read, value.lower())
    return _texts(read, op, value.lower())


def _compare_times(known: Field, op: str, wanted: int, manner: Manner) -> Predicate:
    read = known.read
    if known.kind == "day" and manner.whole_days:
        day = wanted // 86_400
        return _ordered(lambda row: read(row) // 86_400, op if op != ">" else ">=", day)
    return _ordered(read, op if manner.exclusive_after or op != ">" else ">=", wanted)


def _ordered(read: Callable[[Any], Any], op: str, wanted: int) -> Predicate:
    tests: dict[str, Predicate] = {
        ">=": lambda row: (value := read(row)) is not None and value >= wanted,
        ">": lambda row: (value := read(row)) is not None and value > wanted,
        "<": lambda row: (value := read(row)) is not None and value < wanted,
        "<=": lambda row: (value := read(row)) is not None and value <= wanted,
        "!=": lambda row: read(row) != wanted,
        "=": lambda row: read(row) == wanted,
    }
    return tests[op]


def _tagged(read: Callable[[Any], Any], wanted: str) -> Predicate:
    if wanted.endswith("*"):
        return lambda row: any(tag.lower().startswith(wanted[:-1]) for tag in read(row))
    return lambda row: any(tag.lower() == wanted for tag in read(row))


def _texts(read: Callable[[Any], Any], op: str, wanted: str) -> Predicate:
    if op == "!=":
        return lambda row: str(read(row) or "").lower() != wanted
    if wanted.endswith("*"):
        return lambda row: str(read(row) or "").lower().startswith(wanted[:-1])
    return lambda row: str(read(row) or "").lower() == wanted


def _seconds(text: str) -> int:
    """An instant as Shopify reads it: ISO with Z or an offset; without one it is taken as UTC."""
    at = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
