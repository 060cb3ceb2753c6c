"""How much memory and how many threads a commit gets, or a look at what it would change: what it takes, or more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from courier.storage import duck
from courier.storage.connection import Connection
from courier.storage.load import FeedLoad
from courier.storage.warehouse import Warehouse, opened

FEW_ROWS = 200_000
"""So few that one thread decides them about as soon as two, for a tenth less CPU."""
_FOR_FEW = duck.LITTLE_MEMORY
"""150,000 rows to compare with ten million take 65 MB. What else there is DuckDB fills with blocks of the file, each of
them in memory that Linux has to clear first: of 320 MB that took 0.4 of the 2.5 CPU seconds of such a commit."""
_FOR_MANY = "320MB"
"""As much as the commit of a million orders needs not to be slower; a whole pull of them once more spills a little."""
_AT_MOST = "50%"
"""Of the machine's memory. What DuckDB has pinned it cannot spill, and that grows with the rows."""

Result = TypeVar("Result")


def in_enough_memory(warehouse: Warehouse, loads: Sequence[FeedLoad], decide: Callable[[Connection], Result]) -> Result:
    """What `decide` returns, given a connection to the warehouse; anew with more memory if it runs out.

    decide: one transaction, which is rolled back when it fails; or nothing lasting.
    """
    few = sum(load.read for load in loads) < FEW_ROWS
    threads = 1 if few else None
    for limit in (_FOR_FEW, _FOR_MANY) if few else (_FOR_MANY,):
        with suppress(*duck.out_of_memory()), opened(warehouse, threads, limit) as connection:
            return decide(connection)
    with opened(warehouse, threads, _AT_MOST) as connection:
        return decide(connection)
