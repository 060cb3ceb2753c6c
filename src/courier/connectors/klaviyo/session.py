"""One courier's connection to one account, for one run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from courier.clock import Interval
from courier.config.project import Courier, Feed
from courier.connectors.contract import Preflight, Progress, Reconciled, Request, Waiting
from courier.connectors.klaviyo.budget import Budget
from courier.connectors.klaviyo.client import TRIED_AGAIN, Client
from courier.connectors.klaviyo.counted import Counting
from courier.connectors.klaviyo.fetch import Fetch, Wanted, wanted_of
from courier.connectors.klaviyo.preflight import Known, preflight
from courier.connectors.klaviyo.reconcile import Proof
from courier.connectors.klaviyo.roots import PLACED_ORDER, ROOTS
from courier.connectors.klaviyo.selected import node_of
from courier.errors import CredentialMissing
from courier.http import Http, Traffic
from courier.storage.selection import Node

ORIGIN = "https://a.klaviyo.com"


class KlaviyoSession:
    """Sends nothing before the first call."""

    def __init__(self, courier: Courier, credential: Mapping[str, str], state: Path, progress: Progress) -> None:
        key = credential.get("api_key", "").strip()
        if not key:
            raise CredentialMissing(f"{courier.path}: `api_key` is not set", fix="set KLAVIYO_API_KEY to a private key")
        http = Http(
            (courier.endpoint or ORIGIN).rstrip("/"),
            retried=TRIED_AGAIN,
            notify=lambda seconds, reason: progress(Waiting(seconds, reason)),
        )
        self._courier = courier
        self._progress = progress
        # Keys of one account share its limits, but which account it is only an answer tells.
        account = hashlib.sha256(f"{http.host} {key}".encode()).hexdigest()[:16]
        self._client = Client(http, key, Budget(state, account), courier.path, progress)
        self._known: Known | None = None

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def preflight(self) -> Preflight:
        found, self._known = preflight(self._client, self._courier)
        return found

    def prepare(self, requests: Sequence[tuple[Request, Path]]) -> None:
        """Nothing that Klaviyo could get ready."""

    def fetch(self, request: Request, folder: Path) -> None:
        Fetch(self._client, self._wanted(request), self._progress).into(folder)

    def fetch_deletes(self, feeds: Sequence[Feed], interval: Interval, folder: Path) -> None:
        """Klaviyo tells no deletes: a whole pull shows what is gone."""

    def reconcile(self, request: Request, folder: Path) -> Reconciled:
        return Proof(self._wanted(request)).check(self._client, folder)

    def _wanted(self, request: Request) -> Wanted:
        root, known = ROOTS[request.root], self._known
        assert known is not None, "the preflight comes first"
        named = [name for feed in request.feeds for name in feed.metrics]
        node = node_of(request)
        if root.counted:
            metrics = known.named(named) if named else (known.revenue,)
            statistics = tuple(node.fields.get("statistics", Node()).fields)
            counting = Counting(root, request.interval, known.zone, metrics, statistics)
            return wanted_of(request, root, node, counting=counting)
        conditions = []
        if root.type == "OrderItem" or named:
            ids = ",".join(f'"{identity}"' for identity in known.named(named or [PLACED_ORDER]))
            conditions = [f"equals(metric_id,[{ids}])"]
        return wanted_of(request, root, node, conditions)


def look_back(feed: Feed) -> timedelta:
    """The feed's own, or how long Klaviyo may take to show a change of its root record."""
    return ROOTS[feed.table.rows.root].look_back if feed.look_back is None else feed.look_back
