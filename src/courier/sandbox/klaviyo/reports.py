"""Metric aggregates and the reports on flows and campaigns, counted from the account's events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from courier.sandbox.klaviyo.account import Account
from courier.sandbox.klaviyo.filters import conditions
from courier.sandbox.klaviyo.making import ZONE
from courier.sandbox.klaviyo.operations import Limit, Operation
from courier.sandbox.klaviyo.refusals import Refused, invalid
from courier.sandbox.klaviyo.rows import EventRow

Node = dict[str, Any]
YEAR = 366 * 86_400
MEASUREMENTS = frozenset({"count", "sum_value", "unique"})
DIMENSIONS: Mapping[str, Callable[[EventRow], str | None]] = {
    "$attributed_flow": lambda event: event.flow,
    "$flow": lambda event: event.flow,
    "$attributed_message": lambda event: event.message,
    "$message": lambda event: event.message,
    "$attributed_channel": lambda event: event.channel,
    "$campaign_channel": lambda event: event.channel if event.campaign else None,
    "$flow_channel": lambda event: event.channel if event.flow else None,
}
_AGGREGATES = Operation(
    "", "", "", 0, 0, Limit(0, 0), None, (), {"datetime": frozenset({"greater-or-equal", "less-than"})}, False,
    frozenset(), frozenset(), frozenset(),
)  # fmt: skip
TEXT_STATISTICS = frozenset(
    {"text_message_credit_usage_amount", "text_message_spend", "text_message_roi", "message_segment_count_sum"}
)


def _attributes(body: Any, kind: str, known: set[str], required: Iterable[str]) -> Node:
    data = body.get("data") if isinstance(body, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict) or data is None or data.get("type") != kind:
        raise invalid("data", f"A {kind} with attributes is expected.")
    for name in required:
        if not attributes.get(name):
            raise invalid(name, f"'{name}' is a required field.")
    for name in attributes:
        if name not in known:
            raise invalid(name, f"'{name}' is not a valid field.")
    return attributes


def _known_metric(account: Account, identity: str) -> None:
    if not any(row.id == identity for row in account.rows("metric")):
        raise Refused(404, "not_found", "Not found.", f"A metric with id {identity} does not exist.")


def _midnights(start: float, end: float, zone: ZoneInfo) -> list[int]:
    """The first seconds of the days in [start, end), in their zone."""
    local = datetime.fromtimestamp(start, zone)
    day, found = datetime(local.year, local.month, local.day), []
    while (at := int(day.replace(tzinfo=zone).timestamp())) < end:
        found.append(at)
        day += timedelta(days=1)
    return found


def _buckets(events: Iterable[EventRow], days: list[int], end: float) -> list[list[EventRow]]:
    from bisect import bisect_right

    found: list[list[EventRow]] = [[] for _ in days]
    for event in events:
        if days and days[0] <= event.at < end:
            found[bisect_right(days, event.at) - 1].append(event)
    return found


def _value(events: Iterable[EventRow]) -> float:
    return sum(round((event.value or 0) * 100) for event in events) / 100


def _people(events: Iterable[EventRow]) -> float:
    return float(len({event.profile_id for event in events}))


def aggregates(account: Account, body: Any) -> Node:
    """POST /api/metric-aggregates, by day. Raises Refused."""
    known = {"metric_id", "measurements", "interval", "page_size", "page_cursor", "by", "filter", "timezone", "sort",
             "return_fields"}  # fmt: skip
    given = _attributes(body, "metric-aggregate", known, ("metric_id", "measurements", "filter"))
    _known_metric(account, given["metric_id"])
    if not set(given["measurements"]) <= MEASUREMENTS or given.get("interval", "day") != "day":
        raise invalid("measurements", "Unknown measurement, or an interval that the sandbox does not serve.")
    by = given.get("by") or []
    if not set(by) <= DIMENSIONS.keys():
        raise invalid("by", f"Invalid dimensions: {sorted(set(by) - DIMENSIONS.keys())}.")
    try:
        zone = ZoneInfo(given.get("timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        raise invalid("timezone", "Invalid timezone.") from None
    limits = {one.way: one.value for part in given["filter"] for one in conditions(part, _AGGREGATES)}
    if limits.keys() != {"greater-or-equal", "less-than"}:
        raise invalid("filter", "Filters must have a greater-or-equal and a less-than of datetime.")
    start, end = limits["greater-or-equal"], limits["less-than"]
    if not start < end <= start + YEAR:
        raise invalid("filter", "The time range must be at most one year.")
    days = _midnights(start, end, zone)
    groups: dict[tuple[str, ...], list[EventRow]] = {}
    for event in account.rows("event"):
        if event.metric_id == given["metric_id"] and start <= event.at < end:
            groups.setdefault(tuple(DIMENSIONS[name](event) or "" for name in by), []).append(event)
    data = [
        {"dimensions": list(key), "measurements": _measured(_buckets(found, days, end), given["measurements"])}
        for key, found in sorted(groups.items())
    ]
    dates = [datetime.fromtimestamp(day, zone).isoformat() for day in days]
    return {"type": "metric-aggregate", "id": "aggregate", "attributes": {"dates": dates, "data": data}}


def _measured(buckets: list[list[EventRow]], wanted: Iterable[str]) -> Node:
    ways: dict[str, Callable[[list[EventRow]], float]] = {
        "count": lambda events: float(len(events)), "sum_value": _value, "unique": _people
    }  # fmt: skip
    return {name: [ways[name](events) for events in buckets] for name in wanted}


def values_report(account: Account, body: Any, kind: str) -> Node:
    """POST /api/{kind}-values-reports. Raises Refused."""
    given, start, end = _report(account, body, f"{kind}-values-report", kind)
    results = [
        {"groupings": key, "statistics": {name: told[name] for name in given["statistics"]}}
        for key, found in _grouped(account, kind, start, end, given["conversion_metric_id"])
        if (told := _statistics(found, key["send_channel"], given["conversion_metric_id"]))
    ]
    return {"type": f"{kind}-values-report", "attributes": {"results": results}}


def series_report(account: Account, body: Any) -> Node:
    """POST /api/flow-series-reports, by day. Raises Refused."""
    given, start, end = _report(account, body, "flow-series-report", "flow", "interval")
    if given["interval"] != "daily" or TEXT_STATISTICS & set(given["statistics"]):
        raise invalid("interval", "The sandbox serves daily series, of all but the statistics of text messages.")
    days, results = _midnights(start, end + 1, ZONE), []
    for key, found in _grouped(account, "flow", start, end, given["conversion_metric_id"]):
        told = [
            _statistics(day, key["send_channel"], given["conversion_metric_id"])
            for day in _buckets(found, days, end + 1)
        ]
        statistics = {name: [one[name] for one in told] for name in given["statistics"]}
        results.append({"groupings": key, "statistics": statistics})
    dates = [datetime.fromtimestamp(day, ZONE).isoformat() for day in days]
    return {"type": "flow-series-report", "attributes": {"results": results, "date_times": dates}}


def _report(account: Account, body: Any, kind: str, of: str, *more: str) -> tuple[Node, float, float]:
    known = {"statistics", "timeframe", "conversion_metric_id", "group_by", "filter", *more}
    given = _attributes(body, kind, known, ("statistics", "timeframe", "conversion_metric_id", *more))
    _known_metric(account, given["conversion_metric_id"])
    unknown = set(given["statistics"]) - _statistics([], "email", "").keys()
    if unknown:
        raise invalid("statistics", f"Invalid statistics: {sorted(unknown)}.")
    needed = {f"{of}_id", f"{of}_message_id"}
    if "group_by" in given and not needed <= set(given["group_by"]):
        raise invalid("group_by", f"group_by must contain {sorted(needed)}.")
    frame = given["timeframe"]
    if "start" not in frame or "end" not in frame:
        raise invalid("timeframe", "The sandbox serves timeframes with start and end.")
    start, end = _wall(frame["start"]), _wall(frame["end"])
    if not start < end <= start + YEAR:
        raise invalid("timeframe", "The timeframe must be at most one year.")
    return given, start, end


def _wall(text: str) -> float:
    """An instant of the account's time zone: an offset is ignored."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()
    except ValueError:
        raise invalid("timeframe", "Invalid date.") from None


