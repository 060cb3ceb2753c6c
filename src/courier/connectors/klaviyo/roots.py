"""The record types of Klaviyo that domain tables read, and how each is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from courier import clock
from courier.clock import Interval
from courier.config.project import DomainTable
from courier.connectors.klaviyo.endpoints import ENDPOINTS
from courier.storage.selection import Node

CHANNELS = ("email", "sms", "mobile_push")
ARCHIVED = ("false", "true")
PREDICTIONS = "predictive_analytics"
ADDITIONAL = ("subscriptions", PREDICTIONS)
PLACED_ORDER = "Placed Order"
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Below:
    """Records under each root record, in a list of their own: `Segment.profiles`."""

    name: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Root:
    """A record type.

    kind:     flat (pages of records), groups, flows (with a request per record), report or aggregates (counted by
              Klaviyo, over whole days of the account)
    resource: its name in JSON:API, for sparse fieldsets; "" where all fields are asked for
    time:     the field by which it is filtered; `after` and `before`: the operators for both ends, "" for none
    look_back: how long after a change it may still not be shown
    lasting:  absence from a whole pull means that a record is gone
    """

    type: str
    operation: str
    kind: str = "flat"
    resource: str = ""
    time: str = ""
    after: str = "greater-or-equal"
    before: str = "less-than"
    sort: str = ""
    look_back: timedelta = timedelta(minutes=5)
    below: tuple[Below, ...] = ()
    lasting: bool = True
    clock: str = "updated"  # the field that says when a record changed last

    @property
    def scopes(self) -> tuple[str, ...]:
        return ENDPOINTS[self.operation].scopes

    @property
    def counted(self) -> bool:
        """Whether Klaviyo counts instead of listing records."""
        return self.kind in ("report", "aggregates")


_REPORT = {"kind": "report", "lasting": False, "clock": ""}
ROOTS: Mapping[str, Root] = {
    root.type: root
    for root in (
        Root("Account", "get_accounts", clock=""),
        Root("Profile", "get_profiles", resource="profile", time="updated", after="greater-than", sort="updated"),
        Root("List", "get_lists", kind="groups", resource="list", below=(Below("profiles", ("profiles:read",)),)),
        Root(
            "Segment",
            "get_segments",
            kind="groups",
            resource="segment",
            below=(Below("profiles", ("profiles:read",)),),
        ),
        Root("Metric", "get_metrics"),
        Root("MappedMetric", "get_mapped_metrics"),
        Root("Event", "get_events", time="datetime", sort="datetime", look_back=timedelta(hours=1), clock="datetime"),
        Root(
            "OrderItem",
            "get_events",
            time="datetime",
            sort="datetime",
            look_back=timedelta(hours=1),
            lasting=False,
            clock="datetime",
        ),
        Root("Flow", "get_flows", kind="flows", below=(Below("actions"), Below("messages"))),
        Root("Template", "get_templates", resource="template", time="updated", sort="updated"),
        Root("Campaign", "get_campaigns", time="updated_at", sort="updated_at", below=(Below("messages"),),
             clock="updated_at"),
        Root("CatalogItem", "get_catalog_items", resource="catalog-item", sort="created"),
        Root("CatalogVariant", "get_catalog_variants", sort="created"),
        Root("MetricAggregate", "query_metric_aggregates", kind="aggregates", lasting=False, clock=""),
        Root("FlowValuesReport", "query_flow_values", **_REPORT),  # type: ignore[arg-type]
        Root("CampaignValuesReport", "query_campaign_values", **_REPORT),  # type: ignore[arg-type]
        Root("FlowSeriesReport", "query_flow_series", **_REPORT),  # type: ignore[arg-type]
    )
}  # fmt: skip


def filter_of(root: Root, interval: Interval, more: Iterable[str] = ()) -> str:
    """The conditions of a period, and others; "" for none. Ends are whole seconds, outwards."""
    conditions = list(more)
    if root.time and interval.since:
        low = interval.since.replace(microsecond=0)
        conditions.append(f"{root.after}({root.time},{instant(low - SECOND if root.after == 'greater-than' else low)})")
    if root.time and interval.until:
        whole = interval.until.replace(microsecond=0)
        high = whole if whole == interval.until else whole + SECOND
        conditions.append(f"{root.before}({root.time},{instant(high)})")
    return ",".join(conditions)


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def partitions(root: Root) -> tuple[tuple[str, ...], ...]:
    """Conditions that divide a list which shows a part of its records only, unless it is asked for the others."""
    if root.type == "Flow":
        return tuple((f"equals(archived,{archived})",) for archived in ARCHIVED)
    if root.type == "Campaign":
        return tuple(
            (f"equals(messages.channel,'{channel}')", f"equals(archived,{archived})")
            for channel in CHANNELS
            for archived in ARCHIVED
        )
    return ((),)


def parameters(root: Root, node: Node, condition: str, sort: bool = True) -> dict[str, str]:
    """The query of a list: the largest pages, in a stable order, with the fields that `node` names alone."""
    page = ENDPOINTS[root.operation].page
    asked = {"page[size]": str(page)} if page else {}
    if condition:
        asked["filter"] = condition
    if root.sort and sort:
        asked["sort"] = root.sort if condition or root.type.startswith("Catalog") else _stable(root)
    attributes = node.fields.get("attributes", Node())
    if root.resource:
        asked[f"fields[{root.resource}]"] = ",".join(leaves(attributes)) or root.clock
    additional = [name for name in ADDITIONAL if root.type == "Profile" and name in attributes.fields]
    if additional:
        asked["additional-fields[profile]"] = ",".join(additional)
    if root.type == "Campaign" and "messages" in node.fields:
        asked["include"] = "campaign-messages"
    return asked


def _stable(root: Root) -> str:
    """Of a whole list: by id, so that what changes meanwhile keeps its place."""
    return "datetime" if root.time == "datetime" else "id"


def leaves(node: Node, above: str = "") -> list[str]:
    """The paths of the fields that are asked for, `location.city`; without those that cost a request of their own."""
    found: list[str] = []
    for name, child in node.fields.items():
        path = f"{above}.{name}" if above else name
        if path != "profile_count":
            found += leaves(child, path) if child.fields and not child.is_json else [path]
    return found


def is_costly(root: Root, node: Node) -> bool:
    """Whether profiles are asked for with their predictions, at a fifth of the rate."""
    return root.type == "Profile" and PREDICTIONS in node.fields.get("attributes", Node()).fields


def streams(root: Root, tables: Iterable[DomainTable]) -> Iterator[Below]:
    """The lists below a root that any of the tables reads."""
    wanted = {table.rows.lists[0] for table in tables if table.rows.root == root.type and table.rows.lists}
    return (below for below in root.below if (below.name,) in wanted)


def end_of(interval: Interval) -> datetime:
    return interval.until or clock.now()
