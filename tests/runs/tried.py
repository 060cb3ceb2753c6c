"""A project in a folder of its own, tried with real `courier` processes on its sandbox shop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import courier
from courier import clock, sandbox
from courier.cli.init import write_project
from courier.cli.project import open_project
from courier.runtime.context import Context
from courier.runtime.events import Event, Report
from courier.runtime.group_run import Asked, run_group
from courier.runtime.place import Place
from courier.runtime.result import CourierResult
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shop import STATE_FILE
from courier.storage import duck
from courier.storage.inspect import open_published, tables
from tests.runs.hurried import CHECKOUT, Ended, Hurried, copied, edit

COMMAND = str(Path(sys.executable).with_name("courier"))
# A page of orders holds 250: two pages.
SHOP = Options(customers=80, orders=300, products=12)
GROUP = ("run", "--group", "shopify", "--sandbox", "--json")
TABLES = 13


@dataclass(frozen=True)
class Tried:
    """`courier` and `struck` are forked from one process that has imported everything; `start` starts a new one."""

    root: Path
    hurry: Hurried | None = None

    @property
    def place(self) -> Place:
        return Place(self.root, sandbox=True)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A python process in the project's folder, without any credential."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOPIFY_")}
        environment["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), str(Path(courier.__file__).parents[1])])
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=self.root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def courier(self, *arguments: str, end: Mapping[str, Any] | None = None) -> Ended:
        assert self.hurry, "this project was made to be run inside the test"
        return self.hurry.courier(self.root, arguments, {}, end)

    def run(self, *arguments: str) -> Ended:
        """`courier run --group shopify --sandbox`, which must succeed."""
        found = self.courier(*GROUP, *arguments)
        assert found.code == 0, found.err
        return found

    def struck(self, signal: str, event: Mapping[str, Any], *command: str) -> Ended:
        """`run`, or another command that runs a courier, struck by a signal at an event."""
        return self.courier(*(command or GROUP), end={"event": event, "nth": 1, "signal": signal})

    def start_struck(self, signal: str, event: Mapping[str, Any], *command: str) -> subprocess.Popen[str]:
        return self.start("-m", "tests.runs.struck_run", signal, json.dumps(event), *(command or GROUP))

    def hashes(self) -> dict[str, str]:
        """Table -> hash, as this process, which wrote none of it, reads the published file."""
        with open_published(self.place.files.published) as connection:
            return {one.table.removeprefix("shopify."): one.hash for one in tables(connection)}

    def truth(self) -> dict[str, str]:
        """Table -> hash, from the shop's own books."""
        return _truth((self.place.state / STATE_FILE).read_bytes())

    def change(self, orders: int = 50) -> dict[str, tuple[int, int, int]]:
        """Change the shop; table -> rows to be inserted, updated, deleted."""
        found = sandbox.change(sandbox.open_shop(self.place.state), orders=orders)
        return {one.table.removeprefix("shopify."): (one.inserted, one.updated, one.deleted) for one in found}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the published file."""
        connection = duck.connect()
        try:
            duck.attach(connection, self.place.files.published, "sandbox", read_only=True)
            connection.execute("USE sandbox")
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def edit(self, path: str, old: str, new: str) -> None:
        edit(self.root / path, old, new)

    def copy(self, target: Path) -> Tried:
        """The same project elsewhere."""
        return replace(self, root=copied(self.root, target))


@lru_cache(maxsize=16)
def _truth(state: bytes) -> dict[str, str]:
    """Of the shop that this file keeps: all of it follows from what is in there."""
    with TemporaryDirectory() as folder:
        Path(folder, STATE_FILE).write_bytes(state)
        told = sandbox.truth(sandbox.open_shop(Path(folder)))
    return {one.table.removeprefix("shopify."): one.hash for one in told}


def ended(process: subprocess.Popen[str], typed: str = "") -> Ended:
    out, err = process.communicate(typed, timeout=120)
    return Ended(process.returncode, out, err)


def make(root: Path, hurry: Hurried | None, shop: Options = SHOP) -> Tried:
    """A project as `courier init` writes it, with a shop that nobody has read yet."""
    write_project(root)
    tried = Tried(root, hurry)
    sandbox.open_shop(tried.place.state, shop)
    return tried


def silent(event: Event) -> None:
    pass


def run_inside(tried: Tried, served: Sandbox, report: Report = silent, now: datetime | None = None) -> CourierResult:
    """Run the group in this process, against a sandbox that the test can put faults into."""
    project = open_project(tried.root)
    credential = served.credential("shopify")
    context = Context(project, tried.place, lambda courier: (replace(courier, endpoint=served.url), credential), report)
    return run_group(context, project.groups["shopify"], Asked(now or clock.now())).couriers[0]
