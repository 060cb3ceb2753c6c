"""Hundreds of random bad days, each of which must end like a quiet one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory

from benchmarks.report import Options, Report, Table, say
from tests.runs.disturbed import SHOP, live_through, plan_of
from tests.runs.hurried import Hurried, hurried

SUMMARY = "random faults and random SIGKILL: every one ends with the hashes of an undisturbed run"
ORDERS = SHOP.orders
ROUNDS = 200
NOTES = (
    "each trial draws one to three runs with faults of the shop and the network, and kills of the process, from its "
    "seed; after each run the published tables must be a state that the shop was in, and after a quiet run its own.",
    "one trial again: `python -m benchmarks faults --rounds 1 --seed SEED`. When the process dies is decided by the "
    "number of its events or of the files that it touches, or by its CPU time: a seed is nearly the same trial everywhere.",
)


def run(options: Options) -> Report:
    first = randbelow(1_000_000_000) if options.seed is None else options.seed
    seeds = range(first, first + (options.rounds or ROUNDS))
    say(f"seeds {seeds.start} to {seeds.stop - 1}")
    with hurried() as hurry:
        failed = [seed for seed in seeds if not _lived(seed, hurry)]
    plans = [plan_of(seed, full=True) for seed in seeds]
    days = [day for plan in plans for day in plan.days]
    kinds = Counter(fault.kind for day in days for fault in day.faults)
    figures = {
        "trials": len(seeds),
        "first_seed": first,
        "failed_seeds": failed,
        "runs": len(days) + len(seeds),
        "kills": sum(1 for day in days if day.end),
    }
    table = Table(("fault", "times drawn"), tuple(sorted(kinds.items())))
    told = f"{len(seeds)} trials from seed {first}: {len(failed)} failed; {len(days)} disturbed runs."
    return Report(SUMMARY, figures, (table,), (told, *NOTES))


def _lived(seed: int, hurry: Hurried) -> bool:
    with TemporaryDirectory(prefix="courier-faults-") as folder:
        try:
            live_through(seed, Path(folder), hurry, full=True)
        except AssertionError as lost:
            say(f"FAILED {lost}")
            return False
    return True
