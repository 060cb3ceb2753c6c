"""The proof that a request is whole: the store is counted again, and where that does not settle it, swept by ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from courier import clock
from courier.clock import Interval
from courier.connectors.bigcommerce.answers import single
from courier.connectors.bigcommerce.client import Client
from courier.connectors.bigcommerce.fetch import lines
from courier.connectors.bigcommerce.times import parsed
from courier.connectors.bigcommerce.walk import Scope, begin, count, walk
from courier.connectors.contract import Reconciled
from courier.errors import Incomplete
from courier.storage.raw import read_manifest

PROBED_AT_ONCE = 200
SWEEPS = 3
SECONDS_BETWEEN_SWEEPS = 1.0
_SECOND = timedelta(seconds=1)
Times = Mapping[Any, datetime | None]


@dataclass(frozen=True)
class Proof:
    """What is to be proven of one request."""

    client: Client
    scope: Scope
    interval: Interval

    def check(self, folder: Path) -> Reconciled:
        """Raises Incomplete where records of the period were not fetched."""
        fetched: dict[Any, datetime | None] = {}
        began: datetime | None = None
        outside = 0
        for line in lines(folder, self.scope.root.type):
            began = began or parsed(line.get("__fetchedAt"))
            fetched[line["id"]] = parsed(line.get("__time"))
            outside += not _within(self.interval, fetched[line["id"]])
        if self.scope.root.way == "single":
            return Reconciled(len(fetched), len(fetched), 0, 0)
        counted, before = count(self.client, self.scope), _counted(folder)
        if counted == before == len(fetched):
            return Reconciled(counted, len(fetched), 0, outside)
        swept, counted = self._sweep(len(fetched))
        late = self._late(fetched, swept, began)
        gone = [identity for identity in fetched if identity not in swept]
        self._probe(gone, len(fetched))
        return Reconciled(counted, len(fetched), late + len(gone), outside)

    def _sweep(self, fetched: int) -> tuple[Times, int]:
        """The ids that the store shows now, and how many it counts. Raises Incomplete where it counts more."""
        for number in range(SWEEPS):
            clock.sleep(number * SECONDS_BETWEEN_SWEEPS)
            swept = dict(shown(self.client, self.scope))
            counted = count(self.client, self.scope)
            if counted <= len(swept):
                return swept, counted
        raise Incomplete(
            f"{self.scope.root.path}: the store counts {counted}, its pages show {len(swept)}, {fetched} were fetched",
            fix="run again later; nothing was committed",
        )

    def _late(self, fetched: Times, swept: Times, began: datetime | None) -> int:
        """How many records changed after the period, which the next one reads. Any other one is missing."""
        missing = [time for identity, time in swept.items() if identity not in fetched]
        late_from = self.scope.high + _SECOND if self.scope.high else (began or clock.now()).replace(microsecond=0)
        late = sum(1 for time in missing if time and time >= late_from)
        if late < len(missing):
            raise Incomplete(
                f"{self.scope.root.path}: {len(missing) - late} of {len(swept)} records in the period were not fetched",
                fix="run again; nothing was committed",
            )
        return late

    def _probe(self, gone: list[Any], fetched: int) -> None:
        """Records that are no longer shown must have moved out of the period, or be gone."""
        scope = Interval(self.scope.low, self.scope.high + _SECOND if self.scope.high else None)
        times = present(self.client, self.scope, gone)
        hidden = sum(1 for time in times.values() if time is not None and _within(scope, time))
        if hidden:
            raise Incomplete(
                f"{self.scope.root.path}: {hidden} of {fetched} fetched records did not move, and are not shown any "
                "more",
                fix="run again; nothing was committed",
            )


def shown(client: Client, scope: Scope) -> Iterator[tuple[Any, datetime | None]]:
    """Every record that the store shows, with the time of its last change."""
    few = {"include_fields": scope.root.time} if scope.root.type == "Product" else {}
    plain = replace(scope, params=few)
    for step in walk(client, plain, begin(plain)):
        for record in step.records:
            yield record["id"], parsed(record.get(scope.root.time))


def present(client: Client, scope: Scope, identities: list[Any]) -> Times:
    """Of these records, those that are still there, with the time of their last change."""
    root, found = scope.root, dict[Any, datetime | None]()
    if root.is_v2:
        for identity in identities:
            reply = client.get(f"{root.path}/{identity}", allowed=frozenset({404}))
            if reply.status != 404:
                found[identity] = parsed(single(root.path, reply.body).get(root.time))
        return found
    for first in range(0, len(identities), PROBED_AT_ONCE):
        wanted = ",".join(str(identity) for identity in identities[first : first + PROBED_AT_ONCE])
        for record in client.page(root.path, {"id:in": wanted})[0].records:
            found[record["id"]] = parsed(record.get(root.time))
    return found


def _counted(folder: Path) -> int | None:
    manifest = read_manifest(folder)
    counted = manifest.claims.get("counted") if manifest else None
    return counted if isinstance(counted, int) else None


def _within(interval: Interval, time: datetime | None) -> bool:
    if time is None:
        return True
    return (interval.since is None or time >= interval.since) and (interval.until is None or time < interval.until)
