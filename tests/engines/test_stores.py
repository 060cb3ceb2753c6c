"""A courier with many stores on Dagster: each store is a courier with assets, a step and a pool of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dagster import DagsterInstance, Definitions

from courier.cli.init import write_project
from courier.engines.dagster import definitions, defs
from courier.runtime.place import Place
from courier.storage.inspect import open_published
from tests.runs.hurried import edit, write_list

STORES = ("shopify_uk", "shopify_us")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    write_project(made)
    write_list(made, "shopify", ["uk", "us"], "  locations: { load: truncate }\n")
    (made / "courier_groups.yaml").write_text("shopify:\n  parallel: 1\n  couriers: { shopify: }\n", "utf-8")
    return made


def test_a_group_runs_every_store_as_a_courier_of_its_own(root: Path) -> None:
    """And the views over all stores are there after it."""
    job = definitions(root, sandbox=True).resolve_job_def("shopify")
    assert {key.path[0] for key in job.asset_layer.executable_asset_keys} == {"courier", *STORES}
    assert len(job.graph.pools) == len(STORES)
    with DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success
    done = {event.step_key for event in result.all_events if event.event_type_value == "STEP_SUCCESS"}
    assert done == {f"courier_{name}" for name in STORES}
    with open_published(Place(root, sandbox=True).files.published) as connection:
        rows = {
            name: connection.execute(f"SELECT count(*) FROM {name}.locations").fetchall()[0][0]
            for name in ("shopify", *STORES)
        }
    assert rows["shopify"] == sum(rows[name] for name in STORES) > 0


def test_parallel_limits_the_steps_of_one_machine(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is a process: no more of them than cores."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert limits(root) == [1, 1]
    edit(root / "courier_groups.yaml", "parallel: 1", "parallel: 64")
    assert limits(root) == [4, 4]


def test_what_dagster_loads_is_made_once_until_the_files_change(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of stores and .env are such files; another store is there without a new process."""
    monkeypatch.setenv("COURIER_PROJECT", str(root))
    monkeypatch.setenv("COURIER_SANDBOX", "yes")
    made = defs()
    assert defs() is made
    (root / ".env").write_text("SHOPIFY_FR_TOKEN=made-up\n", "utf-8")
    assert (again := defs()) is not made
    edit(root / "couriers/shopify.csv", "us", "fr")
    assert stores_of(again) == set(STORES)
    assert stores_of(defs()) == {"shopify_uk", "shopify_fr"}


def stores_of(made: Definitions) -> set[str]:
    return {schema for schema in (key.path[0] for key in made.resolve_all_asset_keys()) if "shopify_" in schema}


def limits(root: Path) -> list[int | None]:
    """Of the group's job, and of a day of it."""
    made = definitions(root, sandbox=True)
    days = made.resolve_job_def("shopify__by_day").partitioned_config
    configs = [made.resolve_job_def("shopify").run_config, days and days.get_run_config_for_partition_key("2026-01-01")]
    return [config["execution"]["config"]["multiprocess"]["max_concurrent"] if config else None for config in configs]
