"""Deleted records, from the shop's events: kept for a year, and for customers, orders and products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from courier import clock
from courier.clock import Interval, rfc3339
from courier.config.project import Feed
from courier.connectors.shopify import cost
from courier.connectors.shopify.chain import Scope, begin, parsed, place_from, scope_of
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.paging import Connected, Sizes, Step, walk
from courier.connectors.shopify.records import Record, digits
from courier.storage.raw import Layout, RawWriter, open_writer

STREAM = "Delete"
KEPT = timedelta(days=365)
PAGE_INFO = "pageInfo { hasNextPage endCursor }"


def document(sort: str) -> str:
    return (
        "query DeleteEvents($first: Int!, $after: String, $query: String) { "
        f"events(first: $first, after: $after, query: $query, sortKey: {sort}) "
        f"{{ nodes {{ id action createdAt ... on BasicEvent {{ subjectId subjectType }} }} {PAGE_INFO} }} }}"
    )


def fetch_deletes(client: Client, feeds: Sequence[Feed], interval: Interval, folder: Path) -> None:
    """Write a line {feed, key, deletedAt} for every record of the feeds that was deleted in the interval.

    Raises as Client.ask does. The manifest's claims hold `notes`, sentences for the person who runs it.
    """
    asked = [feed for feed in feeds if _subject(feed)]
    made_of = f"deletes {' '.join(feed.name for feed in asked)} {interval}"
    with open_writer(folder, Layout((STREAM,)), made_of) as writer:
        if writer.complete:
            return
        position: Mapping[str, Any] = writer.position or {"document": made_of, "feed": 0, "place": None}
        for number in range(position["feed"], len(asked)):
            _fetch_feed(client, asked[number], interval, writer, {**position, "feed": number})
            position = {"document": made_of, "feed": number + 1, "place": None}
            writer.checkpoint(position)
        writer.finish({"document": made_of, "notes": notes(interval)})


def notes(interval: Interval) -> list[str]:
    """What the events cannot tell any more."""
    if interval.since is not None and interval.since < clock.now() - KEPT:
        return ["Shopify keeps delete events for a year: older deletes are found by a run over everything (--all)"]
    return []


def _subject(feed: Feed) -> str | None:
    root = ROOTS.get(feed.table.rows.root)
    return root.subject if root and not feed.table.rows.lists else None


def _fetch_feed(client: Client, feed: Feed, interval: Interval, writer: RawWriter, position: Mapping[str, Any]) -> None:
    subject = str(_subject(feed))
    scope = _scope(subject, interval)
    place = place_from(position["place"]) if position["place"] else begin(scope)
    sizes = Sizes(client, cost.PAGE_SIZES, lambda size: 2 + cost.growth(size))
    for step in walk(sizes, Connected("events", document, "createdAt", nullable=True), scope, place):
        writer.write(STREAM, _lines(feed, subject, interval, step, writer))
        if step.place:
            writer.checkpoint({**position, "place": step.place.as_json()})


def _scope(subject: str, interval: Interval) -> Scope:
    rounded = scope_of(ROOTS["Product"], interval)  # whole seconds, outwards
    extra = f"action:destroy AND subject_type:{subject}"
    return Scope(rounded.low, rounded.high, time="created_at", extra=extra, sort="CREATED_AT")


def _lines(feed: Feed, subject: str, interval: Interval, step: Step, writer: RawWriter) -> list[Record]:
    """The lines of a page; events that the filter should have left out are left out here."""
    lines = []
    for node in step.nodes:
        key, created = digits(node.get("subjectId")), parsed(node.get("createdAt"))
        wanted = node.get("action") == "destroy" and node.get("subjectType") == subject
        if not (wanted and key and created) or not _within(interval, node):
            continue
        lines.append(
            {
                "__record": writer.next_record(),
                "__fetchedAt": rfc3339(step.received),
                "feed": feed.name,
                "key": key,
                "deletedAt": rfc3339(created),
            }
        )
    return lines


def _within(interval: Interval, node: Record) -> bool:
    """Not before the interval. A delete after it is as true as one within it."""
    created = parsed(node.get("createdAt"))
    return created is not None and (interval.since is None or created >= interval.since)
