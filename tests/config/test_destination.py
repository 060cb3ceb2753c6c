"""courier.yaml: what it means, what is wrong with it, and that no URL of a database is ever shown."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from courier.config.load import load_project
from courier.config.project import Destination, SecretRef
from courier.config.render import render_all
from courier.config.schemas import json_schemas
from tests.config.projects import write_project

LINE = "# yaml-language-server: $schema=.courier/schemas/project.json\n"


def destination_of(root: Path, text: str) -> Destination:
    loaded = load_project(write_project(root, {"courier.yaml": text}))
    assert loaded.project is not None, render_all(loaded.problems)
    return loaded.project.destination


def postgres(name: str, line: int) -> Destination:
    return Destination("postgres", SecretRef(name, "courier.yaml", line))


def test_without_the_file_rows_go_into_duckdb(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path)).project
    assert project is not None
    assert project.destination == Destination("duckdb", None)


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("destination: duckdb\n", Destination()),
        ("destination:\n", Destination()),
        ("destination: { type: duckdb }\n", Destination()),
        (LINE + "destination: postgres\n", postgres("COURIER_POSTGRES_URL", 2)),
        ("destination: { type: postgres }\n", postgres("COURIER_POSTGRES_URL", 1)),
        ("destination:\n  type: postgres\n  url:\n", postgres("COURIER_POSTGRES_URL", 3)),
        ("destination:\n  type: postgres\n  url: ${SHOP_DATABASE}\n", postgres("SHOP_DATABASE", 3)),
    ],
)
def test_a_kind_alone_takes_the_usual_secret(tmp_path: Path, text: str, destination: Destination) -> None:
    """The secret itself is not looked up: a project is valid without it."""
    assert destination_of(tmp_path, text) == destination


@pytest.mark.parametrize(
    "data", [{}, {"destination": "postgres"}, {"destination": {"type": "postgres", "url": "${A}"}}]
)
def test_editors_know_both_ways_to_write_it(tmp_path: Path, data: object) -> None:
    jsonschema.validate(data, json_schemas(tmp_path)["project.json"])


@pytest.mark.parametrize("destination", ["postgre", {"url": "${A}"}, {"type": "postgres", "url": "postgresql://a@b/c"}])
def test_editors_mark_what_validate_refuses(tmp_path: Path, destination: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"destination": destination}, json_schemas(tmp_path)["project.json"])


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        ("destination: postgre\n", "bad-value", "courier.yaml:1:14: `postgre` is not known here"),
        ("destination: postgre\n", "bad-value", "Did you mean `postgres`?"),
        ("destination: { type: snowflake }\n", "bad-value", "One of: `duckdb`, `postgres`."),
        ("destination: ${COURIER_POSTGRES_URL}\n", "bad-value", "One of: `duckdb`, `postgres`."),
        ("destination: [postgres]\n", "bad-type", "this must be a mapping"),
        ("destination: { url: '${A}' }\n", "missing-key", "the key `type` of `destination` is missing"),
        ("destination: { type: postgres, urls: '${A}' }\n", "unknown-key", "Did you mean `url`?"),
        ("destinations: postgres\n", "unknown-key", "Did you mean `destination`?"),
        ("destination: postgres\nname: ${A}\n", "secret-reference", "`destination:` only"),
        ("destination:\n  type: postgres\n  url: acme\n", "literal-secret", "  url: ****\n"),
        ("destination:\n  type: postgres\n  url: postgresql://u:${A}@h/d\n", "literal-secret", "Write ${NAME}"),
    ],
)
def test_mistakes_are_told_with_a_fix(tmp_path: Path, text: str, rule: str, said: str) -> None:
    loaded = load_project(write_project(tmp_path, {"courier.yaml": text}))
    assert loaded.project is None
    assert rule in [problem.rule for problem in loaded.problems]
    assert said in render_all(loaded.problems)


def test_a_file_of_another_ending_is_not_overlooked(tmp_path: Path) -> None:
    """Else its rows would go into DuckDB, and nobody would know why."""
    (problem,) = load_project(write_project(tmp_path, {"courier.yml": "destination: postgres\n"})).problems
    assert (problem.path, problem.rule) == ("courier.yml", "file-name")


@pytest.mark.parametrize("form", ["postgresql://me:{}@db/shop", "postgres://{}@db/shop", "host=db password={} user=me"])
@pytest.mark.parametrize(
    "place",
    [
        "destination: {}\n",
        "destination: '{}'\n",
        "destination: [{}]\n",
        "destination:\n  type: postgres\n  url: {}\n",
        "destination:\n  type: {}\n",
        "destination:\n  type: postgres\n  url: '{}\n",
        "destination:\n  type: postgres\n\turl: {}\n",
        "destination:\n  type: postgres\n  urls: {}\n",
        "destination:\n  type: postgres\n  url: [{}]\n",
        "destination:\n  type: postgres\n  url: a\n  url: {}\n",
        "destination:\n  type: postgres\n  postgres:\n    address: {}\n",
        "destinations: {{ type: postgres, url: '{}' }}\n",
        "postgres: {}\n",
    ],
)
def test_a_literal_url_is_never_shown(tmp_path: Path, form: str, place: str) -> None:
    """Law: wherever it is written, and whatever else is wrong there, no output holds its password."""
    text = place.format(form.format("hunter2hunter2"))
    loaded = load_project(write_project(tmp_path, {"courier.yaml": text}))
    assert loaded.project is None
    assert "hunter2" not in render_all(loaded.problems)
