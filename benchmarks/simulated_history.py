"""A year of fifty groups in five zones, with outages, kills, absences and edits, judged from its YAML and history."""

from __future__ import annotations

import time as real_time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from secrets import randbelow
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from benchmarks.modelled_runs import MINUTE, RETRIES, Run, Store, Time, World
from benchmarks.report import Options, Report, Table, say
from courier import clock
from courier.cli.init import write_project
from courier.config.load import load_project
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.runtime.scheduler import daemon, runs
from courier.runtime.scheduler.events import Event
from courier.runtime.scheduler.files import Found
from courier.runtime.scheduler.launch import Alive, Launched
from tests.runs.recomputed import Account, Span, wrong_with
from tests.runs.simulated_weeks import rows_of
from tests.runtime.slow_clock import slow_fires

SUMMARY = "a simulated year: outages, kills, absences, edits; no update, fire or period is lost or doubled"
ORDERS = 1
GROUPS = 50
DAY = timedelta(days=1)
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
BUSY_SECONDS, IDLE_SECONDS = 480.0, 600.0  # between looks, of simulated time
SLACK = timedelta(seconds=2 * IDLE_SECONDS + 60)
SCHEDULES = {
    "UTC": ("0 */6 * * *", "20 4 * * *"),
    "America/New_York": ("30 1 * * *", "0 */4 * * *"),
    "Europe/Berlin": ("30 2 * * *", "15 7,19 * * 1-5"),
    "Asia/Kolkata": ("45 23 * * *", "10 */8 * * *"),
    "Australia/Lord_Howe": ("45 1 * * *", "*/30 2 * * *"),
}
ZONES = tuple(SCHEDULES)
FEEDS = "feeds:\n  order:\n  customer: { every: 20h }\n  locations: { load: truncate }\n"
NOTES = (
    "the scheduler, its memory on disk, the history, decisions, plans and coverage are courier's own; files are read "
    "again when they are edited. Processes are a model in memory: a source is a list of instants at which rows were "
    "updated and later shown, a table the set of those that a run has read.",
    "the checker finds every fire minute by minute and shares no code with what it judges: each fire is dealt with "
    "once or overtaken by a later one; what ran had what it waited for, what was blocked had not; a run failed only "
    "where its source stayed away for longer than `wait`; the periods of each feed tile from the beginning to the end.",
)


class Killed(BaseException):
    """The scheduler is no more."""


def run(options: Options) -> Report:
    first = randbelow(1_000_000_000) if options.seed is None else options.seed
    seeds = range(first, first + (options.rounds or 1))
    rows, failed = [], []
    for seed in seeds:
        say(f"seed {seed}")
        with TemporaryDirectory(prefix="courier-year-", dir=_memory()) as folder:
            year = Year(seed, Path(folder), options.groups or GROUPS)
            begin = real_time.monotonic()
            found = year.live()
            year.figures["seconds"] = round(real_time.monotonic() - begin)
        for line in found[:20]:
            say(f"FAILED {seed}: {line}")
        failed += [seed] if found else []
        rows += [(str(seed), name, count) for name, count in year.figures.items()]
    figures = {"first_seed": first, "failed_seeds": failed, "years": [list(row) for row in rows]}
    told = f"{len(seeds)} year of {options.groups or GROUPS} groups from seed {first}: {len(failed)} failed."
    return Report(SUMMARY, figures, (Table(("seed", "what", "how many"), tuple(rows)),), (told, *NOTES))


