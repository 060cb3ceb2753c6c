"""Asks one store: as whom, how fast, and what to do when it does not answer well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from courier import clock
from courier.config.project import Courier
from courier.connectors.bigcommerce.answers import Page, page, quota, refusal, told_wait
from courier.connectors.bigcommerce.budget import Budget
from courier.connectors.bigcommerce.roots import INFORMATION, ROOTS
from courier.connectors.contract import Progress, Waiting
from courier.errors import ConfigurationError, CredentialMissing
from courier.http import Answer, Http, Traffic
from courier.origins import checked_host

ORIGIN = "https://api.bigcommerce.com"
LARGEST = 250
ATTEMPTS = 10  # other apps take of the same quota: a window that is empty when it begins is nothing unusual

_HASH = re.compile(r"[A-Za-z0-9]{1,60}")


@dataclass(frozen=True)
class Reply:
    """The body of an answer (None: 204), its status, and the instant it arrived."""

    body: Any
    status: int
    received: datetime


def store_of(courier: Courier, credential: Mapping[str, str]) -> str:
    """The store's hash. Raises CredentialMissing, ConfigurationError."""
    written = credential.get("store_hash", "").strip()
    if not written:
        fix = "set BIGCOMMERCE_STORE_HASH to the store's hash"
        raise CredentialMissing(f"{courier.path}: `store_hash` is not set", fix=fix)
    if not _HASH.fullmatch(written):
        raise ConfigurationError(
            f"{courier.path}: `store_hash` is not the hash of a store",
            fix="write the abc123 of https://api.bigcommerce.com/stores/abc123, and nothing else",
        )
    return written


class Client:
    """One store, for one run. Answers are asked for one at a time: more than three at once is not welcome."""

    def __init__(self, courier: Courier, credential: Mapping[str, str], budget: Budget, progress: Progress) -> None:
        self.store = store_of(courier, credential)
        token = credential.get("access_token", "").strip()
        if not token:
            fix = "set BIGCOMMERCE_ACCESS_TOKEN to the access token of an API account"
            raise CredentialMissing(f"{courier.path}: `access_token` is not set", fix=fix)
        origin = (courier.endpoint or ORIGIN).rstrip("/")
        checked_host(origin)
        self._http = Http(
            origin,
            headers={"X-Auth-Token": token},
            attempts=ATTEMPTS,
            notify=lambda seconds, reason: progress(Waiting(seconds, reason)),
            told_wait=told_wait,
        )
        self._where = courier.path
        self._budget = budget
        self._progress = progress

    @property
    def host(self) -> str:
        return self._http.host

    @property
    def traffic(self) -> Traffic:
        return self._http.traffic

    def get(self, path: str, params: Mapping[str, str] | None = None, allowed: frozenset[int] = frozenset()) -> Reply:
        """GET `v2/orders`, paced by the store's quota. A status of `allowed` is an answer like any other.

        Raises SourceRefused (a person must act), SourceOverloaded, SourceUnreachable.
        """
        query = f"?{urlencode(params, safe=':,')}" if params else ""
        answer = self._paced(f"/stores/{self.store}/{path}{query}")
        refused = None if answer.status in allowed else refusal(answer.status, self.host, self._where, _scope(path))
        if refused:
            raise refused
        return Reply(answer.body, answer.status, answer.received)

    def page(self, path: str, params: Mapping[str, str]) -> tuple[Page, datetime]:
        """One page of a list, as large as the store allows. Raises as `get`, and Incomplete for what is no list."""
        reply = self.get(path, {"limit": str(LARGEST), **params})
        return page(path, reply.body), reply.received

    def _paced(self, path: str) -> Answer:
        key, seconds = self._budget.take()
        answer = None
        try:
            if seconds > 0:
                self._progress(Waiting(seconds, "the rate limit"))
                clock.sleep(seconds)
            answer = self._http.get(path)
        finally:
            self._budget.settle(key, quota(answer.headers) if answer else None)
        return answer


def _scope(path: str) -> str:
    """The scope that a path takes: that of the longest root above it."""
    above = [root for root in ROOTS.values() if path.startswith(root.path)]
    if path.startswith("v3/catalog"):
        return ROOTS["Product"].scope
    return max(above, key=lambda root: len(root.path)).scope if above else INFORMATION
