"""dlt as one would first use it: nested dicts in, its own tables out.

`python -m benchmarks.plain_dlt FOLDER OUT ORDERS` reads the same bulk results as the limit, puts children under their
parents, and gives dlt the dicts. Parquet files, two workers and no inserts as text were its best settings here. Only
the first ORDERS orders are given to it: it would take hours for a million.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

ROOTS = {"orders": "Order", "customers": "Customer", "products": "Product"}
SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "4",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
}
Record = dict[str, Any]


def nested(path: Path, root: str, most: int | None) -> Iterator[Record]:
    """Root records with their children in lists by type. Children may come first in the file."""
    roots: dict[str, Record] = {}
    children: dict[str, list[Record]] = {}
    with path.open("rb") as lines:
        for record in map(orjson.loads, lines):
            if record["__typename"] == root:
                roots[record["id"]] = record
            else:
                children.setdefault(record.pop("__parentId"), []).append(record)
    for number, (identity, record) in enumerate(roots.items()):
        if most is not None and number >= most:
            return
        for child in children.get(identity, ()):
            record.setdefault(f"{child['__typename']}s", []).append(child)
        yield record


def load(folder: Path, out: Path, orders: int) -> None:
    import dlt

    pipeline = dlt.pipeline(
        "plain",
        pipelines_dir=str(out.parent / "plain_dlt"),
        destination=dlt.destinations.duckdb(str(out)),
        dataset_name="shop",
    )
    resources = [
        dlt.resource(nested(folder / f"{name}.jsonl", root, orders if name == "orders" else None), name=name)
        for name, root in ROOTS.items()
    ]
    pipeline.run(resources, write_disposition="replace", loader_file_format="parquet")


if __name__ == "__main__":
    os.environ.update(SETTINGS)
    load(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
