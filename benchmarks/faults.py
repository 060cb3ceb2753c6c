"""Hundreds of random bad days, each of which must end like a quiet one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import Options, Report, Table, say
from tests.runs.disturbed import KILLED, SHOP, live_through, plan_of
from tests.runs.hurried import Hurried, hurried

SUMMARY = "random faults and random SIGKILL: every one ends with the hashes of an undisturbed run"
ORDERS = SHOP.orders
ROUNDS = 200
NOTES = (
    "each trial draws one to three runs with faults of the shop and the network, and kills of the process, from its "
    "seed; after each run the published tables must be a state that the shop was in, and after a quiet run its own.",
    "one trial again: `python -m benchmarks faults --rounds 1 --seed SEED`. When the process dies is decided by the "
    "number of its events or of the files that it touches, or by its CPU time: a seed is nearly the same everywhere.",
)


def run(options: Options) -> Report:
    first = randbelow(1_000_000_000) if options.seed is None else options.seed
    seeds = range(first, first + (options.rounds or ROUNDS))
    say(f"seeds {seeds.start} to {seeds.stop - 1}")
    with hurried() as hurry:
        codes = {seed: _lived(seed, hurry) for seed in seeds}
    failed = [seed for seed, ended in codes.items() if ended is None]
    plans = [plan_of(seed, full=True) for seed in seeds]
    days = [day for plan in plans for day in plan.days]
    kinds = Counter(fault.kind for day in days for fault in day.faults)
    figures = {
        "trials": len(seeds),
        "first_seed": first,
        "failed_seeds": failed,
        "runs": len(days) + len(seeds),
        "killed": sum(code in KILLED for ended in codes.values() for code in ended or ()),
        "failed_runs": sum(code == 1 for ended in codes.values() for code in ended or ()),
    }
    ends = Counter(_place(day.end) for day in days if day.end)
    tables = (
        Table(("fault", "times drawn"), tuple(sorted(kinds.items()))),
        Table(("killed", "times drawn"), tuple(sorted(ends.items()))),
    )
    told = f"{len(seeds)} trials from seed {first}: {len(failed)} failed; {len(days)} disturbed runs, "
    told += f"of which {figures['killed']} were killed and {figures['failed_runs']} failed."
    return Report(SUMMARY, figures, tables, (told, *NOTES))


def _place(end: Mapping[str, Any]) -> str:
    if "file" in end:
        return f"before it touches a file: {end['file'].strip('/') or 'any'}"
    return "at an event" if "event" in end else "at a moment of its CPU time"


def _lived(seed: int, hurry: Hurried) -> tuple[int, ...] | None:
    """The exit codes of the disturbed runs; None where the trial failed."""
    with TemporaryDirectory(prefix="courier-faults-") as folder:
        try:
            return live_through(seed, Path(folder), hurry, full=True)
        except AssertionError as lost:
            say(f"FAILED {lost}")
            return None
