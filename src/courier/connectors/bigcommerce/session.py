"""One courier's connection to one store, for one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from courier.clock import Interval
from courier.config.project import Courier, Feed
from courier.connectors.bigcommerce import deletes
from courier.connectors.bigcommerce.budget import Budget
from courier.connectors.bigcommerce.client import Client, store_of
from courier.connectors.bigcommerce.fetch import Fetch
from courier.connectors.bigcommerce.preflight import preflight
from courier.connectors.bigcommerce.reconcile import Proof
from courier.connectors.bigcommerce.roots import ROOTS
from courier.connectors.bigcommerce.walk import Scope, scope_of
from courier.connectors.contract import Preflight, Progress, Reconciled, Request, Stored
from courier.http import Traffic

LOOK_BACK = timedelta(minutes=10)  # a change may be listed a little after its time; rows are merged by id


class BigCommerceSession:
    """Sends nothing before the first call."""

    def __init__(
        self, courier: Courier, credential: Mapping[str, str], state: Path, progress: Progress, stored: Stored
    ) -> None:
        self._courier = courier
        self._progress = progress
        self._stored = stored
        self._client = Client(courier, credential, Budget(state, store_of(courier, credential)), progress)

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def preflight(self) -> Preflight:
        return preflight(self._client, self._courier)

    def prepare(self, requests: Sequence[tuple[Request, Path]]) -> None:
        """The store prepares nothing by itself."""

    def fetch(self, request: Request, folder: Path) -> None:
        Fetch(self._client, request, self._scope(request), self._stored, self._progress).into(folder)

    def fetch_deletes(self, feeds: Sequence[Feed], interval: Interval, folder: Path) -> None:
        deletes.fetch_deletes(self._client, feeds, interval, folder, self._stored)

    def reconcile(self, request: Request, folder: Path) -> Reconciled:
        return Proof(self._client, self._scope(request), request.interval).check(folder)

    def _scope(self, request: Request) -> Scope:
        return scope_of(ROOTS[request.root], request.interval, self._courier.since)


def look_back(feed: Feed) -> timedelta:
    """The feed's own, or how long BigCommerce may take to list a change."""
    return LOOK_BACK if feed.look_back is None else feed.look_back
