"""Of the metafields that were shaped, the namespaces that the feed chose; and how many records each namespace had.

All namespaces are fetched, and chosen from here. The API takes one namespace, or single keys, or everything, and a page
of everything costs the same points as a page of one namespace: cost goes by the page's size. A namespace that was
misspelt can so be told beside those that there are, and pages and bulk results are treated alike.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from courier.config.project import Feed
from courier.storage.duck import read_parquet, text
from courier.storage.load import Shaped
from courier.storage.shape_prepare import write

if TYPE_CHECKING:
    from courier.storage.duck import Connection


def keep_chosen(connection: Connection, feed: Feed, shaped: Shaped, out: Path) -> Shaped:
    """The rows in chosen namespaces, in a file of their own, with `seen` and `left_out`. Other feeds stay as they are.

    A set without a chosen record is an empty set: what was stored of it goes.
    """
    if not feed.table.holds_metafields or not shaped.rows:
        return shaped
    query = f"SELECT namespace, count(*) FROM {read_parquet(shaped.rows)} GROUP BY ALL ORDER BY ALL"
    seen = {str(name or ""): int(count) for name, count in connection.execute(query).fetchall()}
    shaped = replace(shaped, seen=seen)
    left_out = sum(count for name, count in seen.items() if name not in feed.namespaces) if feed.namespaces else 0
    if not left_out:
        return shaped
    chosen = ", ".join(text(name) for name in feed.namespaces)
    path = out / f"{feed.name}.chosen.parquet"
    count = write(connection, f"SELECT * FROM {read_parquet(shaped.rows)} WHERE namespace IN ({chosen})", path)
    rows = (path,) if count else ()
    return replace(shaped, rows=rows, read=shaped.read - left_out, left_out=left_out)
