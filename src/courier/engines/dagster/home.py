"""The project as a code location has it, and what a step works with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from dagster import AssetKey, OpExecutionContext

from courier.clock import Interval
from courier.config.project import Courier, CourierGroup, Project
from courier.config.render import render_all
from courier.engines.dagster.past import COMMITTED, GROUP, SCHEDULED, Past, created
from courier.errors import ConfigurationError
from courier.opening import find_root, opening, place_of, read_project
from courier.runtime.context import Context
from courier.runtime.decide import fix_of_blocked
from courier.runtime.events import Event, Fetched, as_json
from courier.runtime.group_activations import activations_of
from courier.runtime.group_run import Asked, decided, group_intentions
from courier.runtime.period import ByHand
from courier.runtime.place import Place
from courier.runtime.plan import Intention

IGNORE_CONSTRAINTS = "courier/ignore_constraints"


@dataclass(frozen=True)
class Home:
    project: Project
    place: Place

    @staticmethod
    def of(root: Path | None, *, sandbox: bool) -> Home:
        project, problems = read_project(find_root(root))
        if project is None:
            raise ConfigurationError(f"the project has problems\n\n{render_all(problems)}", fix="courier validate")
        return Home(project, place_of(project.root, sandbox))

    def groups_of(self, courier: str) -> dict[str, CourierGroup]:
        """The groups that run the courier."""
        groups = self.project.groups.values()
        return {one.name: one for one in groups if any(member.name == courier for member in one.couriers)}


@dataclass(frozen=True)
class Step:
    """A step of a Dagster run, and what the run was asked for. `group`: None where somebody picked assets."""

    home: Home
    context: OpExecutionContext
    group: CourierGroup | None
    asked: Asked

    @staticmethod
    def of(home: Home, context: OpExecutionContext, day: Interval | None = None) -> Step:
        tags, begun = context.run.tags, created(context.instance, context.run_id)
        asked = Asked(
            begun,
            by_hand=ByHand(day) if day else None,
            scheduled=datetime.fromisoformat(tags[SCHEDULED]) if SCHEDULED in tags else None,
            ignore_constraints=IGNORE_CONSTRAINTS in tags,
        )
        return Step(home, context, home.project.groups.get(tags.get(GROUP, "")), asked)

    def intention(self, courier: Courier, feeds: Sequence[str] = ()) -> Intention:
        """What the courier is to do in this run, as an embedded run of the group has it."""
        if self.group is None:
            return Intention(courier.name, self.asked.instant, by_hand=self.asked.by_hand, feeds=tuple(feeds))
        return next(one for one in group_intentions(self.group, self.asked) if one.courier == courier.name)

    def is_required(self, courier: Courier) -> bool:
        members = self.group.couriers if self.group else ()
        return all(member.required for member in members if member.name == courier.name)

    def blocked(self) -> tuple[str, str] | None:
        """Why a run that no sensor started may not go on, once its waits are over; and what to do."""
        if self.group is None or self.asked.scheduled:
            return None
        decision = decided(Past(self.context.instance), self.group, self.asked, self.context.log.info)
        return None if decision.answer == "run" else (decision.reason, fix_of_blocked(self.group))

    @contextmanager
    def working(self, couriers: Sequence[str] = (), activations: Sequence[str] = ()) -> Iterator[Context]:
        """What the runtime works with; every credential that the run needs is looked up first."""
        if self.group is not None:
            couriers, activations = [one.name for one in self.group.couriers], activations_of(self.group)
        place = self.home.place
        with opening(self.home.project, place, couriers, activations) as opened:
            yield Context(self.home.project, place, opened.couriers, self._report, activation_access=opened.activations)

    def committed(self) -> None:
        """Every required courier has: the run counts for constraints, whatever comes of its activations."""
        self.context.instance.add_run_tags(self.context.run_id, {COMMITTED: "true"})

    def _report(self, event: Event) -> None:
        if not isinstance(event, Fetched):
            self.context.log.info(orjson.dumps(as_json(event)).decode())


def key_of(schema: str, table: str) -> AssetKey:
    return AssetKey([schema, table])


def runs_key(courier: str) -> AssetKey:
    """The asset that stands for the runs of a courier: what comes after the courier depends on it."""
    return AssetKey(["courier", courier])


def plain(name: str) -> str:
    """A name as Dagster takes it for a job, an op or a group of assets."""
    return name.replace("-", "__")


Metadata = dict[str, Any]
