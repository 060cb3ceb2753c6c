"""What was never loaded, by courier and feed, with the command that fills it. Reads the ledger, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from courier.clock import Interval, rfc3339
from courier.config.project import Courier
from courier.runtime.events import interval_json
from courier.runtime.place import Place
from courier.storage import ledger
from courier.storage.warehouse import reading


@dataclass(frozen=True)
class Gap:
    """A period before the feed's last loaded instant that no run has covered.

    Its `since` is None where it begins with time; its `until` only where the feed was never loaded.
    """

    courier: str
    feed: str
    period: Interval
    command: str

    def as_json(self) -> dict[str, Any]:
        return {"courier": self.courier, "feed": self.feed, **interval_json(self.period), "command": self.command}


def find_gaps(place: Place, couriers: Iterable[Courier]) -> list[Gap]:
    """The gaps of all feeds of the couriers, in order."""
    found = []
    with reading(place.warehouse, threads=1) as connection:
        for courier in couriers:
            names = [feed.name for feed in courier.feeds]
            missing = ledger.gaps(connection, courier.name, names) if connection else dict.fromkeys(names)
            for feed, periods in missing.items():
                never = [Interval(None, None)] if periods is None else periods
                found += [gap_of(place, courier.name, feed, period) for period in never]
    return found


def gap_of(place: Place, courier: str, feed: str, period: Interval) -> Gap:
    command = f"courier run --courier {courier} --feed {feed}{_options(period)}{' --sandbox' if place.sandbox else ''}"
    return Gap(courier, feed, period, command)


def _options(period: Interval) -> str:
    """The period as options: one that begins with time is filled by everything, once anything was loaded."""
    if period.until is None:
        return ""
    if period.since is None:
        return " --all"
    return f" --since {rfc3339(period.since)} --until {rfc3339(period.until)}"
