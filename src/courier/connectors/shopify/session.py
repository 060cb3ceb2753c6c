"""One courier's connection to one shop, for one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from courier.clock import Interval
from courier.config.project import Courier, Feed
from courier.connectors.contract import Preflight, Progress, Reconciled, Request, Waiting
from courier.connectors.shopify import deletes
from courier.connectors.shopify.auth import access_of, store_of
from courier.connectors.shopify.budget import Budget
from courier.connectors.shopify.bulk.operations import installation_of
from courier.connectors.shopify.chain import Scope, scope_of
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.graph import DEFAULT_VERSION, ROOTS
from courier.connectors.shopify.paging import Limits
from courier.connectors.shopify.preflight import preflight
from courier.connectors.shopify.reconcile import Proof
from courier.connectors.shopify.ways import Choice, Ways, planned
from courier.http import Http, Traffic


class ShopifySession:
    """Sends nothing before the first call. `limits` are Shopify's own if not given."""

    def __init__(
        self,
        courier: Courier,
        credential: Mapping[str, str],
        state: Path,
        progress: Progress,
        limits: Limits | None = None,
    ) -> None:
        store = store_of(courier, credential)
        http = Http(store.origin, notify=lambda seconds, reason: progress(Waiting(seconds, reason)))
        self._courier = courier
        self._progress = progress
        self._limits = limits or Limits()
        self._client = Client(
            http,
            access_of(courier, credential, http),
            Budget(state, store.key),
            courier.api_version or DEFAULT_VERSION,
            courier.path,
            progress,
        )
        installation = partial(installation_of, state)
        self._ways = Ways(self._client, courier, installation, progress, self._limits)
        self._choices: dict[str, Choice] = {}

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def preflight(self) -> Preflight:
        return preflight(self._client, self._courier)

    def prepare(self, requests: Sequence[tuple[Request, Path]]) -> None:
        """Choose how each request is fetched, and start the bulk operations, as many as the shop has slots for."""
        for request, folder in requests:
            choice = self._ways.choose(request, planned(request), self._scope(request), folder)
            self._choices[request.name] = self._ways.begin(choice)

    def fetch(self, request: Request, folder: Path) -> None:
        choice = self._choices.pop(request.name, None)
        if choice is None:
            choice = self._ways.choose(request, planned(request), self._scope(request), folder)
        self._ways.fetch(choice)

    def fetch_deletes(self, feeds: Sequence[Feed], interval: Interval, folder: Path) -> None:
        deletes.fetch_deletes(self._client, feeds, interval, folder)

    def reconcile(self, request: Request, folder: Path) -> Reconciled:
        return Proof(ROOTS[request.root], self._scope(request), request.interval).check(self._client, folder)

    def _scope(self, request: Request) -> Scope:
        return scope_of(ROOTS[request.root], request.interval, self._courier.since)


def look_back(feed: Feed) -> timedelta:
    """The feed's own, or how long Shopify may take to show a change of its root record."""
    return ROOTS[feed.table.rows.root].look_back if feed.look_back is None else feed.look_back
