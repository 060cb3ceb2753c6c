"""The proof that a request is whole: the source is read once more, by ids alone.

Klaviyo counts no list, so every id that it shows must have been fetched, but for records that changed so late that the
next run reads them anyway. Members of a list or a segment are proven by its count, where that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from courier.connectors.contract import Reconciled
from courier.connectors.klaviyo.answers import NotThere
from courier.connectors.klaviyo.below import COUNT, JOINED, members
from courier.connectors.klaviyo.client import Client
from courier.connectors.klaviyo.fetch import SEEN, Wanted, is_past
from courier.connectors.klaviyo.pages import walk
from courier.errors import Incomplete
from courier.storage.raw import Manifest, read_manifest
from courier.storage.selection import Node


@dataclass
class Group:
    """A list or a segment as it was fetched: what it counts (None: not asked), and its members."""

    number: int
    counted: int | None
    members: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Proof:
    """What is to be proven of one request."""

    wanted: Wanted

    def check(self, client: Client, folder: Path) -> Reconciled:
        """Raises Incomplete where records of the period were not fetched."""
        root = self.wanted.root
        manifest = read_manifest(folder)
        if manifest is None or not manifest.complete:
            raise Incomplete(f"{root.operation}: the records were not fetched to their end", fix="run again")
        if root.counted:
            return Reconciled(None, manifest.records, computed=True)
        fetched, began = self._fetched(manifest)
        swept = self._swept(client)
        missing = [at for identity, at in swept.items() if identity not in fetched]
        late = sum(1 for at in missing if at and began and at >= self._settled(began))
        if late < len(missing):
            raise Incomplete(
                f"{root.operation}: {len(missing) - late} of {len(swept)} records in the period were not fetched",
                fix="run again; nothing was committed",
            )
        moved = late + len(fetched - swept.keys())
        if root.kind == "groups" and "profiles" in self.wanted.below:
            moved += self._check_members(client, manifest, began)
        return Reconciled(None, manifest.records if root.type == "OrderItem" else len(fetched), moved)

    def _settled(self, began: datetime) -> datetime:
        """Until when records must have been there: the next run looks back over what comes after it."""
        until = self.wanted.request.interval.until
        return (min(until, began) if until else began) - self.wanted.root.look_back

    def _fetched(self, manifest: Manifest) -> tuple[set[str], datetime | None]:
        """The ids, and when reading began."""
        root, began = self.wanted.root, None
        found = set()
        for line in _lines(manifest, root.type):
            began = began or datetime.fromisoformat(line["__fetchedAt"])
            found.add(str(line.get("id")))
        if root.type == "OrderItem":
            found = {str(line["id"]) for line in _lines(manifest, f"{root.type}.{SEEN}")}
        return found, began

    def _swept(self, client: Client) -> dict[str, datetime | None]:
        """The ids that the source shows now, with when each changed last."""
        changed = self.wanted.root.clock
        slim = replace(self.wanted, node=Node(fields={"attributes": Node(fields={changed: Node()} if changed else {})}))
        return {
            str(record["id"]): _instant((record.get("attributes") or {}).get(changed))
            for ask in slim.lists
            for page in walk(client, ask)
            for record in page.records
            if is_past(self.wanted.root, record, page.received)
        }

    def _check_members(self, client: Client, manifest: Manifest, began: datetime | None) -> int:
        """Raises Incomplete where members of a group are missing. Returns how many came or went meanwhile."""
        moved = 0
        for identity, group in self._groups(manifest).items():
            if group.counted == len(group.members):
                continue
            try:
                moved += self._read_again(client, identity, group, began)
            except NotThere:
                moved += len(group.members)
        return moved

    def _groups(self, manifest: Manifest) -> dict[str, Group]:
        root = self.wanted.root
        found = {
            str(line["id"]): Group(line["__record"], (line.get("attributes") or {}).get(COUNT))
            for line in _lines(manifest, root.type)
        }
        for line in _lines(manifest, f"{root.type}.profiles"):
            found[str(line["__parentId"])].members.add(str(line["id"]))
        return found

    def _read_again(self, client: Client, identity: str, group: Group, began: datetime | None) -> int:
        ask = members(self.wanted.root, self.wanted.node, identity, joined=True)
        now = {
            str(record["id"]): _instant((record.get("attributes") or {}).get(JOINED))
            for page in walk(client, ask)
            for record in page.records
        }
        missing = [at for member, at in now.items() if member not in group.members]
        late = sum(1 for at in missing if at and began and at >= self._settled(began))
        if late < len(missing):
            raise Incomplete(
                f"{ask.operation}: {len(missing) - late} of {len(now)} members were not fetched",
                fix="run again; nothing was committed",
            )
        return late + len(group.members - now.keys())


def _instant(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _lines(manifest: Manifest, stream: str) -> Iterator[Mapping[str, Any]]:
    for segment in manifest.segments.get(stream, ()):
        with segment.path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)
