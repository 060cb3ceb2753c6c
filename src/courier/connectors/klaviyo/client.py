"""Asks one account's API: as whom, in which revision, how fast, and what to do when it does not answer well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from courier import clock
from courier.connectors.contract import Progress, Waiting
from courier.connectors.klaviyo.answers import refusal
from courier.connectors.klaviyo.budget import Budget
from courier.connectors.klaviyo.endpoints import ENDPOINTS, REVISION, Limit
from courier.errors import Incomplete, SourceBusy, SourceRefused
from courier.http import RETRIED, Answer, Http, Traffic

KIND = "application/vnd.api+json"
TRIED_AGAIN = RETRIED - {429} | {524}
THROTTLED_TRIES = 60
WORTH_TELLING_SECONDS = 2.0  # a wait within a second is how every list is read
LONGEST_WAIT_SECONDS = 600.0  # a longer one is a day's: others may run meanwhile


@dataclass(frozen=True)
class Ask:
    """One operation with its parameters. `identity` stands for {id} in its path; `payload` makes it a POST.

    costly: it asks for the additional field that has a limit of its own
    """

    operation: str
    parameters: Mapping[str, str] | None = None
    identity: str = ""
    costly: bool = False
    payload: Any = None

    @property
    def limit(self) -> Limit:
        return ENDPOINTS[self.operation].limit_of(self.costly)

    @property
    def counted_as(self) -> str:
        return f"{self.operation}+{ENDPOINTS[self.operation].costly}" if self.costly else self.operation

    @property
    def path(self) -> str:
        path = ENDPOINTS[self.operation].path.replace("{id}", self.identity)
        return f"{path}?{urlencode(self.parameters)}" if self.parameters else path


@dataclass(frozen=True)
class Reply:
    """A good answer's body, and the instant it arrived."""

    body: Mapping[str, Any]
    received: datetime


class Client:
    """One account, for one run. `key` is the private key, which no message shows."""

    def __init__(self, http: Http, key: str, budget: Budget, where: str, progress: Progress) -> None:
        self._http = http
        self._headers = {"Authorization": f"Klaviyo-API-Key {key}", "revision": REVISION, "Accept": KIND}
        self._budget = budget
        self._progress = progress
        self.where = where

    @property
    def host(self) -> str:
        return self._http.host

    @property
    def traffic(self) -> Traffic:
        return self._http.traffic

    def ask(self, ask: Ask, following: str = "") -> Reply:
        """Send it, or the page `following` (a link of an answer). Waits for the limits, and tries again what may pass.

        Raises SourceRefused (Forbidden, NotThere, CursorRefused), SourceUnreachable and SourceBusy.
        """
        path = _local(following) if following else ask.path
        for tries in range(THROTTLED_TRIES):
            answer = self._paced(ask, path)
            if answer.status != 429:
                return self._judged(answer)
            self._put_off(ask, answer, tries)
        raise SourceBusy(f"{self.host}: {ask.operation} is throttled again and again", fix="run again later")

    def _paced(self, ask: Ask, path: str) -> Answer:
        seconds = self._budget.take(ask.counted_as, ask.limit)
        if seconds is None:
            raise SourceBusy(
                f"{self.host}: the {ask.limit.daily} requests of the day for {ask.operation} are used",
                fix="run again tomorrow; nothing was committed",
            )
        if seconds > 0:
            self._wait(seconds)
        if ask.payload is None:
            answer = self._http.get(path, self._headers)
        else:
            answer = self._http.post(path, {**self._headers, "Content-Type": KIND}, payload=ask.payload)
        left, reset = _number(answer, "RateLimit-Remaining"), _number(answer, "RateLimit-Reset")
        if left is not None and reset is not None:
            self._budget.settle(ask.counted_as, int(left), reset)
        return answer

    def _put_off(self, ask: Ask, answer: Answer, tries: int) -> None:
        seconds = _number(answer, "Retry-After") or float(2 ** min(tries, 5))
        if seconds > LONGEST_WAIT_SECONDS:
            raise SourceBusy(
                f"{self.host}: {ask.operation} may be asked again in {seconds:.0f} seconds",
                fix="run again then; nothing was committed",
            )
        self._budget.refused(ask.counted_as, seconds)
        self.traffic.retries += 1

    def _wait(self, seconds: float) -> None:
        if seconds >= WORTH_TELLING_SECONDS:
            self._progress(Waiting(seconds, "the rate limit"))
        clock.sleep(seconds)

    def _judged(self, answer: Answer) -> Reply:
        refused = refusal(answer.status, answer.body, self.host, self.where)
        if refused:
            raise refused
        revision = answer.headers.get("revision") or REVISION
        if revision != REVISION:
            raise SourceRefused(
                f"{self.host} answers in revision {revision}, and was asked in {REVISION}",
                fix="install a newer courier; nothing was committed",
            )
        if not isinstance(answer.body, Mapping) or "data" not in answer.body:
            raise Incomplete(f"{self.host}: an answer without data", fix="run again later")
        return Reply(answer.body, answer.received)


def _local(link: str) -> str:
    """The path and query of a link: where it is sent is never for an answer to say."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _number(answer: Answer, header: str) -> float | None:
    try:
        return float(answer.headers.get(header, ""))
    except ValueError:
        return None
