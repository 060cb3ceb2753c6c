"""Before the first page: whose account it is, what the key may read, and what the account does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from courier import clock
from courier.config.project import Courier, Feed
from courier.connectors.contract import Preflight
from courier.connectors.klaviyo.answers import Forbidden
from courier.connectors.klaviyo.client import Ask, Client
from courier.connectors.klaviyo.endpoints import RETIRES, REVISION
from courier.connectors.klaviyo.pages import walk
from courier.connectors.klaviyo.roots import PLACED_ORDER, PREDICTIONS, ROOTS, Root
from courier.errors import Incomplete
from courier.storage.load import ColumnStatus

WARNED = timedelta(days=180)
LATEST = 100  # profiles whose predictions are looked at
_ONE = {"page[size]": "1"}
# Klaviyo does not say which scopes a key has: for each of them, the cheapest request that needs it.
PROBES: Mapping[str, Ask] = {
    "profiles:read": Ask("get_profiles", {**_ONE, "fields[profile]": "created"}),
    "lists:read": Ask("get_lists", _ONE),
    "segments:read": Ask("get_segments", _ONE),
    "metrics:read": Ask("get_metrics"),
    "events:read": Ask("get_events", {**_ONE, "fields[event]": "datetime"}),
    "flows:read": Ask("get_flows", _ONE),
    "templates:read": Ask("get_templates", {**_ONE, "fields[template]": "created"}),
    "campaigns:read": Ask("get_campaigns", {**_ONE, "filter": "equals(messages.channel,'email')"}),
    "catalogs:read": Ask("get_catalog_items", {**_ONE, "fields[catalog-item]": "created"}),
}
PREDICTED = Ask(
    "get_profiles",
    {
        "page[size]": str(LATEST),
        "sort": "-updated",
        "additional-fields[profile]": PREDICTIONS,
        "fields[profile]": PREDICTIONS,
    },
    costly=True,
)
NO_CATALOGUE = (
    "the catalogue is empty: Klaviyo was sent none. An integration with a shop sends it, or a feed of the account's own"
)
NO_PREDICTIONS = (
    "none of the latest profiles has predictions: Klaviyo makes them once enough customers have ordered, over months"
)


@dataclass(frozen=True)
class Metric:
    id: str
    name: str


@dataclass(frozen=True)
class Known:
    """What was learned of the account: its time zone, its metrics, and the one that counts as revenue (id)."""

    zone: ZoneInfo
    metrics: tuple[Metric, ...] = ()
    revenue: str = ""

    def named(self, names: Iterable[str]) -> tuple[str, ...]:
        """The ids of metrics with these names, which several may share."""
        wanted = set(names)
        return tuple(metric.id for metric in self.metrics if metric.name in wanted)

    def lacks(self, names: Iterable[str]) -> list[str]:
        known = {metric.name for metric in self.metrics}
        return [name for name in names if name not in known]


def preflight(client: Client, courier: Courier) -> tuple[Preflight, Known]:
    """Raises SourceRefused and SourceUnreachable as Client.ask does."""
    account = _account(client)
    attributes = account["attributes"]
    shown = Shown(client, courier)
    denied = shown.denied()
    zone = _zone(attributes.get("timezone"))
    known = Known(zone) if "metrics:read" in denied else _known(client, courier, zone)
    empty = shown.has_no_catalogue(denied)
    statuses, notes = shown.predictions(denied)
    name = attributes.get("contact_information", {}).get("organization_name") or account["id"]
    found = Preflight(
        identity=str(account["id"]),
        name=" ".join("".join(letter if letter.isprintable() else " " for letter in str(name)).split()),
        api_version=REVISION,
        statuses=tuple(statuses),
        unreachable={feed.name: why for feed in courier.feeds if (why := _kept_out(feed, courier, denied, known))},
        notes=(*notes, *([NO_CATALOGUE] if empty else []), *_age()),
        bounded=frozenset(_bounded(courier, empty)),
    )
    return found, known


def _account(client: Client) -> Mapping[str, Any]:
    found = client.ask(Ask("get_accounts")).body["data"]
    if not isinstance(found, list) or not found or not isinstance(found[0].get("attributes"), Mapping):
        raise Incomplete(f"{client.host}: the answer does not say which account it is", fix="run again later")
    return dict(found[0])


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise Incomplete(f"the account's time zone {name} is not known", fix="install a newer tzdata") from None


def _known(client: Client, courier: Courier, zone: ZoneInfo) -> Known:
    """With the metrics, where a feed needs them by name."""
    if not any(_needs_metrics(feed) for feed in courier.feeds):
        return Known(zone)
    metrics = tuple(
        Metric(str(record["id"]), str((record.get("attributes") or {}).get("name")))
        for page in walk(client, Ask("get_metrics"))
        for record in page.records
    )
    return Known(zone, metrics, _revenue(client) or next(iter(Known(zone, metrics).named([PLACED_ORDER])), ""))


def _needs_metrics(feed: Feed) -> bool:
    root = ROOTS[feed.table.rows.root]
    return root.counted or root.type == "OrderItem" or bool(feed.metrics)


def _revenue(client: Client) -> str:
    """The metric that the account itself counts as revenue."""
    for page in walk(client, Ask("get_mapped_metrics")):
        for record in page.records:
            data = ((record.get("relationships") or {}).get("metric") or {}).get("data") or {}
            if record["id"] == "revenue" and data.get("id"):
                return str(data["id"])
    return ""


def scopes_of(feed: Feed) -> tuple[str, ...]:
    root = ROOTS[feed.table.rows.root]
    below = [one for one in root.below if feed.table.rows.lists and (one.name,) == feed.table.rows.lists[0]]
    more = ("metrics:read",) if _needs_metrics(feed) else ()
    return tuple(dict.fromkeys([*root.scopes, *(scope for one in below for scope in one.scopes), *more]))


def _kept_out(feed: Feed, courier: Courier, denied: Mapping[str, str], known: Known) -> str:
    """Why a feed cannot be fetched at all; "" where it can."""
    lacking = [scope for scope in scopes_of(feed) if scope in denied]
    if lacking:
        return f"scope_missing:{'|'.join(lacking)}"
    root = ROOTS[feed.table.rows.root]
    if root.type == "OrderItem" and known.lacks([PLACED_ORDER]):
        return f"metric_missing:{PLACED_ORDER}"
    if missing := known.lacks(feed.metrics):
        return f"metric_missing:{', '.join(missing)}"
    if root.counted and not known.revenue and not (root.kind == "aggregates" and feed.metrics):
        return "metric_missing:revenue"
    return ""


def _bounded(courier: Courier, no_catalogue: bool) -> Iterator[str]:
    """Roots where absence proves nothing."""
    for feed in courier.feeds:
        root: Root = ROOTS[feed.table.rows.root]
        if not root.lasting or feed.metrics or (no_catalogue and root.type.startswith("Catalog")):
            yield root.type


def _age() -> list[str]:
    retires = datetime.fromisoformat(RETIRES).replace(tzinfo=UTC)
    if clock.now() < retires - WARNED:
        return []
    return [f"revision {REVISION} of the API is not served after {RETIRES}: install a newer courier before"]


@dataclass(frozen=True)
class Shown:
    """What one account shows to one key."""

    client: Client
    courier: Courier

    def denied(self) -> dict[str, str]:
        """The scopes that feeds need and the key lacks, with Klaviyo's words."""
        wanted = dict.fromkeys(scope for feed in self.courier.feeds for scope in scopes_of(feed))
        found = {}
        for scope in wanted:
            probe = PROBES.get(scope)
            try:
                if probe:
                    self.client.ask(probe)
            except Forbidden as refused:
                found[scope] = refused.message
        return found

    def has_no_catalogue(self, denied: Mapping[str, str]) -> bool:
        wants = any(feed.table.rows.root.startswith("Catalog") for feed in self.courier.feeds)
        if not wants or "catalogs:read" in denied:
            return False
        return not self.client.ask(PROBES["catalogs:read"]).body["data"]

    def predictions(self, denied: Mapping[str, str]) -> tuple[list[ColumnStatus], list[str]]:
        """The columns that the account's plan cannot fill, and what to say of predictions that nobody has yet."""
        columns = [
            (feed.name, column.name)
            for feed in self.courier.feeds
            for column in feed.table.columns
            if feed.table.rows.root == "Profile" and any(PREDICTIONS in _names(source) for source in column.sources)
        ]
        if not columns or "profiles:read" in denied:
            return [], []
        try:
            profiles = self.client.ask(PREDICTED).body["data"]
        except Forbidden as refused:
            why = f"plan:{PREDICTIONS}"
            return [ColumnStatus(feed, column, why, refused.message) for feed, column in columns], [
                "the account has no predictions, their columns are null: " + refused.message
            ]
        told = [(record.get("attributes") or {}).get(PREDICTIONS) or {} for record in profiles]
        some = any(value is not None for values in told for value in values.values())
        return [], [] if some or not profiles else [NO_PREDICTIONS]


def _names(source: Any) -> tuple[str, ...]:
    return tuple(step.name for step in source.steps)
