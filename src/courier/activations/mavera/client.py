"""Speaks with Mavera's API as one key: how fast, and what to do when it does not answer well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from courier import clock
from courier.activations.contract import Egress, NotSent, Unclear
from courier.activations.mavera.answers import not_sent, refusal
from courier.activations.mavera.pacing import Pace, pace
from courier.errors import SourceRefused, SourceUnreachable
from courier.http import Answer, Http, Notify, Unanswered, backoff, retry_after

ORIGIN = "https://app.mavera.io"
ROOT = "/api/v1"
PAGE = 100
MOST_PAGES = 1000
LIMITED_TRIES = 30
READ_SECONDS = 60.0
"""Reading and writing rows."""
THINKING_SECONDS = 240.0
"""Where a language model writes the answer: the first one takes 30-90 s, and a client should wait at least 180."""


@dataclass(frozen=True)
class Reply:
    """An answer that says yes."""

    status: int
    body: Mapping[str, Any]


class Client:
    """One account. `where`: the activation's file, for messages. `at_once`: how many requests `send` has under way."""

    def __init__(self, http: Http, where: str, notify: Notify, at_once: int = 1) -> None:
        self._http = http
        self._where = where
        self._notify = notify
        self._pace: Pace | None = None
        self._lock = Lock()
        self._slots = BoundedSemaphore(at_once)

    @property
    def host(self) -> str:
        return self._http.host

    @property
    def where(self) -> str:
        return self._where

    @contextmanager
    def slot(self) -> Iterator[None]:
        """One of the things that Mavera does for a key at the same time."""
        with self._slots:
            yield

    def get(self, path: str, **query: str | int | None) -> Mapping[str, Any]:
        """GET a JSON object, retried. Raises SourceUnreachable and SourceRefused."""
        answer = self._get(path, query)
        if answer.status != 200 or not isinstance(answer.body, Mapping):
            raise self._refused(answer)
        return answer.body

    def get_if_there(self, path: str) -> Mapping[str, Any] | None:
        """The same, and None for a 404."""
        answer = self._get(path, {})
        if answer.status == 404:
            return None
        if answer.status != 200 or not isinstance(answer.body, Mapping):
            raise self._refused(answer)
        return answer.body

    def rows(self, path: str, keys: Sequence[str] = ("data",), **query: str | int | None) -> list[Mapping[str, Any]]:
        """A list over all its pages, each row once. Raises as `get`, and SourceRefused for pages without an end."""
        found: dict[str, Mapping[str, Any]] = {}
        cursors: set[str] = set()
        cursor: str | None = None
        while True:
            page = self.get(path, **query, limit=PAGE, cursor=cursor)
            rows = _listed(page, keys, self.host)
            found |= {str(row["id"]): row for row in rows if row.get("id")}
            cursor = _next(page, len(rows), path, self.host)
            if cursor is None:
                return list(found.values())
            if cursor in cursors or len(cursors) >= MOST_PAGES:
                raise SourceRefused(f"{self.host}: the pages of {path} have no end", fix="report this to Mavera")
            cursors.add(cursor)

    def post(self, path: str, payload: Any, egress: Egress, read_seconds: float = READ_SECONDS) -> Outcome:
        """POST once. A 429 took no effect: it is waited for and sent again. `egress` hears of every sending."""
        path, body = ROOT + path, orjson.dumps(payload)
        for attempt in range(1, LIMITED_TRIES + 1):
            self._wait(self._due(), "the rate limit")
            egress("POST", path, body)
            answer = self._http.once("POST", path, body, read_timeout=read_seconds)
            if isinstance(answer, Unanswered):
                return self._unanswered(answer)
            self._heard(answer)
            if answer.status != 429:
                return self._outcome(answer, body)
            self._wait(_until(answer, attempt), "status 429")
        return NotSent(f"{self.host}: the rate limit is used up, {LIMITED_TRIES} times", "apply again later")

    def patch(self, path: str, payload: Any, egress: Egress) -> Outcome:
        """PATCH, retried: twice is once. `egress` hears of every sending."""
        path, body = ROOT + path, orjson.dumps(payload)
        self._wait(self._due(), "the rate limit")
        try:
            answer = self._http.patch(path, body, before=lambda: egress("PATCH", path, body))
        except SourceUnreachable as error:
            return Unclear(error.message)
        except SourceRefused as error:
            return NotSent(error.message, error.fix)
        self._heard(answer)
        return self._outcome(answer, body)

    def _get(self, path: str, query: Mapping[str, str | int | None]) -> Answer:
        self._wait(self._due(), "the rate limit")
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        answer = self._http.get(ROOT + path + (f"?{asked}" if asked else ""))
        self._heard(answer)
        return answer

    def _refused(self, answer: Answer) -> SourceRefused:
        if answer.status == 200:
            return SourceRefused(f"{self.host}: an answer that is not a JSON object", fix="try again later")
        return refusal(answer.status, answer.body, self.host, self._where)

    def _unanswered(self, answer: Unanswered) -> NotSent | Unclear:
        problem = f"POST {self.host}: {answer.what}"
        return Unclear(problem) if answer.sent else NotSent(problem, "nothing was sent; apply again later")

    def _outcome(self, answer: Answer, body: bytes) -> Outcome:
        if 200 <= answer.status < 300 and isinstance(answer.body, Mapping):
            return Reply(answer.status, answer.body)
        if answer.status in (408, *range(200, 300)) or answer.status >= 500:
            return Unclear(f"{self.host}: status {answer.status}, without an answer of use")
        return Refusal(answer.status, answer.body, not_sent(answer.status, answer.body, self.host, self._where, body))

    def _heard(self, answer: Answer) -> None:
        with self._lock:
            self._pace = pace(answer.headers) or self._pace

    def _due(self) -> float:
        """Take one of the requests that are left, and say how long to wait for it."""
        with self._lock:
            if self._pace is None:
                return 0.0
            pause = self._pace.pause(clock.now())
            self._pace = replace(self._pace, remaining=max(0, self._pace.remaining - 1))
            return pause

    def _wait(self, seconds: float, reason: str) -> None:
        if seconds > 0:
            self._notify(seconds, reason)
            clock.sleep(seconds)


