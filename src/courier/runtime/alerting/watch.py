"""A scheduled run of a group under watch, by its own process: told while it is late, and once it has ended.

Runs of which no process is left to tell, blocked ones and those that died, are told by whoever finds them: `tell_past`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, Thread
from typing import Any, cast

from courier import clock
from courier.config.project import CourierGroup, Project
from courier.runtime.alerting import tell
from courier.runtime.alerting.group_run import AlertedCourier, AlertedRun, alerted_run
from courier.runtime.history import History, PastGroupRun
from courier.runtime.place import Place
from courier.runtime.result import GroupResult, Result

TOLD = ("succeeded", "failed", "partial", "blocked")
LOOKED_AT = 50  # runs of the group, for the one before
Notice = Callable[[str], None]


@dataclass
class Watch:
    """Of one run of `group` at the instant `scheduled`. `notice` is told what could not be sent, and why."""

    project: Project
    place: Place
    group: CourierGroup
    scheduled: datetime
    notice: Notice
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _over: Event = field(default_factory=Event)
    _told_late: bool = False

    def ended(self, result: GroupResult) -> None:
        """Tell what came of it."""
        self._stop()
        run = alerted_run(result, self.group, self.scheduled, "schedule", told_late=self._told_late)
        self._tell(run, previous_of(self._history, self.group.name, result.run))

    def failed(self) -> None:
        """Tell of a run that ended without a result: refused, or with a bug."""
        self._stop()
        run = self._latest()
        if run and run.result == "failed":
            self._tell(replace(alerted_past(run, self.group), told_late=self._told_late), None)

    @contextmanager
    def lateness(self) -> Iterator[None]:
        """Look once, when it has taken as long as it may."""
        if self.group.alert_after:
            Thread(target=self._wait, args=(self.group.alert_after.total_seconds(),), daemon=True).start()
        try:
            yield
        finally:
            self._stop()

    def _wait(self, seconds: float) -> None:
        if self._over.wait(seconds):
            return
        run = self._latest()
        if run and run.result == "running":
            self._told_late = True
            self._tell(alerted_past(run, self.group), None)

    def _stop(self) -> None:
        self._over.set()

    @property
    def _history(self) -> History:
        return History(self.place.history)

    def _latest(self) -> PastGroupRun | None:
        return next(iter(self._history.group_runs(self.group.name, 1)), None)

    def _tell(self, run: AlertedRun, previous: Result | None) -> None:
        for told in tell(self.project, self.place, run, previous, self.environ):
            self.notice(told)


@contextmanager
def watched(watch: Watch) -> Iterator[Callable[[GroupResult], None]]:
    """The run happens inside; hand its result to what is given."""
    with watch.lateness():
        try:
            yield watch.ended
        except Exception:
            watch.failed()
            raise


def tell_past(project: Project, place: Place, run: PastGroupRun) -> tuple[str, ...]:
    """Send the alerts of a run as the history has it. Returns what could not be told, and why."""
    previous = previous_of(History(place.history), run.group, run.run)
    return tell(project, place, alerted_past(run, project.groups.get(run.group)), previous)


def previous_of(history: History, group: str, run: str) -> Result | None:
    """What came of the group's scheduled run before this one, interrupted and covered ones left out."""
    runs = history.group_runs(group, LOOKED_AT)
    names = [one.run for one in runs]
    before = runs[names.index(run) + 1 :] if run in names else runs
    told = (one.result for one in before if one.trigger == "schedule" and one.result in TOLD)
    return cast("Result | None", next(told, None))


def alerted_past(run: PastGroupRun, group: CourierGroup | None) -> AlertedRun:
    """A run of the history, as alerts need it. One whose process was killed again and again has failed."""
    result = "failed" if run.result == "killed" else run.result
    return AlertedRun(
        group=run.group,
        run=run.run,
        trigger="schedule" if run.trigger == "schedule" else "hand",
        scheduled=datetime.fromisoformat(run.scheduled),
        started=datetime.fromisoformat(run.started),
        until=datetime.fromisoformat(run.ended) if run.ended else clock.now(),
        result=cast("Result", result),
        couriers=tuple(_courier(one) for one in (run.report or {}).get("couriers", ())),
        alert_after=group.alert_after if group else None,
        problem=run.problem or "",
        fix=run.fix or "",
    )


def _courier(told: Mapping[str, Any]) -> AlertedCourier:
    feeds, problem = told["feeds"], told["problem"] or {"message": "", "fix": ""}
    changed = sum(feed["inserted"] + feed["updated"] + feed["deleted"] for feed in feeds)
    return AlertedCourier(
        courier=told["courier"],
        run=told["run"],
        result=told["result"],
        read=sum(feed["read"] for feed in feeds),
        changed=changed,
        problem=problem["message"],
        fix=problem["fix"],
    )
