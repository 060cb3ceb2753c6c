"""The whole made-up account, table by table, as it follows from the shop's history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any
from zlib import crc32

from courier.sandbox.history.rows import History
from courier.sandbox.klaviyo import catalogue, events, messages, people, rows
from courier.sandbox.klaviyo.making import ZONE, day_of, instants
from courier.sandbox.klaviyo.rows import MemberRow, ProfileRow

WINDOW_DAYS, SERIES_DAYS = 30, 365
TABLES: dict[str, type] = {
    "account": rows.AccountRow,
    "profile": rows.ProfileRow,
    "group": rows.GroupRow,
    "member": rows.MemberRow,
    "metric": rows.MetricRow,
    "event": rows.EventRow,
    "item": rows.ItemRow,
    "flow": rows.FlowRow,
    "flow_action": rows.FlowActionRow,
    "flow_message": rows.FlowMessageRow,
    "template": rows.TemplateRow,
    "campaign": rows.CampaignRow,
    "campaign_message": rows.CampaignMessageRow,
    "catalog_item": rows.CatalogItemRow,
    "catalog_variant": rows.CatalogVariantRow,
    "window": rows.WindowRow,
    "day": rows.DayRow,
}


class Account:
    """The tables of one state of the shop; each is made when it is first asked for."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._made: dict[str, Sequence[Any]] = {}

    def rows(self, table: str) -> Sequence[Any]:
        if table not in self._made:
            self._made[table] = tuple(self._make(table))
        return self._made[table]

    def _make(self, table: str) -> Iterator[Any]:
        history = self.history
        if table == "item":
            return events.items(list(self.rows("event")))
        made = {
            "profile": people.profiles,
            "group": people.groups,
            "member": people.members,
            "metric": events.metrics,
            "event": events.events,
            "flow": messages.flows,
            "flow_action": messages.flow_actions,
            "flow_message": messages.flow_messages,
            "template": messages.templates,
            "campaign": messages.campaigns,
            "campaign_message": messages.campaign_messages,
            "catalog_item": catalogue.items,
            "catalog_variant": catalogue.variants,
            "account": accounts,
            "window": windows,
            "day": days,
        }
        return made[table](history)

    @cached_property
    def profiles(self) -> dict[str, ProfileRow]:
        return {row.id: row for row in self.rows("profile")}

    @cached_property
    def members(self) -> dict[tuple[str, str], list[MemberRow]]:
        """Kind and id of a list or segment -> its members."""
        found: dict[tuple[str, str], list[MemberRow]] = {}
        for row in self.rows("member"):
            found.setdefault((row.kind, row.group_id), []).append(row)
        return found


_known: list[Account] = []


def account_of(history: History) -> Account:
    """The account of a state of the shop; the last two are remembered."""
    for known in _known:
        if known.history is history:
            return known
    made = Account(history)
    _known[:] = [made, *_known[:1]]
    return made


def accounts(history: History) -> Iterator[rows.AccountRow]:
    assert history.options is not None
    key = f"{crc32(f'{history.options}{history.anchor}'.encode()):08x}"[:6].upper()
    yield rows.AccountRow(key, ZONE.key, history.options.currency, True, key, "eCommerce", "en-US")


def windows(history: History) -> Iterator[rows.WindowRow]:
    """One per day on which something happened last: it ends with the day before."""
    for start in sorted({day_of(instant) for instant in instants(history)}):
        yield rows.WindowRow(day_of(start, -WINDOW_DAYS), start - 1)


def days(history: History) -> Iterator[rows.DayRow]:
    """From a year before the first of those days up to the last."""
    begun = sorted({day_of(instant) for instant in instants(history)})
    start = day_of(begun[0], -SERIES_DAYS)
    while start < begun[-1]:
        following = day_of(start, 1)
        yield rows.DayRow(start, following)
        start = following
