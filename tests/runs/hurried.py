"""A project on a served shop, and couriers of it that start quickly and wait little: real processes all the same."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from courier import sandbox
from courier.cli.init import write_project
from courier.cli.project import place_of
from courier.config.known_connectors import KNOWN_CONNECTORS
from courier.runtime.known_good import recall, remember, stamp
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.service import Settings
from courier.storage.inspect import open_published, tables
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.snapshot import snapshot

CHECKOUT = Path(__file__).parents[2]
VENDORS = tuple(f"{name.upper()}_" for name in KNOWN_CONNECTORS)  # how the names of credentials begin
SHOP = Options(customers=20, orders=120, products=5)


@dataclass(frozen=True)
class Source:
    """A source as tests run it: its courier, its group and its schema all have its name.

    truncated: feeds that are read whole each time; `modes`: whether the others say how they are fetched
    """

    name: str
    truncated: frozenset[str]
    modes: bool = False

    def feed(self, table: str, mode: str) -> str:
        """The line of a courier's YAML that turns a feed on."""
        if table in self.truncated:
            return f"  {table}: {{ load: truncate }}"
        return f"  {table}: {{ mode: {mode} }}" if self.modes else f"  {table}:"


SHOPIFY = Source("shopify", frozenset({"locations"}), modes=True)
KLAVIYO = Source(
    "klaviyo", frozenset({"accounts", "metrics", "profiles", "lists", "list_profiles", "flows", "flow_messages"})
)
BIGCOMMERCE = Source("bigcommerce", frozenset({"store", "channels", "customer_attributes", "order_statuses"}))


def write_shops_project(
    root: Path, served: Sandbox, mode: str, names: Iterable[str], source: Source = SHOPIFY, database: str = ""
) -> None:
    """The starter project, pointed at the served shop, with some of a source's feeds, all that can be in the mode.

    Without other sources and activations, which each new project would have checked for 0.4 seconds of CPU.
    database: the URL of a database to load into, in place of DuckDB's file.
    """
    write_project(root)
    _leave_only(root, source.name)
    if database:
        (root / "courier.yaml").write_text("destination: postgres\n", "utf-8")
        (root / ".env").write_text(f"COURIER_POSTGRES_URL={database}\n", "utf-8")
    file = root / "couriers" / f"{source.name}.yaml"
    connector = f"connector: {source.name}\n"
    text = file.read_text("utf-8").replace(connector, f"{connector}endpoint: {served.url}\n", 1)
    head = text.partition("feeds:\n")[0]
    feeds = [source.feed(table, mode) for table in names]
    file.write_text("\n".join([f"{head}feeds:", *feeds, ""]), "utf-8")
    _add_group(root / "courier_groups.yaml", source.name)
    served.klaviyo.configure(limited=False)  # a process in a hurry does not wait for the end of a minute


def _leave_only(root: Path, source: str) -> None:
    """Take the other sources out of a starter project, and all activations."""
    shutil.rmtree(root / "activations")
    (root / "activations").mkdir()
    for path in [*(root / "couriers").iterdir(), *(root / "domain_tables").iterdir()]:
        if path.is_dir() and path.name != source:
            shutil.rmtree(path)
        elif path.is_file() and path.stem != source:
            path.unlink()
    file = root / "courier_groups.yaml"
    blocks = re.split(r"\n(?=\w+:)", file.read_text("utf-8"))
    file.write_text("\n".join(one for one in blocks if one.startswith(("#", f"{source}:"))), "utf-8")


def _add_group(file: Path, name: str) -> None:
    """A group of the source's one courier, where the starter project has none of that name."""
    text = file.read_text("utf-8")
    if f"\n{name}:\n" not in text:
        file.write_text(f"{text}\n{name}:\n  couriers:\n    {name}: {{ wait: 30m }}\n", "utf-8")


@dataclass(frozen=True)
class Ended:
    """A process that has ended: its events, and the object that it printed."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]

    def named(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        """The events of a kind that hold the given values, in order."""
        return [event for event in self.events if {"event": kind, **values}.items() <= event.items()]

    @property
    def object(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def problem(self) -> dict[str, str]:
        found: dict[str, str] = self.object["problem"]
        return found

    @property
    def feeds(self) -> dict[str, dict[str, Any]]:
        """Of the first courier."""
        return {feed["feed"]: feed for feed in self.object["couriers"][0]["feeds"]}


class Hurried:
    """Starts couriers by the one process that has imported everything (tests.runs.hurried_run)."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(VENDORS)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.runs.hurried_run"],
            cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self,
        root: Path,
        served: Sandbox,
        end: Mapping[str, Any] | None = None,
        more: Sequence[str] = (),
        group: str = SHOPIFY.name,
    ) -> Ended:
        """`courier run --group GROUP`, and how it ended."""
        return self.courier(root, ("run", "--group", group, "--json", *more), served.credentials, end)

    def courier(
        self,
        root: Path,
        arguments: Iterable[str],
        environment: Mapping[str, str],
        end: Mapping[str, Any] | None = None,
    ) -> Ended:
        """`courier ARGUMENT...`, and how it ended."""
        asked = {
            "folder": str(root),
            "environment": dict(environment),
            "arguments": list(arguments),
            "out": str(root.with_name("out")),
            "err": str(root.with_name("err")),
            "end": end,
        }
        code = self._ask(asked)
        return Ended(code, *(root.with_name(name).read_text("utf-8") for name in ("out", "err")))

    def leave(self, root: Path, served: Sandbox, arguments: Sequence[str], err: Path, time: Path | None = None) -> int:
        """Start a courier, and its process id. `time`: it lives by the simulated clock at this socket."""
        asked = {"folder": str(root), "environment": served.credentials, "arguments": arguments, "end": None}
        asked = {**asked, "time": str(time) if time else None}
        return self._ask({**asked, "out": os.devnull, "err": str(err), "leave": True})

    def wait(self, pid: int) -> int:
        """The exit code of one that was left."""
        return self._ask({"wait": pid})

    def _ask(self, asked: Mapping[str, Any]) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@contextmanager
