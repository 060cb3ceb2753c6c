"""Applies that are killed at random moments, and what every one of them must end like."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.activations.acted import COHORTS, Acted

KILLED = (-signal.SIGKILL, -signal.SIGALRM, -signal.SIGPROF)
STEPS = 48  # of an apply that makes three items
STATEMENTS = 200  # that it sends to a database, with those that make the journal
APPLY = ("--apply", "--yes", "--json")


@dataclass(frozen=True)
class Bad:
    """What is drawn from a seed: which activation, whether it updates what is there, and where its applies die."""

    name: str
    updates: bool
    ends: tuple[Mapping[str, Any], ...]


def bad_of(seed: int, *, database: bool = False) -> Bad:
    """database: the journal is in one, and a kill may come between two statements to it."""
    roll = Random(seed)
    name = roll.choice(("buyers", "buyers", "texts", "answers"))
    updates = name == "buyers" and roll.random() < 0.3
    return Bad(name, updates, tuple(_end(roll, database) for _ in range(roll.choice((1, 1, 2, 3)))))


def _end(roll: Random, database: bool) -> Mapping[str, Any]:
    kind = roll.choice(("step", "step", "soon after", "soon after", "file", "cpu"))
    if database and kind in ("step", "file"):
        return {"statement": roll.randint(1, STATEMENTS)}
    if kind == "file":
        return {"file": roll.choice((".duckdb", "activations.db", "")), "nth": roll.randint(1, 4)}
    if kind == "cpu":
        return {"cpu": roll.uniform(0.02, 0.5)}
    seconds = 0.0 if kind == "step" else roll.choice((0.001, 0.004, 0.015)) * roll.random()
    return {"step": roll.randint(1, STEPS), "seconds": seconds}


def live_through(seed: int, acted: Acted) -> tuple[int, ...]:
    """The exit codes of the disturbed applies. Raises AssertionError where the end is not an undisturbed one's."""
    bad = bad_of(seed, database=bool(acted.url))
    acted.fresh()
    if bad.updates:
        acted.apply(bad.name)
        _edit(acted)
    codes = tuple(acted.courier("activate", bad.name, *APPLY, end=end).code for end in bad.ends)
    try:
        assert set(codes) <= {0, 1, *KILLED}, codes
        _judge(acted, bad)
    except AssertionError as lost:
        raise AssertionError(f"seed {seed}, {bad}, ended {codes}: {lost}") from lost
    return codes


def _edit(acted: Acted) -> None:
    """Somebody's edits, which an apply sets back."""
    for persona in acted.mavera.personas:
        if persona["name"].startswith("Buyer "):
            acted.mavera.edit_persona(persona["id"], description="edited by hand")


def _judge(acted: Acted, bad: Bad) -> None:
    last = acted.courier("activate", bad.name, *APPLY)
    if bad.name == "answers":
        _judge_answers(acted, last.code)
    else:
        assert last.code == 0, last.err
        assert _made(acted, bad.name) == dict.fromkeys(COHORTS, 1), _made(acted, bad.name)
        counted = sum(run.credits for run in acted.journal(bad.name).runs(bad.name))
        assert counted == acted.charged, (counted, acted.charged)
        assert len(acted.mavera.charges) == len(COHORTS)
    if bad.name == "buyers":
        assert acted.charged == 300 * len(COHORTS)
        assert not any(persona["description"] == "edited by hand" for persona in acted.mavera.personas)
    _judge_journal(acted, bad.name)


def _made(acted: Acted, name: str) -> dict[str, int]:
    """Cohort -> how many of it are there."""
    if name == "buyers":
        names = [one["name"].removeprefix("Buyer ") for one in acted.mavera.personas]
    else:
        names = [one["title"].split()[1] for one in acted.mavera.things("generation")]
    found = Counter(names)
    return {cohort: found[cohort] for cohort in COHORTS}


def _judge_answers(acted: Acted, code: int) -> None:
    """At most once each; what cannot be told is unknown, and nothing else is left."""
    sent = Counter(one.body for one in acted.mavera.received if one.method == "POST")
    assert set(sent.values()) <= {1}, sent.values()
    states = Counter(one.state for one in acted.journal("answers").known("answers").values())
    assert states["done"] + states["unknown"] == len(COHORTS), states
    assert code == (1 if states["unknown"] else 0)
    again = acted.courier("activate", "answers", *APPLY, "--retry-unknown")
    assert again.code == 0, again.err


def _judge_journal(acted: Acted, name: str) -> None:
    """Nothing is open, and nothing was received that is not in the egress log; another plan has nothing to do."""
    journal = acted.journal(name)
    assert journal.open_intents(name) == []
    assert all(run.ended for run in journal.runs(name))
    with journal.opened() as connection:
        logged = Counter(row["body"] for row in connection.execute("SELECT body FROM egress"))
    received = Counter(one.body.decode() for one in acted.mavera.received if one.body)
    assert received <= logged, received - logged
    plan = acted.plan(name).plan
    assert {item.action for item in plan.items} == {"unchanged"} and plan.credits == (0, 0), plan.items
