"""What the shipped Klaviyo courier should hold, whatever the API looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from courier.sandbox.history.rows import History
from courier.sandbox.klaviyo.account import TABLES, account_of
from courier.sandbox.telling import Books

# Domain table -> what tells one row from another.
KEYS: dict[str, tuple[str, ...]] = {
    "accounts": ("id",),
    "profiles": ("id",),
    "segments": ("id",),
    "segment_profiles": ("segment_id", "profile_id"),
    "lists": ("id",),
    "list_profiles": ("list_id", "profile_id"),
    "metrics": ("id",),
    "mapped_metrics": ("id",),
    "metric_aggregates": ("metric_id", "date", "dimension_key", "dimension_value", "measurement"),
    "flows": ("id",),
    "flow_actions": ("id",),
    "flow_messages": ("id",),
    "templates": ("id",),
    "campaigns": ("id",),
    "campaign_messages": ("id",),
    "flow_values_report": (
        "window_start",
        "window_end",
        "conversion_metric_id",
        "flow_id",
        "flow_message_id",
        "send_channel",
    ),
    "campaign_values_report": (
        "window_start",
        "window_end",
        "conversion_metric_id",
        "campaign_id",
        "campaign_message_id",
        "send_channel",
    ),
    "flow_series_report": (
        "date_time",
        "interval",
        "conversion_metric_id",
        "flow_id",
        "flow_message_id",
        "send_channel",
    ),
    "catalog_items": ("id",),
    "catalog_variants": ("id",),
    "events": ("id",),
    "order_items": ("event_id", "line_no"),
}
_REPORT = ("event", "window", "day")
_READ = {
    **{name: _REPORT for name in KEYS if name.endswith("_report") or name == "metric_aggregates"},
    "accounts": ("account",),
    "profiles": ("profile",),
    "segments": ("group", "member"),
    "lists": ("group", "member"),
    "segment_profiles": ("member",),
    "list_profiles": ("member",),
    "metrics": ("metric",),
    "mapped_metrics": ("metric",),
    "flows": ("flow",),
    "flow_actions": ("flow_action",),
    "flow_messages": ("flow_message",),
    "templates": ("template",),
    "campaigns": ("campaign",),
    "campaign_messages": ("campaign_message",),
    "catalog_items": ("catalog_item",),
    "catalog_variants": ("catalog_variant",),
    "events": ("event",),
    "order_items": ("item",),
}
_MACROS = "CREATE MACRO ratio(part, whole) AS CASE WHEN whole = 0 THEN 0::DOUBLE ELSE part / whole END;"


def _made(tables: Iterable[str]) -> Mapping[str, type]:
    read = {name for table in tables for name in _READ[table]}
    return {name: kind for name, kind in TABLES.items() if name in read}


def _rows(history: History, name: str) -> Iterable[Any]:
    return account_of(history).rows(name)


BOOKS = Books("klaviyo", KEYS, tuple(KEYS), _made, _rows, _MACROS, whole=True)
