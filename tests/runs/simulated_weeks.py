"""Two weeks of two groups in some seconds: real processes, a real sandbox, and a clock that only moves when all sleep.

A seed decides when the shop changes, when it is away, which processes are killed, and when no scheduler is there. The
schedules are edited twice.
"""

from __future__ import annotations

import heapq
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from courier import sandbox
from courier.runtime.place import Place
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.faults import Fault
from courier.storage.warehouse import opened
from tests.runs.hurried import Hurried, hashes, told, write_shops_project
from tests.runs.recomputed import Account, CourierRun, FeedRun, GroupRun, Span
from tests.runs.simulated_time import Sleeper, Timekeeper
from tests.runtime.slow_clock import slow_fires

BEGIN = datetime(2026, 10, 24, 2, tzinfo=UTC)  # before the clocks change in Berlin, and then in New York
END = BEGIN + timedelta(days=14)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHOP = Options(customers=3, orders=6, products=3, special=False)
TABLES = ("order",)
SLACK = MINUTE  # it looks more often while anything runs, and at every fire
RETRIES = timedelta(minutes=2)  # of one request, and a poll
GROUPS = """
often:
  schedule: "0 7 * * *"
  timezone: Europe/Berlin
  couriers: { shopify: { wait: 20m } }
daily:
  schedule: "30 1 * * *"
  timezone: America/New_York
  couriers: { shopify: { offset: 24h, wait: 1h } }
  constraints: [{ group: often, offset: 20m, wait: 45m }]
"""
# By day of the simulation: the first while a scheduler is there, the second after two days without one.
EDITS = (
    (4, "offset: 20m, wait: 45m", "offset: 90m, wait: 40m"),
    (9, '"0 7 * * *"', '"20 6 * * 1,3,5"'),
)
AWAY_AT_EDIT = 1


@dataclass
class Happened:
    """What the seed did, for the checker and for a person."""

    versions: list[tuple[datetime, str]] = field(default_factory=lambda: [(BEGIN, GROUPS)])
    away: list[Span] = field(default_factory=list)
    down: list[Span] = field(default_factory=list)
    changes: int = 0
    killed_runs: int = 0
    killed_schedulers: int = 0


class Weeks:
    """The shop, the project and the clock; `live` goes through all of it."""

    def __init__(self, seed: int, root: Path, served: Sandbox, hurry: Hurried, time: Timekeeper) -> None:
        self._roll = Random(seed)
        self._root, self._served, self._hurry, self._time = root, served, hurry, time
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()
        self._scheduler: Sleeper | None = None
        self._down_since: datetime | None = None
        self._doomed: list[tuple[str, int]] = []  # who is to be killed, and after how many steps of a run
        self._errs: list[Path] = []
        self._fires = slow_fires("0 7 * * *", "Europe/Berlin", BEGIN, BEGIN + 7 * DAY)
        self._roll.shuffle(self._fires)
        self.happened = Happened()

    # What is going to happen

    def live(self) -> None:
        self._plan()
        self._start()
        self._go_on(END)
        self._quiet_end()

    def _at(self, instant: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (instant, next(self._numbers), what))

    def _plan(self) -> None:
        for _ in range(14):
            self._at(self._some_time(), self._change)
        for minutes, early in ((10, 2 * MINUTE), (10, -10 * SECOND), (50, 4 * MINUTE), (80, MINUTE)):
            self._plan_outage(minutes * MINUTE, early)
        for number in range(7):
            who = ("run", "run", "run", "scheduler", "both")[number % 5]
            at, steps = self._some_time(), self._roll.randrange(1, 22)
            self._at(at, partial(self._doomed.append, (who, steps)))
        for number, (day, old, new) in enumerate(EDITS):
            at = self._quiet_time(BEGIN + day * DAY)
            self._at(at, partial(self._edit, old, new))
            if number == AWAY_AT_EDIT:
                self._at(at - 49 * HOUR, self._stop)
                self._at(at + 30 * MINUTE, self._start)

    def _some_time(self) -> datetime:
        return BEGIN + self._roll.randrange(int((END - BEGIN) / MINUTE)) * MINUTE

    def _plan_outage(self, how_long: timedelta, early: timedelta) -> None:
        """One that begins so early before a fire of the group that others wait for, or in the middle of its run."""
        begin = self._fires.pop() - early
        self._at(begin, self._go_away)
        self._at(begin + how_long, self._come_back)

    def _quiet_time(self, day: datetime) -> datetime:
        """An hour far from any fire."""
        return day.replace(hour=12, minute=13)

    # How it happens

    def _go_on(self, until: datetime) -> None:
        while self._time.now() < until:
            one = self._time.next()
            self._notice_ended()
            planned = self._events[0][0] if self._events else until
            if one is None or one.wake is None or min(planned, until) <= one.wake:
                self._time.pass_to(min(planned, until))
                if planned <= until and self._events:
                    heapq.heappop(self._events)[2]()
            elif not self._is_struck(one):
                self._time.wake(one)

    def _is_struck(self, one: Sleeper) -> bool:
        """Whether its end has come before it could wake."""
        if one is self._scheduler or not self._doomed:
            return False
        who, steps = self._doomed[0]
        self._doomed[0] = who, steps - 1
        if steps > 1:
            return False
        self._doomed.pop(0)
        if who != "run":
            self._kill_scheduler()
        if who != "scheduler":
            self.happened.killed_runs += 1
            os.kill(one.pid, signal.SIGKILL)
            self._time.forget(one)
        return who != "scheduler"

    def _change(self) -> None:
        shop = self._served.shop
        number = len(shop.changes)
        shop.add({"kind": "change", "at": shop.seconds(), "orders": self._roll.randrange(1, 4), "number": number})
        self.happened.changes += 1

    def _go_away(self) -> None:
        self._served.faults.add(Fault("status", times=0, status=503))
        self.happened.away.append((self._time.now(), END + DAY))

    def _come_back(self) -> None:
        since, _ = self.happened.away[-1]
        self._served.faults.clear()
        self.happened.away[-1] = since, self._time.now()

    def _edit(self, old: str, new: str) -> None:
        file = self._root / "courier_groups.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")
        self.happened.versions.append((self._time.now(), text.replace(old, new, 1)))

    # Processes

    def _start(self) -> None:
        if self._scheduler is not None:
            return
        err = self._root.with_name(f"err{len(self._errs)}")
        self._errs.append(err)
        arguments = ["schedule", "start", "--json"]
        self._pid = self._hurry.leave(self._root, self._served, arguments, err, self._time.path)
        self._scheduler = self._time.expect()
        if self._down_since:
            self.happened.down.append((self._down_since, self._time.now()))
        self._down_since = None

    def _stop(self) -> None:
        if self._scheduler:
            os.kill(self._pid, signal.SIGTERM)

    def _kill_scheduler(self) -> None:
        if self._scheduler is None:
            return
        self.happened.killed_schedulers += 1
        os.kill(self._pid, signal.SIGKILL)
        self._time.forget(self._scheduler)
        self._notice_ended()
        self._at(self._time.now() + self._roll.choice((2, 30, 700)) * MINUTE, self._start)

    def _notice_ended(self) -> None:
        """The scheduler's end, whatever brought it."""
        if self._scheduler and self._scheduler not in self._time.sleepers:
            self._hurry.wait(self._pid)
            self._scheduler, self._down_since = None, self._time.now()

    def _quiet_end(self) -> None:
        """Nothing is wrong any more, and somebody runs a group by hand."""
        self._served.faults.clear()
        self._doomed.clear()
        self._start()
        self._go_on(END + 2 * HOUR)
        self._stop()
        self._go_on(END + 3 * HOUR)
        assert not self._time.sleepers, self.said()
        pid = self._hurry.leave(
            self._root, self._served, ["run", "--group", "often", "--json"], self._err("last"), self._time.path
        )
        self._time.expect()
        self._go_on(END + 5 * HOUR)
        assert self._hurry.wait(pid) == 0, self.said()

    def _err(self, name: str) -> Path:
        self._errs.append(self._root.with_name(name))
        return self._errs[-1]

    # What is left of it

    def said(self) -> str:
        return "\n".join(err.read_text("utf-8") for err in self._errs)

    @property
    def is_true(self) -> bool:
        return hashes(self._root) == told(self._served.shop, TABLES)

    def account(self) -> Account:
        place = Place(self._root, sandbox=False)
        down, away = self.happened.down, self.happened.away
        versions = tuple(self.happened.versions)
        groups, couriers = rows_of(place.history)
        feeds, coverage = _ledger(place)
        return Account(versions, groups, couriers, feeds, coverage, down, away, END, SLACK, RETRIES)


