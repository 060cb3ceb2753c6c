"""Before the first page: which shop answers, in which version, and what that, and our scopes, take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from courier.config.project import Column, Courier, DomainTable, Feed, Source
from courier.connectors.contract import Preflight
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.computed import COMPUTED
from courier.connectors.shopify.graph import ROOTS, Need, granted, need_of
from courier.connectors.shopify.records import digits
from courier.errors import Incomplete
from courier.storage.load import ColumnStatus

DOCUMENT = "query Preflight { shop { id name } currentAppInstallation { accessScopes { handle } } }"
COST = 4


def preflight(client: Client, courier: Courier) -> Preflight:
    """Raises SourceRefused and SourceUnreachable as Client.ask does."""
    reply = client.ask(DOCUMENT, {}, COST)
    shop = _object(reply.data, "shop")
    identity = shop.get("id")
    if not isinstance(identity, str):
        raise Incomplete(f"{client.host}: the answer does not say which shop it is", fix="run again later")
    version = client.answered or client.version
    shown = Shown(_scopes(reply.data), version)
    unreachable = {feed.name: why for feed in courier.feeds if (why := shown.keeps_out(feed, courier))}
    return Preflight(
        identity=digits(identity) or identity,
        name=_one_line(str(shop.get("name") or "")),
        api_version=version,
        statuses=tuple(status for feed in courier.feeds for status in shown.statuses(feed)),
        unreachable=unreachable,
        notes=tuple(_notes(client, courier, shown)),
        bounded=_bounded(courier, shown),
    )


_JOINERS = "\u200c\u200d"  # letters of some scripts, and emoji, are put together with them


def _one_line(name: str) -> str:
    """A name as it may be shown: on one line, without what steers a terminal."""
    shown = (letter if letter.isprintable() or letter in _JOINERS else " " for letter in name)
    return " ".join("".join(shown).split())


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _scopes(data: Mapping[str, Any]) -> frozenset[str]:
    listed = _object(data, "currentAppInstallation").get("accessScopes")
    return frozenset(str(scope.get("handle")) for scope in listed or () if isinstance(scope, Mapping))


def _notes(client: Client, courier: Courier, shown: Shown) -> Iterator[str]:
    if shown.version != client.version:
        asked = f"{courier.path} asks for API version {client.version}"
        yield f"{asked}, the shop answers in {shown.version}: what only the other has is null"
    if _of_orders(courier) and not shown.has("read_all_orders"):
        yield "without the scope read_all_orders, orders older than 60 days are out of reach"


def _bounded(courier: Courier, shown: Shown) -> frozenset[str]:
    whole = shown.has("read_all_orders") and courier.since is None
    roots = {feed.table.rows.root for feed in courier.feeds}
    passing = frozenset(root for root in roots if root in ROOTS and not ROOTS[root].lasting)
    return passing if whole else passing | {"Order"}


def _of_orders(courier: Courier) -> bool:
    return any(feed.table.rows.root == "Order" for feed in courier.feeds)


@dataclass(frozen=True)
class Shown:
    """What this shop shows us: by the scopes that were granted, and by the version that answers."""

    scopes: frozenset[str]
    version: str

    def has(self, scope: str) -> bool:
        return granted(self.scopes, (scope,))

    def lacks(self, need: Need) -> tuple[str, str] | None:
        """The reason why a path cannot be read, and its detail; None if it can."""
        for alternatives in need.scopes:
            if not granted(self.scopes, alternatives):
                return (
                    f"scope_missing:{'|'.join(alternatives)}",
                    f"the app has not been granted {' or '.join(alternatives)}",
                )
        if need.since > self.version:
            return (
                f"api_version:{need.since}",
                f"{need.field} came with {need.since}; the shop answers in {self.version}",
            )
        return None

    def statuses(self, feed: Feed) -> Iterator[ColumnStatus]:
        """The columns of a feed that will be null."""
        for column in feed.table.columns:
            why = self._column_lacks(feed.table, column)
            if why:
                yield ColumnStatus(feed.name, column.name, *why)

    def _column_lacks(self, table: DomainTable, column: Column) -> tuple[str, str] | None:
        if column.unavailable:
            return column.unavailable, "Shopify's GraphQL API has no such value"
        return next((why for need in needs(table, column) if (why := self.lacks(need))), None)

    def keeps_out(self, feed: Feed, courier: Courier) -> str | None:
        """Why a feed cannot be fetched at all: its rows, or what identifies them or their parents, are not shown."""
        rows = self.lacks(need_of(feed.table.rows.root, [name for names in feed.table.rows.lists for name in names]))
        if rows:
            return rows[0]
        parent = next((other.table for other in courier.feeds if other.name == feed.table.parent), None)
        for table in (feed.table, *([parent] if parent else [])):
            for name in table.primary_key:
                why = self._column_lacks(table, table.column(name))
                if why:
                    return why[0]
        return None


def needs(table: DomainTable, column: Column) -> Iterator[Need]:
    """What each path that a column reads takes."""
    for source in column.sources:
        for root, names in paths(table, source):
            yield need_of(root, names)


def paths(table: DomainTable, source: Source) -> Iterator[tuple[str, Sequence[str]]]:
    """The paths from root records that a source reads: several for a computed value."""
    if source.kind == "computed":
        for computed in COMPUTED:
            if computed.name == source.steps[0].name:
                for path in computed.reads:
                    root, *names = path.replace("[]", "").split(".")
                    yield root, names
        return
    lists = table.rows.lists[: len(table.rows.lists) - source.climb]
    steps = [step.name for step in source.steps] if source.kind == "field" else []
    if table.rows.root in ROOTS:
        yield table.rows.root, [*(name for names in lists for name in names), *steps]
