"""A project on Dagster: its YAML as a code location. This package translates, and decides nothing.

    COURIER_PROJECT=/srv/shop dagster code-server start -m courier.engines.dagster

home.py         the project, and what a step works with
assets.py       a courier is a multi-asset: an asset per domain table, and one that stands for the courier's runs
activations.py  an activation is an asset downstream of the couriers of its groups
told.py         results as metadata and asset checks
groups.py       a group is a job; its days are a job of their own, with a partition each
alerts.py       the alerts of alerts.yaml
sensors.py      what fires a group: `decide`; and what says that tables are out of date
past.py         Dagster's own runs, as `decide` looks at them
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from dagster import Definitions, ExecutorDefinition
from dagster import definitions as loaded_later

from courier.engines.dagster.activations import activation_assets
from courier.engines.dagster.assets import courier_assets
from courier.engines.dagster.groups import days_of, job_of
from courier.engines.dagster.home import Home
from courier.engines.dagster.sensors import freshness_sensor, group_sensor
from courier.opening import find_root
from courier.runtime.scheduler.files import Stamp, quick_stamp

__all__ = ["definitions", "defs"]


def definitions(root: Path | None = None, *, sandbox: bool = False) -> Definitions:
    """The code location of the project at `root`, or of the one that the current folder is in.

    sandbox: with made-up shops, as `--sandbox`. Raises ConfigurationError where the project cannot be used.
    """
    home = Home.of(root, sandbox=sandbox)
    groups = tuple(home.project.groups.values())
    couriers = [courier_assets(home, courier) for courier in home.project.couriers.values()]
    broker = os.environ.get("COURIER_CELERY_BROKER")
    jobs = {group.name: job_of(home, group, here=not broker) for group in groups}
    fired = [group for group in groups if group.enabled and group.schedule]
    return Definitions(
        assets=[*couriers, *activation_assets(home)],
        jobs=[*jobs.values(), *(days_of(home, group, here=not broker) for group in groups)],
        sensors=[*(group_sensor(home, group, jobs[group.name]) for group in fired), freshness_sensor(home)],
        executor=_executor(broker),
    )


def _executor(broker: str | None) -> ExecutorDefinition | None:
    """Steps go to Celery's workers where a broker is named; else to processes of the run's own machine."""
    if not broker:
        return None
    from dagster_celery import celery_executor

    found: ExecutorDefinition = celery_executor.configured({"broker": broker, "backend": broker}, name="celery")
    return found


@loaded_later
def defs() -> Definitions:
    """What Dagster loads: the project that COURIER_PROJECT names, on made-up shops if COURIER_SANDBOX is set.

    A worker asks for it with every step, and Dagster takes 10 ms a courier to make its assets: they are made once for
    as long as the project's files, and .env beside them, are the same.
    """
    named, sandbox = os.environ.get("COURIER_PROJECT"), bool(os.environ.get("COURIER_SANDBOX"))
    root = find_root(Path(named) if named else None)
    return _definitions(root, sandbox, quick_stamp(root, ".env"))


@lru_cache(maxsize=1)
def _definitions(root: Path, sandbox: bool, _files: Stamp) -> Definitions:
    return definitions(root, sandbox=sandbox)
