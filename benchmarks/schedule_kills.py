"""A hundred schedulers and runs that are killed: every one ends as an undisturbed one would have."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory

from benchmarks.report import Options, Report, Table, say
from tests.runs.hurried import SHOP, Hurried, hurried
from tests.runs.scheduled import Fired, fired, live_through

SUMMARY = "random SIGKILL of the scheduler and of its runs: the same tables, no run twice, nothing left behind"
ORDERS = SHOP.orders
ROUNDS = 50  # about two kills each
NOTES = (
    "each trial is one fire of a group, in which one to three times the scheduler, the run, or both are killed at a "
    "random moment. In the end exactly one run has succeeded, the tables have the hashes of an undisturbed run, no "
    "process is left and no lock is held.",
)


def run(options: Options) -> Report:
    first = randbelow(1_000_000_000) if options.seed is None else options.seed
    seeds = range(first, first + (options.rounds or ROUNDS))
    say(f"seeds {seeds.start} to {seeds.stop - 1}")
    with TemporaryDirectory(prefix="courier-kills-") as folder, hurried() as hurry, fired(Path(folder), hurry) as shop:
        found = {seed: _lived(seed, Path(folder) / str(seed), shop, hurry) for seed in seeds}
    failed = [seed for seed, targets in found.items() if targets is None]
    kills = Counter(target for targets in found.values() for target in targets or ())
    told = f"{len(seeds)} trials from seed {first}: {len(failed)} failed; {sum(kills.values())} kills."
    figures = {"trials": len(seeds), "first_seed": first, "failed_seeds": failed, "kills": sum(kills.values())}
    return Report(SUMMARY, figures, (Table(("killed", "times"), tuple(sorted(kills.items()))),), (told, *NOTES))


def _lived(seed: int, folder: Path, shop: Fired, hurry: Hurried) -> tuple[str, ...] | None:
    try:
        return live_through(seed, folder / "project", shop, hurry)
    except AssertionError as lost:
        say(f"FAILED {seed}: {lost}")
        return None
