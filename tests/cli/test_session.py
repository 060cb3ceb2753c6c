"""What the commands print on a pipe around a run in the sandbox: data on stdout, the rest on stderr."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, RUN, Done, courier, environment, point_at, served, started

COUNTERS = ("read", "inserted", "updated", "unchanged", "rejected", "errors", "deleted")


def test_a_run_on_a_pipe_is_lines_and_says_how_long_it_took(first_run: tuple[Path, Done]) -> None:
    """No control codes; the last line reads like Amperity's; made-up data is called so."""
    _, done = first_run
    assert done.code == 0
    assert done.out == ""
    assert "\x1b" not in done.err
    assert done.last_line.startswith("Completed in ")
    assert done.last_line.endswith("(sandbox)")
    assert "Order is complete: 1,500 fetched, the source counts 1,500" in done.err


def test_run_as_json(project: Path) -> None:
    """One object on stdout with what scripts rely on, and nothing but JSON lines on stderr."""
    done = started(project, "run", "--courier", "shopify", "--feed", "locations", "--sandbox", "--json")
    body = done.body
    assert (body["version"], body["result"], body["group"], body["sandbox"]) == (1, "succeeded", None, True)
    assert {"run", "started", "ended", "couriers", "activations", "problem"} <= set(body)
    feed = next(feed for feed in body["couriers"][0]["feeds"] if feed["feed"] == "locations")
    assert {"period", "request", "reconciled", "watermark", *COUNTERS} <= set(feed)
    kinds = [json.loads(line)["event"] for line in done.err.splitlines()]
    assert kinds[0] == "RunStarted"
    assert kinds[-1] == "RunFinished"


def test_quiet_is_the_last_line_only(project: Path) -> None:
    """Nothing went wrong, so there is one line."""
    done = courier(project, "run", "--courier", "shopify", "--feed", "locations", "--sandbox", "--quiet")
    assert done.err.splitlines() == [done.last_line]


@pytest.mark.parametrize(
    "words",
    [
        *(
            "status",
            "runs",
            "tables",
            "tables --hash",
            "tables shopify.order",
            "tables --tag email",
            "tables --profile",
        ),
        *("plan --group shopify", "schedule"),
    ],
)
def test_what_is_printed_is_plain_and_called_made_up(loaded: Path, words: str) -> None:
    """No trailing spaces, no blank first line, no colour; one object with --json; sandbox is said in both."""
    done = courier(loaded, *words.split(), "--sandbox")
    assert done.code == 0
    assert "(sandbox)" in done.err
    lines = done.out.splitlines()
    assert lines[0].strip()
    assert all(line == line.rstrip() and "\x1b" not in line for line in lines)
    body = courier(loaded, *words.split(), "--sandbox", "--json").body
    assert (body["version"], body["sandbox"]) == (1, True)


def test_hashes_are_those_of_the_truth(loaded: Path) -> None:
    """`tables --hash` and `sandbox truth` say the same of each table."""
    held = started(loaded, "tables", "--hash", "--sandbox", "--json").body["tables"]
    truth = courier(loaded, "sandbox", "truth", "--json").body["tables"]
    assert len(held) == 13
    assert {"table", "rows", "hash", "primary_key", "columns"} == set(held[0])
    assert {"name", "type", "tags", "pii", "status"} == set(held[0]["columns"][0])
    found = {one["table"].removeprefix("shopify."): (one["rows"], one["hash"]) for one in held}
    assert found == {one["table"].removeprefix("shopify."): (one["rows"], one["hash"]) for one in truth}


def test_a_run_of_the_history(loaded: Path) -> None:
    """`runs` lists runs of groups and their couriers'; `runs show RUN` has each feed's counters, and what it took."""
    listed = courier(loaded, "runs", "--sandbox")
    group, run = RUN.findall(listed.out)
    assert f"{run}   courier shopify" in listed.out and f"{group}   group shopify" in listed.out
    of_group = courier(loaded, "runs", "show", group, "--sandbox")
    assert run in of_group.out and "trigger hand" in of_group.err
    shown = courier(loaded, "runs", "show", run, "--sandbox")
    assert "order_line_refund" in shown.out and "[the beginning, 20" in shown.out
    assert " retries, " in shown.err and "dlt 1." in shown.err and group in shown.err
    body = courier(loaded, "runs", run, "--sandbox", "--json").body
    assert body["events"][0]["event"] == "RunStarted"
    assert body["run"]["report"]["requests"] > 0


