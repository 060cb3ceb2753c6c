"""Requests as a run would make them, pulled from a served sandbox without a run around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from courier.clock import Interval
from courier.config.load import load_project
from courier.config.project import Courier
from courier.connectors.bigcommerce import connector
from courier.connectors.contract import Progress, Reconciled, Request, Session, Stored, nothing_stored
from courier.runtime.plan import parents_of
from courier.sandbox.server import Sandbox
from courier.storage.raw import parts_of, read_manifest
from tests.config.projects import REPOSITORY


@lru_cache
def shipped() -> Courier:
    loaded = load_project(REPOSITORY)
    assert loaded.project is not None
    return loaded.project.couriers["bigcommerce"]


def courier(sandbox: Sandbox, names: Iterable[str] = ()) -> Courier:
    """The shipped courier on the sandbox, with these feeds alone, or with all."""
    wanted = tuple(names)
    feeds = tuple(feed for feed in shipped().feeds if not wanted or feed.name in wanted)
    return replace(shipped(), endpoint=sandbox.url, feeds=feeds)


def session(
    sandbox: Sandbox,
    state: Path,
    names: Iterable[str] = (),
    stored: Stored = nothing_stored,
    progress: Progress = lambda told: None,
) -> Session:
    credential = sandbox.credential("bigcommerce")
    return connector.open(courier(sandbox, names), credential, state / "budgets", progress, stored)


def request(sandbox: Sandbox, root: str, names: Iterable[str], since: datetime | None = None) -> Request:
    of = courier(sandbox)
    wanted = tuple(names)
    feeds = tuple(feed for feed in of.feeds if feed.name in wanted)
    return Request(root, root, feeds, parents_of(of, feeds), Interval(since, None))


@dataclass(frozen=True)
class Pulled:
    """What lies in the folder of a request, and the proof of it."""

    folder: Path
    proof: Reconciled

    def lines(self, stream: str) -> list[dict[str, Any]]:
        """Of all parts."""
        found: list[dict[str, Any]] = []
        for part in parts_of(self.folder):
            manifest = read_manifest(part)
            assert manifest and manifest.complete
            for segment in manifest.segments.get(stream, ()):
                found += [orjson.loads(line) for line in segment.path.read_bytes().splitlines()]
        return found

    def ids(self, stream: str) -> list[int]:
        return [line["id"] for line in self.lines(stream)]


def pull(
    sandbox: Sandbox,
    folder: Path,
    root: str,
    *names: str,
    since: datetime | None = None,
    stored: Stored = nothing_stored,
    progress: Progress = lambda told: None,
) -> Pulled:
    """Fetch and reconcile. Raises as the session does."""
    opened = session(sandbox, folder, names, stored, progress)
    asked = request(sandbox, root, names, since)
    opened.fetch(asked, folder / root)
    return Pulled(folder / root, opened.reconcile(asked, folder / root))
