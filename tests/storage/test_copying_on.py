"""The way to dlt's other destinations that docs/destinations.md shows, done as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from courier.storage.duck import connect
from courier.storage.warehouse import publish
from tests.storage.loads import ORDER, PLACE, Shop, at

DOCS = Path(__file__).parents[2] / "docs/destinations.md"


def test_what_was_committed_can_be_copied_on(filed: Shop) -> None:
    """Every domain table, with all of its rows."""
    orders = [{"id": key, "labels": ["a"], "total": "1.5", "updated_at": at(key)} for key in range(3)]
    filed.load(filed.rows_load(ORDER, orders), filed.rows_load(PLACE, [{"id": 1, "name": "here"}]))
    publish(filed.files)
    script = DOCS.read_text("utf-8").split("<!-- copied -->")[1].split("```python\n")[1].split("```")[0]
    bucket = filed.root / "bucket"
    environment = {
        "PATH": os.environ["PATH"],
        "DLT_DATA_DIR": str(filed.root / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DESTINATION__FILESYSTEM__BUCKET_URL": str(bucket),
    }
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=filed.root, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    counts = {}
    with connect() as connection:
        for table in ("shop__order", "shop__place"):
            found = f"SELECT count(*) FROM read_parquet('{bucket}/shop/{table}/*.parquet')"
            counts[table] = connection.execute(found).fetchone()
    assert counts == {"shop__order": (3,), "shop__place": (1,)}
