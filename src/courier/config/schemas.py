"""JSON Schemas of the project's files, made of the models and completed with this project's own names, for editors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from courier.config.activation_models import ActivationModel
from courier.config.activations import CREDENTIAL_KEYS
from courier.config.documents import ALERTS_FILE, read_document
from courier.config.known_connectors import KNOWN_CONNECTORS
from courier.config.models import AlertsModel, CourierModel, DomainTableModel, Groups, SemanticTags, SettingsModel

FOLDER = ".courier/schemas"
_REFERENCE = r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"
# Not a later one: this is what the YAML extensions of editors know best.
_DIALECT = "http://json-schema.org/draft-07/schema#"
Schema = dict[str, Any]


@dataclass(frozen=True)
class Names:
    """What a project calls its things, as far as its files can be read."""

    tags: tuple[str, ...]
    folders: tuple[str, ...]
    feeds: tuple[str, ...]
    couriers: tuple[str, ...]
    groups: tuple[str, ...]
    activations: tuple[str, ...]
    targets: tuple[str, ...]


def json_schemas(root: Path) -> dict[str, Schema]:
    """File name -> schema, for the project at `root`, which may have problems."""
    names = _names(root)
    return {
        "activation.json": _activation(names),
        "alerts.json": _alerts(names),
        "courier.json": _courier(names),
        "courier_groups.json": _groups(names),
        "domain_table.json": _domain_table(names),
        "project.json": _project(),
        "semantic_tags.json": _semantic_tags(),
    }


def schema_text(schema: Schema) -> str:
    """The schema as it is written to its file."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def stale_json_schemas(root: Path) -> dict[Path, str]:
    """The files of .courier/schemas/ that are not what they should be, and what they should be."""
    wanted = {root / FOLDER / name: schema_text(schema) for name, schema in json_schemas(root).items()}
    return {
        path: text for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def write_json_schemas(root: Path) -> list[Path]:
    """Write the schemas to .courier/schemas/. Returns the files that changed."""
    stale = stale_json_schemas(root)
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(stale)


def _names(root: Path) -> Names:
    return Names(
        tags=_keys(root, "semantic_tags.yaml"),
        folders=tuple(sorted(path.name for path in root.glob("domain_tables/*") if path.is_dir())),
        feeds=_stems(root, "domain_tables/*/*.yaml"),
        couriers=_stems(root, "couriers/*.yaml"),
        groups=_keys(root, "courier_groups.yaml"),
        activations=_stems(root, "activations/*.yaml"),
        targets=_targets(root),
    )


def _keys(root: Path, path: str) -> tuple[str, ...]:
    data = read_document(root, path)[0].data
    return tuple(data) if isinstance(data, dict) else ()


def _targets(root: Path) -> tuple[str, ...]:
    data = read_document(root, ALERTS_FILE)[0].data
    targets = data.get("targets") if isinstance(data, dict) else None
    return tuple(targets) if isinstance(targets, dict) else ()


def _stems(root: Path, pattern: str) -> tuple[str, ...]:
    return tuple(sorted({path.stem for path in root.glob(pattern)}))


def _activation(names: Names) -> Schema:
    schema = _made(ActivationModel, "Activation")
    schema["properties"]["credential"] |= {"propertyNames": _enum(CREDENTIAL_KEYS)}
    schema["$defs"]["PersonaModel"]["properties"]["enriches"]["anyOf"][0] |= _enum(names.activations)
    guards = schema["$defs"]["GuardsModel"]["properties"]
    _name_items(guards["consent"], [tag for tag in names.tags if not tag.endswith("*")])
    each = schema["$defs"].pop("FieldModel")
    fields = schema["$defs"]["PersonaModel"]["properties"]["fields"]
    fields["additionalProperties"] = {"anyOf": [{"type": "string"}, each]}
    return schema


def _alerts(names: Names) -> Schema:
    schema = _made(AlertsModel, "Alerts")
    schema["properties"]["targets"]["additionalProperties"] |= {"pattern": _REFERENCE}
    alert = schema["$defs"]["AlertModel"]["properties"]
    _name_items(alert["to"], names.targets)
    _name_items(alert["groups"], names.groups)
    return schema


def _courier(names: Names) -> Schema:
    schema = _made(CourierModel, "Courier")
    properties = schema["properties"]
    properties["connector"] |= {"enum": sorted(KNOWN_CONNECTORS)}
    properties["domain_tables"]["anyOf"][0] |= _enum(names.folders)
    _name_keys(properties["feeds"], names.feeds)
    properties["credential"]["propertyNames"] = _enum(
        dict.fromkeys(key for known in KNOWN_CONNECTORS.values() for key in known.credential_keys)
    )
    schema["anyOf"] = [{"required": ["credential"]}, {"required": ["stores"]}]
    return schema


def _groups(names: Names) -> Schema:
    schema = _made(Groups, "Courier groups")
    group = schema["$defs"]["GroupModel"]["properties"]
    _name_keys(group["couriers"], names.couriers)
    schema["$defs"]["ConstraintModel"]["properties"]["group"] |= _enum(names.groups)
    group["activations"]["items"] |= _enum(names.activations)
    return schema


def _domain_table(names: Names) -> Schema:
    schema = _made(DomainTableModel, "Domain table")
    columns = schema["properties"]["columns"]
    columns["additionalProperties"] = {"anyOf": [_type_text(schema), *columns["additionalProperties"]["anyOf"]]}
    schema["$defs"]["ColumnModel"]["properties"]["tags"]["items"] = _tag(names.tags)
    schema["properties"]["parent"]["anyOf"][0] |= _enum(names.feeds)
    return schema


def _project() -> Schema:
    """Of courier.yaml: `courier.json` is that of couriers/*.yaml."""
    schema = _made(SettingsModel, "Project")
    options = schema["$defs"]["DestinationModel"]["properties"]
    options["url"]["anyOf"][0] |= {"pattern": _REFERENCE}
    destination = schema["properties"]["destination"]
    destination["anyOf"] = [{"enum": options["type"]["enum"]}, {"$ref": destination.pop("$ref")}]
    destination["default"] = "duckdb"
    return schema


def _semantic_tags() -> Schema:
    return _made(SemanticTags, "Semantic tags")


def _made(shape: Any, title: str) -> Schema:
    schema = TypeAdapter(shape).json_schema(by_alias=True)
    made = {"$schema": _DIALECT, **_tidied(schema), "title": title}
    _allow_nothing(made)
    return made


def _tidied(schema: Any) -> Any:
    """Without pydantic's titles, which repeat each field's name, and without defaults that are nothing."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _tidied(value) for key, value in schema.items() if not _is_noise(key, value)}


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _allow_nothing(schema: Schema) -> None:
    """`customer:` with nothing after it takes every default: the models in mappings may be null."""
    for made in (schema, *schema.get("$defs", {}).values()):
        for holder in (made, *made.get("properties", {}).values()):
            values = holder.get("additionalProperties")
            if isinstance(values, dict) and "$ref" in values:
                holder["additionalProperties"] = {"anyOf": [values, {"type": "null"}]}


def _type_text(schema: Schema) -> Schema:
    return dict(schema["$defs"]["ColumnModel"]["properties"]["type"]["anyOf"][0])


def _tag(tags: Iterable[str]) -> Schema:
    """A tag of the vocabulary; patterns take any ending, and every tag a number."""
    tags = list(tags)
    plain = [tag for tag in tags if not tag.endswith("*")]
    stems = "|".join(_escaped(tag[:-1]) for tag in tags if tag.endswith("*"))
    choices: list[Schema] = [_enum(plain) or {"type": "string"}, {"type": "string", "pattern": "-[0-9]{1,3}$"}]
    if stems:
        choices.append({"type": "string", "pattern": f"^({stems})[^/]+$"})
    return {"anyOf": choices}


def _escaped(text: str) -> str:
    return text.replace("/", "\\/").replace(".", "\\.")


def _name_keys(schema: Schema, names: Iterable[str]) -> None:
    if found := _enum(names):
        schema["propertyNames"] = found


def _name_items(schema: Schema, names: Iterable[str]) -> None:
    """Of one name or a list of names: which ones there are."""
    one, several = schema["anyOf"][0].get("anyOf", schema["anyOf"])[:2]
    one |= _enum(names)
    several["items"] |= _enum(names)


def _enum(names: Iterable[str] | Mapping[str, None]) -> Schema:
    """No enum where there is no name yet: an empty one is not a schema."""
    found = list(names)
    return {"enum": found} if found else {}