def _grouped(account: Account, of: str, start: float, end: float, metric: str) -> list[tuple[Node, list[EventRow]]]:
    """Both ends of a timeframe belong to it."""
    groups: dict[tuple[str, str, str], list[EventRow]] = {}
    for event in account.rows("event"):
        origin = getattr(event, of)
        if origin and event.message and event.channel and start <= event.at <= end:
            groups.setdefault((origin, event.message, event.channel), []).append(event)
    names = (f"{of}_id", f"{of}_message_id", "send_channel")
    return [(dict(zip(names, key, strict=True)), found) for key, found in sorted(groups.items())]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _statistics(events: list[EventRow], channel: str, conversion_metric: str) -> dict[str, float]:
    def of(start: str) -> list[EventRow]:
        return [event for event in events if event.metric.startswith(start)]

    received, bounced, opened, clicked = of("Received"), of("Bounced"), of("Opened"), of("Clicked")
    left = of("Unsubscribed")
    bought = [event for event in events if event.metric_id == conversion_metric]
    recipients, delivered = float(len(received)), float(len(received) - len(bounced))
    spend = recipients / 100 if channel == "sms" else 0.0
    return {
        "recipients": recipients,
        "delivered": delivered,
        "opens": float(len(opened)),
        "opens_unique": _people(opened),
        "open_rate": _ratio(_people(opened), delivered),
        "clicks": float(len(clicked)),
        "clicks_unique": _people(clicked),
        "click_rate": _ratio(_people(clicked), delivered),
        "click_to_open_rate": _ratio(_people(clicked), _people(opened)),
        "conversions": float(len(bought)),
        "conversion_uniques": _people(bought),
        "conversion_rate": _ratio(_people(bought), delivered),
        "conversion_value": _value(bought),
        "revenue_per_recipient": _ratio(_value(bought), delivered),
        "average_order_value": _ratio(_value(bought), float(len(bought))),
        "unsubscribes": float(len(left)),
        "unsubscribe_uniques": _people(left),
        "unsubscribe_rate": _ratio(_people(left), delivered),
        "bounced": float(len(bounced)),
        "bounce_rate": _ratio(float(len(bounced)), recipients),
        "failed": 0.0,
        "failed_rate": 0.0,
        "spam_complaints": 0.0,
        "spam_complaint_rate": 0.0,
        "text_message_credit_usage_amount": recipients if channel == "sms" else 0.0,
        "text_message_spend": spend,
        "text_message_roi": _ratio(_value(bought), spend) if channel == "sms" else 0.0,
        "message_segment_count_sum": recipients if channel == "sms" else 0.0,
    }
