from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courier.config.load import load_project
from courier.config.located import problem_at
from courier.config.project import Column, ColumnType, Project, SecretRef, Source, Step
from courier.config.render import render
from tests.config.projects import FILES, REPOSITORY, write_project

COURIER = "couriers/shopify.yaml"
CUSTOMER = "domain_tables/shopify/customer.yaml"
GROUPS = "courier_groups.yaml"


def project_of(root: Path, files: dict[str, str | bytes] | None = None) -> Project:
    loaded = load_project(write_project(root, files))
    assert loaded.project is not None, loaded.problems
    return loaded.project


def rules_of(root: Path, files: dict[str, str | bytes]) -> list[str]:
    return [problem.rule for problem in load_project(write_project(root, files)).problems]


def edited(path: str, old: str, new: str) -> dict[str, str | bytes]:
    assert old in FILES[path]
    return {path: FILES[path].replace(old, new)}


def test_a_key_with_nothing_takes_every_default(tmp_path: Path) -> None:
    project = project_of(tmp_path)
    feed = project.couriers["shopify"].feed("customer")
    assert (feed.load, feed.look_back, feed.every, feed.error_limit) == ("upsert", None, None, Decimal(1))
    group = project.groups["shopify"]
    assert (group.schedule, group.timezone, group.enabled, group.run_type) == (None, "UTC", True, "full")
    assert group.couriers[0].offset == timedelta(0)
    assert group.couriers[0].required


def test_values_are_read_as_they_are_meant(tmp_path: Path) -> None:
    """A version stays text, a percentage is exact, a secret is only a name with its place."""
    courier = project_of(tmp_path).couriers["shopify"]
    assert courier.api_version == "2026-10"
    assert courier.credential["store"] == SecretRef("SHOPIFY_STORE", COURIER, 4)
    assert courier.feed("customer_tags").error_limit == Decimal("0.5")
    assert courier.feed("customer_tags").every == timedelta(days=2)


def test_columns_take_type_and_pii_from_their_tags(tmp_path: Path) -> None:
    table = project_of(tmp_path).couriers["shopify"].feed("customer").table
    steps = (Step("defaultEmailAddress"), Step("emailAddress"))
    source = Source("field", steps, text="defaultEmailAddress.emailAddress")
    assert table.column("email") == Column("email", ColumnType("string"), (source,), tags=("email",), pii=True)
    assert table.column("updated_at").sources == (Source("field", (Step("updatedAt"),), text="updatedAt"),)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31T02:00:00+02:00", datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31T00:00:00Z", datetime(2024, 1, 31, tzinfo=UTC)),
    ],
)
def test_since_is_a_date_or_an_instant_with_its_zone(tmp_path: Path, written: str, instant: datetime) -> None:
    files = edited(COURIER, "credential:", f"since: {written}\ncredential:")
    assert project_of(tmp_path, files).couriers["shopify"].since == instant


def test_a_courier_may_use_the_tables_of_another(tmp_path: Path) -> None:
    """shopify_uk with `domain_tables: shopify` has the same definitions under its own name."""
    uk = FILES[COURIER].replace("connector: shopify", "connector: shopify\ndomain_tables: shopify")
    project = project_of(tmp_path, {"couriers/shopify_uk.yaml": uk})
    assert project.couriers["shopify_uk"].feeds == project.couriers["shopify"].feeds


@pytest.mark.parametrize(
    ("endpoint", "accepted"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:1", True),
        ("http://[::1]:80", True),
        ("https://proxy.example.com", True),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.1", False),
        ("https://user:word@example.com", False),
        ("https://example.com/admin", False),
        ("ftp://localhost", False),
        ("http://localhost:port", False),
    ],
)
def test_plain_http_goes_to_this_machine_only(tmp_path: Path, endpoint: str, accepted: bool) -> None:
    files = edited(COURIER, "credential:", f"endpoint: {endpoint}\ncredential:")
    assert rules_of(tmp_path, files) == ([] if accepted else ["endpoint"])


@pytest.mark.parametrize("cron", ["@daily", "0 0 31 2 *", "0 0 * * * *", "H * * * *", "*/0 * * * *", "60 * * * *", ""])
def test_a_schedule_has_five_fields_and_fires(tmp_path: Path, cron: str) -> None:
    assert rules_of(tmp_path, edited(GROUPS, "  couriers", f'  schedule: "{cron}"\n  couriers')) == ["bad-cron"]


