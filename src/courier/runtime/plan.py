"""What a courier run is going to do: each feed's period, and the requests that fetch them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from courier.clock import Interval
from courier.config.project import Courier, DomainTable, Feed, Mode
from courier.connectors.contract import Connector, Request
from courier.runtime.allowance import LEFT_OUT, NOTHING, Allowance
from courier.runtime.period import ByHand, next_period, request_of


@dataclass(frozen=True)
class FeedPlan:
    """One feed of a run. `skipped` says why it is left out; then there is no period, or it is left as it is."""

    feed: Feed
    period: Interval | None
    request: Interval | None
    skipped: str = ""


@dataclass(frozen=True)
class Intention:
    """What somebody asked for: which feeds, at which instant S, over which period (None: since the watermark)."""

    courier: str
    scheduled: datetime
    offset: timedelta = timedelta(0)
    by_hand: ByHand | None = None
    feeds: tuple[str, ...] = ()  # empty: all
    group: str | None = None
    wait: timedelta = timedelta(0)
    group_run: str | None = None
    allowance: Allowance = NOTHING


def plan_feeds(
    courier: Courier, connector: Connector, intention: Intention, watermarks: Mapping[str, datetime | None]
) -> tuple[FeedPlan, ...]:
    """Every feed of the courier with its period and request, or the reason why it is skipped."""
    plans = [_plan_feed(feed, connector, intention, watermarks.get(feed.name)) for feed in courier.feeds]
    return left_out(plans, intention.allowance)


def left_out(plans: Sequence[FeedPlan], allowance: Allowance) -> tuple[FeedPlan, ...]:
    """The plans; those of feeds that a person leaves out keep their request, by which the others' are named."""
    return tuple(
        replace(plan, skipped=LEFT_OUT) if plan.request and plan.feed.name in allowance.skip_feeds else plan
        for plan in plans
    )


def _plan_feed(feed: Feed, connector: Connector, intention: Intention, watermark: datetime | None) -> FeedPlan:
    if intention.feeds and feed.name not in intention.feeds:
        return FeedPlan(feed, None, None, "not asked for")
    if intention.by_hand:
        period: Interval | None = intention.by_hand.period
        look_back = timedelta(0)
        offset = intention.offset if intention.by_hand.offset else timedelta(0)
    else:
        if feed.every and watermark and intention.scheduled - watermark < feed.every:
            return FeedPlan(feed, None, None, f"loaded less than {feed.every} ago")
        period, look_back, offset = (
            next_period(watermark, intention.scheduled),
            connector.look_back(feed),
            intention.offset,
        )
    if period is None:
        return FeedPlan(feed, None, None, "covered")
    if feed.load == "truncate":
        return FeedPlan(feed, period, Interval(None, None))
    return FeedPlan(feed, period, request_of(period, offset, look_back))


def requests_of(courier: Courier, plans: Sequence[FeedPlan]) -> tuple[Request, ...]:
    """One request for the feeds that share a root record, an interval and a mode, in the order of the feeds."""
    together: dict[tuple[str, Interval, Mode], list[FeedPlan]] = {}
    for plan in plans:
        if plan.request is not None:
            together.setdefault((plan.feed.table.rows.root, plan.request, plan.feed.mode), []).append(plan)
    named: dict[str, int] = {}
    requests = []
    for (root, interval, mode), asked in together.items():
        named[root] = named.get(root, 0) + 1
        name = root if named[root] == 1 else f"{root}-{named[root]}"
        feeds = tuple(plan.feed for plan in asked if not plan.skipped)
        if feeds:
            requests.append(Request(name, root, feeds, parents_of(courier, feeds), interval, mode))
    return tuple(requests)


def parents_of(courier: Courier, feeds: Sequence[Feed]) -> dict[str, DomainTable]:
    """The parents' tables of child feeds, by name."""
    wanted = {feed.table.parent for feed in feeds if feed.table.parent}
    return {feed.name: feed.table for feed in courier.feeds if feed.name in wanted}
