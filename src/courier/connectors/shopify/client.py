"""Sends GraphQL documents to one shop: as whom, how fast, and what to do when it does not answer well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from courier import clock
from courier.connectors.contract import Progress, Waiting
from courier.connectors.shopify.answers import (
    Trouble,
    filter_ignored,
    refusal,
    requested_cost,
    throttle_status,
    trouble,
)
from courier.connectors.shopify.auth import Access
from courier.connectors.shopify.budget import Budget
from courier.errors import SourceOverloaded, SourceRefused, SourceUnreachable
from courier.http import Answer, Http, Traffic, backoff

VERSION_HEADER = "X-Shopify-API-Version"
THROTTLED_TRIES = 60
INTERNAL_TRIES = 4
SHORTEST_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class Reply:
    """`data` of a good answer and the instant it arrived; `cursor_refused`: there is no data, ask without a cursor."""

    data: Mapping[str, Any]
    received: datetime
    filter_ignored: bool = False
    cursor_refused: bool = False


class Client:
    """One shop, for one run. `version` is the one asked for; `answered` the one that really answers."""

    def __init__(
        self, http: Http, access: Access, budget: Budget, version: str, where: str, progress: Progress
    ) -> None:
        self._http = http
        self._access = access
        self._where = where
        self._progress = progress
        self._path = f"/admin/api/{version}/graphql.json"
        self._told: dict[tuple[str, Any], float] = {}
        self.budget = budget
        self.version = version
        self.answered: str | None = None

    @property
    def host(self) -> str:
        return self._http.host

    @property
    def traffic(self) -> Traffic:
        return self._http.traffic

    def ask(self, document: str, variables: Mapping[str, Any], cost: int) -> Reply:
        """Send a document; `cost` is our estimate. Waits for the bucket, and tries again what may pass.

        Raises SourceRefused (a person must act), SourceOverloaded (a smaller page may pass), SourceUnreachable, and
        ConfigurationError for a field that Shopify does not have.
        """
        throttled = failed = 0
        while True:
            answer = self._paced(document, variables, cost)
            found = self._trouble(answer)
            if found is None:
                return Reply(answer.body["data"], answer.received, filter_ignored(answer.body))
            if found.kind == "cursor" and variables.get("after"):
                return Reply({}, answer.received, cursor_refused=True)
            if found.kind == "throttled":
                throttled += 1
                self._wait_for_points(answer, throttled, found)
            elif found.kind == "internal":
                failed += 1
                self._back_off(failed, found)
            elif found.kind == "too_expensive":
                raise SourceOverloaded(found.error.message, fix=found.error.fix)
            else:
                raise found.error

    def _paced(self, document: str, variables: Mapping[str, Any], cost: int) -> Answer:
        known = (document, variables.get("first"))
        key, seconds = self.budget.take(self._told.get(known, cost))
        answer = None
        try:
            if seconds > 0:
                self._wait(seconds, "the rate limit")
            answer = self._send({"query": document, "variables": variables})
        finally:
            self.budget.settle(key, throttle_status(answer.body) if answer else None)
        requested = requested_cost(answer.body)
        if requested is not None:
            self._told[known] = requested
        return answer

    def _send(self, payload: Mapping[str, Any]) -> Answer:
        answer = self._post(payload)
        if answer.status == 401 and self._access.renew():
            answer = self._post(payload)
        refused = refusal(answer.status, self.host, self._where)
        if refused:
            raise refused
        self._check_version(answer)
        return answer

    def _post(self, payload: Mapping[str, Any]) -> Answer:
        return self._http.post(self._path, {"X-Shopify-Access-Token": self._access.token()}, payload=payload)

    def _check_version(self, answer: Answer) -> None:
        version = answer.headers.get(VERSION_HEADER) or self.answered or self.version
        self.answered = self.answered or version
        if self.answered != version:
            raise SourceRefused(
                f"{self.host} answered in API version {self.answered}, and now answers in {version}",
                fix="run again; nothing was committed",
            )

    def _trouble(self, answer: Answer) -> Trouble | None:
        body = answer.body if isinstance(answer.body, Mapping) else {}
        errors = body.get("errors")
        if errors:
            return trouble(errors if isinstance(errors, list) else [{"message": str(errors)}], self.host, self._where)
        if isinstance(body.get("data"), Mapping):
            return None
        return Trouble("internal", SourceUnreachable(f"{self.host}: answers without data", fix="run again later"))

    def _wait_for_points(self, answer: Answer, tries: int, found: Trouble) -> None:
        if tries >= THROTTLED_TRIES:
            raise found.error
        status, requested = throttle_status(answer.body), requested_cost(answer.body)
        seconds = backoff(tries)
        if status and requested and status.rate:
            seconds = (min(requested, status.maximum) - status.available) / status.rate
        self._wait(max(SHORTEST_WAIT_SECONDS, seconds), "the rate limit")
        self.traffic.retries += 1

    def _back_off(self, tries: int, found: Trouble) -> None:
        if tries >= INTERNAL_TRIES:
            raise SourceOverloaded(found.error.message, fix=found.error.fix)
        self._wait(backoff(tries), "an internal error of the shop's")
        self.traffic.retries += 1

    def _wait(self, seconds: float, reason: str) -> None:
        self._progress(Waiting(seconds, reason))
        clock.sleep(seconds)
