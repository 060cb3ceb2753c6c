"""What a run of a courier would do. Sends no request and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from courier.config.project import Courier, Project
from courier.connectors import connector_named
from courier.connectors.contract import Estimate
from courier.runtime.events import interval_json
from courier.runtime.place import Place
from courier.runtime.plan import FeedPlan, Intention, plan_feeds, requests_of
from courier.storage import ledger
from courier.storage.connection import Connection
from courier.storage.warehouse import Warehouse, reading


@dataclass(frozen=True)
class Foresight:
    """Each feed's period and request, what a page of each request costs, and what would change in the tables.

    rows: how many each table holds, where a source's limits count requests
    """

    courier: str
    plans: tuple[FeedPlan, ...]
    estimates: tuple[tuple[Estimate, tuple[str, ...]], ...]
    changes: tuple[str, ...]
    rows: Mapping[str, int] = field(default_factory=dict)

    def seconds(self, estimate: Estimate, feeds: Iterable[str]) -> float | None:
        """How long a request takes at the source's limits, if it brings as many rows as are stored."""
        return estimate.seconds(self.rows) if any(feed in self.rows for feed in feeds) else None

    def as_json(self) -> dict[str, Any]:
        return {
            "courier": self.courier,
            "feeds": [
                {
                    "feed": plan.feed.name,
                    "load": plan.feed.load,
                    "period": interval_json(plan.period) if plan.period else None,
                    "request": interval_json(plan.request) if plan.request else None,
                    "skipped": plan.skipped or None,
                }
                for plan in self.plans
            ],
            "requests": [
                {**asdict(estimate), "feeds": list(feeds), "seconds": self.seconds(estimate, feeds)}
                for estimate, feeds in self.estimates
            ],
            "changes": list(self.changes),
        }


def foresee(project: Project, place: Place, intention: Intention) -> Foresight:
    """Plan a run as it would be planned, from the ledger as it stands."""
    return foresee_all(project, place, [intention])[0]


def foresee_all(project: Project, place: Place, intentions: Iterable[Intention]) -> list[Foresight]:
    """Several, in one opening."""
    with reading(place.warehouse, threads=1) as connection:
        return [_foresee(project, connection or place.warehouse, one) for one in intentions]


def _foresee(project: Project, source: Warehouse | Connection, intention: Intention) -> Foresight:
    courier = project.couriers[intention.courier]
    connector = connector_named(courier.connector)
    watermarks = ledger.watermarks(source, courier.name, [feed.name for feed in courier.feeds])
    plans = plan_feeds(courier, connector, intention, watermarks)
    requests = requests_of(courier, plans)
    estimates = tuple((connector.estimate(request), tuple(feed.name for feed in request.feeds)) for request in requests)
    paced = [feed for estimate, feeds in estimates if estimate.paces for feed in feeds]
    rows = ledger.row_counts(source, courier.name, paced) if paced else {}
    return Foresight(courier.name, plans, estimates, tuple(_changes(source, courier)), rows)


def loaded_up_to(project: Project, place: Place, couriers: Iterable[str]) -> dict[str, dict[str, datetime | None]]:
    """P of each feed of each courier, from the ledger, in one opening."""
    feeds = {name: [feed.name for feed in project.couriers[name].feeds] for name in couriers}
    with reading(place.warehouse, threads=1) as connection:
        return {name: ledger.watermarks(connection or place.warehouse, name, each) for name, each in feeds.items()}


def _changes(source: Warehouse | Connection, courier: Courier) -> list[str]:
    stored = ledger.stored_columns(source, courier.name)
    found = []
    for feed in courier.feeds:
        name = f"{courier.name}.{feed.name}"
        if feed.name not in stored:
            found.append(f"{name}: the table will be created, {len(feed.table.columns)} columns")
            continue
        added = [column.name for column in feed.table.columns if column.name not in stored[feed.name]]
        found += [
            f"{name}: column {column} will be added; its values begin with the next run. To fill it for all rows: "
            f"courier run --courier {courier.name} --feed {feed.name} --all"
            for column in added
        ]
    return found
