"""A run that is interrupted, one beside another, and one under the eyes of a DuckDB shell."""

from __future__ import annotations

import os
import signal
import subprocess

from courier.runtime.history import History
from tests.runs.tried import COMMAND, GROUP, SHOP, Tried, ended

SHELL = """
import sys, duckdb
connection = duckdb.connect("sandbox.duckdb")
print("open", flush=True)
sys.stdin.readline()
connection.execute("CREATE TABLE mine AS FROM range(3)")
print(connection.execute('SELECT count(*) FROM shopify."order"').fetchone()[0], flush=True)
sys.stdin.readline()
connection.close()
"""


def test_ctrl_c_leaves_nothing_half_done(fresh: Tried) -> None:
    """Exit 130; the history says interrupted; the next run goes on with it."""
    interrupted = fresh.struck("SIGINT", {"event": "Fetched", "request": "Order", "records": 250})
    assert interrupted.code == 130
    assert "interrupted" in interrupted.err and "Traceback" not in interrupted.err
    assert [run.result for run in History(fresh.place.history).runs()] == ["interrupted"]
    after = fresh.run()
    assert after.named("RunStarted")[0]["recovered"] is True
    assert fresh.hashes() == fresh.truth()


def test_one_run_of_a_courier_at_a_time(loaded: Tried) -> None:
    """While one runs, --no-wait fails at once and says why; without it the second waits, and both succeed."""
    loaded.change()
    first = stopped(loaded)
    refused = loaded.courier(*GROUP, "--no-wait")
    assert refused.code == 1
    assert "running in another process" in refused.object["problem"]["message"]
    second = loaded.start(COMMAND, *GROUP)
    first.send_signal(signal.SIGCONT)
    done, waited = ended(first), ended(second)
    assert (done.code, waited.code) == (0, 0), done.err + waited.err
    assert done.named("RunFinished")[0]["at"] <= waited.named("RunStarted")[0]["at"]
    assert waited.named("RunStarted")[0]["recovered"] is False
    assert {feed["updated"] for feed in waited.feeds.values()} == {0}
    assert loaded.hashes() == loaded.truth()


def test_a_shell_on_the_published_file_disturbs_nobody(loaded: Tried) -> None:
    """A DuckDB that has the file open, and writes into it, neither stops a run nor spoils what others read next."""
    loaded.change()
    shell = loaded.start("-c", SHELL)
    assert shell.stdin and shell.stdout
    assert shell.stdout.readline() == "open\n"
    loaded.run()
    assert loaded.hashes() == loaded.truth()
    shell.stdin.write("\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == f"{SHOP.orders}\n"
    assert loaded.hashes() == loaded.truth()
    assert ended(shell, "\n").code == 0
    assert loaded.hashes() == loaded.truth()
    loaded.run()
    assert loaded.query("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'mine'") == [(0,)]


def stopped(project: Tried) -> subprocess.Popen[str]:
    """A run that has stopped itself right after the source has answered."""
    process = project.start_struck("SIGSTOP", {"event": "SourceAnswered"})
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    return process
