"""One table of cases: what a group does about its fire, embedded and on Dagster. The two must say the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    AssetObservation,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    SensorResult,
    build_sensor_context,
)
from dagster._core.test_utils import create_run_for_test

from courier import clock
from courier.cli.init import write_project
from courier.clock import rfc3339
from courier.config.project import CourierGroup
from courier.engines.dagster.groups import job_of
from courier.engines.dagster.home import Home
from courier.engines.dagster.past import COMMITTED, GROUP, SCHEDULED, WILL_RETRY, Past
from courier.engines.dagster.sensors import group_sensor, kept_of
from courier.runtime.decide import PastRun, looked_at_since
from courier.runtime.history import History
from courier.runtime.scheduler.endings import Endings
from courier.runtime.scheduler.in_hand import Standing, look

S = datetime(2024, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
GROUPS = """
shopify: { schedule: "0 6 * * *", couriers: { shopify: } }
klaviyo: { schedule: "30 6 * * *", couriers: { klaviyo: } }
free: { schedule: "0 8 * * *", couriers: { bigcommerce: } }
after:
  schedule: "0 8 * * *"
  couriers: { bigcommerce: }
  constraints: [{ group: shopify, offset: 2h, wait: 1h }]
both:
  schedule: "0 8 * * *"
  couriers: { bigcommerce: }
  constraints: [{ group: shopify, offset: 2h, wait: 1h }, { group: klaviyo, offset: 26h, wait: 3h }]
"""


@dataclass(frozen=True)
class Ran:
    """A past run: its S in hours from the case's, and whether every required courier committed."""

    group: str
    hours: float
    committed: bool = True


@dataclass(frozen=True)
class Case:
    group: str
    now: float  # hours after S
    answer: str
    ran: tuple[Ran, ...] = ()


