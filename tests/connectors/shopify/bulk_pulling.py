"""Pull in bulk from a sandbox into a folder, and look at what lies there, in all parts together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from courier.clock import Interval
from courier.config.project import Courier, Mode
from courier.connectors.contract import Progress, Reconciled, Request
from courier.connectors.shopify.bulk.operations import installation_of
from courier.connectors.shopify.paging import Limits
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.bulk.operations import Operation
from courier.storage.raw import parts_of, read_manifest
from tests.connectors.shopify.pulling import asked, lines, session, silent

ORDERS = 60
SHOP = Options(customers=30, orders=ORDERS, products=8)
IN_BULK = ("Customer", "Order", "Product")
Families = dict[str, dict[str, list[bytes]]]  # root record's id -> stream -> its records


def wanted(sandbox: Sandbox, folder: Path, root: str, mode: Mode = "bulk", interval: Interval | None = None) -> Request:
    return replace(asked(sandbox, folder, root, interval), mode=mode)


def pull_in_bulk(
    sandbox: Sandbox,
    folder: Path,
    root: str = "Order",
    *,
    request: Request | None = None,
    given: Courier | None = None,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> Reconciled:
    """Prepare, fetch and reconcile one request into `folder`/`root`."""
    request = request or wanted(sandbox, folder, root)
    going = session(sandbox, folder, progress, given=given, limits=limits)
    going.prepare([(request, folder / root)])
    going.fetch(request, folder / root)
    return going.reconcile(request, folder / root)


def standing(folder: Path, root: str) -> Families:
    """Every root record with all that hangs on it, of all parts; of each set the newest version, as a commit takes."""
    found: dict[str, dict[str, tuple[str, list[bytes]]]] = defaultdict(dict)
    for part in parts_of(folder):
        for stream, (version, family) in _sets(part, root):
            known = found[family[0]].get(stream)
            if known is None or known[0] <= version:
                found[family[0]][stream] = version, family[1]
    return {id_: {stream: held for stream, (_, held) in sets.items() if held} for id_, sets in found.items()}


def _sets(part: Path, root: str) -> list[tuple[str, tuple[str, tuple[str, list[bytes]]]]]:
    """(stream, (version, (root's id, records))) of a part, for the streams that it brings."""
    manifest = read_manifest(part)
    assert manifest
    layout = manifest.layout
    versions = {line["id"]: str(line["updatedAt"]) for line in lines(part, root)}
    owners = {id_: id_ for id_ in versions}
    held: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for stream in layout.streams:
        for line in lines(part, stream):
            owner = owners[line["__parentId"]] if "__parentId" in line else line["id"]
            owners.setdefault(line.get("id", ""), owner)
            held[stream, owner].append(_plain(line))
    only = set(layout.streams) - ({root} if layout.feeds else set())
    return [(stream, (versions[id_], (id_, sorted(held[stream, id_])))) for id_ in versions for stream in sorted(only)]


def _plain(line: dict[str, Any]) -> bytes:
    """A record without what the ways of fetching differ in."""
    kept = {name: value for name, value in line.items() if not name.startswith("__") and name != "refunds"}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


def made(sandbox: Sandbox) -> Sequence[Operation]:
    """The bulk operations of the shop that are not foreign, the first one first."""
    found = sandbox.service.bulk.operations
    return [found[number] for number in sorted(found) if not found[number].foreign]


def own(folder: Path, courier: str, run: str, purpose: str) -> str:
    """A document with the marker of this installation."""
    line = f"# courier {installation_of(folder / 'state')} {courier} {run} {purpose}"
    return f"{line}\n{{ products {{ edges {{ node {{ id }} }} }} }}"


def downloads(sandbox: Sandbox) -> list[tuple[str | None, int]]:
    """Range and status of each download."""
    return [(one["range"], one["status"]) for one in sandbox.requests if one.get("operation") == "download"]


def taken(folder: Path) -> dict[str, bytes]:
    """The bulk result's own streams."""
    manifest = read_manifest(folder / "Order")
    assert manifest and manifest.complete and manifest.layout.is_bulk
    return {
        stream: b"".join(segment.path.read_bytes() for segment in segments)
        for stream, segments in manifest.segments.items()
    }


class Killed(Exception):
    """Stands for a SIGKILL."""