def rows_of(history: Path) -> tuple[list[GroupRun], list[CourierRun]]:
    with closing(sqlite3.connect(history)) as connection:
        connection.row_factory = sqlite3.Row
        groups = connection.execute("SELECT * FROM group_run ORDER BY rowid").fetchall()
        couriers = connection.execute("SELECT * FROM run ORDER BY rowid").fetchall()
    return [_group_run(dict(row)) for row in groups], [_courier_run(dict(row)) for row in couriers]


def _group_run(row: Mapping[str, Any]) -> GroupRun:
    scheduled, started, ended = (datetime.fromisoformat(row[name]) for name in ("scheduled", "started", "ended"))
    return GroupRun(
        row["run"], row["group"], scheduled, row["trigger"], started, ended, row["result"], bool(row["committed"])
    )


def _courier_run(row: Mapping[str, Any]) -> CourierRun:
    scheduled, started, ended = (datetime.fromisoformat(row[name]) for name in ("scheduled", "started", "ended"))
    return CourierRun(row["run"], row["courier"], row["group"], scheduled, started, ended, row["result"])


def _ledger(place: Place) -> tuple[list[FeedRun], dict[tuple[str, str], list[Any]]]:
    with opened(place.files) as connection:
        runs = connection.execute(
            "SELECT run, courier, feed, period_since, period_until, request_since, request_until"
            " FROM private.courier.feed_run"
        ).fetchall()
        spans = connection.execute("SELECT courier, feed, since, until FROM private.courier.coverage").fetchall()
    coverage: dict[tuple[str, str], list[Any]] = {}
    for courier, feed, since, until in spans:
        coverage.setdefault((courier, feed), []).append((since, until))
    return [FeedRun(run, courier, feed, (a, b), (c, d)) for run, courier, feed, a, b, c, d in runs], coverage


@contextmanager
def weeks(seed: int, folder: Path, hurry: Hurried, time: Timekeeper) -> Iterator[Weeks]:
    """Of a project in `folder`; courier's clock in this process is already the timekeeper's."""
    with sandbox.serve(sandbox.open_shop(folder / "shop", SHOP)) as served:
        root = folder / "project"
        write_shops_project(root, served, "pages", TABLES)
        (root / "courier_groups.yaml").write_text(GROUPS, "utf-8")
        yield Weeks(seed, root, served, hurry, time)
