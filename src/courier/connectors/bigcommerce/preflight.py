"""Before the first page: which store answers, and what our scopes, and its plan, take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from courier.config.project import Column, Courier, Feed
from courier.connectors.bigcommerce.answers import refusal
from courier.connectors.bigcommerce.client import Client
from courier.connectors.bigcommerce.people import BETA
from courier.connectors.bigcommerce.roots import ROOTS, Root
from courier.connectors.contract import Preflight
from courier.errors import Incomplete
from courier.storage.load import ColumnStatus

VERSION = "v2 and v3"
DENIED = frozenset({403})


def preflight(client: Client, courier: Courier) -> Preflight:
    """Raises SourceRefused and SourceUnreachable as Client.get does."""
    name = _store(client)
    roots = [ROOTS[root] for root in dict.fromkeys(feed.table.rows.root for feed in courier.feeds) if root in ROOTS]
    lacking = _lacking(client, roots, name)
    unreachable = {
        feed.name: f"scope_missing:{lacking[feed.table.rows.root]}"
        for feed in courier.feeds
        if feed.table.rows.root in lacking
    }
    if unreachable and len(unreachable) == len(courier.feeds):
        refused = refusal(403, client.host, courier.path, ", ".join(sorted({*lacking.values()})))
        assert refused is not None
        raise refused
    return Preflight(
        identity=client.store,
        name=name or f"the store {client.store}",
        api_version=VERSION,
        statuses=tuple(_statuses(client, courier, lacking)),
        unreachable=unreachable,
        notes=tuple(_notes(lacking, unreachable)),
        bounded=frozenset(root.type for root in roots if root.bounded and courier.since is not None),
    )


def _lacking(client: Client, roots: Sequence[Root], name: str) -> dict[str, str]:
    """Root -> the scope that it lacks: one request per scope. Refunds may be shown by another one than the orders'."""
    shown: dict[str, bool] = {}
    for root in roots:
        if _asked_by(root) not in shown:
            shown[_asked_by(root)] = _is_shown(client, root, name)
    return {root.type: root.scope for root in roots if not shown[_asked_by(root)]}


def _asked_by(root: Root) -> str:
    return root.type if root.type == "Refund" else root.scope


def _store(client: Client) -> str:
    """The store's name, "" where the scope for it is lacking. Raises Incomplete where another store answers."""
    reply = client.get(ROOTS["Store"].path, allowed=DENIED)
    if reply.status in DENIED:
        return ""
    body = reply.body if isinstance(reply.body, Mapping) else {}
    if str(body.get("id")) != client.store:
        raise Incomplete(f"{client.host}: the answer does not say that it is this store", fix="check `store_hash`")
    return _one_line(str(body.get("name") or ""))


def _one_line(name: str) -> str:
    """A name as it may be shown: on one line, without what steers a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())


def _is_shown(client: Client, root: Root, name: str) -> bool:
    if root.type == "Store":
        return bool(name)
    params = {} if root.way == "single" else {"limit": "1"}
    return client.get(root.path, params, DENIED).status not in DENIED


def _notes(lacking: Mapping[str, str], unreachable: Mapping[str, str]) -> Iterator[str]:
    for scope in sorted({*lacking.values()}):
        feeds = [feed for feed, reason in unreachable.items() if reason.endswith(f":{scope}")]
        yield f"the token lacks the scope {scope}: without it there is no {', '.join(feeds)}"


def _statuses(client: Client, courier: Courier, lacking: Mapping[str, str]) -> Iterator[ColumnStatus]:
    """The columns that will be null: of customers, what is in beta and this store does not offer."""
    asked = [
        (feed, column, name)
        for feed in courier.feeds
        if feed.table.rows.root == "Customer" and "Customer" not in lacking
        for column in feed.table.columns
        if (name := _beta(feed, column))
    ]
    refused = {name for name in dict.fromkeys(name for _, _, name in asked) if not _offers(client, name)}
    for feed, column, name in asked:
        if name in refused:
            detail = f"the store does not offer {name}, which is in beta"
            yield ColumnStatus(feed.name, column.name, f"not_offered:{name}", detail)


def _beta(feed: Feed, column: Column) -> str | None:
    if feed.table.rows.lists:
        return None
    first = (source.steps[0].name for source in column.sources if source.kind == "field" and source.steps)
    return next((name for name in first if name in BETA), None)


def _offers(client: Client, name: str) -> bool:
    reply = client.get(ROOTS["Customer"].path, {"limit": "1", "include": name}, frozenset({400, 403, 422}))
    return reply.status == 200
