"""How many requests a request will make, under which limits: arithmetic, for `courier plan`."""

from __future__ import annotations

from collections.abc import Iterator

from courier.config.project import Feed
from courier.connectors.contract import EVERYTHING, Estimate, Pace, Request
from courier.connectors.klaviyo.below import asks_count, members
from courier.connectors.klaviyo.counted import DIMENSIONS
from courier.connectors.klaviyo.endpoints import ENDPOINTS, Limit
from courier.connectors.klaviyo.roots import ROOTS, Root, is_costly
from courier.connectors.klaviyo.selected import node_of
from courier.storage.selection import Node

WITHOUT_SIZE = 200  # records a page, where none is asked for


def estimate(request: Request) -> Estimate:
    """The paces of a request: reading, what lies below each record, and the second reading that proves it whole."""
    root, node = ROOTS[request.root], node_of(request)
    return Estimate(request.name, _page(root), 1, paces=tuple(_paces(root, node, request.feeds)))


def _page(root: Root) -> int:
    return ENDPOINTS[root.operation].page or WITHOUT_SIZE


def _paces(root: Root, node: Node, feeds: tuple[Feed, ...]) -> Iterator[Pace]:
    own = next((feed.name for feed in feeds if not feed.table.rows.lists), feeds[0].name)
    limit = ENDPOINTS[root.operation].limit
    if root.counted:
        yield _pace(limit, *[(own, EVERYTHING)] * (len(DIMENSIONS) if root.kind == "aggregates" else 1))
        return
    yield _pace(ENDPOINTS[root.operation].limit_of(is_costly(root, node)), (own, _page(root)))
    below = {feed.table.rows.lists[0][0]: feed.name for feed in feeds if feed.table.rows.lists}
    if root.kind == "groups":
        yield from _of_groups(root, node, own, below.get("profiles"))
    elif root.kind == "flows" and below:
        yield _pace(ENDPOINTS["get_actions_for_flow"].limit, (own, 1))
        if "messages" in below:
            yield _pace(ENDPOINTS["get_flow_action_messages"].limit, (below["messages"], 1))
    yield _pace(limit, (own, _page(root)))


def _of_groups(root: Root, node: Node, own: str, profiles: str | None) -> Iterator[Pace]:
    if asks_count(node):
        yield _pace(ENDPOINTS[f"get_{root.resource}"].limit_of(True), (own, 1))
    if profiles:
        limit = ENDPOINTS[members(root, node, "").operation].limit
        yield _pace(limit, *[(profiles, 100), (own, 1)] * (1 if asks_count(node) else 2))


def _pace(limit: Limit, *of: tuple[str, int]) -> Pace:
    return Pace(of, limit.burst, limit.steady)
