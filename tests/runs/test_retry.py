"""Failed runs that are brought to their end, with what is allowed them this once."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from courier import sandbox
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.sandbox.shopify.faults import Fault
from tests.runs.hurried import Hurried, Project, trying

NAMES = ("product", "product_tags")
BAD = ("domain_tables/shopify/product.yaml", "lower($1)", "$1::integer")
ONCE = {"event": "Committing"}
RUN = ("run", "--group", "shopify", "--json")


@pytest.fixture
def tried(tmp_path: Path, hurry: Hurried) -> Iterator[Project]:
    with trying(tmp_path, hurry, NAMES) as made:
        yield made


def run_of(ended: object) -> str:
    found: str = ended.object["couriers"][0]["run"]  # type: ignore[attr-defined]
    return found


def test_a_feed_that_fails_is_left_out_and_made_good(tried: Project) -> None:
    """--skip-feed, killed at its commit, is gone on with by the next start, which then loads what was left out.

    With children that stay it is refused; without, the feed's watermark stays where it was.
    """
    tried.edit(*BAD)
    failed = tried.courier(*RUN)
    assert failed.code == 1, failed.err
    run = run_of(failed)
    limit = re.search(f"courier retry {run} --error-limit (\\d+), or --skip-feed product", failed.problem["fix"])
    assert limit is not None
    refused = tried.courier("retry", run, "--skip-feed", "product")
    assert refused.code == 2 and "--skip-feed product_tags" in refused.err
    tags = ("retry", run, "--skip-feed", "product_tags", "--error-limit", limit[1], "--json")
    assert tried.courier(*tags, end={"event": ONCE, "nth": 1}).code == -signal.SIGKILL
    assert tried.courier(*RUN).named("RunFinished", run=run, result="succeeded")
    stored = History(Place(tried.root, sandbox=False).history).find(run)
    assert stored is not None and stored.report is not None
    assert stored.report["skip_feeds"] == ["product_tags"] and stored.report["error_limit"] == limit[1]
    assert [feed["watermark"] is None for feed in stored.report["feeds"]] == [False, True]
    tried.edit(BAD[0], BAD[2], BAD[1])
    after = tried.courier(*RUN)
    assert after.code == 0, after.err
    periods = [feed["period"]["since"] for feed in after.object["couriers"][0]["feeds"]]
    assert periods[0] is not None and periods[1] is None
    assert (tried.hashes or {})["shopify.product_tags"] == tags_of(tried)


def tags_of(tried: Project) -> str:
    return next(one.hash for one in sandbox.truth(tried.served.shop, NAMES) if one.table == "shopify.product_tags")


def test_a_retry_fetches_the_rest_or_everything_again(tried: Project) -> None:
    """Cut off half way: what is there is not fetched again; with --fetch it is. Either ends as an undisturbed run.

    A run that a later one has overtaken is only fetched anew: what it has may be older than what is stored.
    """
    tried.edit("courier_groups.yaml", ", wait: 30m", "")
    away = Fault("status", contains="products", nth=3, status=503, times=0)
    tried.served.faults.add(away)
    failed = tried.courier(*RUN)
    run = run_of(failed)
    assert failed.problem["fix"] == f"courier retry {run} later; nothing was committed"
    tried.served.faults.clear()
    retried = tried.courier("retry", run, "--json")
    assert (retried.code, run_of(retried), tried.is_true) == (0, run, True), retried.err
    sandbox.change(tried.served.shop, 20)
    tried.served.faults.add(away)
    overtaken = run_of(tried.courier(*RUN))
    tried.served.faults.clear()
    assert tried.courier(*RUN).code == 0
    refused = tried.courier("retry", overtaken)
    assert refused.code == 2 and f"courier retry {overtaken} --fetch" in refused.err
    again = tried.courier("retry", overtaken, "--fetch", "--json")
    assert (again.code, tried.is_true) == (0, True), again.err
    assert run_of(again) != overtaken and again.named("Fetched", complete=True)
    shown = tried.courier("runs", "show", run_of(again), "--json").object["run"]
    assert shown["report"]["requests"] > 0 and shown["report"]["bytes"] > 0
    assert {"fetch", "shape", "commit"} <= set(shown["report"]["seconds"])


def test_gaps_are_filled_by_the_commands_that_they_name(tried: Project) -> None:
    """A part of the time was loaded: its beginning and a feed are missing, until the commands have run."""
    tried.courier("run", "--courier", "shopify", "--feed", "product", "--since", "2026-01-01", "--until", "2026-02-01")
    tried.courier("run", "--courier", "shopify", "--feed", "product", "--since", "2026-03-01", "--until", "2026-04-01")
    found = tried.courier("gaps", "--courier", "shopify", "--json").object["gaps"]
    bounds = [(gap["feed"], gap["since"], gap["until"]) for gap in found]
    assert bounds == [
        ("product", None, "2026-01-01T00:00:00Z"),
        ("product", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("product_tags", None, None),
    ]
    for gap in reversed(found):
        assert tried.courier(*gap["command"].split()[1:]).code == 0, gap
    assert tried.courier("gaps", "--courier", "shopify", "--json").object["gaps"] == []
    assert tried.is_true
