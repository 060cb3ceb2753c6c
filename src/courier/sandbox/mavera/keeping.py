"""Answers that do what a message asks of them in words: repeat its rows, and add up. Or do not, where a test says so.

Inferred: everything. A language model reads such sentences; these rules know the few that they know:
  The numbers at shops[].share add up to 100.
  shops[] has one element for each row of the data, which repeats shop, orders of the row unchanged.
and that a JSON Schema is what stands behind those words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from courier.sandbox.mavera.answers import Maker, rows_of, spoiled

_SUM = re.compile(r"^The numbers at ([\w.\[\]]+) add up to (\d+)\.$", re.MULTILINE)
_ROWS = re.compile(r"^([\w.]+)\[\] has one element for each row of the data, which repeats (.+) of the", re.MULTILINE)
_WORDS = "JSON Schema:"


def split(text: str) -> tuple[str, Mapping[str, Any] | None]:
    """A message without the schema that it asks for at its end, and that schema."""
    question, words, rest = text.rpartition(_WORDS)
    try:
        schema, _ = json.JSONDecoder().raw_decode(rest.strip()) if words else (None, 0)
    except json.JSONDecodeError:
        schema = None
    return (question, schema) if isinstance(schema, dict) else (text, None)


def structured(schema: Mapping[str, Any], text: str, way: str) -> str:
    """An answer as JSON. way: `valid`, or one of faults.SPOILING. Raises Unmakeable."""
    answer = Maker(schema, text, foreign=way == "foreign_evidence").answer()
    _repeat(answer, text, wrong=way == "wrong_figure")
    for path, total in _SUM.findall(text):
        _add_up(list(_places(answer, path)), int(total) + (way == "wrong_sum"))
    written = orjson.dumps(spoiled(answer, schema) if way == "broken_schema" else answer).decode()
    return f"Here is what you asked for:\n```json\n{written[:-1]}" if way == "invalid_json" else written


def _repeat(answer: Any, text: str, *, wrong: bool) -> None:
    """One element for each row, in place of those that were made up."""
    rows = rows_of(text)
    for path, names in _ROWS.findall(text):
        for holder, name in _places(answer, path):
            made = holder[name] or [{}]
            columns = names.split(", ")
            holder[name] = [
                {**made[place % len(made)], **{column: row.get(column) for column in columns}}
                for place, row in enumerate(rows)
            ]
            if wrong and holder[name]:
                holder[name][0][columns[-1]] = 987_654


def _add_up(places: list[tuple[Any, Any]], total: int) -> None:
    """Whole numbers, as alike as can be."""
    for number, (holder, name) in enumerate(places):
        holder[name] = total // len(places) + (number < total % len(places))


def _places(answer: Any, path: str) -> Iterator[tuple[Any, Any]]:
    """Every (holder, name) that a path of names leads to; `[]` goes through a list."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    if not isinstance(answer, dict) or name not in answer:
        return
    if not rest:
        yield answer, name
        return
    for inner in answer[name] if head.endswith("[]") else [answer[name]]:
        yield from _places(inner, rest)
