"""When a run of many couriers publishes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from courier import clock

SHARE = 20
"""To publish takes at most one part in so many of a run's time."""
AT_LEAST = timedelta(seconds=10)


@dataclass
class Pace:
    """One of a run's couriers publishes for all: a file of 200 stores is not copied 200 times.

    With it the views that span schemas are settled before each publish, and not in each commit. Whoever reads the
    published file finds them right; after a kill, the next run that commits settles them.
    """

    since: datetime = field(default_factory=clock.now)
    pause: timedelta = AT_LEAST

    def due(self) -> bool:
        """Asked under the lock of the private file."""
        return clock.now() - self.since >= self.pause

    def published(self, begun: datetime) -> None:
        """It has just been done."""
        self.since = clock.now()
        self.pause = max(AT_LEAST, SHARE * (self.since - begun))
