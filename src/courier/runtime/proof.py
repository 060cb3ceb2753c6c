"""The proof, on this side: what was fetched, shaped and landed agrees to the row, or the run fails here.

The other side, what the source counts, is the connector's `reconcile`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from courier.connectors.contract import Request
from courier.errors import Incomplete
from courier.storage.load import Landed, Shaped
from courier.storage.raw import Manifest

AGAIN = "courier retry RUN makes the rows anew; report it if that does not help"


def check_shaped(request: Request, manifest: Manifest | None, made: Iterable[Shaped]) -> None:
    """Every line of a feed's stream was shaped into a row or is a record in error. Raises Incomplete."""
    shaped = {one.feed: one for one in made}
    for feed in request.feeds:
        if feed.name not in shaped:
            raise Incomplete(f"{feed.name}: fetched, but not shaped", fix=AGAIN)
        stream = ".".join([request.root, *(".".join(names) for names in feed.table.rows.lists)])
        told = shaped[feed.name].read + shaped[feed.name].left_out
        if manifest and stream in manifest.layout.streams and manifest.lines(stream) != told:
            raise Incomplete(f"{feed.name}: {manifest.lines(stream)} records fetched, but {told} shaped", fix=AGAIN)


def check_landed(tables: Iterable[str], landed: Landed, rows: Mapping[str, int]) -> None:
    """Every table is in the landing with exactly the rows that were shaped. Raises Incomplete."""
    for table in tables:
        if table not in landed.counts:
            raise Incomplete(f"{table}: shaped, but missing from the landing", fix=AGAIN)
        if table in rows and landed.counts[table] != rows[table]:
            raise Incomplete(f"{table}: {rows[table]} rows shaped, but {landed.counts[table]} landed", fix=AGAIN)