def test_status_knows_groups_and_what_comes_next(loaded: Path) -> None:
    """Last run, next fire, watermark and lag of groups and couriers; and no gap is left."""
    body = courier(loaded, "status", "--sandbox", "--json").body
    assert body["scheduler"] is None
    (group,) = (group for group in body["groups"] if group["group"] == "shopify")
    (one,) = (courier for courier in body["couriers"] if courier["courier"] == "shopify")
    assert (group["group"], group["result"], group["state"]) == ("shopify", "succeeded", "idle")
    assert group["next"][14:] == "30:00Z" and group["next"] > group["started"]
    assert group["loaded_up_to"] == one["loaded_up_to"] == group["scheduled"]
    assert group["lag_seconds"] > 0
    assert courier(loaded, "gaps", "--courier", "shopify", "--sandbox", "--json").body["gaps"] == []


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
def test_query_formats(loaded: Path, form: str) -> None:
    """The same values in every format: decimals exact, times in UTC, two columns of one name kept apart."""
    run = started if form == "table" else courier
    sql = "select id, id, 1.50::decimal(9,2) as money, timestamptz '2026-01-02 03:04:05Z' as at from shopify.locations"
    done = run(loaded, "query", f"{sql} order by 1 limit 1", "--sandbox", "--format", form)
    assert done.code == 0
    assert "1 row (sandbox)" in done.err
    if form == "csv":
        (row,) = csv.DictReader(io.StringIO(done.out))
    elif form == "table":
        head, _, values = done.out.splitlines()
        row = dict(zip(head.split(), values.split(), strict=True))
    else:
        body = json.loads(done.out)
        row = body["rows"][0] if form == "json" else body
    assert list(row) == ["id", "id_2", "money", "at"]
    assert (row["money"], row["at"]) == ("1.50", "2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("sql", "fix"),
    [
        ("select count(*) from order", "order is a reserved word: write `from shopify.order as o` and `o.id`"),
        ("select order.id from shopify.order", "order is a reserved word"),
        ("select nope from shopify.locations", "courier tables"),
        ("delete from shopify.locations", "another DuckDB file"),
    ],
)
def test_a_wrong_query_ends_with_2_and_a_hint(loaded: Path, sql: str, fix: str) -> None:
    """DuckDB's message, and what to do about it."""
    done = courier(loaded, "query", sql, "--sandbox")
    assert (done.code, done.out) == (2, "")
    assert fix in done.err


def test_a_value_that_does_not_convert_is_not_repeated(loaded: Path) -> None:
    """DuckDB quotes the value in its message; ours does not."""
    done = courier(loaded, "query", "select cast(email as int) from shopify.customer", "--sandbox")
    assert done.code == 2
    assert "Could not convert string a value" in done.err


def test_a_reader_that_has_enough_is_no_error(loaded: Path) -> None:
    """`courier query ... | head -1` ends without a complaint."""
    sql = [*COMMAND, "query", "--sandbox", "--format", "csv", "select * from range(200000)"]
    with subprocess.Popen(
        sql, cwd=loaded, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "range\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("words", "source", "following"),
    [((), "shopify", "--group shopify"), (("--connector", "bigcommerce"), "bigcommerce", "--courier bigcommerce")],
)
def test_change_says_what_comes_next(project: Path, words: tuple[str, ...], source: str, following: str) -> None:
    """Counts per table of the source, and the command to type."""
    done = courier(project, "sandbox", "change", "--orders", "5", *words)
    assert done.code == 0
    names, _, *tables = done.out.splitlines()
    assert names.split() == ["table", "inserted", "updated", "deleted"]
    assert tables and all(line.startswith(f"{source}.") for line in tables)
    assert f"next: courier run {following} --sandbox" in done.err


def test_the_sandbox_serves_other_processes(project: Path) -> None:
    """Its ready line has url and credentials; a run with a wrong token fails with 1 and what to do."""
    with served(project) as ready:
        assert set(ready) == {"url", "credentials"}
        point_at(project, ready["url"])
        credentials = {**ready["credentials"], "SHOPIFY_ACCESS_TOKEN": "wrong"}
        done = courier(project, "run", "--group", "shopify", **credentials)
    assert done.code == 1
    assert done.last_line.startswith("Failed after ")
    assert "fix:" in done.err
    status = courier(project, "status")
    assert "failed" in status.out
    assert "fix:" in status.err
