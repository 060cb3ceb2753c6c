"""Whether a courier ever ran twice at once, by what the warehouse keeps of its runs."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from courier.runtime.place import Place
from courier.storage.ledger import LEDGER
from courier.storage.warehouse import reading


def overlaps(place: Place) -> int:
    """How many runs of a courier began before the one before had committed."""
    with reading(place.warehouse) as connection:
        assert connection
        sql = f"SELECT courier, started, committed_at FROM {LEDGER}.run ORDER BY courier, started"
        rows: list[tuple[str, datetime, datetime]] = connection.execute(sql).fetchall()
    return sum(one[0] == after[0] and after[1] < one[2] for one, after in pairwise(rows))
