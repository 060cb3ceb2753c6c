"""A group's result is the fold of its couriers'; what is typed for a gap is that gap; what a run may leave out."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.cli.asked import asked_for
from courier.clock import Interval, rfc3339
from courier.config.project import Constraint, CourierGroup, Feed, GroupCourier
from courier.connectors import connector_named
from courier.errors import Incomplete, RunFailed, UsageError
from courier.runtime.allowance import LEFT_OUT, Allowance, check_skipped
from courier.runtime.gaps import gap_of
from courier.runtime.group_foresight import foresee_group
from courier.runtime.group_run import Asked, together
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.runtime.plan import Intention, plan_feeds, requests_of
from courier.runtime.resolution import resolution
from courier.runtime.result import CourierResult
from tests.connectors.shopify.shipped import courier

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIXES = ("", "run again", "run again later; nothing was committed", "grant it", "mend it and type courier retry RUN")


def subclasses(kind: type[RunFailed]) -> list[type[RunFailed]]:
    return [one for below in kind.__subclasses__() for one in (below, *subclasses(below))]


SUCCEEDED = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5)


@given(SUCCEEDED)
def test_a_groups_result_is_the_fold_of_its_couriers(couriers: list[tuple[bool, bool]]) -> None:
    """Committed where every required courier is; succeeded where all are, failed where none is, else partial."""
    members = tuple(GroupCourier(str(n), required=required) for n, (required, _) in enumerate(couriers))
    group = CourierGroup("stores", None, "UTC", True, "full", members)
    results = [
        CourierResult(str(n), f"run-{n}", "succeeded" if good else "failed", problem="" if good else f"problem {n}")
        for n, (_, good) in enumerate(couriers)
    ]
    found = together("run", group, Asked(NOW), results)
    good = [succeeded for _, succeeded in couriers]
    assert found.committed == all(succeeded for required, succeeded in couriers if required)
    assert found.result == ("succeeded" if all(good) else "partial" if any(good) else "failed")
    assert bool(found.problem) == bool(found.fix or (len(good) == 1 and not all(good))) == (not all(good))


INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))


@given(st.lists(INSTANTS, min_size=2, max_size=2, unique=True).map(sorted), st.booleans())
def test_the_command_that_fills_a_gap_asks_for_that_gap(bounds: list[datetime], first: bool) -> None:
    """To the microsecond; what begins with time is filled by everything."""
    period = Interval(None if first else bounds[0], bounds[1])
    words = shlex.split(gap_of(Place(Path(), sandbox=False), "shopify", "order", period).command)
    assert words[:6] == ["courier", "run", "--courier", "shopify", "--feed", "order"]
    options = dict(zip(words[6::2], words[7::2], strict=False)) if not first else {}
    chosen = {"day": None, "since": options.get("--since"), "until": options.get("--until"), "no_offset": False}
    asked = asked_for("shopify", ("order",), {**chosen, "everything": "--all" in words, "scheduled": None})
    assert asked.by_hand is not None
    if first:
        assert asked.by_hand.period.since is None and asked.by_hand.period.until == asked.now
    else:
        assert asked.by_hand.period == period


def test_feeds_that_are_left_out_leave_the_others_as_they_are() -> None:
    """The other feeds' requests keep their names, by which a retry finds what they fetched."""
    shop = courier()
    feeds = tuple(replace(feed, mode="bulk") if feed.name == "product" else feed for feed in shop.feeds)
    shop = replace(shop, feeds=feeds)
    intention = Intention("shopify", NOW)
    connector = connector_named("shopify")
    whole = requests_of(shop, plan_feeds(shop, connector, intention, {}))
    fewer = plan_feeds(shop, connector, replace(intention, allowance=Allowance(skip_feeds=("product",))), {})
    assert [plan.feed.name for plan in fewer if plan.skipped == LEFT_OUT] == ["product"]
    names = {one.name: [feed.name for feed in one.feeds] for one in whole}
    assert names.pop("Product") == ["product"]
    assert {one.name: [feed.name for feed in one.feeds] for one in requests_of(shop, fewer)} == names


@pytest.mark.parametrize(
    ("skipped", "loaded", "said"),
    [
        (("ordr",), (), "there is no feed 'ordr'"),
        (("order",), (), "order_line, order_line_refund, order_tags, discount_allocation, discount_codes"),
        (("order",), ("order", "customer"), ""),
        (("locations",), ("locations",), "nothing to load"),
        (("product_tags", "locations"), (), ""),
    ],
)
def test_what_can_be_left_out(skipped: tuple[str, ...], loaded: tuple[str, ...], said: str) -> None:
    """Known feeds, with their children, and not all that there is."""
    if not said:
        check_skipped([courier()], skipped, loaded)
        return
    with pytest.raises(UsageError) as caught:
        check_skipped([courier()], skipped, loaded)
    assert said in caught.value.message


@given(st.timedeltas(timedelta(0), timedelta(days=3)))
def test_a_feed_with_every_is_skipped_while_it_is_young(age: timedelta) -> None:
    """`every: 24h`: loaded again as soon as its watermark is that old; then with all that it has missed."""
    shop = courier()
    rare: tuple[Feed, ...] = (replace(shop.feeds[0], every=timedelta(hours=24)),)
    marks = {rare[0].name: NOW - age}
    shopify = connector_named("shopify")
    (plan,) = plan_feeds(replace(shop, feeds=rare), shopify, Intention("shopify", NOW), marks)
    if age < timedelta(hours=24):
        assert plan.period is None and plan.skipped.startswith("loaded less than")
    else:
        assert plan.period == Interval(NOW - age, NOW)


@given(st.sampled_from([RunFailed, *subclasses(RunFailed)]), st.booleans(), st.booleans(), st.sampled_from(FIXES))
def test_every_failure_names_the_command_that_fits(
    kind: type[RunFailed], fetched: bool, sandbox: bool, fix: str
) -> None:
    """Its own run's retry, in its own place; what could not be proven is fetched anew, unless it already was."""
    said = resolution(kind("it failed", fix=fix), "run-1", fetched=fetched, sandbox=sandbox)
    assert f"courier retry run-1{' --sandbox' if sandbox else ''}" in said
    assert "RUN" not in said and "run again" not in said
    if "courier retry" not in fix:
        assert ("--fetch" in said) == (issubclass(kind, Incomplete) and not fetched)


def test_what_is_foreseen_of_a_group(tmp_path: Path) -> None:
    """Activations of full runs only; which constraints hold now, until when the others are waited for."""
    history = History(tmp_path / "state.db")
    waiting = (Constraint("before", offset=HOUR), Constraint("beside", wait=HOUR))
    full = CourierGroup("g", None, "UTC", True, "full", (), waiting, ("segments",))
    asked = Asked(NOW, scheduled=NOW)
    scheduled = rfc3339(NOW - HOUR)
    history.begin_group("b", "before", scheduled, "schedule", scheduled, "")
    history.end_group("b", scheduled, "partial", "", "", {}, committed=True)
    seen = foresee_group(history, full, asked, NOW)
    assert (seen.activations, seen.decision.answer, seen.decision.until) == (("segments",), "wait", NOW + HOUR)
    assert [(one.constraint.group, one.holds) for one in seen.constraints] == [("before", True), ("beside", False)]
    source = foresee_group(history, replace(full, run_type="source"), replace(asked, ignore_constraints=True), NOW)
    assert (source.activations, source.constraints, source.decision.answer) == ((), (), "run")
