"""Pages of a list, one after another, until Klaviyo says that there is no next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from courier.connectors.klaviyo.client import Ask, Client
from courier.errors import Incomplete

Record = dict[str, Any]
MOST_REPEATED = 3  # times that an old page comes instead of the next one


@dataclass(frozen=True)
class Page:
    """`following` leads to the next one, "" on the last."""

    records: list[Record]
    included: list[Record]
    received: datetime
    following: str


def walk(client: Client, ask: Ask, following: str = "") -> Iterator[Page]:
    """Every page, from a link on. Raises Incomplete where the links lead nowhere, and what Client.ask raises."""
    passed = {_cursor(following)} if following else set()
    repeated = 0
    while True:
        reply = client.ask(ask, following)
        page = _page(ask.operation, reply.body, reply.received)
        if page.following and (_cursor(page.following) in passed):
            repeated += 1
            if repeated > MOST_REPEATED:
                raise Incomplete(f"{ask.operation}: the cursors lead nowhere", fix="run again; nothing was committed")
            continue
        repeated = 0
        passed.add(_cursor(page.following))
        yield page
        if not page.following:
            return
        following = page.following


def _page(operation: str, body: Mapping[str, Any], received: datetime) -> Page:
    records, links = body.get("data"), body.get("links")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise Incomplete(f"{operation}: an answer without a list of records", fix="run again later")
    if not all(isinstance(record.get("id"), str) for record in records):
        raise Incomplete(f"{operation}: a record without an id", fix="run again later")
    following = links.get("next") if isinstance(links, Mapping) else None
    included = body.get("included")
    return Page(records, included if isinstance(included, list) else [], received, following or "")


def _cursor(link: str) -> str:
    return dict(parse_qsl(urlsplit(link).query)).get("page[cursor]", link)
