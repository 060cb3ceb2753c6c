"""Shopify: the Admin GraphQL API, by pages and in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from courier.config.problems import Problem
from courier.config.project import Courier, Feed, Project
from courier.connectors.contract import Connector, Estimate, Progress, Request, Session, Stored, nothing_stored
from courier.connectors.shopify import cost
from courier.connectors.shopify.bulk.documents import obstacle
from courier.connectors.shopify.check import check
from courier.connectors.shopify.computed import COMPUTED
from courier.connectors.shopify.graph import SCALAR_LISTS
from courier.connectors.shopify.paging import Limits
from courier.connectors.shopify.session import ShopifySession, look_back
from courier.connectors.shopify.ways import planned
from courier.storage.selection import Computed


@dataclass
class ShopifyConnector:
    """What the runtime calls; everything it knows is in the modules beside."""

    name: str = "shopify"
    computed: Sequence[Computed] = COMPUTED
    lists: frozenset[str] = SCALAR_LISTS

    def check(self, project: Project, courier: Courier) -> list[Problem]:
        return check(project, courier)

    def look_back(self, feed: Feed) -> timedelta:
        return look_back(feed)

    def estimate(self, request: Request) -> Estimate:
        asked = planned(request)
        size = cost.page_sizes(asked)[0]
        mode = "pages" if obstacle(asked, request.feeds) else request.mode
        above = Limits().many if mode == "auto" else None
        return Estimate(request.name, size, cost.cost_of(asked, size), mode, above)

    def open(
        self,
        courier: Courier,
        credential: Mapping[str, str],
        state: Path,
        progress: Progress,
        stored: Stored = nothing_stored,
    ) -> Session:
        return ShopifySession(courier, credential, state, progress)


connector: Connector = ShopifyConnector()
