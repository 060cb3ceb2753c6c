"""Klaviyo: the JSON:API of one account, by pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from courier.config.problems import Problem
from courier.config.project import Courier, Feed, Project
from courier.connectors.contract import Connector, Estimate, Progress, Request, Session, Stored, nothing_stored
from courier.connectors.klaviyo.check import check
from courier.connectors.klaviyo.estimate import estimate
from courier.connectors.klaviyo.session import KlaviyoSession, look_back
from courier.storage.selection import Computed


@dataclass
class KlaviyoConnector:
    """What the runtime calls; everything it knows is in the modules beside."""

    name: str = "klaviyo"
    computed: Sequence[Computed] = ()
    lists: frozenset[str] = frozenset()

    def check(self, project: Project, courier: Courier) -> list[Problem]:
        return check(project, courier)

    def look_back(self, feed: Feed) -> timedelta:
        return look_back(feed)

    def estimate(self, request: Request) -> Estimate:
        return estimate(request)

    def open(
        self,
        courier: Courier,
        credential: Mapping[str, str],
        state: Path,
        progress: Progress,
        stored: Stored = nothing_stored,
    ) -> Session:
        return KlaviyoSession(courier, credential, state, progress)


connector: Connector = KlaviyoConnector()