@pytest.mark.parametrize("tag", ["ck", "fk-loyalty-id", "email-2", "fk-a-1"])
def test_tags_take_numbers_and_patterns_endings(tmp_path: Path, tag: str) -> None:
    assert rules_of(tmp_path, edited(CUSTOMER, "tags: [ck]", f"tags: [{tag}]")) == []


@pytest.mark.parametrize("tag", ["fk-", "email-work", "fk-a/b", "CK", "email-"])
def test_other_tags_are_unknown(tmp_path: Path, tag: str) -> None:
    assert rules_of(tmp_path, edited(CUSTOMER, "tags: [ck]", f"tags: [{tag}]")) == ["unknown-tag"]


def test_all_problems_of_all_files_are_found_at_once(tmp_path: Path) -> None:
    """A mistake hides no other: not in its file, not in another; none is said twice."""
    courier = FILES[COURIER].replace("customer:\n", "customer: { lod: truncate }\n  ordr:\n")
    table = FILES[CUSTOMER].replace("updated_at: datetime", "updated_at: datetim\n  note: {}").replace("[id]", "[key]")
    groups = "shopify:\n  timezone: Mars/Base\n  couriers:\n    shopfy: { wait: soon }\n"
    files: dict[str, str | bytes] = {COURIER: courier, CUSTOMER: table, GROUPS: groups, "semantic_tags.yaml": "a: [\n"}
    problems = load_project(write_project(tmp_path, files)).problems
    assert [(problem.path, problem.line, problem.rule) for problem in problems] == [
        (GROUPS, 2, "unknown-timezone"),
        (GROUPS, 4, "unknown-courier"),
        (GROUPS, 4, "bad-duration"),
        (COURIER, 7, "unknown-key"),
        (COURIER, 8, "unknown-feed"),
        (CUSTOMER, 2, "unknown-column"),
        (CUSTOMER, 7, "bad-type"),
        (CUSTOMER, 8, "missing-type"),
        ("semantic_tags.yaml", 1, "yaml"),
    ]


def test_a_mistake_in_a_group_does_not_make_it_unknown(tmp_path: Path) -> None:
    later = "later:\n  couriers: { shopify: }\n  constraints:\n    - { group: shopify }\n"
    assert rules_of(tmp_path, {GROUPS: "shopify:\n  enabled: true\n" + later}) == ["missing-key"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(sorted(FILES)),
    start=st.integers(0, 300),
    length=st.integers(0, 20),
    junk=st.one_of(st.binary(max_size=8), st.sampled_from([b"{", b"\t", b"*x", b"- ", b": ", b"~", b"[1]", b"\n"])),
)
def test_whatever_a_file_holds_is_answered_with_problems(
    tmp_path: Path, path: str, start: int, length: int, junk: bytes
) -> None:
    """Any damage to any file gives a project or problems that stand inside the file, never a crash."""
    whole = FILES[path].encode()
    loaded = load_project(write_project(tmp_path, {path: whole[:start] + junk + whole[start + length :]}))
    assert loaded.project or loaded.problems
    assert list(loaded.problems) == sorted(loaded.problems)
    for problem in loaded.problems:
        assert problem.line >= 1
        assert 1 <= problem.column <= len(problem.excerpt) + 1
        assert problem.message
        assert problem.fix
        assert render(problem)


def test_later_layers_can_point_at_a_value() -> None:
    """A problem found elsewhere has line, column and carets like one found here."""
    project = load_project(REPOSITORY).project
    assert project is not None
    table = project.couriers["shopify"].feed("customer").table
    problem = problem_at(project, table.path, ("columns", "state", "sql"), "sql", "no", "Write another.")
    assert problem.excerpt[problem.column - 1 :].startswith("lower($1)")
    assert problem.length == len("lower($1)")
    line, column = project.lines[table.path, ("columns", "state", "sql")]
    assert (problem.line, problem.column) == (line, column + len("sql: "))


def test_a_file_that_vanished_still_has_its_lines(tmp_path: Path) -> None:
    project = project_of(tmp_path)
    moved = replace(project, root=tmp_path / "elsewhere")
    problem = problem_at(moved, CUSTOMER, ("columns", "id"), "sql", "no", "Write another.")
    assert (problem.line, problem.column, problem.excerpt) == (5, 3, "")