def hurried() -> Iterator[Hurried]:
    made = Hurried()
    try:
        yield made
    finally:
        made.close()


@cache
def shared() -> Hurried:
    """The one of this session, which costs two seconds of CPU: started when it is first needed."""
    made = Hurried()
    atexit.register(made.close)
    return made


@dataclass(frozen=True)
class Project:
    """A project with some of the shop's tables."""

    root: Path
    served: Sandbox
    hurry: Hurried
    names: tuple[str, ...]
    source: Source = SHOPIFY

    def run(self, end: Mapping[str, Any] | None = None) -> Ended:
        """A run, which must not end in a trace."""
        return traceless(self.hurry.run(self.root, self.served, end, group=self.source.name))

    @property
    def is_true(self) -> bool:
        return self.hashes == told(self.served.shop, self.names, self.source)

    @property
    def hashes(self) -> dict[str, str] | None:
        return hashes(self.root)

    def courier(self, *arguments: str, end: Mapping[str, Any] | None = None) -> Ended:
        """`courier ARGUMENT...`, which must not end in a trace."""
        return traceless(self.hurry.courier(self.root, arguments, self.served.credentials, end))

    def edit(self, path: str, old: str, new: str) -> None:
        edit(self.root / path, old, new)


def traceless(ended: Ended) -> Ended:
    """The same process, which told of its mistakes as it should."""
    assert "Traceback" not in ended.err, ended.err
    return ended


def copied(root: Path, target: Path) -> Path:
    """The same project elsewhere, known to be good if it is here: to check it once more takes 0.4 s of CPU."""
    shutil.copytree(root, target)
    if (known := recall(root, stamp(root))) is not None:
        remember(replace(known, root=target), stamp(target))
    return target


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that is there."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


@contextmanager
def trying(
    folder: Path,
    hurry: Hurried,
    names: tuple[str, ...],
    mode: str = "pages",
    bulk_seconds: float = 0.0,
    source: Source = SHOPIFY,
    options: Options = SHOP,
) -> Iterator[Project]:
    """A project in `folder`, whose small shop is served."""
    shop, settings = sandbox.open_shop(folder / "shop", options), Settings(bulk_seconds=bulk_seconds)
    with sandbox.serve(shop, settings=settings) as served:
        write_shops_project(folder / "project", served, mode, names, source)
        yield Project(folder / "project", served, hurry, names, source)


def told(shop: Shop, names: tuple[str, ...], source: Source = SHOPIFY) -> dict[str, str]:
    """Table -> hash, from the shop's own books of one source."""
    return _told(shop, len(shop.changes), names, source.name)


@lru_cache(maxsize=16)
def _told(shop: Shop, changes: int, names: tuple[str, ...], source: str) -> dict[str, str]:
    return {one.table: one.hash for one in sandbox.truth(shop, names, source)}


def hashes(root: Path) -> dict[str, str] | None:
    """Table -> hash of the published file, or of the project's database; None where there is nothing yet."""
    if database := place_of(root, sandbox=False).database:
        return _hashes_in(database)
    file = root / "warehouse.duckdb"
    if not file.exists():
        return None
    status = file.stat()
    return _hashes(file, status.st_ino, status.st_mtime_ns)


def _hashes_in(database: Postgres) -> dict[str, str] | None:
    with snapshot(database) as found:
        found.copy_ledger()
        for schema, table in [pair for pair in found.types if ("courier", "domain_table") in found.types]:
            if schema in ("shopify", "bigcommerce", "klaviyo"):
                found.copy(schema, table)
        return {one.table: one.hash for one in tables(found.connection)} or None


@lru_cache(maxsize=16)
def _hashes(file: Path, number: int, written: int) -> dict[str, str]:
    with open_published(file) as connection:
        return {one.table: one.hash for one in tables(connection)}


def write_list(root: Path, connector: str, stores: Sequence[str], feeds: str) -> None:
    """Give the starter project's courier a list of stores, and these feeds. Without a store it keeps its own."""
    file = root / "couriers" / f"{connector}.yaml"
    text = re.sub(r"(?s)feeds:\n.*", f"feeds:\n{feeds}", file.read_text("utf-8"))
    if stores:
        text = re.sub(r"credential:\n(  .*\n)+", f"stores: {connector}.csv\n", text)
        (root / "couriers" / f"{connector}.csv").write_text("\n".join(["name", *stores, ""]), "utf-8")
    file.write_text(text, "utf-8")
