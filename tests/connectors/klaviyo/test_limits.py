"""The published limits: kept, shared, and foretold by `courier plan`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from courier.connectors.contract import Pace
from courier.connectors.klaviyo import endpoints
from courier.connectors.klaviyo.budget import Budget, Window
from courier.connectors.klaviyo.endpoints import ENDPOINTS
from courier.errors import SourceBusy
from courier.sandbox.history.options import Options
from courier.sandbox.klaviyo.limits import Windows
from courier.sandbox.klaviyo.operations import Limit, operations
from courier.sandbox.klaviyo.refusals import Refused
from tests.connectors.klaviyo.running import NOON, Clock, Running
from tests.connectors.klaviyo.running import running as begin

MILLION = 1_000_000


def test_the_limits_are_the_published_ones() -> None:
    """Each operation that is asked has the limits, scopes, path and page size of Klaviyo's own table."""
    published = {operation.name: operation for operation in operations()}
    for name, endpoint in ENDPOINTS.items():
        told, special = published[name], published[name].special
        assert (endpoint.path, endpoint.page) == (told.path, told.page_max), name
        assert {*endpoint.scopes} == {*told.scopes}, name
        assert Limit(endpoint.limit.burst, endpoint.limit.steady, endpoint.limit.daily) == told.limit, name
        if endpoint.costly:
            assert special is not None and endpoint.costly_limit is not None
            assert special[0][1] == endpoint.costly
            assert Limit(endpoint.costly_limit.burst, endpoint.costly_limit.steady) == special[1], name


@pytest.mark.parametrize("second", [0, 17, 43])
def test_a_million_profiles_take_as_long_as_planned(second: int) -> None:
    """10,000 pages against the account's own windows, wherever in a minute they begin, are refused once at most, and
    take what the plan's arithmetic says, within a tenth."""
    endpoint, windows, window = ENDPOINTS["get_profiles"], Windows(), Window()
    limit, published = endpoint.limit_of(costly=True), Limit(10, 150)
    began = now = NOON.timestamp() + second
    left, refused = MILLION // endpoint.page, 0
    while left:
        now += window.take(limit, now)
        try:
            told = windows.admit("profiles", published, now)
        except Refused as throttled:
            refused += 1
            window.refused(throttled.retry_after or 1, now)
            continue
        window.settle(int(told["RateLimit-Remaining"]), float(told["RateLimit-Reset"]), now)
        left -= 1
    planned = Pace((("profiles", endpoint.page),), limit.burst, limit.steady).seconds({"profiles": MILLION})
    assert abs(now - began - planned) < 0.1 * planned
    assert refused <= 1  # where it begins, it does not know yet when a window ends
    assert 60 < planned / 60 < 70


def test_the_plan_foretells_what_the_clock_measures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A whole reading of the profiles with their predictions: `courier plan` knows to a tenth how long it takes.

    Pages are small here, so that a few profiles take more than a minute at the published limit.
    """
    monkeypatch.setitem(endpoints.ENDPOINTS, "get_profiles", replace(ENDPOINTS["get_profiles"], page=4))
    with begin(tmp_path, monkeypatch, Options(customers=620, orders=10, products=2)) as made:
        before = made.foresee("profiles")
        assert before.seconds(*before.estimates[0]) is None  # nothing is known before the first load
        began = made.time.at
        assert made.run("profiles").result == "succeeded"
        measured = (made.time.at - began).total_seconds()
        made.next_day()
        seen = made.foresee("profiles")
        planned = seen.seconds(*seen.estimates[0])
        assert planned is not None and planned > 60
        assert abs(measured - planned) < 0.1 * planned
        assert all(request["status"] == 200 for request in made.klaviyo.log)


def test_a_day_has_225_reports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The budget holds the next one back until the day is over, whoever asks."""
    time, limit = Clock(monkeypatch), ENDPOINTS["query_flow_values"].limit
    time.at = time.at.replace(hour=0)
    for number in range(limit.daily):
        seconds = Budget(tmp_path, "one").take("query_flow_values", limit)
        assert seconds is not None, number
        time.sleep(seconds)
    assert Budget(tmp_path, "one").take("query_flow_values", limit) is None
    assert Budget(tmp_path, "another").take("query_flow_values", limit) == 0
    time.sleep(86_400)
    assert Budget(tmp_path, "one").take("query_flow_values", limit) is not None


def test_a_spent_day_is_said_before_anything_is_asked(running: Running) -> None:
    """The run fails with when to come again, and has not asked Klaviyo for the 226th report."""
    running.served.faults.add({"kind": "status", "status": 429, "retry_after": 40_000, "contains": "values-reports"})
    ended = running.run("flow_values_report")
    assert ended.result == "failed"
    assert "may be asked again in 40000 seconds" in ended.problem
    assert SourceBusy.exit_code == 1


def test_what_klaviyo_says_counts(running: Running) -> None:
    """A 429 in the middle is waited for as it asks, and the run goes on."""
    running.served.faults.add({"kind": "throttled", "seconds": 90, "contains": "GET /api/templates?", "nth": 2})
    began = running.time.at
    assert running.run("templates").result == "succeeded"
    assert (running.time.at - began).total_seconds() >= 90
    assert running.hashes() == running.truth(["templates"])
