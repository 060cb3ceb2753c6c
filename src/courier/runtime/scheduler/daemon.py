"""The scheduler: takes fires in, asks `decide`, starts a process for each run, and notices how it ends.

Everything that it must not forget is on disk before it acts on it, so it can be killed at any moment.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from courier import clock
from courier.config.project import CourierGroup
from courier.errors import CourierError
from courier.runtime.decide import PastRun, fix_of_blocked, looked_at_since
from courier.runtime.history import History, PastGroupRun
from courier.runtime.place import Place, is_group_running
from courier.runtime.scheduler import events
from courier.runtime.scheduler.endings import Endings
from courier.runtime.scheduler.files import Found, Read, quick_stamp, read_apart
from courier.runtime.scheduler.holding import BEAT_SECONDS, SchedulerState, say_alive
from courier.runtime.scheduler.in_hand import REWOUND, done, look, take_in
from courier.runtime.scheduler.launch import alive, last_problem
from courier.runtime.scheduler.records import record, record_killed
from courier.runtime.scheduler.runs import Running, Runs
from courier.runtime.scheduler.standings import Standings
from courier.runtime.scheduler.timetable import Timetable

BUSY_SECONDS, IDLE_SECONDS = 0.25, 1.0  # between looks at runs, and at the clock
FILES_SECONDS = 3.0  # between looks at the project's files
MOST_KILLS = 5  # of one fire's runs: what is killed as often will be killed again

Hook = Callable[[PastGroupRun], None]
"""Gets the runs of which no process has told anything: blocked ones, and those that died."""


@dataclass(frozen=True)
class Settings:
    """most: runs of groups at once; grace: seconds that runs may take to end when the scheduler stops."""

    most: int
    grace: float


class Scheduler:
    """Of one place. `ended` is called for every run of the schedule that is over and has no process that told so."""

    def __init__(self, place: Place, read: Read, report: events.Report, settings: Settings, ended: Hook) -> None:
        self._place, self._read, self._report = place, read, report
        self._settings, self._ended = settings, ended
        self._history = History(place.history)
        self._endings = Endings(place.history)
        self._table = Timetable(Standings(place.state / "scheduler.db"))
        self._runs = Runs(place)
        self._configs: Mapping[str, str] = {}
        self._waiting: dict[str, str] = {}  # group -> what it was last said to wait for
        self._ready: list[tuple[datetime, str]] = []  # a heap of fires that wait for a place
        self._stops = 0
        self._since = self._now = clock.now()
        self._beat = self._looked = datetime.min.replace(tzinfo=self._now.tzinfo)
        self._stamp = self._seen = quick_stamp(place.root)

    def stop(self) -> None:
        """No new runs; called twice: do not wait for those under way either. For signal handlers."""
        self._stops += 1

    def run(self) -> None:
        """Until it is stopped. Raises ProblemsFound where the project's files cannot be used from the start."""
        found = read_apart(self._read, self._place.root)
        if found.groups is None:
            raise ProblemsFound(found)
        self._configs = found.configs or {}
        self._table.apply(found.groups, clock.now())
        self._settle()
        self._turn(clock.now())
        self._say(events.Ready, pid=os.getpid(), groups=len(self._table.groups), next=self._table.next_time())
        while not self._stops:
            clock.sleep(self._pause())
            self._turn(clock.now())
        self._end()

    # What was under way when an earlier scheduler ended

    def _settle(self) -> None:
        for run in self._endings.unfinished():
            row = self._history.find_group(run)
            if row and not self._is_running(row.group):
                record_killed(self._history, row)
        in_hand = list(self._table.in_hand())
        latest = self._endings.latest(in_hand)
        for name, scheduled in in_hand:
            if self._runs.adopt(name, scheduled):
                self._say(events.Adopted, group=name, scheduled=scheduled)
            elif name in latest:
                self._settle_one(name, scheduled, latest[name])

    def _is_running(self, group: str) -> bool:
        return is_group_running(self._place, group) or alive(self._place, group) is not None

    def _settle_one(self, name: str, scheduled: datetime, run: str) -> None:
        """It ended while nobody looked, or is to be asked again."""
        row = self._history.find_group(run)
        if row and (row.result not in ("killed", "interrupted") or self._is_hopeless(row)):
            self._finish(name, scheduled, row)

    # One turn

    def _turn(self, now: datetime) -> None:
        if now < self._now - REWOUND:
            self._table.rewind(now)
        self._now = now
        for name, running, code in self._runs.ended():
            self._run_ended(name, running, code)
        for name in self._endings.look():
            for follower in (name, *self._table.waited_for.get(name, ())):
                if follower in self._waiting:
                    self._table.look_at(follower, now)
        self._follow_files(now)
        self._look_at(self._table.due(now), now)
        self._fill_places(now)
        self._show_alive(now)

    def _look_at(self, names: Iterable[str], now: datetime) -> None:
        in_hand = [(hand, name) for name in names if (hand := self._take_in(name, now))]
        self._table.save()
        free = {name: hand for hand, name in sorted(in_hand) if name not in self._runs}
        past = self._endings.counting({name: _looked_at(self._table.groups[name], hand) for name, hand in free.items()})
        for name in free:
            if not self._stops:
                self._ask(name, now, past[name])
        self._table.save()

    def _take_in(self, name: str, now: datetime) -> datetime | None:
        """Take the group's fires in; the one in hand, if there is one."""
        before = self._table[name]
        taken = take_in(self._table.groups[name], before, now)
        self._table.look_at(name, taken.next)
        if taken.standing != before:
            self._table.put(name, taken.standing)
        if taken.fire:
            self._tell_taken(name, taken.fire, before.upto if taken.missed else None, taken.collapsed)
            if taken.standing.queued:
                self._say(events.Queued, group=name, scheduled=taken.fire)
        return taken.standing.hand

    def _tell_taken(self, name: str, fire: datetime, since: datetime | None, collapsed: datetime | None) -> None:
        if since:
            self._say(events.Missed, group=name, scheduled=fire, since=since)
        if collapsed:
            self._say(events.Collapsed, group=name, scheduled=collapsed, into=fire)

    def _ask(self, name: str, now: datetime, past: Sequence[PastRun]) -> None:
        """Do about the fire in hand what is to be done now."""
        group, standing = self._table.groups[name], self._table[name]
        if standing.hand is None:
            return
        found = look(group, standing, now, past)
        if found.again:
            upcoming = self._table.time_of(name)
            self._table.look_at(name, min(found.again, upcoming) if upcoming else found.again)
        if found.answer == "wait":
            self._wait(name, standing.hand, found.reason)
            return
        self._waiting.pop(name, None)
        if found.answer == "run":
            heapq.heappush(self._ready, (standing.hand, name))
            self._fill_places(now)
        elif found.answer != "idle":
            problem, fix = (found.reason, fix_of_blocked(group)) if found.answer == "blocked" else ("", "")
            row = self._record(name, standing.hand, found.answer, problem, fix)
            self._finish(name, standing.hand, row, told=False)

    def _wait(self, name: str, scheduled: datetime, reason: str) -> None:
        if self._waiting.get(name) != reason:
            self._waiting[name] = reason
            self._say(events.Waiting, group=name, scheduled=scheduled, reason=reason)

    def _fill_places(self, now: datetime) -> None:
        """Start what may run, the earliest fire first. Raises OSError where the machine has no room for a process."""
        while self._ready and len(self._runs) < self._settings.most and not self._stops:
            scheduled, name = heapq.heappop(self._ready)
            if name in self._table and name not in self._runs and self._table[name].hand == scheduled:
                self._start(name, scheduled)

    def _start(self, name: str, scheduled: datetime) -> None:
        self._table.save()
        found = self._runs.start(name, scheduled, self._endings.latest([(name, scheduled)]).get(name))
        if found.pid is not None:
            self._say(events.Started, group=name, scheduled=scheduled, pid=found.pid)

    # How runs end

    def _run_ended(self, name: str, running: Running, code: int | None) -> None:
        self._table.look_at(name, self._now) if name in self._table else None
        if running.scheduled is None:
            return
        found = row = self._row_of(name, running)
        if row is None and code is not None:
            row = self._record_traceless(name, running, code)
        elif row and row.ended is None:
            row = record_killed(self._history, row)
        if row is None or self._goes_on(row):
            return
        self._finish(name, running.scheduled, row, told=row is found)

    def _row_of(self, name: str, running: Running) -> PastGroupRun | None:
        assert running.scheduled is not None
        run = self._endings.latest([(name, running.scheduled)]).get(name)
        return self._history.find_group(run) if run and run != running.before else None

    def _record_traceless(self, name: str, running: Running, code: int) -> PastGroupRun | None:
        """A process that ended before the run had begun: wrong files, a missing credential, a kill."""
        assert running.scheduled is not None
        if code in (130, -2) or name not in self._table:
            return None
        if code < 0:
            return self._record(name, running.scheduled, "killed", f"its process was killed by signal {-code}", "")
        problem, fix = last_problem(self._place, name, running.log_from)
        said = problem or f"it ended with exit code {code} before it began; its log says more"
        return self._record(name, running.scheduled, "failed", said, fix or "courier validate")

    def _goes_on(self, row: PastGroupRun) -> bool:
        """Whether the fire stays in hand: it was killed, or we are stopping."""
        if row.result == "interrupted":
            return bool(self._stops)
        if row.result != "killed" or self._is_hopeless(row):
            return False
        self._tell_ended(row)
        return True

    def _is_hopeless(self, row: PastGroupRun) -> bool:
        killed = self._endings.killed(row.group, datetime.fromisoformat(row.scheduled))
        return row.result == "killed" and killed >= MOST_KILLS

    def _record(self, name: str, scheduled: datetime, result: str, problem: str, fix: str) -> PastGroupRun:
        config = self._configs.get(name, "")
        return record(self._history, self._table.groups[name], scheduled, config, result, problem, fix)

    def _finish(self, name: str, scheduled: datetime, row: PastGroupRun, *, told: bool = True) -> None:
        """The fire is over: what is queued comes next. `told`: its process has sent its alerts."""
        if name in self._table and self._table[name].hand == scheduled:
            self._table.put(name, done(self._table[name]))
            self._table.look_at(name, self._now)
        self._tell_ended(row)
        if not told:
            self._ended(row)

    def _tell_ended(self, row: PastGroupRun) -> None:
        self._say(
            events.Ended,
            group=row.group,
            scheduled=datetime.fromisoformat(row.scheduled),
            run=row.run,
            result=row.result,
            problem=row.problem or "",
            fix=row.fix or "",
        )

    # The project's files

    def _follow_files(self, now: datetime) -> None:
        """Read them again once they have changed and rest: an editor writes in several steps."""
        if abs((now - self._looked).total_seconds()) < FILES_SECONDS:
            return
        self._looked = now
        stamp = quick_stamp(self._place.root)
        rests, self._seen = stamp == self._seen, stamp
        if stamp != self._stamp and rests:
            self._stamp = stamp
            self._reload(read_apart(self._read, self._place.root))

    def _reload(self, found: Found) -> None:
        if found.groups is None:
            self._say(events.KeptLastGood, problems=found.problems)
            return
        now = clock.now()
        for name in self._table.due(now):  # by the schedules that they were due by
            self._take_in(name, now)
        self._configs = found.configs or {}
        changes = self._table.apply(found.groups, now)
        self._waiting = {name: said for name, said in self._waiting.items() if name in self._table}
        self._table.save()
        counts = {"added": changes.added, "changed": changes.changed, "removed": changes.removed}
        self._say(events.Reloaded, groups=len(self._table.groups), **counts)

    # Its own life

    def _pause(self) -> float:
        seconds = BUSY_SECONDS if self._runs.any else IDLE_SECONDS
        upcoming = self._table.next_time()
        if upcoming is None:
            return seconds
        return min(seconds, max(0.0, (upcoming - clock.now()).total_seconds()))

    def _show_alive(self, now: datetime) -> None:
        if abs((now - self._beat).total_seconds()) >= BEAT_SECONDS:
            self._beat = now
            waiting = len(self._waiting) + len(self._ready)
            counts = (len(self._table.groups), len(self._runs), waiting, self._settings.most)
            say_alive(self._place, SchedulerState(os.getpid(), self._since, now, *counts))

    def _end(self) -> None:
        self._runs.interrupt()
        self._say(events.Stopping, running=len(self._runs))
        deadline = clock.now() + timedelta(seconds=self._settings.grace)
        while len(self._runs) and self._stops < 2 and clock.now() < deadline:
            clock.sleep(BUSY_SECONDS)
            for name, running, code in self._runs.ended():
                self._run_ended(name, running, code)
        self._table.save()
        self._say(events.Stopped, left=len(self._runs))

    def _say(self, kind: type[events.Event], **values: Any) -> None:
        self._report(kind(at=clock.now(), **values))


def _looked_at(group: CourierGroup, scheduled: datetime) -> tuple[list[str], datetime]:
    """The groups whose runs `decide` looks at, and those scheduled since when."""
    return [group.name, *{one.group for one in group.constraints} - {group.name}], looked_at_since(group, scheduled)


class ProblemsFound(CourierError):
    """The project's files cannot be used: `found` has the problems."""

    exit_code = 3

    def __init__(self, found: Found) -> None:
        super().__init__("the project's files have problems", fix="courier validate shows them")
        self.found = found
