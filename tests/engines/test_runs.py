"""Groups run as Dagster's jobs, in this process, on served shops: the same tables and coverage as embedded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    DagsterInstance,
    ExecuteInProcessResult,
    SensorResult,
    build_sensor_context,
)
from dagster._core.errors import DagsterExecutionInterruptedError

from courier import clock, sandbox
from courier.cli.project import open_project, opening
from courier.clock import rfc3339
from courier.engines.dagster import definitions
from courier.engines.dagster.groups import job_of
from courier.engines.dagster.home import IGNORE_CONSTRAINTS, Home
from courier.engines.dagster.past import COMMITTED, GROUP, SCHEDULED, Past
from courier.engines.dagster.sensors import freshness_sensor, group_sensor, kept_of
from courier.opening import place_of
from courier.runtime.context import Context
from courier.runtime.courier_run import run_courier
from courier.runtime.events import Event, Fetched
from courier.runtime.group_run import Asked, run_group
from courier.runtime.period import ByHand, of_day
from courier.runtime.plan import Intention
from courier.runtime.result import GroupResult
from courier.sandbox.history.options import Options
from courier.storage import ledger
from courier.storage.inspect import tables
from courier.storage.postgres.snapshot import snapshot
from tests.runs.grouped import FEEDS, STORES, Grouped, grouped
from tests.runs.tried import make
from tests.runtime.alerting.receiver import receiving

GROUPS = """
stores:
  schedule: "0 6 * * *"
  timezone: America/New_York
  couriers:
    shopify_uk: { wait: 0h }
    shopify_us:
one:
  timezone: America/New_York
  couriers: { shopify_uk: { offset: 36h } }
bound:
  couriers: { shopify_uk: }
  constraints: [{ group: stores, offset: 1h }]
