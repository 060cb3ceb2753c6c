"""Steps as tasks of Celery's workers: whoever is free takes one, and what a killed worker had is given to another."""

from __future__ import annotations

from dagster import ExecutorDefinition
from dagster_celery import celery_executor

HANDED_ON_SECONDS = 300
"""A task whose worker has not answered for it in this time is another one's. A courier that takes longer is begun
twice; the second waits for the first one's lock, and finds everything covered."""


def settings(broker: str) -> dict[str, object]:
    """What the coordinator and the workers must agree on."""
    return {
        "broker": broker,
        "backend": broker,
        "config_source": {
            "task_acks_late": True,
            "task_reject_on_worker_lost": True,
            "worker_prefetch_multiplier": 1,
            "broker_transport_options": {"visibility_timeout": HANDED_ON_SECONDS},
        },
    }


def executor(broker: str) -> ExecutorDefinition:
    return celery_executor.configured(settings(broker), name="celery")
