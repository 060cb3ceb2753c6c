"""The source's delete events -> parquet, one row per feed and key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from courier.errors import Incomplete, RunFailed
from courier.storage.duck import unreadable
from courier.storage.raw import read_manifest
from courier.storage.selection import Node
from courier.storage.shape_fields import relation
from courier.storage.shape_prepare import write

if TYPE_CHECKING:
    from courier.storage.duck import Connection

STREAM = "Delete"


def shape_deletes(connection: Connection, raw: Path, out: Path) -> tuple[Path, ...]:
    """Shape the stream `Delete` of folder `raw`: `feed`, `key` (text) and `deleted_at`, the latest per feed and key.

    `connection` comes from `shaping`. No file where nothing was deleted. Raises Incomplete for a folder that is not
    whole, or an event without its parts.
    """
    manifest = read_manifest(raw)
    if manifest is None or not manifest.complete:
        raise Incomplete(f"{raw.name} was not fetched to its end")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = [raw.resolve() / segment.path.name for segment in manifest.segments.get(STREAM, ())]
    if not files:
        return ()
    source = relation(files, Node(fields={"feed": Node(), "key": Node(), "deletedAt": Node()}))
    query = (
        "SELECT feed, key, max(TRY_CAST(deletedAt AS TIMESTAMPTZ)) AS deleted_at, count(*) AS events, "
        "count(feed || key || TRY_CAST(deletedAt AS TIMESTAMPTZ)::VARCHAR) AS whole "
        f"FROM {source} GROUP BY feed, key"
    )
    path = out.resolve() / "deletes.parquet"
    try:
        counted = connection.execute(f"SELECT sum(events), sum(whole) FROM ({query})").fetchone()
        if not counted or counted[0] != manifest.lines(STREAM) or counted[1] != counted[0]:
            raise Incomplete(f"the delete events of {raw.name} lack a feed, a key or a time")
        write(connection, f"SELECT feed, key, deleted_at FROM ({query})", path)
    except unreadable() as failure:
        raise RunFailed(f"the delete events of {raw.name} cannot be read ({type(failure).__name__})") from None
    return (path,)
