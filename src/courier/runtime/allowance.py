"""What a person allows one run that the project's files do not: more records in error, fewer feeds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from courier.config.project import Courier
from courier.config.suggestions import did_you_mean
from courier.errors import UsageError

LEFT_OUT = "left out by --skip-feed"


@dataclass(frozen=True)
class Allowance:
    """error_limit: percent, for all feeds; None leaves each feed its own. skip_feeds: these are not loaded."""

    error_limit: Decimal | None = None
    skip_feeds: tuple[str, ...] = ()

    def applied(self, courier: Courier) -> Courier:
        """The courier with the error limit of this run."""
        if self.error_limit is None:
            return courier
        limit = self.error_limit
        return replace(courier, feeds=tuple(replace(feed, error_limit=limit) for feed in courier.feeds))

    def over(self, earlier: Allowance) -> Allowance:
        """This one where it says something, else the earlier one; feeds that either leaves out stay left out."""
        limit = earlier.error_limit if self.error_limit is None else self.error_limit
        return Allowance(limit, tuple(dict.fromkeys([*earlier.skip_feeds, *self.skip_feeds])))

    def as_json(self) -> dict[str, Any]:
        limit = None if self.error_limit is None else str(self.error_limit)
        return {"error_limit": limit, "skip_feeds": list(self.skip_feeds)}


NOTHING = Allowance()


def allowance_from_json(values: Mapping[str, Any]) -> Allowance:
    limit = values.get("error_limit")
    return Allowance(None if limit is None else Decimal(limit), tuple(values.get("skip_feeds", ())))


def check_skipped(couriers: list[Courier], feeds: tuple[str, ...], loaded: tuple[str, ...] = ()) -> None:
    """Raises UsageError for a feed that no courier has, for one whose children stay, and where nothing is left.

    loaded: the only feeds that are asked for; empty: all of them.
    """
    known = {feed.name for courier in couriers for feed in courier.feeds}
    for name in feeds:
        if name not in known:
            raise UsageError(f"--skip-feed: there is no feed {name!r}", fix=did_you_mean(name, sorted(known)))
    for courier in couriers if feeds else ():
        _check_family(courier, feeds, loaded)


def _check_family(courier: Courier, skipped: tuple[str, ...], loaded: tuple[str, ...]) -> None:
    staying = [feed for feed in courier.feeds if feed.name not in skipped and (feed.name in loaded or not loaded)]
    if not staying:
        raise UsageError(f"--skip-feed leaves courier {courier.name} nothing to load", fix="leave out one of them")
    orphans = [feed for feed in staying if feed.table.parent in skipped]
    if orphans:
        names = ", ".join(feed.name for feed in orphans)
        also = " ".join(f"--skip-feed {feed.name}" for feed in orphans)
        raise UsageError(
            f"--skip-feed {orphans[0].table.parent}: the rows of {names} belong to its rows, and need them",
            fix=f"leave its children out too: {also}",
        )
