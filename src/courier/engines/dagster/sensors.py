"""What fires a group: our own clock and `decide`, over Dagster's runs. And what says that tables are out of date.

A sensor's cursor is where the group stands, as the embedded scheduler keeps it: it can be killed at any moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetObservation,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from courier import clock
from courier.clock import rfc3339
from courier.config.project import CourierGroup
from courier.engines.dagster.alerts import tell_blocked, tell_ended
from courier.engines.dagster.home import Home, plain, runs_key
from courier.engines.dagster.past import GROUP, SCHEDULED, Past, is_over
from courier.engines.dagster.told import FRESH, behind, said_of
from courier.runtime.decide import fix_of_blocked, looked_at_since
from courier.runtime.scheduler.in_hand import Standing, done, first_standing, look, take_in
from courier.runtime.scheduler.standings import Kept

EVERY_SECONDS, FRESH_SECONDS = 15, 300


def group_sensor(home: Home, group: CourierGroup, job: Any) -> SensorDefinition:
    """Looks at the group's fires; runs with itself from the start, as the embedded scheduler does."""

    @sensor(
        name=f"{plain(group.name)}__fires", job=job, default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=EVERY_SECONDS, description=f"{group.schedule}, {group.timezone}",
    )  # fmt: skip
    def fires(context: SensorEvaluationContext) -> SensorResult:
        return _Tick(home, group, Past(context.instance), clock.now()).result(context.cursor)

    return fires


@dataclass(frozen=True)
class _Tick:
    home: Home
    group: CourierGroup
    past: Past
    now: datetime

    def result(self, cursor: str | None) -> SensorResult:
        kept = kept_of(cursor) if cursor else None
        same = kept is not None and kept.is_of(self.group)
        standing = first_standing(self.group, kept.standing if kept else None, self.now, same_schedule=same)
        taken = take_in(self.group, standing, self.now)
        standing = taken.standing
        if standing.hand is None:
            return self._skipped(standing, f"the next fire is at {rfc3339(taken.next) if taken.next else 'no time'}")
        run = self.past.of_fire(self.group.name, standing.hand)
        if run is None:
            return self._asked(standing, standing.hand)
        if not is_over(self.past.instance, run):
            return self._skipped(standing, f"run {run.run_id} is under way")
        untold = tell_ended(self.home, self.group, self.past, run)
        return self._skipped(done(standing), "; ".join([f"run {run.run_id} has ended: {run.status.value}", *untold]))

    def _asked(self, standing: Standing, hand: datetime) -> SensorResult:
        """What `decide` says about the fire in hand."""
        names = {self.group.name, *(one.group for one in self.group.constraints)}
        runs = self.past.counting(names, looked_at_since(self.group, hand))
        found = look(self.group, standing, self.now, runs)
        if found.answer == "run":
            tags = {GROUP: self.group.name, SCHEDULED: rfc3339(hand)}
            request = RunRequest(run_key=f"{self.group.name}:{rfc3339(hand)}", tags=tags)
            return SensorResult([request], cursor=self._cursor(standing))
        said = f"{found.answer} at {rfc3339(hand)}: {found.reason}"
        if found.answer in ("wait", "idle"):
            return self._skipped(standing, said)
        if found.answer == "covered":
            return self._skipped(done(standing), said)
        untold = tell_blocked(self.home, self.group, hand, found.reason)
        seen = [self._observed(member.name, said) for member in self.group.couriers]
        return self._skipped(done(standing), "; ".join([said, fix_of_blocked(self.group), *untold]), seen)

    def _observed(self, courier: str, said: str) -> AssetObservation:
        return AssetObservation(runs_key(courier), metadata={"group": self.group.name, "blocked": said})

    def _skipped(self, standing: Standing, reason: str, seen: list[AssetObservation] | None = None) -> SensorResult:
        return SensorResult(skip_reason=SkipReason(reason), cursor=self._cursor(standing), asset_events=seen or [])

    def _cursor(self, standing: Standing) -> str:
        at = {name: rfc3339(value) for name, value in vars(standing).items() if value}
        return orjson.dumps({"schedule": self.group.schedule, "timezone": self.group.timezone, **at}).decode()


def kept_of(cursor: str) -> Kept:
    """Where the group stood when it was looked at last."""
    kept = orjson.loads(cursor)
    hand, queued = (datetime.fromisoformat(kept[name]) if name in kept else None for name in ("hand", "queued"))
    return Kept(kept["schedule"], kept["timezone"], Standing(datetime.fromisoformat(kept["upto"]), hand, queued))


def freshness_sensor(home: Home) -> SensorDefinition:
    """Says of every courier whether its tables are as new as its groups' schedules promise, when that changes."""

    @sensor(
        name="freshness", default_status=DefaultSensorStatus.RUNNING, minimum_interval_seconds=FRESH_SECONDS,
        description="Also where no run says it, because none came.",
    )  # fmt: skip
    def freshness(context: SensorEvaluationContext) -> SensorResult:
        before = orjson.loads(context.cursor or "{}")
        said = dict(_lateness(home))
        events = [_evaluated(name, late) for name, late in said.items() if before.get(name, "") != late]
        return SensorResult(asset_events=events, cursor=orjson.dumps(said).decode())

    return freshness


def _lateness(home: Home) -> Iterator[tuple[str, str]]:
    """Courier -> what is behind, or ""."""
    for courier in home.project.couriers.values():
        late = behind(home, courier)
        yield courier.name, said_of(late) if late else ""


def _evaluated(courier: str, late: str) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(
        runs_key(courier), FRESH, not late, metadata={"behind": late}, severity=AssetCheckSeverity.WARN,
    )  # fmt: skip
