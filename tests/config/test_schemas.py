from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from courier.config.documents import read_document
from courier.config.known_connectors import KNOWN_CONNECTORS
from courier.config.schemas import FOLDER, json_schemas, schema_text, write_json_schemas
from tests.config.projects import REPOSITORY, write_project

SHIPPED = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.yaml", "couriers/*.yaml", "domain_tables/*/*.yaml", "activations/*.yaml")
    for path in REPOSITORY.glob(pattern)
)


def test_committed_schemas_are_current() -> None:
    """`courier schema` was run after the last change to models, tags, feeds, couriers or groups."""
    for name, schema in json_schemas(REPOSITORY).items():
        assert (REPOSITORY / FOLDER / name).read_text(encoding="utf-8") == schema_text(schema)


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_file_names_its_schema(path: str) -> None:
    """The first line points editors at a schema that is there."""
    first = (REPOSITORY / path).read_text(encoding="utf-8").split("\n", 1)[0]
    start = "# yaml-language-server: $schema="
    assert first.startswith(start)
    schema = ((REPOSITORY / path).parent / first.removeprefix(start)).resolve()
    assert schema.parent == REPOSITORY / FOLDER
    assert schema.is_file()


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_file_satisfies_its_schema(path: str) -> None:
    document, _ = read_document(REPOSITORY, path)
    name = document.lines[0].rsplit("/", 1)[1]
    jsonschema.validate(_listed(document.data), json.loads((REPOSITORY / FOLDER / name).read_text(encoding="utf-8")))


def _listed(data: Any) -> Any:
    """Tuples as lists: what a JSON reader would have."""
    return json.loads(json.dumps(data))


def test_editors_complete_the_projects_own_names(tmp_path: Path) -> None:
    write_project(tmp_path, {"activations/cohorts.yaml": "a: 1\n", "alerts.yaml": "targets: { ops: '${OPS}' }\n"})
    schemas = json_schemas(tmp_path)
    courier = schemas["courier.json"]["properties"]
    assert courier["connector"]["enum"] == sorted(KNOWN_CONNECTORS)
    assert courier["feeds"]["propertyNames"]["enum"] == ["customer", "customer_tags"]
    group = schemas["courier_groups.json"]["$defs"]["GroupModel"]["properties"]
    assert group["couriers"]["propertyNames"]["enum"] == ["shopify"]
    assert group["activations"]["items"]["enum"] == ["cohorts"]
    activation = schemas["activation.json"]["$defs"]
    assert activation["PersonaModel"]["properties"]["enriches"]["anyOf"][0]["enum"] == ["cohorts"]
    assert activation["GuardsModel"]["properties"]["consent"]["anyOf"][1]["items"]["enum"] == ["ck", "email"]
    alert = schemas["alerts.json"]["$defs"]["AlertModel"]["properties"]
    assert alert["to"]["anyOf"][0]["enum"] == ["ops"]
    assert alert["groups"]["anyOf"][1]["items"]["enum"] == ["shopify"]
    column = schemas["domain_table.json"]["$defs"]["ColumnModel"]["properties"]
    assert column["tags"]["items"]["anyOf"][0]["enum"] == ["ck", "email"]
    assert column["tags"]["items"]["anyOf"][2]["pattern"] == "^(fk-)[^/]+$"
    assert set(column) == {"from", "type", "tags", "sql", "pii", "unavailable"}


def test_writing_schemas_twice_changes_nothing(tmp_path: Path) -> None:
    write_project(tmp_path)
    assert len(write_json_schemas(tmp_path)) == 7
    assert write_json_schemas(tmp_path) == []


def test_a_broken_project_still_has_schemas(tmp_path: Path) -> None:
    """An editor needs them most while a file is half written."""
    write_project(tmp_path, {"semantic_tags.yaml": "a: [\n", "courier_groups.yaml": "- 1\n"})
    assert set(json_schemas(tmp_path)) == {
        "activation.json",
        "alerts.json",
        "courier.json",
        "courier_groups.json",
        "domain_table.json",
        "project.json",
        "semantic_tags.json",
    }
