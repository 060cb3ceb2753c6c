"""Mistakes: what is wrong, what to type, the exit code, and one JSON object for scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.process import courier, started

MISTAKES = [
    ("run", 2, "neither --group nor --courier says what to run", "or --group shopify, or --courier "),
    ("run --group shopfy", 2, "there is no group 'shopfy'", "Did you mean `shopify`?"),
    ("run --group shopify --courier shopify", 2, "--group and --courier exclude each other", "keep one"),
    ("run --group shopify --feed order", 2, "--feed goes with --courier", "--courier NAME --feed NAME"),
    ("run --courier shopify --feed ordr", 2, "courier shopify has no feed 'ordr'", "Did you mean `order`?"),
    ("run --courier shopfy", 2, "there is no couriers/shopfy.yaml", "Did you mean `shopify`?"),
    ("run --group shopify --since 2026-01-02 --until 2026-01-01", 2, "is empty", "swap the two"),
    ("run --group shopify --since 2999-01-01", 2, "in the future", "earlier --since"),
    ("run --group shopify --day monday", 2, "'monday' is not a day", "2026-11-20"),
    ("run --group shopify --day 2026-01-01 --all", 2, "exclude each other", "keep one"),
    ("run --group shopify --until 2026-01-01", 2, "--until needs --since", "--since"),
    ("run --group shopify --skip-feed order", 2, "belong to its rows, and need them", "--skip-feed order_line "),
    ("run --grop shopify", 2, "no such option '--grop'", "did you mean '--group'?"),
    ("rnu", 2, "no such command 'rnu'", "did you mean 'run'?"),
    ("runs nope", 2, "there is no run 'nope'", "courier runs"),
    ("retry nope", 2, "there is no run 'nope' on disk", "courier runs"),
    ("tables", 2, "warehouse.duckdb is not there yet", "courier run --group shopify --sandbox"),
    ("query", 2, "give the SQL", 'courier query "select 1"'),
    ("alerts test", 3, "this project has no alerts.yaml", "ops: ${ALERTS_OPS_URL}"),
    ("run --group shopify", 3, "not set: SHOPIFY_STORE (couriers/shopify.yaml:11)", "add --sandbox"),
]


@pytest.mark.parametrize(("words", "code", "message", "fix"), MISTAKES, ids=[words for words, *_ in MISTAKES])
def test_a_mistake_says_what_to_do(project: Path, words: str, code: int, message: str, fix: str) -> None:
    """On stderr as text; nothing on stdout; the code says whose mistake it is."""
    done = courier(project, *words.split())
    assert (done.code, done.out) == (code, "")
    first, second = done.err.split("\n  fix: ")
    assert first.startswith("error: ")
    assert message in first
    assert fix in second
    assert "Traceback" not in done.err


def test_a_mistake_on_a_pipe(project: Path) -> None:
    """A process that people start says the same as a forked one, of a command line and of the files."""
    for words in ("rnu --json", "run --group shopify"):
        assert started(project, *words.split()) == courier(project, *words.split())


@pytest.mark.parametrize("words", ["run --group nope --json", "rnu --json", "tables --json", "run --json --grop x"])
def test_with_json_a_mistake_is_one_object(project: Path, words: str) -> None:
    """{version, problem: {message, fix}} on stdout, whatever went wrong."""
    done = courier(project, *words.split())
    assert done.code == 2
    assert done.body["version"] == 1
    assert done.body["problem"]["message"]
    assert done.body["problem"]["fix"]


def test_all_problems_of_the_files_at_once(project: Path) -> None:
    """A run of a broken project shows every problem with its place, and ends with 3 before anything else."""
    (project / "couriers" / "shopify.yaml").write_text("conector: shopify\n")
    (project / "courier_groups.yaml").write_text('shopify:\n  schedule: "99 * * * *"\n  timezone: UTC\n')
    done = courier(project, "run", "--group", "shopify", "--sandbox")
    assert done.code == 3
    assert "couriers/shopify.yaml:1:1: unknown key `conector`" in done.err
    assert "courier_groups.yaml:2:" in done.err
    as_json = started(project, "validate", "--json")
    assert as_json.code == 3
    assert {"path", "line", "column", "rule", "message", "fix"} <= set(as_json.body["problems"][0])


def test_outside_of_a_project(tmp_path: Path) -> None:
    """The way to a project is named."""
    done = started(tmp_path, "status")
    assert done.code == 3
    assert "courier init" in done.err


def test_init_never_overwrites(tmp_path: Path) -> None:
    """A folder that has one of its files or folders is left as it is."""
    (tmp_path / "semantic_tags.yaml").write_text("mine")
    done = courier(tmp_path, "init")
    assert done.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["semantic_tags.yaml"]
    assert (tmp_path / "semantic_tags.yaml").read_text() == "mine"


def test_init_makes_a_project_that_is_valid_and_private(project: Path) -> None:
    """An empty folder becomes a project without problems; what courier writes stays out of git and with its user."""
    done = courier(project, "validate", "--json")
    assert (done.code, done.body) == (0, {"version": 1, "problems": []})
    assert "At 06:30, America/New_York" in done.err
    assert (project / ".courier").stat().st_mode & 0o777 == 0o700
    assert {".env", "*.duckdb", ".courier/*"} <= set((project / ".gitignore").read_text().splitlines())
