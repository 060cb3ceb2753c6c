from __future__ import annotations

from pathlib import Path

import pytest

from courier.config.load import load_project
from courier.config.render import render, render_all
from courier.config.rules import RULES
from courier.connectors.shopify import connector
from courier.storage.expressions import check_expressions
from courier.storage.lineage import check_activations
from courier.storage.views import check_views
from tests.config.projects import REPOSITORY, write_project

PROJECTS = REPOSITORY / "tests" / "broken_projects"
LATER = {
    "sql",
    "view",
    "api-version",
    "unknown-rows",
    "unknown-computed",
    "unusable-from",
    "mode",
    "activation-sql",
    "pii",
    "unknown-output",
    "cohort-size",
    "consent",
}  # not rules of the files alone
BUILT_HERE = {"too-large"}  # a file that nobody wants in a repository


@pytest.mark.parametrize("rule", sorted(set(RULES) - BUILT_HERE))
def test_each_rule_is_shown_as_expected(rule: str) -> None:
    """A project with exactly one mistake shows exactly that problem, word for word."""
    loaded = load_project(PROJECTS / rule)
    assert [problem.rule for problem in loaded.problems] == [rule]
    assert render_all(loaded.problems) + "\n" == (PROJECTS / rule / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", sorted(set(RULES) - BUILT_HERE))
def test_only_a_warning_lets_a_project_pass(rule: str) -> None:
    """A project is there exactly when nothing worse than a warning is."""
    loaded = load_project(PROJECTS / rule)
    assert (loaded.project is not None) == all(problem.warning for problem in loaded.problems)


@pytest.mark.parametrize("rule", sorted(LATER))
def test_rules_of_later_layers_are_shown_as_expected(rule: str) -> None:
    """What the SQL parser and the connector find is shown like what is found here."""
    project = load_project(PROJECTS / rule).project
    assert project is not None
    problems = check_expressions(project) + check_views(project) + check_activations(project)
    for courier in project.couriers.values():
        problems += connector.check(project, courier)
    assert [problem.rule for problem in problems] == [rule]
    assert render_all(problems) + "\n" == (PROJECTS / rule / "expected.txt").read_text(encoding="utf-8")


def test_every_broken_project_is_tested() -> None:
    assert {path.name for path in PROJECTS.iterdir()} == (set(RULES) - BUILT_HERE) | LATER


def test_five_megabytes_are_refused_unread(tmp_path: Path) -> None:
    """A huge file is a problem, not a long wait."""
    text = b"rows: Customer\n" + b"# padding\n" * 524288
    write_project(tmp_path, {"domain_tables/shopify/customer.yaml": text})
    (problem,) = load_project(tmp_path).problems
    assert render(problem) == (
        "domain_tables/shopify/customer.yaml:1:1: this file has 5.0 MB; the limit is 4 MB [too-large]\n"
        "  fix: Is it a data file in the wrong folder?"
    )
