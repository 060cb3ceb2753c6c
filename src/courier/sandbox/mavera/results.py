"""What the respondents of a focus group said: per question an aggregate and a row for each of them.

Secondary sources only: aggregates, and persona, score and reasoning per respondent. Inferred: every name, and the form
of each type's aggregate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from courier.sandbox.mavera import draws
from courier.sandbox.mavera.store import Node

_RANGES = {"nps": (0, 10), "likert": (1, 5), "rating": (1, 5), "slider": (0, 100), "semantic_differential": (1, 7)}
OPTIONS = ("multiple_choice", "ranking", "matrix", "conjoint", "maxdiff")
TYPES = (*_RANGES, *OPTIONS, "yes_no", "open_ended")
_THEMES = ("price", "trust", "fit", "speed", "look")


def results(group: Node, personas: Mapping[str, str]) -> list[Node]:
    """personas: id -> name, who take turns as respondents. Always the same for the same group."""
    found = [_result(group, question, personas) for question in group["questions"]]
    if group.get("spoiled") == "missing_answer":
        found[0]["responses"].pop()
    elif group.get("spoiled") == "wrong_score":
        found[0]["responses"][0]["score"] = 99
    return found


def _result(group: Node, question: Node, personas: Mapping[str, str]) -> Node:
    order = list(personas.items())
    rows = [_row(group["id"], question, number, order) for number in range(group["sample_size"])]
    return {
        "question_id": question["id"],
        "question": question["text"],
        "type": question["type"],
        "aggregate": _aggregate(question["type"], rows),
        "responses": rows,
    }


def _row(group: str, question: Node, number: int, personas: Sequence[tuple[str, str]]) -> Node:
    identity, name = personas[number % len(personas)]
    answer, score = _answer(question, (group, question["id"], number))
    return {
        "respondent": number + 1,
        "persona_id": identity,
        "persona_name": name,
        "answer": answer,
        "score": score,
        "reasoning": f"As {name}, I look at {draws.one(_THEMES, group, number)} first.",
    }


def _answer(question: Node, what: tuple[object, ...]) -> tuple[Any, int | None]:
    """What is answered, and its score where the type has one."""
    kind = question["type"]
    if kind in _RANGES:
        score = draws.number(*_RANGES[kind], *what)
        return score, score
    if kind == "yes_no":
        return draws.one(("yes", "no"), *what), None
    if kind == "open_ended":
        return f"I care most about {draws.one(_THEMES, *what)}.", None
    if kind == "ranking":
        return draws.some(question["options"], len(question["options"]), *what), None
    return draws.one(question["options"], *what), None


def _aggregate(kind: str, rows: Sequence[Node]) -> Node:
    scores = [row["score"] for row in rows if row["score"] is not None]
    if kind == "nps":
        return {"count": len(rows), "mean": _mean(scores), **_promoters(scores)}
    if scores:
        return {"count": len(rows), "mean": _mean(scores), "distribution": _counts(scores)}
    if kind == "open_ended":
        return {"count": len(rows), "themes": _counts([row["answer"].rstrip(".").split()[-1] for row in rows])}
    first = [row["answer"][0] if isinstance(row["answer"], list) else row["answer"] for row in rows]
    return {"count": len(rows), "distribution": _counts(first)}


def _mean(scores: Sequence[int]) -> float:
    return round(sum(scores) / len(scores), 2)


def _counts(values: Sequence[Any]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))


def _promoters(scores: Sequence[int]) -> Node:
    high, low = sum(score >= 9 for score in scores), sum(score <= 6 for score in scores)
    promoters, detractors = round(100 * high / len(scores)), round(100 * low / len(scores))
    return {"promoters": promoters, "detractors": detractors, "nps": promoters - detractors}
