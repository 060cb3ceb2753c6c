"""Runs of the shipped Klaviyo courier in this process, against a sandbox whose clock goes on only when somebody waits.

So the published limits cost nothing, and what a run takes by that clock is what they make it take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from courier import clock, sandbox
from courier.cli.init import write_project
from courier.cli.project import open_project
from courier.runtime.context import Context
from courier.runtime.courier_run import run_courier
from courier.runtime.events import Event
from courier.runtime.foresight import Foresight, foresee
from courier.runtime.place import Place
from courier.runtime.plan import Intention
from courier.runtime.result import CourierResult
from courier.sandbox.history.options import Options
from courier.sandbox.klaviyo.service import Klaviyo
from courier.sandbox.server import Sandbox
from courier.storage import duck
from courier.storage.inspect import open_published, tables

SHOP = Options(customers=30, orders=90, products=6)
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
DAY = timedelta(hours=25)


class Clock:
    """Stands still while anybody works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = NOON
        monkeypatch.setattr(clock, "now", lambda: self.at)
        monkeypatch.setattr(clock, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Running:
    """A project that reads a made-up account."""

    root: Path
    served: Sandbox
    time: Clock
    events: list[Event] = field(default_factory=list)

    @property
    def klaviyo(self) -> Klaviyo:
        return self.served.klaviyo

    @property
    def place(self) -> Place:
        return Place(self.root, sandbox=True)

    def configure(self, **settings: Any) -> None:
        """Set some of the account's settings."""
        self.klaviyo.configure(**settings)

    def run(self, *feeds: str) -> CourierResult:
        """One run; its events are kept until the next one."""
        project, credential = open_project(self.root), self.served.credential("klaviyo")
        self.events.clear()
        context = Context(
            project,
            self.place,
            lambda courier: (replace(courier, endpoint=self.served.url), credential),
            self.events.append,
        )
        return run_courier(context, Intention("klaviyo", clock.now(), feeds=feeds))

    def next_day(self, orders: int = 0) -> None:
        """25 hours later, after a change of the shop if there is one."""
        self.time.at += DAY
        if orders:
            sandbox.change(self.served.shop, orders, ["klaviyo"])
        self.time.at += timedelta(seconds=2)

    def told(self, kind: str) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if type(event).__name__ == kind]

    @property
    def notes(self) -> str:
        return "\n".join(event.note for event in self.told("Noticed"))

    def foresee(self, *feeds: str) -> Foresight:
        intention = Intention("klaviyo", clock.now(), feeds=feeds)
        return foresee(open_project(self.root), self.place, intention)

    def hashes(self) -> dict[str, str]:
        with open_published(self.place.files.published) as connection:
            return {one.table: one.hash for one in tables(connection)}

    def truth(self, names: Sequence[str] = ()) -> dict[str, str]:
        return {one.table: one.hash for one in sandbox.truth(self.served.shop, names, source="klaviyo")}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        connection = duck.connect()
        try:
            duck.attach(connection, self.place.files.published, "sandbox", read_only=True)
            connection.execute("USE sandbox")
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@contextmanager
def running(folder: Path, monkeypatch: pytest.MonkeyPatch, options: Options = SHOP) -> Iterator[Running]:
    time = Clock(monkeypatch)
    root = folder / "project"
    write_project(root)
    with sandbox.serve(sandbox.open_shop(None, options)) as served:
        yield Running(root, served, time)
