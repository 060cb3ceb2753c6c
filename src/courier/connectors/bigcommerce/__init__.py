"""BigCommerce: the REST APIs V2 (orders) and V3 (everything else)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from courier.config.problems import Problem
from courier.config.project import Courier, Feed, Project
from courier.connectors.bigcommerce.check import check
from courier.connectors.bigcommerce.client import LARGEST
from courier.connectors.bigcommerce.session import BigCommerceSession, look_back
from courier.connectors.contract import Connector, Estimate, Progress, Request, Session, Stored, nothing_stored
from courier.storage.selection import Computed


@dataclass
class BigCommerceConnector:
    """What the runtime calls; everything it knows is in the modules beside."""

    name: str = "bigcommerce"
    computed: Sequence[Computed] = ()
    lists: frozenset[str] = frozenset()

    def check(self, project: Project, courier: Courier) -> list[Problem]:
        return check(project, courier)

    def look_back(self, feed: Feed) -> timedelta:
        return look_back(feed)

    def estimate(self, request: Request) -> Estimate:
        """A page is one request, and there is nothing but pages."""
        return Estimate(request.name, LARGEST, 1)

    def open(
        self,
        courier: Courier,
        credential: Mapping[str, str],
        state: Path,
        progress: Progress,
        stored: Stored = nothing_stored,
    ) -> Session:
        return BigCommerceSession(courier, credential, state, progress, stored)


connector: Connector = BigCommerceConnector()