"""
TINY = Options(customers=10, orders=10, products=3, special=False)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Engines:
    """Two projects on the same shops: one is run by Dagster, one embedded."""

    dagster: Grouped
    embedded: Grouped
    instance: DagsterInstance

    def run(
        self, job: str, *, partition: str | None = None, at: datetime | None = None, ignore: bool = False
    ) -> ExecuteInProcessResult:
        tags = {**({SCHEDULED: rfc3339(at)} if at else {}), **({IGNORE_CONSTRAINTS: "true"} if ignore else {})}
        job_def = definitions(self.dagster.root).resolve_job_def(job)
        return job_def.execute_in_process(
            instance=self.instance, tags=tags, partition_key=partition, raise_on_error=False
        )

    def run_embedded(self, group: str, by_hand: ByHand | None = None, at: datetime | None = None) -> GroupResult:
        project = open_project(self.embedded.root)
        with opening(project, self.embedded.place) as opened:
            context = Context(project, self.embedded.place, opened.couriers, lambda event: None)
            return run_group(context, project.groups[group], Asked(clock.now(), by_hand, scheduled=at))


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    with grouped(tmp_path / "dagster", None) as one, DagsterInstance.ephemeral() as instance:
        (one.root / "courier_groups.yaml").write_text(GROUPS, "utf-8")
        other = Grouped(one.copy(tmp_path / "embedded"), one.served, None)
        yield Engines(one, other, instance)


@pytest.fixture
def home_of_one(tmp_path: Path) -> Path:
    """The starter project with a tiny shop, and an activation after its scheduled group."""
    made = make(tmp_path / "project", None, TINY)
    made.edit("courier_groups.yaml", "  # activations: [mavera_cohorts]", "  activations: [mavera_cohorts]")
    return made.root


def coverage(project: Grouped) -> dict[str, list[str]]:
    return {
        f"{name}.{feed}": [str(one) for one in ledger.coverage(project.place.files, name, feed)]
        for name in STORES
        for feed in FEEDS
    }


def told(result: ExecuteInProcessResult) -> dict[str, Mapping[str, Any]]:
    """Asset -> the metadata of its materialisation."""
    events = [one for one in result.all_events if one.event_type_value == "ASSET_MATERIALIZATION"]
    return {
        one.asset_key.to_user_string(): {
            name: value.value for name, value in one.step_materialization_data.materialization.metadata.items()
        }
        for one in events
        if one.asset_key
    }


def checks(result: ExecuteInProcessResult) -> dict[tuple[str, str], bool]:
    return {
        (one.asset_key.to_user_string(), one.check_name): one.passed for one in result.get_asset_check_evaluations()
    }


def test_two_runs_leave_what_embedded_ones_leave(engines: Engines) -> None:
    """The same rows, coverage, periods and requests, offset included; and Dagster is told of all of it."""
    first = clock.now() - timedelta(hours=2)
    assert engines.run("one", at=first).success
    engines.run_embedded("one", at=first)
    for served in engines.dagster.served.values():
        sandbox.change(served.shop, orders=30)
    second = clock.now()
    result, other = engines.run("one", at=second), engines.run_embedded("one", at=second)
    assert (result.success, other.result) == (True, "succeeded")
    assert engines.dagster.hashes == engines.embedded.hashes == engines.dagster.truth("shopify_uk")
    assert coverage(engines.dagster) == coverage(engines.embedded)
    metadata, rows = told(result), engines.embedded.rows
    assert any(courier.load_id for courier in other.couriers)
    for courier in other.couriers:
        assert metadata[f"courier/{courier.courier}"]["result"] == "succeeded"
        for feed in courier.feeds:
            seen = metadata[f"{courier.courier}/{feed.feed}"]
            assert (seen["period"], seen["request"]) == (str(feed.period), str(feed.request))
            assert (seen["read"], seen["updated"]) == (feed.counters.read, feed.counters.updated)
            assert datetime.fromtimestamp(seen["watermark"], UTC) == feed.watermark
            assert bool(seen["load id"]) == bool(courier.load_id)
            assert seen["dagster/row_count"] == rows[f"{courier.courier}.{feed.feed}"]
    assert all(passed for passed in checks(result).values())
    assert checks(result).keys() >= {("shopify_uk/product", "reconciled"), ("courier/shopify_uk", "fresh")}
    assert [run.succeeded for run in Past(engines.instance).counting(["one"], first)] == [True, True]


def test_dagster_over_postgres_ends_as_embedded_over_duckdb(
    engines: Engines, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same hashes and coverage, and the checks read the database, where one table has no tag at all."""
    engines.dagster.edit("domain_tables/shopify/product_tags.yaml", ", tags: [ck, pk]", "")
    monkeypatch.setenv("COURIER_POSTGRES_URL", database)
    (engines.dagster.root / "courier.yaml").write_text("destination: postgres\n", "utf-8")
    at = clock.now()
    result, other = engines.run("one", at=at), engines.run_embedded("one", at=at)
    assert (result.success, other.result) == (True, "succeeded")
    place = place_of(engines.dagster.root, sandbox=False)
    assert place.database
    with snapshot(place.database) as taken:
        taken.copy_ledger()
        assert {one.table: one.hash for one in tables(taken)} == engines.embedded.hashes
    covered = {name: ledger.coverage(place.warehouse, "shopify_uk", name) for name in FEEDS}
    assert covered == {name: ledger.coverage(engines.embedded.place.files, "shopify_uk", name) for name in FEEDS}
    assert checks(result) == {
        **{(f"shopify_uk/{name}", "reconciled"): True for name in FEEDS},
        ("courier/shopify_uk", "fresh"): True,
        ("courier/shopify_uk", "tags"): True,
    }


def test_a_partition_is_a_day_of_the_group(engines: Engines) -> None:
    """As `--day` reads it: the day in the group's time zone, the offset before it; coverage grows by the day alone."""
    day = (clock.now() - 40 * DAY).date()
    result = engines.run("one__by_day", partition=str(day))
    period = of_day(date.fromisoformat(str(day)), "America/New_York", clock.now())
    other = engines.run_embedded("one", ByHand(period))
    assert (result.success, other.result) == (True, "succeeded")
    assert coverage(engines.dagster) == coverage(engines.embedded)
    assert coverage(engines.dagster)["shopify_uk.product"] == [str(period)]
    metadata = told(result)
    for courier in other.couriers:
        for feed in courier.feeds:
            assert metadata[f"{courier.courier}/{feed.feed}"]["request"] == str(feed.request)