def _memory() -> str | None:
    """A disk in memory if there is one: what is measured is not the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


class Year:
    def __init__(self, seed: int, folder: Path, groups: int) -> None:
        self.roll, self.time = Random(seed), Time(BEGIN)
        self.root, self.count = folder / "project", groups
        self.place = Place(self.root, sandbox=False)
        self.choices = [self.roll.randrange(2) for _ in range(groups)]
        self.waits = [self.roll.choice((1, 2, 3)) for _ in range(groups)]
        self.stamp, self.text = 0, ""
        self.versions: list[tuple[datetime, str]] = []
        self.down: list[Span] = []
        self.figures: dict[str, Any] = {}
        self.told: Counter[str] = Counter()
        self.doomed = False
        self.couriers = max(1, groups * 4 // 5)

    def live(self) -> list[str]:
        """What is wrong with it."""
        write_project(self.root)
        template = self.root / "couriers" / "shopify.yaml"
        head = template.read_text("utf-8").partition("feeds:\n")[0]
        head = head.replace("connector: shopify\n", "connector: shopify\ndomain_tables: shopify\n", 1)
        template.unlink()
        for number in range(self.couriers):
            (self.root / "couriers" / f"c{number}.yaml").write_text(head + FEEDS, "utf-8")
        self._write()
        stores = {f"c{number}": self._store() for number in range(self.couriers)}
        project = load_project(self.root).project
        assert project, load_project(self.root).problems
        with self._replaced():
            self.world = World(self.roll, self.time, project, stores, History(self.place.history))
            self._plan()
            self._schedule()
        say("judging")
        return [*self._lost(stores), *wrong_with(self._account(stores), fast_fires)]

    def _store(self) -> Store:
        seconds = int((END - BEGIN).total_seconds())
        updates = sorted(BEGIN + timedelta(seconds=self.roll.randrange(seconds)) for _ in range(3000))
        return Store(updates, [at + self.roll.random() * 14 * MINUTE for at in updates])

    # The files

    def _write(self) -> None:
        self.text = "".join(self._group(number) for number in range(self.count))
        (self.root / "courier_groups.yaml").write_text(self.text, "utf-8")
        self.stamp += 1

    def _group(self, number: int) -> str:
        zone = ZONES[number % len(ZONES)]
        couriers = {number % self.couriers, (number * 7 + 3) % self.couriers}
        members = ", ".join(
            f"c{one}: {{ offset: {number % 3}h, wait: {10 + number % 40}m }}" for one in sorted(couriers)
        )
        text = f'g{number}:\n  schedule: "{SCHEDULES[zone][self.choices[number]]}"\n  timezone: {zone}\n'
        text += f"  couriers: {{ {members} }}\n"
        if number % 5 < 3:
            return text
        wait = self.waits[number]
        return text + f"  constraints: [{{ group: g{number - 2}, offset: {6 * wait}h, wait: {wait}h }}]\n"

    def _edit(self) -> None:
        number = self.roll.randrange(self.count)
        if self.roll.random() < 0.5:
            self.choices[number] = 1 - self.choices[number]
        else:
            self.waits[number] = self.roll.choice((1, 2, 3))
        self._write()

    def _read(self, root: Path) -> Found:
        found = load_project(root)
        assert found.project, found.problems
        self.world.project = found.project
        return Found(found.project.groups, (), {})

    # What happens

    def _plan(self) -> None:
        for _ in range(60):
            self.time.at(self._some_time(), self._edit)
        for _ in range(150):
            self.time.at(self._some_time(), self._doom)
        outages = sorted(self._some_time() for _ in range(300))
        for since in outages:
            long = self.roll.choice((3, 8, 20, 45, 120, 600)) * MINUTE
            if not self.world.away or self.world.away[-1][1] < since:
                self.world.away.append((since, since + long))

    def _some_time(self) -> datetime:
        return BEGIN + self.roll.random() * (END - BEGIN)

    def _doom(self) -> None:
        self.doomed = True

    def _sleep(self, seconds: float) -> None:
        self.time.go_on(self.time.instant + timedelta(seconds=seconds))
        if (self.doomed and self.roll.random() < 0.5) or self.time.instant >= END:
            raise Killed

    def _report(self, event: Event) -> None:
        """Also where it is killed in the middle of a turn."""
        kind = type(event).__name__
        self.told[kind] += 1
        if kind in ("Ready", "Reloaded") and (not self.versions or self.versions[-1][1] != self.text):
            self.versions.append((event.at, self.text))
        if self.doomed and self.roll.random() < 0.3:
            raise Killed

    def _schedule(self) -> None:
        """One scheduler after the other; between two of them nobody is there."""
        while self.time.instant < END:
            self.doomed = False
            settings = daemon.Settings(12, 0.0)
            try:
                daemon.Scheduler(self.place, self._read, self._report, settings, lambda row: None).run()
            except Killed:
                since = self.time.instant
            self.time.go_on(since + self.roll.choice((1, 5, 60, 600, 3000)) * MINUTE)
            self.down.append((since, self.time.instant))

    @contextmanager
    def _replaced(self) -> Iterator[None]:
        """Time, files and processes are the model's; everything else of the scheduler is its own."""
        with ExitStack() as stack:

            def put(owner: Any, name: str, value: Any) -> None:
                stack.enter_context(patch.object(owner, name, value))

            put(clock, "now", lambda: self.time.instant)
            put(clock, "sleep", self._sleep)
            put(daemon, "BUSY_SECONDS", BUSY_SECONDS)
            put(daemon, "IDLE_SECONDS", IDLE_SECONDS)
            put(daemon, "quick_stamp", lambda root: self.stamp)
            put(daemon, "read_apart", lambda read, root: read(root))
            put(daemon, "say_alive", lambda place, state: None)
            put(runs, "launch", self._launch)
            for module in (runs, daemon):
                put(module, "is_group_running", lambda place, group: False)
                put(module, "alive", self._alive)
            yield

    def _launch(self, place: Place, group: str, scheduled: datetime) -> Launched | None:
        if group in self.world.running:
            return None
        return Launched(self.world.start(group, scheduled), 0)

    def _alive(self, place: Place, group: str) -> Alive | None:
        run: Run | None = self.world.running.get(group)
        return Alive(run.pid, run.scheduled) if run else None

    # What is left of it

    def _lost(self, stores: dict[str, Store]) -> list[str]:
        lost = {name: store.lost() for name, store in stores.items()}
        return [f"{name}: {count} updates were never loaded" for name, count in lost.items() if count]

    def _account(self, stores: dict[str, Store]) -> Account:
        groups, _ = rows_of(self.place.history)
        world = self.world
        results = Counter(f"runs {row.result}" for row in groups)
        events = {name: self.told[name] for name in ("Missed", "Collapsed", "Queued", "Waiting", "Adopted", "Reloaded")}
        self.figures = {
            "groups": self.count,
            "couriers": self.couriers,
            "updates": sum(len(store.updates) for store in stores.values()),
            "schedulers killed": len(self.down),
            "runs of groups killed": world.kills,
            "outages": len(world.away),
            **dict(sorted(results.items())),
            "runs of couriers": len(world.courier_runs),
            "couriers that failed": sum(row.result == "failed" for row in world.courier_runs),
            **{f"told {name}": count for name, count in events.items()},
        }
        coverage = {
            (name, feed): [(span.since, span.until) for span in spans]
            for name, store in stores.items()
            for feed, spans in store.covered.items()
            if spans
        }
        versions = [(BEGIN, self.versions[0][1]), *self.versions[1:]]
        rows = (tuple(versions), groups, world.courier_runs, world.feed_runs, coverage, self.down, world.away)
        return Account(*rows, END - 3 * DAY, SLACK, RETRIES)


@cache
def _whole_year(cron: str, zone: str) -> list[datetime]:
    return slow_fires(cron, zone, BEGIN, END)


def fast_fires(cron: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """Those of the slow clock, which goes through a year of minutes once per schedule."""
    found = _whole_year(cron, zone)
    return found[bisect_right(found, after) : bisect_right(found, until)]
