"""Pull from a sandbox into a folder, and look at what lies there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from courier.clock import Interval
from courier.config.project import Courier
from courier.connectors.contract import Fetching, Progress, Request, Session, Waiting
from courier.connectors.shopify.paging import Limits
from courier.connectors.shopify.session import ShopifySession
from courier.sandbox.server import Sandbox
from courier.storage.raw import read_manifest
from tests.connectors.shopify.shipped import courier, request

SMALL = Limits(longest=30, sizes=(7, 3, 1))
ROOTS = ("Customer", "Order", "Product", "Location")


def silent(progress: Fetching | Waiting) -> None:
    pass


def session(
    sandbox: Sandbox,
    folder: Path,
    progress: Progress = silent,
    *,
    given: Courier | None = None,
    limits: Limits | None = None,
) -> Session:
    credential = {
        "store": sandbox.credentials["SHOPIFY_STORE"],
        "access_token": sandbox.credentials["SHOPIFY_ACCESS_TOKEN"],
    }
    given = replace(given or courier(), endpoint=sandbox.url)
    return ShopifySession(given, credential, folder / "state", progress, limits)


def asked(sandbox: Sandbox, folder: Path, root: str, interval: Interval | None = None) -> Request:
    """The request for a root's feeds, without what this shop cannot give."""
    statuses = session(sandbox, folder).preflight().statuses
    return request(root, interval, statuses=statuses)


def pull(
    sandbox: Sandbox, folder: Path, root: str, interval: Interval | None = None, limits: Limits | None = None
) -> Path:
    """Fetch and reconcile one request; its folder."""
    wanted = asked(sandbox, folder, root, interval)
    going = session(sandbox, folder, limits=limits)
    going.fetch(wanted, folder / root)
    going.reconcile(wanted, folder / root)
    return folder / root


def lines(folder: Path, stream: str) -> list[dict[str, Any]]:
    manifest = read_manifest(folder)
    assert manifest and manifest.complete
    found = list(_lines(manifest.segments.get(stream, ())))
    assert len(found) == manifest.lines(stream)
    return found


def _lines(segments: Any) -> Iterator[dict[str, Any]]:
    for segment in segments:
        yield from (orjson.loads(line) for line in segment.path.read_bytes().splitlines())


def by_id(folder: Path, root: str) -> dict[str, dict[str, Any]]:
    """Root records by id, each with the records of its other streams; the newest where one came twice."""
    manifest = read_manifest(folder)
    assert manifest
    whole: dict[int, dict[str, Any]] = {line["__record"]: {root: line} for line in lines(folder, root)}
    for stream in manifest.layout.streams[1:]:
        for line in lines(folder, stream):
            whole[line["__record"]].setdefault(stream, []).append(line)
    found: dict[str, dict[str, Any]] = {}
    for record in whole.values():
        before = found.get(record[root]["id"])
        if before is None or before[root]["updatedAt"] <= record[root]["updatedAt"]:
            found[record[root]["id"]] = record
    return {id_: _plain(record) for id_, record in found.items()}


def _plain(value: Any) -> Any:
    """Without what differs from one pull to the next."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items() if name not in ("__record", "__fetchedAt")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def operations(sandbox: Sandbox) -> list[str]:
    return [entry.get("operation", "") for entry in sandbox.requests]