@dataclass(frozen=True)
class Refusal:
    """An answer that says no: nothing took effect."""

    status: int
    body: Any
    meaning: NotSent


Outcome = Reply | Refusal | NotSent | Unclear


def segment(text: str) -> str:
    """A part of a path: whatever an id holds, it stays one part."""
    return quote(text, safe="")


def _until(answer: Answer, attempt: int) -> float:
    told = retry_after(answer.headers.get("Retry-After"))
    return backoff(attempt) if told is None else told


def _listed(page: Mapping[str, Any], keys: Sequence[str], host: str) -> list[Mapping[str, Any]]:
    rows = next((page[key] for key in keys if isinstance(page.get(key), list)), None)
    if rows is None:
        raise SourceRefused(f"{host}: a page without a list named {' or '.join(keys)}", fix="report this to Mavera")
    return [row for row in rows if isinstance(row, Mapping)]


def _next(page: Mapping[str, Any], rows: int, path: str, host: str) -> str | None:
    """The cursor of the page after; None after the last one.

    The reference shows no paging fields for personas. A list that may have been cut is not taken for the whole: what
    seems to be missing from it would be made a second time.
    """
    cursor = page.get("next_cursor") or None
    if page.get("has_more") is False:
        return None
    silent = rows >= PAGE and not {"has_more", "next_cursor"} & page.keys()
    if cursor is None and (page.get("has_more") is True or silent):
        raise SourceRefused(f"{host}: {path} has more than a page, and no cursor for it", fix="report this to Mavera")
    return str(cursor) if cursor is not None else None