CASES = {
    "not due yet": Case("free", -0.01, "idle"),
    "due": Case("free", 0, "run"),
    "late, and nothing ran since": Case("free", 9, "run"),
    "covered by a later run by hand": Case("free", 2, "covered", (Ran("free", 1),)),
    "not covered by a failed one": Case("free", 2, "run", (Ran("free", 1, False),)),
    "not covered by an earlier one": Case("free", 2, "run", (Ran("free", -24),)),
    "nothing to go by: wait": Case("after", 0, "wait"),
    "the wait's last instant": Case("after", 1, "wait"),
    "the wait is over": Case("after", 1.001, "blocked"),
    "scheduled within the offset": Case("after", 0, "run", (Ran("shopify", -2),)),
    "scheduled just before the offset": Case("after", 0, "wait", (Ran("shopify", -2.001),)),
    "scheduled before the offset, and the wait is over": Case("after", 1.5, "blocked", (Ran("shopify", -2.001),)),
    "scheduled within the wait": Case("after", 1, "run", (Ran("shopify", 1),)),
    "scheduled after the wait": Case("after", 1.5, "blocked", (Ran("shopify", 1.001),)),
    "a failed run does not count": Case("after", 0, "wait", (Ran("shopify", -1, False),)),
    "a failed run, then one that committed": Case("after", 0, "run", (Ran("shopify", -1, False), Ran("shopify", 0))),
    "another group's run does not count": Case("after", 0, "wait", (Ran("klaviyo", -1),)),
    "asked again late, it held in time": Case("after", 9, "run", (Ran("shopify", -1),)),
    "one of two holds": Case("both", 0, "wait", (Ran("shopify", -1),)),
    "both hold, each with its own offset": Case("both", 0, "run", (Ran("shopify", -1), Ran("klaviyo", -25.5))),
    "the shorter wait is over": Case("both", 1.5, "blocked", (Ran("klaviyo", -1),)),
    "only the longer wait is left": Case("both", 2.5, "wait", (Ran("shopify", -1),)),
    "covered, whatever its constraints": Case("both", 2, "covered", (Ran("both", 1),)),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("decided")
    write_project(root)
    (root / "courier_groups.yaml").write_text(GROUPS, "utf-8")
    return Home.of(root, sandbox=True)


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_both_engines_decide_alike(
    case: Case, home: Home, instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, now = home.project.groups[case.group], S + case.now * HOUR
    assert embedded(group, case, now, tmp_path / "state.db") == case.answer
    assert on_dagster(home, group, case, now, instance, monkeypatch) == case.answer


def embedded(group: CourierGroup, case: Case, now: datetime, path: Path) -> str:
    """What the embedded scheduler does about a fire in hand, by its history."""
    history = History(path)
    for number, ran in enumerate(case.ran):
        at, result = rfc3339(S + ran.hours * HOUR), "succeeded" if ran.committed else "failed"
        history.begin_group(f"run-{number}", ran.group, at, "schedule", at, "")
        history.end_group(f"run-{number}", at, result, "", "", {}, committed=ran.committed)
    names = [group.name, *(one.group for one in group.constraints)]
    past = Endings(path).counting({group.name: (names, looked_at_since(group, S))})[group.name]
    return look(group, Standing(S, S), now, past).answer


def on_dagster(
    home: Home, group: CourierGroup, case: Case, now: datetime, instance: DagsterInstance, patch: pytest.MonkeyPatch
) -> str:
    """What the group's sensor does about the same fire, by Dagster's runs."""
    for ran in case.ran:
        recorded(instance, ran.group, S + ran.hours * HOUR, ran.committed)
    patch.setattr(clock, "now", lambda: now)
    result = ticked(home, group, instance, f'"hand": "{rfc3339(S)}"')
    if not result.run_requests:
        assert result.skip_reason
        return str(result.skip_reason.skip_message).split()[0]
    (request,) = result.run_requests
    assert request.run_key == f"{group.name}:{rfc3339(S)}"
    assert request.tags == {GROUP: group.name, SCHEDULED: rfc3339(S)}
    return "run"


def ticked(home: Home, group: CourierGroup, instance: DagsterInstance, *more: str) -> SensorResult:
    """One look of the group's sensor, whose fires have been taken in until S."""
    standing = [f'"schedule": "{group.schedule}"', f'"timezone": "{group.timezone}"', f'"upto": "{rfc3339(S)}"', *more]
    context = build_sensor_context(instance, cursor="{" + ", ".join(standing) + "}")
    result = group_sensor(home, group, job_of(home, group))(context)
    assert isinstance(result, SensorResult)
    return result


def recorded(instance: DagsterInstance, group: str, scheduled: datetime, committed: bool, **tags: str) -> DagsterRun:
    status = DagsterRunStatus.SUCCESS if committed else DagsterRunStatus.FAILURE
    about = {GROUP: group, SCHEDULED: rfc3339(scheduled), **tags}
    run: DagsterRun = create_run_for_test(instance, job_name=group, status=status, tags=about)
    return run


def test_a_run_counts_once_its_required_couriers_have_committed(instance: DagsterInstance) -> None:
    """Also where an activation failed after that; not where only some of its assets were asked for."""
    failed = recorded(instance, "shopify", S, False)
    assert [run.succeeded for run in Past(instance).counting(["shopify"], S)] == [False]
    instance.add_run_tags(failed.run_id, {COMMITTED: "true"})
    assert Past(instance).counting(["shopify"], S) == (PastRun("shopify", S, True),)
    assert Past(instance).counting(["shopify"], S + HOUR) == ()
    some = frozenset({AssetKey(["shopify", "order"])})
    tags = {GROUP: "klaviyo", SCHEDULED: rfc3339(S)}
    create_run_for_test(instance, status=DagsterRunStatus.SUCCESS, tags=tags, asset_selection=some)
    assert [run.succeeded for run in Past(instance).counting(["klaviyo"], S)] == [False]


def test_a_fire_stays_in_hand_until_its_run_is_over(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run per fire: under way, lost and about to be run again by Dagster, ended. Then comes what was queued."""
    group = home.project.groups["free"]
    monkeypatch.setattr(clock, "now", lambda: S + HOUR)
    hand, later = f'"hand": "{rfc3339(S)}"', f'"queued": "{rfc3339(S + HOUR / 2)}"'
    with DagsterInstance.local_temp(str(tmp_path), overrides={"run_retries": {"enabled": True}}) as instance:
        run = recorded(instance, "free", S, False)
        for said in ({}, {WILL_RETRY: "true"}):  # what it is going to do it says a moment after the failure
            instance.add_run_tags(run.run_id, said)
            held = ticked(home, group, instance, hand, later)
            assert not held.run_requests and kept_of(held.cursor or "").standing.hand == S
        instance.add_run_tags(run.run_id, {WILL_RETRY: "false"})
        ended = ticked(home, group, instance, hand, later)
    assert not ended.run_requests and kept_of(ended.cursor or "").standing == Standing(S, None, S + HOUR / 2)


def test_missed_fires_collapse_into_the_latest(
    home: Home, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon was away for three days and a half: one run, at the last of the fires."""
    monkeypatch.setattr(clock, "now", lambda: S + 84 * HOUR)
    result = ticked(home, home.project.groups["free"], instance)
    (request,) = result.run_requests or ()
    assert request.tags[SCHEDULED] == rfc3339(S + 72 * HOUR)


def test_a_blocked_fire_is_seen_at_its_couriers(
    home: Home, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: S + 2 * HOUR)
    result = ticked(home, home.project.groups["after"], instance, f'"hand": "{rfc3339(S)}"')
    (seen,) = result.asset_events
    assert isinstance(seen, AssetObservation) and seen.asset_key == AssetKey(["courier", "bigcommerce"])
    assert "no successful run of shopify in time" in str(seen.metadata["blocked"].value)
    assert "courier run --group shopify" in str(result.skip_reason)
    assert kept_of(result.cursor or "").standing.hand is None
