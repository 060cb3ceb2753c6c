"""Answers that are to be JSON: how that is asked for in words, and what is wrong with one that came. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from courier.activations.contract import Item
from courier.activations.mavera.verdict import breaches, false_evidence, false_figures, false_sums, schema_problem
from courier.config.activation import Contract

_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", re.DOTALL)


def in_words(contract: Contract) -> str:
    """What must hold of the answer beside its schema, one sentence a line; empty where nothing does."""
    rows = [
        f"{path} has one element for each row of the data, which repeats {', '.join(columns)} of the row unchanged."
        for path, columns in contract.rows.items()
    ]
    sums = [f"The numbers at {path} add up to {total:g}." for path, total in contract.sums.items()]
    return "\n".join([*rows, *sums])


def schema_in_words(contract: Contract) -> str:
    """For a surface that has no field for a schema."""
    if contract.schema is None:
        return ""
    schema = orjson.dumps(contract.schema).decode()
    return f"Answer with one JSON object and nothing else. It keeps to this JSON Schema:\n{schema}"


def with_words(text: str, *words: str) -> str:
    """A text with what is asked for at its end; as it is where nothing is."""
    asked = [one for one in words if one]
    return "\n\n".join([text.rstrip(), *asked]) if asked else text


def mistakes(contract: Contract) -> Iterator[str]:
    """What is wrong with the contract itself."""
    if contract.schema is not None:
        if problem := schema_problem(contract.schema):
            yield problem
    elif contract.evidence or contract.sums or contract.rows:
        yield "`evidence` and `checks` read an answer by a `schema`, and there is none"


def judged(text: str, contract: Contract, item: Item) -> tuple[Any, list[str]]:
    """The answer as JSON, or as the text that it is, and everything that is wrong with it. A fence around it is none
    of its own: language models like to put one there."""
    if contract.schema is None:
        return text, []
    fenced = _FENCED.fullmatch(text)
    try:
        answer = orjson.loads(fenced.group(1) if fenced else text)
    except orjson.JSONDecodeError:
        return text, ["the answer is not JSON"]
    return answer, [
        *breaches(answer, contract.schema),
        *false_evidence(answer, item.evidence),
        *false_figures(answer, item.figures),
        *false_sums(answer, contract.sums),
    ]
