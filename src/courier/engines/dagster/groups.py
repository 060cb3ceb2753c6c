"""A group as a job; its days as a job of their own, with a partition each, which reads a day again as `--day` does."""

# Without `annotations` from the future: Dagster compares the annotation of `context`, and a text is none.

import os
from datetime import date
from typing import Any

from dagster import (
    AssetSelection,
    DailyPartitionsDefinition,
    Failure,
    In,
    JobDefinition,
    Nothing,
    OpDefinition,
    OpExecutionContext,
    Out,
    define_asset_job,
    graph,
    op,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from courier import clock
from courier.clock import Interval
from courier.config.project import CourierGroup
from courier.engines.dagster.activations import activate_step
from courier.engines.dagster.assets import RETRIES, log_materialised, materialised, pool_of, run_step
from courier.engines.dagster.home import Home, Step, key_of, plain, runs_key
from courier.engines.dagster.past import GROUP
from courier.errors import UsageError
from courier.runtime.group_activations import activations_of
from courier.runtime.period import of_day

FIRST_DAY = "2010-01-01"  # what is older is read by hand: --since, --all


def job_of(home: Home, group: CourierGroup, *, here: bool = True) -> UnresolvedAssetJobDefinition:
    """Its couriers' assets, then its activations; started by the sensor, or by hand as `courier run --group`.

    here: whether its steps are processes of the machine that the run is on.
    """
    couriers = [home.project.couriers[member.name] for member in group.couriers]
    keys = [key_of(courier.name, feed.name) for courier in couriers for feed in courier.feeds]
    keys += [runs_key(courier.name) for courier in couriers]
    keys += [key_of("activation", name) for name in activations_of(group)]
    tags, config = {GROUP: group.name}, at_once(group) if here else None
    return define_asset_job(plain(group.name), AssetSelection.assets(*keys), tags=tags, config=config)


def at_once(group: CourierGroup) -> dict[str, Any]:
    """How many steps of one machine run at once: the group's `parallel`, and no more than it has cores, as Dagster has
    it: a step is a process, where an embedded run has a thread."""
    most = min(group.parallel, os.cpu_count() or 1)
    return {"execution": {"config": {"multiprocess": {"max_concurrent": most}}}}


def days_of(home: Home, group: CourierGroup, *, here: bool = True) -> JobDefinition:
    couriers = [_courier_op(home, group, member.name) for member in group.couriers]
    activations = [_activation_op(home, group, name) for name in activations_of(group)]

    @graph(name=f"{plain(group.name)}__by_day")
    def days() -> None:
        done = [course() for course in couriers]
        for activate in activations:
            activate(done)

    partitions = DailyPartitionsDefinition(FIRST_DAY, timezone=group.timezone)
    config = at_once(group) if here else None
    return days.to_job(partitions_def=partitions, tags={GROUP: group.name}, config=config)


def _courier_op(home: Home, group: CourierGroup, name: str) -> OpDefinition:
    courier = home.project.couriers[name]

    @op(
        name=f"{plain(group.name)}__{plain(name)}__day", out=Out(Nothing), retry_policy=RETRIES,
        pool=pool_of(courier.connector, courier),
    )  # fmt: skip
    def course(context: OpExecutionContext) -> None:
        result = run_step(Step.of(home, context, _day(context, group)), courier)
        log_materialised(context, materialised(home, courier, result))

    return course


def _activation_op(home: Home, group: CourierGroup, name: str) -> OpDefinition:
    activation = home.project.activations[name]

    @op(
        name=f"{plain(group.name)}__{plain(name)}__day", ins={"after": In(Nothing)}, out=Out(Nothing),
        pool=pool_of("mavera", activation),
    )  # fmt: skip
    def course(context: OpExecutionContext) -> None:
        context.add_output_metadata(activate_step(Step.of(home, context), name))

    return course


def _day(context: OpExecutionContext, group: CourierGroup) -> Interval:
    try:
        return of_day(date.fromisoformat(context.partition_key), group.timezone, clock.now())
    except UsageError as wrong:
        raise Failure(wrong.message, allow_retries=False) from None