def test_a_failed_courier_fails_its_step_and_no_other(engines: Engines) -> None:
    """It is told why, once: the courier has waited for its source as long as it may."""
    engines.dagster.edit(".env", engines.dagster.served["shopify_uk"].credentials["SHOPIFY_ACCESS_TOKEN"], "wrong")
    result = engines.run("stores", at=clock.now())
    assert not result.success
    failed = [one for one in result.all_events if one.event_type_value == "STEP_FAILURE"]
    assert [one.step_key for one in failed] == ["courier_shopify_uk"]
    assert not [one for one in result.all_events if one.event_type_value == "STEP_UP_FOR_RETRY"]
    assert {name.split("/")[0] for name in told(result)} == {"shopify_us", "courier"}
    assert engines.dagster.hashes == engines.dagster.truth("shopify_us")
    assert [run.succeeded for run in Past(engines.instance).counting(["stores"], clock.now() - DAY)] == [False]


def test_the_sensor_that_sees_a_run_end_sends_its_alerts(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an embedded run sends them: which courier failed, and why; the fire is over."""
    engines.dagster.edit(".env", engines.dagster.served["shopify_uk"].credentials["SHOPIFY_ACCESS_TOKEN"], "wrong")
    (engines.dagster.root / "alerts.yaml").write_text("targets:\n  ops: ${OPS}\n", "utf-8")
    at = clock.now()
    engines.run("stores", at=at)
    home = Home.of(engines.dagster.root, sandbox=False)
    group = home.project.groups["stores"]
    standing = {"schedule": group.schedule, "timezone": group.timezone, "upto": rfc3339(at), "hand": rfc3339(at)}
    with receiving() as receiver:
        monkeypatch.setenv("OPS", receiver.url)
        context = build_sensor_context(engines.instance, cursor=json.dumps(standing))
        result = group_sensor(home, group, job_of(home, group))(context)
    (got,) = receiver.received
    assert (got["title"], got["type"]) == ("courier: stores: failed", "failure")
    assert "1 of 2 couriers did not commit" in got["message"] and "shopify_uk failed: " in got["message"]
    assert isinstance(result, SensorResult) and kept_of(result.cursor or "").standing.hand is None


def test_an_optional_courier_lets_the_run_commit(engines: Engines) -> None:
    """What follows it goes on; its tables are not said to be new, its run is said to have failed."""
    engines.dagster.edit(".env", engines.dagster.served["shopify_uk"].credentials["SHOPIFY_ACCESS_TOKEN"], "wrong")
    engines.dagster.edit("courier_groups.yaml", "wait: 0h", "required: false")
    result = engines.run("stores", at=clock.now())
    assert result.success
    metadata = told(result)
    assert (metadata["courier/shopify_uk"]["result"], metadata["courier/shopify_us"]["result"]) == (
        "failed",
        "succeeded",
    )
    assert not [name for name in metadata if name.startswith("shopify_uk/")]
    assert engines.dagster.hashes == engines.dagster.truth("shopify_us")
    assert [run.succeeded for run in Past(engines.instance).counting(["stores"], clock.now() - DAY)] == [True]


def test_what_dagster_interrupts_goes_on_where_it_stopped(engines: Engines) -> None:
    """Dagster's way to end a step is neither Ctrl-C nor an error: the run stays under way; the next step ends it."""
    project, place = open_project(engines.dagster.root), engines.dagster.place

    def report(event: Event) -> None:
        if isinstance(event, Fetched):
            raise DagsterExecutionInterruptedError

    with opening(project, place) as opened, pytest.raises(DagsterExecutionInterruptedError):
        run_courier(Context(project, place, opened.couriers, report), Intention("shopify_us", clock.now()))
    (cut_off,) = engines.dagster.history.runs("shopify_us")
    assert cut_off.result == "interrupted"
    assert engines.run("stores", at=clock.now()).success
    found = engines.dagster.history.find(cut_off.run)
    assert found and found.result == "succeeded"


def test_some_tables_of_a_courier_can_be_asked_for(engines: Engines) -> None:
    """As `--courier --feed`: of no group, over the period since the watermark."""
    job = definitions(engines.dagster.root).resolve_implicit_global_asset_job_def()
    wanted = AssetKey(["shopify_us", "product"])
    result = job.execute_in_process(instance=engines.instance, asset_selection=[wanted])
    assert result.success and list(told(result)) == ["shopify_us/product"]
    assert {name: bool(covered) for name, covered in coverage(engines.dagster).items()} == {
        "shopify_uk.product": False,
        "shopify_uk.product_tags": False,
        "shopify_us.product": True,
        "shopify_us.product_tags": False,
    }


def test_definitions_follow_the_yaml(engines: Engines) -> None:
    """A job per group and one for its days, a sensor per schedule, a pool per store, columns with tags and pii."""
    found = definitions(engines.dagster.root)
    assert {job.name for job in found.resolve_all_job_defs()} >= {"stores", "stores__by_day", "one", "one__by_day"}
    assert {one.name for one in found.sensors or ()} == {"stores__fires", "freshness"}
    graph = found.resolve_asset_graph()
    assert {one.op.pool for one in graph.assets_defs} >= {"shopify/UK_STORE", "shopify/US_STORE"}
    assert graph.get(AssetKey(["courier", "shopify_uk"])).parent_keys == {
        AssetKey(["shopify_uk", feed]) for feed in FEEDS
    }
    profiles = open_project(engines.dagster.root).couriers["klaviyo"].feed("profiles").table
    metadata = graph.get(AssetKey(["klaviyo", "profiles"])).metadata
    columns = {one.name: {*one.tags} - {"pii"} for one in metadata["dagster/column_schema"].columns}
    assert columns == {one.name: {*one.tags} for one in profiles.columns}
    assert metadata["pii columns"] == [one.name for one in profiles.columns if one.pii] != []
    assert found.resolve_job_def("stores").tags[GROUP] == "stores"


def test_activations_come_after_every_courier_of_their_group(home_of_one: Path) -> None:
    """Planned, since nobody lets a run apply them; and the run has said that its couriers have committed."""
    with DagsterInstance.ephemeral() as instance:
        job = definitions(home_of_one, sandbox=True).resolve_job_def("shopify")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert result.success
        assert told(result)["activation/mavera_cohorts"]["result"] == "planned"
        run = instance.get_run_by_id(result.run_id)
        assert run and COMMITTED in run.tags
        steps = [one.step_key for one in result.all_events if one.event_type_value == "STEP_START"]
        assert steps == ["courier_shopify", "activation__mavera_cohorts"]


def test_freshness_is_said_without_a_run_and_once(home_of_one: Path) -> None:
    """Nothing was loaded, so every scheduled courier is behind; the second look has nothing new to say."""
    home = Home.of(home_of_one, sandbox=True)
    with DagsterInstance.ephemeral() as instance:
        first = freshness_sensor(home)(build_sensor_context(instance))
        assert isinstance(first, SensorResult)
        (said,) = first.asset_events
        assert isinstance(said, AssetCheckEvaluation)
        assert (said.asset_key, said.passed) == (AssetKey(["courier", "shopify"]), False)
        again = freshness_sensor(home)(build_sensor_context(instance, cursor=first.cursor))
        assert isinstance(again, SensorResult) and not again.asset_events


def test_a_run_by_hand_keeps_to_its_constraints(engines: Engines) -> None:
    """No sensor has looked at them: blocked at once where there is no wait, and told how to go on."""
    result = engines.run("bound")
    (failed,) = [one for one in result.all_events if one.event_type_value == "STEP_FAILURE"]
    said = str(failed.event_specific_data)
    assert "blocked: no successful run of stores in time" in said and "courier run --group stores" in said
    assert engines.run("bound", ignore=True).success
