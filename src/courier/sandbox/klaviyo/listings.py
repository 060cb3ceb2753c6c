"""What each list of resources holds: its rows, what they are filtered and sorted by, and how they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from courier.sandbox.klaviyo import resources
from courier.sandbox.klaviyo.account import Account
from courier.sandbox.klaviyo.people import LIST, SEGMENT
from courier.sandbox.klaviyo.refusals import Refused
from courier.sandbox.klaviyo.resources import Node

Getter = Callable[[Any], Any]


@dataclass(frozen=True)
class Listing:
    """`rows` of an account, below the id in the path if there is one; `values`: by the names of filters and sorts."""

    kind: str
    rows: Callable[[Account, str], Iterable[Any]]
    send: Callable[[Account, Any], Node]
    values: Mapping[str, Getter] = field(default_factory=dict)
    default_sort: str = "id"

    def value(self, row: Any, name: str) -> Any:
        getter = self.values.get(name)
        return getter(row) if getter else getattr(row, name)


def _all(table: str) -> Callable[[Account, str], Iterable[Any]]:
    return lambda account, _: account.rows(table)


def _plain(send: Callable[[Any], Node]) -> Callable[[Account, Any], Node]:
    return lambda _, row: send(row)


def _groups(kind: str) -> Callable[[Account, str], Iterable[Any]]:
    return lambda account, _: [row for row in account.rows("group") if row.kind == kind]


def _members(kind: str) -> Callable[[Account, str], Iterable[Any]]:
    def found(account: Account, identity: str) -> Iterable[Any]:
        if not any(row.kind == kind and row.id == identity for row in account.rows("group")):
            raise missing(kind, identity)
        return account.members.get((kind, identity), ())

    return found


def missing(kind: str, identity: str) -> Refused:
    return Refused(404, "not_found", "Not found.", f"A {kind} with id {identity} does not exist.")


def _below(table: str, parents: str, column: str) -> Callable[[Account, str], Iterable[Any]]:
    def found(account: Account, identity: str) -> Iterable[Any]:
        if not any(row.id == identity for row in account.rows(parents)):
            raise missing(parents, identity)
        return [row for row in account.rows(table) if getattr(row, column) == identity]

    return found


def _ids(account: Account, table: str, column: str, value: str) -> list[str]:
    return [row.id for row in account.rows(table) if getattr(row, column) == value]


def _member(account: Account, row: Any) -> Node:
    return resources.member(row, account.profiles)


def _member_id(_: Account, row: Any) -> Node:
    return {"type": "profile", "id": row.profile_id}


def _flow_action(account: Account, row: Any) -> Node:
    return resources.flow_action(row, _ids(account, "flow_message", "action_id", row.id))


def _campaign(account: Account, row: Any) -> Node:
    return resources.campaign(row, _ids(account, "campaign_message", "campaign_id", row.id))


_MEMBER = {"id": attrgetter("profile_id"), "joined_group_at": attrgetter("joined")}
_JOINED = "joined_group_at"
_TIME = attrgetter("at")
LISTINGS: Mapping[str, Listing] = {
    "get_accounts": Listing("account", _all("account"), _plain(resources.account)),
    "get_profiles": Listing("profile", _all("profile"), _plain(resources.profile)),
    "get_lists": Listing("list", _groups(LIST), _plain(resources.group)),
    "get_segments": Listing("segment", _groups(SEGMENT), _plain(resources.group)),
    "get_profiles_for_list": Listing("profile", _members(LIST), _member, _MEMBER, _JOINED),
    "get_profile_ids_for_list": Listing("profile", _members(LIST), _member_id, _MEMBER, _JOINED),
    "get_profiles_for_segment": Listing("profile", _members(SEGMENT), _member, _MEMBER, _JOINED),
    "get_profile_ids_for_segment": Listing("profile", _members(SEGMENT), _member_id, _MEMBER, _JOINED),
    "get_metrics": Listing(
        "metric",
        _all("metric"),
        _plain(resources.metric),
        {
            "integration.name": attrgetter("integration_name"),
            "integration.category": attrgetter("integration_category"),
        },
    ),
    "get_mapped_metrics": Listing(
        "mapped-metric",
        lambda account, _: [row for row in account.rows("metric") if row.mapped],
        _plain(resources.mapped_metric),
    ),
    "get_events": Listing(
        "event",
        _all("event"),
        _plain(resources.event),
        {"datetime": _TIME, "timestamp": _TIME, "profile": attrgetter("profile_id"), "metric": attrgetter("metric_id")},
        "datetime",
    ),
    "get_flows": Listing("flow", _all("flow"), _plain(resources.flow)),
    "get_actions_for_flow": Listing(
        "flow-action", _below("flow_action", "flow", "flow_id"), _flow_action, {"action_type": attrgetter("type")}
    ),
    "get_flow_action_messages": Listing(
        "flow-message", _below("flow_message", "flow_action", "action_id"), _plain(resources.flow_message)
    ),
    "get_templates": Listing("template", _all("template"), _plain(resources.template)),
    "get_campaigns": Listing("campaign", _all("campaign"), _campaign, {"messages.channel": attrgetter("channel")}),
    "get_messages_for_campaign": Listing(
        "campaign-message",
        _below("campaign_message", "campaign", "campaign_id"),
        _plain(resources.campaign_message),
    ),
    "get_catalog_items": Listing(
        "catalog-item", _all("catalog_item"), _plain(resources.catalog_item), {"ids": attrgetter("id")}, "created"
    ),
    "get_catalog_variants": Listing(
        "catalog-variant",
        _all("catalog_variant"),
        _plain(resources.catalog_variant),
        {"ids": attrgetter("id"), "item.id": attrgetter("item_id")},
        "created",
    ),
}
