"""Couriers as a model in memory: a source is a list of instants, a table the set of those that were loaded.

What a run asks for is planned by courier's own functions, and what it covers is merged by them. How long it takes, what
it waits for and what kills it is made up.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from courier import clock
from courier.clock import Interval
from courier.config.project import CourierGroup, Project
from courier.connectors import connector_named
from courier.runtime.group_run import Asked, decision_on, group_intentions
from courier.runtime.history import History
from courier.runtime.plan import FeedPlan, Intention, plan_feeds
from courier.runtime.run_name import name_of
from courier.storage import intervals
from tests.runs.recomputed import CourierRun, FeedRun, Span

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
POLL = timedelta(seconds=15)
KILLED, LONG = 0.03, 0.003  # of the runs: at any moment; those that others fire into
RETRIES = timedelta(minutes=1)


class Time:
    """The clock, and what is going to happen."""

    def __init__(self, begin: datetime) -> None:
        self.instant = begin
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._made = 0

    def at(self, instant: datetime, what: Callable[[], None]) -> None:
        self._made += 1
        heapq.heappush(self._events, (instant, self._made, what))

    def go_on(self, until: datetime) -> None:
        while self._events and self._events[0][0] <= until:
            instant, _, what = heapq.heappop(self._events)
            self.instant = max(self.instant, instant)
            what()
        self.instant = max(self.instant, until)


@dataclass
class Store:
    """One courier: its source, its tables, and who runs it.

    updates: when rows changed; shown: when the source shows it, later by less than the look-back
    """

    updates: Sequence[datetime]
    shown: Sequence[datetime]
    loaded: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    covered: dict[str, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    runner: Run | None = None
    queue: deque[Callable[[], None]] = field(default_factory=deque)

    def load(self, plan: FeedPlan, read_at: datetime) -> None:
        assert plan.request and plan.period
        first = bisect_left(self.updates, plan.request.since) if plan.request.since else 0
        last = bisect_left(self.updates, plan.request.until) if plan.request.until else len(self.updates)
        seen = (number for number in range(first, last) if self.shown[number] <= read_at)
        self.loaded[plan.feed.name].update(seen)
        self.covered[plan.feed.name] = intervals.merge([*self.covered[plan.feed.name], plan.period])

    def lost(self) -> int:
        """How many updates before the watermark no run has loaded."""
        return sum(self._lost_of(feed) for feed in self.covered)

    def _lost_of(self, feed: str) -> int:
        mark = intervals.watermark(self.covered[feed])
        # What was shown after the last run is for the next one.
        due = bisect_left(self.updates, mark - HOUR) if mark else 0
        return due - sum(number < due for number in self.loaded[feed])


@dataclass(eq=False)
class Run:
    """A run of a group: what subprocess.Popen is to the scheduler."""

    group: str
    scheduled: datetime
    pid: int
    name: str = ""
    code: int | None = None
    left: int = 0
    results: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.code


class World:
    """The sources, the tables, and the runs under way."""

    def __init__(
        self, roll: Random, time: Time, project: Project, stores: Mapping[str, Store], history: History
    ) -> None:
        self.roll, self.time, self.stores, self.history = roll, time, stores, history
        self.project = project
        self.running: dict[str, Run] = {}
        self.away: list[Span] = []
        self.courier_runs: list[CourierRun] = []
        self.feed_runs: list[FeedRun] = []
        self.kills = self.made = 0

    def start(self, group: str, scheduled: datetime) -> Run:
        self.made += 1
        run = self.running[group] = Run(group, scheduled, 10_000_000 + self.made)
        self.time.at(clock.now() + self.roll.randrange(1, 5) * SECOND, lambda: self._begin(run))
        if self.roll.random() < KILLED:
            self.time.at(clock.now() + self.roll.random() * 40 * MINUTE, lambda: self._kill(run))
        return run

    def _kill(self, run: Run) -> None:
        if run.code is None:
            self.kills += 1
            for store in self.stores.values():
                if store.runner is run:
                    self._free(store)
            self._over(run, -9)

    def _over(self, run: Run, code: int) -> None:
        run.code = code
        del self.running[run.group]

    def _begin(self, run: Run) -> None:
        if run.code is not None:
            return
        group, asked = self.project.groups[run.group], Asked(clock.now(), scheduled=run.scheduled)
        run.name = name_of(group.name, clock.now())
        written = (clock.rfc3339(run.scheduled), "schedule", clock.rfc3339(clock.now()))
        self.history.begin_group(run.name, group.name, *written, "")
        decision = decision_on(self.history, group, asked, clock.now())
        if decision.answer != "run":
            self._end(run, decision.answer, committed=False)
            return
        run.left = len(group.couriers)
        for intention in group_intentions(group, asked):
            self._take(run, group, intention)

    def _end(self, run: Run, result: str, *, committed: bool) -> None:
        now = clock.rfc3339(clock.now())
        self.history.end_group(run.name, now, result, "", "", {}, committed=committed)
        self._over(run, 0 if result in ("succeeded", "covered") else 1)

    # One courier

    def _take(self, run: Run, group: CourierGroup, intention: Intention) -> None:
        store = self.stores[intention.courier]
        if run.code is not None:
            self._next(store)
        elif store.runner is not None:
            store.queue.append(lambda: self._take(run, group, intention))
        else:
            store.runner = run
            self._ask(run, intention, clock.now(), self._planned(intention))

    def _planned(self, intention: Intention) -> tuple[FeedPlan, ...]:
        courier, store = self.project.couriers[intention.courier], self.stores[intention.courier]
        marks = {feed.name: intervals.watermark(store.covered[feed.name]) for feed in courier.feeds}
        return plan_feeds(courier, connector_named(courier.connector), intention, marks)

    def _ask(self, run: Run, intention: Intention, begun: datetime, plans: Sequence[FeedPlan]) -> None:
        """Read the source once it is there."""
        now = clock.now()
        if run.code is not None:
            return
        if self._is_away(now):
            if now + POLL > intention.scheduled + intention.wait:
                self._courier_over(run, intention, begun, "failed")
            else:
                self.time.at(now + POLL, lambda: self._ask(run, intention, begun, plans))
            return
        long = self.roll.choice((1, 2, 5, 5, 20, 90)) * MINUTE if self.roll.random() > LONG else 15 * HOUR
        self.time.at(now + long, lambda: self._commit(run, intention, begun, plans, now))

    def _is_away(self, now: datetime) -> bool:
        begun = bisect_right(self.away, now, key=lambda span: span[0])
        return begun > 0 and now < self.away[begun - 1][1]

    def _commit(
        self, run: Run, intention: Intention, begun: datetime, plans: Sequence[FeedPlan], read_at: datetime
    ) -> None:
        if run.code is not None:
            return
        name = name_of(intention.courier, begun)
        for plan in plans:
            if plan.period and plan.request and not plan.skipped:
                self.stores[intention.courier].load(plan, read_at)
                spans = [(one.since, one.until) for one in (plan.period, plan.request)]
                self.feed_runs.append(FeedRun(name, intention.courier, plan.feed.name, *spans))
        # Killed between commit and end: the next start finds that it has committed.
        wait = self.roll.randrange(3) * MINUTE
        self._record(name, run, intention, begun, "succeeded")
        self.time.at(clock.now() + wait, lambda: self._courier_over(run, intention, begun, "succeeded"))

    def _record(self, name: str, run: Run, intention: Intention, begun: datetime, result: str) -> None:
        values = (name, intention.courier, run.group, run.scheduled, begun, clock.now(), result)
        self.courier_runs.append(CourierRun(*values))

    def _courier_over(self, run: Run, intention: Intention, begun: datetime, result: str) -> None:
        if run.code is not None:
            return
        if result == "failed":
            self._record(name_of(intention.courier, begun), run, intention, begun, result)
        self._free(self.stores[intention.courier])
        run.left, run.results = run.left - 1, [*run.results, result]
        if not run.left:
            good = run.results.count("succeeded")
            told = "succeeded" if good == len(run.results) else "partial" if good else "failed"
            self._end(run, told, committed=told == "succeeded")

    def _free(self, store: Store) -> None:
        store.runner = None
        self._next(store)

    def _next(self, store: Store) -> None:
        if store.runner is None and store.queue:
            store.queue.popleft()()
