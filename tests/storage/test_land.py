"""Landing through the real dlt: what goes in comes out, with its types, as one package."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import courier
from courier.errors import Incomplete
from courier.storage.duck import connect, read_parquet
from courier.storage.land import FOLDER, land, landed
from tests.storage.loads import at, write_parquet

SOURCE = str(Path(courier.__file__).parents[1])
TYPES = {
    "id": "BIGINT",
    "order": "VARCHAR",
    "default": "BOOLEAN",
    "amount": "DECIMAL(19,4)",
    "rate": "DECIMAL(12,6)",
    "share": "DOUBLE",
    "day": "DATE",
    "tags": "VARCHAR[]",
    "empty": "VARCHAR",
    "_fetched_at": "TIMESTAMP WITH TIME ZONE",
    "_set": "BIGINT",
    "_parent": "BIGINT",
}
ROW = {
    "id": 2**53 + 1,
    "order": "emoji 🎁 'quoted'",
    "default": True,
    "amount": "12345678901234.5678",
    "rate": "1.123456",
    "share": 0.1,
    "day": "2026-01-31",
    "tags": ["a", "b, c", "'"],
    "_fetched_at": at(0).replace(microsecond=123456),
    "_set": 0,
    "_parent": 7,
}


@pytest.mark.parametrize("may_link", [True, False])
def test_files_are_linked_where_they_can_be(may_link: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And copied where they cannot. A column without a null would make dlt write the file anew."""
    path = write_parquet(tmp_path / "1.parquet", {"id": "BIGINT", "order": "VARCHAR"}, [{"id": 1, "order": "a"}, {}])
    if not may_link:
        monkeypatch.setattr(os, "link", _refused)
    (file,) = land("shop", {"order": [path]}, tmp_path / "run").files["order"]
    assert file.samefile(path) == may_link
    assert file.read_bytes() == path.read_bytes()


def _refused(*_: object) -> None:
    raise OSError(errno.EPERM, "made up")


def test_columns_types_and_values_survive_the_landing(tmp_path: Path) -> None:
    """No column is renamed, no type changes, no value loses a digit, and several files become one table."""
    first = write_parquet(tmp_path / "1.parquet", TYPES, [ROW])
    second = write_parquet(tmp_path / "2.parquet", TYPES, [{"id": 2, "_fetched_at": at(1)}])
    found = land("shop", {"order": [first, second], "set_order": [second]}, tmp_path / "run")
    assert found.counts == {"order": 2, "set_order": 1}
    order = read_parquet(found.files["order"])
    with connect() as connection:
        assert landed(connection, "shop", tmp_path / "run", ["order", "set_order"]) == found
        described = connection.execute(f"DESCRIBE SELECT * FROM {order}").fetchall()
        assert {name: kind for name, kind, *_ in described} == TYPES
        difference = f"FROM {order} EXCEPT FROM read_parquet(['{first}', '{second}'])"
        assert connection.execute(difference).fetchall() == []


def test_landing_starts_afresh(tmp_path: Path) -> None:
    """A second landing of a run, as after a kill, leaves one package and the rows once."""
    path = write_parquet(tmp_path / "1.parquet", TYPES, [ROW])
    first = land("shop", {"order": [path]}, tmp_path / "run")
    (tmp_path / "run" / FOLDER / "shop" / "order" / f"{first.load_id}.torn.parquet").write_bytes(b"torn")
    second = land("shop", {"order": [path], "deleted_record": [path]}, tmp_path / "run")
    assert second.counts == {"order": 1, "deleted_record": 1}
    assert second.load_id != first.load_id


def test_a_table_missing_from_the_landing_is_noticed(tmp_path: Path) -> None:
    """A table that dlt did not write fails the run, and the message names it."""
    path = write_parquet(tmp_path / "1.parquet", TYPES, [ROW])
    with pytest.raises(Incomplete, match="order_line"):
        land("shop", {"order": [path], "order_line": []}, tmp_path / "run")


def test_files_that_differ_are_not_landed_as_one_table(tmp_path: Path) -> None:
    """Files of a table with other columns fail the run, and the message says so without the data."""
    good = write_parquet(tmp_path / "1.parquet", {"id": "BIGINT", "email": "VARCHAR"}, [{"id": 1}])
    other = write_parquet(tmp_path / "2.parquet", {"id": "VARCHAR", "mail": "VARCHAR"}, [{"id": "ann@example.com"}])
    with pytest.raises(Incomplete) as caught:
        land("shop", {"customer": [good, other]}, tmp_path / "run")
    assert "ann@example.com" not in str(caught.value) + caught.value.fix


def test_dlt_is_quiet_and_stays_in_the_runs_folder(tmp_path: Path) -> None:
    """Nothing on stdout or stderr, nothing in the home or current folder; the user's dlt settings are not read."""
    home = tmp_path / "home"
    home.mkdir()
    path = write_parquet(tmp_path / "1.parquet", TYPES, [ROW])
    code = f"""
from pathlib import Path
from courier.storage.land import land
land("shop", {{"order": [Path({str(path)!r})]}}, Path({str(tmp_path / "run")!r}))
"""
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": SOURCE,
        "LOAD__WORKERS": "none",
        "RUNTIME__LOG_LEVEL": "DEBUG",
    }
    done = subprocess.run([sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.iterdir()) == []


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from courier.storage.land import land
here, told = Path(sys.argv[1]), False
def hook(event, arguments):
    global told
    if event == "open" and not told and "/extracted" in str(arguments[0]):
        told = True
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
try:
    land("shop", {"place": [here / "place.parquet"]}, here / "run")
except KeyboardInterrupt:
    print("interrupted", told)
"""


def test_ctrl_c_is_no_failure_of_dlts(tmp_path: Path) -> None:
    """dlt takes the signal itself, and calls it a step that failed; the run is gone on with all the same."""
    with connect() as connection:
        connection.execute(f"COPY (SELECT 1::BIGINT AS id) TO '{tmp_path / 'place.parquet'}'")
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["interrupted", "True"], done.stderr
