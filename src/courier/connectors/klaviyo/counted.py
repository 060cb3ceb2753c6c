"""What Klaviyo counts itself: reports on flows and campaigns, and aggregates of a metric's events, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from courier.clock import Interval
from courier.connectors.klaviyo.client import Ask, Client, Reply
from courier.connectors.klaviyo.days import Days, stretches, utc, wall, window
from courier.connectors.klaviyo.roots import Root, end_of
from courier.errors import Incomplete

Record = dict[str, Any]
DIMENSIONS = ("$attributed_flow", "$attributed_message")
MEASUREMENTS = ("count", "sum_value", "unique")
OPENED = frozenset({"opens", "opens_unique", "open_rate", "click_to_open_rate"})  # a text message is not opened
CAMPAIGN_CHANNELS = {"CampaignValuesReport": "campaign", "FlowValuesReport": "flow", "FlowSeriesReport": "flow"}
SERIES = "FlowSeriesReport"


@dataclass(frozen=True)
class Counting:
    """What is counted: for which metrics (ids), in which time zone, with which statistics."""

    root: Root
    interval: Interval
    zone: ZoneInfo
    metrics: tuple[str, ...]
    statistics: tuple[str, ...] = ()

    @property
    def asks(self) -> list[tuple[Ask, Days, str]]:
        """Every request, the days that it covers, and its dimension; in an order that stays the same for a period."""
        return list(self._aggregates() if self.root.kind == "aggregates" else self._reports())

    def _reports(self) -> Iterator[tuple[Ask, Days, str]]:
        until = end_of(self.interval)
        is_series = self.root.type == SERIES
        for days in stretches(self.interval, until, self.zone) if is_series else [window(until, self.zone)]:
            of = CAMPAIGN_CHANNELS[self.root.type]
            attributes = {
                "statistics": list(self.statistics),
                "timeframe": {"start": wall(days.first), "end": wall(days.last_second)},
                "conversion_metric_id": self.metrics[0],
                "group_by": [f"{of}_id", f"{of}_message_id", "send_channel"],
                **({"interval": "daily"} if is_series else {}),
            }
            kind = self.root.operation.removeprefix("query_").replace("_", "-") + "-report"
            yield Ask(self.root.operation, payload={"data": {"type": kind, "attributes": attributes}}), days, ""

    def _aggregates(self) -> Iterator[tuple[Ask, Days, str]]:
        for days in stretches(self.interval, end_of(self.interval), self.zone):
            for metric in self.metrics:
                for dimension in DIMENSIONS:
                    ends = [f"greater-or-equal(datetime,{utc(days.first)})", f"less-than(datetime,{utc(days.after)})"]
                    attributes = {
                        "metric_id": metric,
                        "measurements": list(MEASUREMENTS),
                        "interval": "day",
                        "by": [dimension],
                        "filter": ends,
                        "timezone": self.zone.key,
                    }
                    payload = {"data": {"type": "metric-aggregate", "attributes": attributes}}
                    yield Ask(self.root.operation, payload=payload), days, dimension

    def lines(self, client: Client, ask: Ask, days: Days, dimension: str) -> Iterator[tuple[list[Record], datetime]]:
        """The lines of each answer to one request, with the instant that it arrived. Raises what Client.ask raises."""
        following = ""
        while True:
            reply = client.ask(ask, following)
            yield list(self._lines(reply, ask, days, dimension)), reply.received
            links = reply.body.get("links")
            following = (links.get("next") if isinstance(links, dict) else None) or ""
            if not following:
                return

    def _lines(self, reply: Reply, ask: Ask, days: Days, dimension: str) -> Iterator[Record]:
        attributes = _attributes(reply, self.root)
        if self.root.kind == "aggregates":
            yield from _aggregate_lines(attributes, ask.payload["data"]["attributes"]["metric_id"], dimension)
        elif self.root.type == SERIES:
            yield from _series_lines(attributes, self.metrics[0])
        else:
            ends = {"window_start": utc(days.first), "window_end": utc(days.last_second)}
            for result in _list(attributes, "results"):
                yield {**ends, "conversion_metric_id": self.metrics[0], **_told(result, result["statistics"])}


def _attributes(reply: Reply, root: Root) -> dict[str, Any]:
    data = reply.body["data"]
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict):
        raise Incomplete(f"{root.operation}: an answer without results", fix="run again later")
    return attributes


def _list(attributes: dict[str, Any], name: str) -> list[Any]:
    found = attributes.get(name)
    if not isinstance(found, list):
        raise Incomplete(f"a report came without its {name}", fix="run again later")
    return found


def _told(result: Any, statistics: dict[str, Any]) -> Record:
    groupings = result["groupings"]
    hidden = OPENED if groupings.get("send_channel") == "sms" else frozenset()
    kept = {name: None if name in hidden else value for name, value in statistics.items()}
    return {"groupings": groupings, "statistics": kept}


def _series_lines(attributes: dict[str, Any], metric: str) -> Iterator[Record]:
    dates = _list(attributes, "date_times")
    for result in _list(attributes, "results"):
        _check_lengths(result["statistics"], dates)
        for number, date in enumerate(dates):
            statistics = {name: values[number] for name, values in result["statistics"].items()}
            head = {"date_time": date, "interval": "daily", "conversion_metric_id": metric}
            yield {**head, **_told(result, statistics)}


def _aggregate_lines(attributes: dict[str, Any], metric: str, dimension: str) -> Iterator[Record]:
    dates = _list(attributes, "dates")
    for group in _list(attributes, "data"):
        _check_lengths(group["measurements"], dates)
        value = (group.get("dimensions") or [""])[0]
        for measurement, values in group["measurements"].items():
            for number, date in enumerate(dates):
                yield {
                    "metric_id": metric,
                    "date": date,
                    "dimension_key": dimension,
                    "dimension_value": value,
                    "measurement": measurement,
                    "value": values[number],
                }


def _check_lengths(series: dict[str, Sequence[Any]], dates: Sequence[Any]) -> None:
    if any(len(values) != len(dates) for values in series.values()):
        raise Incomplete("a series has not one value for each of its days", fix="run again later")
