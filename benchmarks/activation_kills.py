"""Hundreds of applies that are killed: every one ends as an undisturbed one would have."""

from __future__ import annotations

from collections import Counter
from secrets import randbelow

from benchmarks.report import Options, Report, Table, say
from tests.activations.acted import SHOP, Acted, acting
from tests.activations.killed import KILLED, bad_of, live_through
from tests.runs.hurried import hurried

SUMMARY = "random SIGKILL of applies of activations: the same personas, texts and credits; answers at most once"
ORDERS = SHOP.orders
ROUNDS = 200
NOTES = (
    "each trial is an apply that makes three personas, three texts or three answers, or sets edited personas back. One "
    "to three times its process dies: as it opens the journal or sends a request, up to 15 ms later, as it touches a "
    "file, or at a moment of its CPU time. The next apply must end as an undisturbed one: every item once, the credits "
    "of the journal those that the account charged, every body that arrived in the egress log, nothing left to do. "
    "Answers, which cannot be searched for, arrive at most once, and are `unknown` where nobody can tell.",
    "one trial again: `python -m benchmarks activation_kills --rounds 1 --seed SEED`.",
)


def run(options: Options) -> Report:
    first = randbelow(1_000_000_000) if options.seed is None else options.seed
    seeds = range(first, first + (options.rounds or ROUNDS))
    say(f"seeds {seeds.start} to {seeds.stop - 1}")
    with hurried() as hurry, acting(options.work / "project", hurry) as acted:
        found = {seed: _lived(seed, acted) for seed in seeds}
    failed = [seed for seed, codes in found.items() if codes is None]
    killed = sum(code in KILLED for codes in found.values() for code in codes or ())
    kinds = Counter("set back" if bad_of(seed).updates else bad_of(seed).name for seed in seeds)
    told = f"{len(seeds)} trials from seed {first}: {len(failed)} failed; {killed} applies were killed."
    figures = {"trials": len(seeds), "first_seed": first, "failed_seeds": failed, "kills": killed}
    return Report(SUMMARY, figures, (Table(("activation", "trials"), tuple(sorted(kinds.items()))),), (told, *NOTES))


def _lived(seed: int, acted: Acted) -> tuple[int, ...] | None:
    try:
        return live_through(seed, acted)
    except AssertionError as lost:
        say(f"FAILED {lost}")
        return None
