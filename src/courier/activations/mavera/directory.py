"""What names stand for at Mavera: personas, workspaces, brand voices, apps. Read once, before a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from courier.activations.contract import Known
from courier.activations.mavera.client import Client
from courier.activations.mavera.shaped import digest
from courier.config.suggestions import did_you_mean, listed
from courier.errors import SourceRefused

OF_ACTIVATION = "activation:"
READY = frozenset({"completed", "ready"})
BROKEN = frozenset({"failed", "error"})


@dataclass(frozen=True)
class Directory:
    """Names as they were when looked at. `personas`: name -> ids; an id is there also where two share a name."""

    personas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workspace: str | None = None
    brand_voice: str | None = None
    app: str | None = None

    @property
    def hash(self) -> str:
        """Personas are not in it: the ids of those that are asked are in the items, and nothing else matters."""
        return digest([self.workspace, self.brand_voice, self.app])

    def persona(self, named: str) -> str | None:
        """The id of a persona by its exact name, or by its id; None where there is none, or more than one."""
        ids = self.personas.get(named, ())
        if not ids and any(named in some for some in self.personas.values()):
            return named
        return ids[0] if len(ids) == 1 else None

    def persona_problem(self, named: str) -> str:
        if named in self.personas:
            return f"{len(self.personas[named])} personas are named `{named}`"
        return f"there is no persona `{named}`. {did_you_mean(named, self.personas)}"

    def made_by(self, activation: str, owned: Mapping[str, Known]) -> list[str]:
        """Ids of what an activation made and that is still there, in the order of its keys."""
        there = {id_ for ids in self.personas.values() for id_ in ids}
        made = ((known.key, id_) for id_, known in owned.items() if known.activation == activation and id_ in there)
        return [id_ for _, id_ in sorted(made)]


def personas(client: Client) -> dict[str, tuple[str, ...]]:
    """Every persona, base ones too: to ask one costs no more than to look at it."""
    found: dict[str, tuple[str, ...]] = {}
    for row in client.rows("/personas", keys=("data", "personas")):
        name = str(row.get("name") or "")
        found[name] = (*found.get(name, ()), str(row["id"]))
    return found


def workspace(client: Client, named: str | None, *, needed: bool = False) -> str | None:
    """The id of the workspace of that name or id; where it is needed and not named, the only one that there is.

    Raises SourceRefused where there is none.
    """
    if named is None and not needed:
        return None
    rows = client.rows("/workspaces")
    if named is not None:
        return str(_chosen(client, rows, "workspace", named, "name")["id"])
    if len(rows) == 1:
        return str(rows[0]["id"])
    names = listed(str(row.get("name")) for row in rows)
    raise SourceRefused(f"{client.host}: this needs a workspace", fix=f"set `workspace` in {client.where}: {names}")


def brand_voice(client: Client, label: str | None, workspace_id: str | None) -> str | None:
    """The id of the brand voice of that label or id. Raises SourceRefused where there is none, or it is not ready."""
    if label is None:
        return None
    rows = client.rows("/brand-voices", workspace_id=workspace_id)
    row = _chosen(client, rows, "brand voice", label, "label")
    status = str(row.get("status", "")).lower()
    if status in READY:
        return str(row["id"])
    what = "failed at Mavera" if status in BROKEN else "is still being made"
    fix = "make it again at Mavera" if status in BROKEN else "plan again in a few minutes"
    raise SourceRefused(f"{client.host}: the brand voice `{label}` {what}", fix=fix)


def app(client: Client, named: str, inputs: Iterable[str]) -> str:
    """The id of the generation app of that name or id, whose fields `inputs` fit. Raises SourceRefused."""
    row = _chosen(client, client.rows("/generation-apps"), "generation app", named, "name")
    problems = _input_problems(row, list(inputs))
    if problems:
        raise SourceRefused(
            f"{client.host}: the app `{named}` {'; '.join(problems)}",
            fix=f"correct `generation.input` in {client.where}",
        )
    return str(row["id"])


def input_fields(row: Mapping[str, Any]) -> dict[str, bool] | None:
    """An app's fields, and whether each is required; None where it does not tell.

    The reference names the key `input_schema` or `input_data`, and shows no content: a JSON Schema, a list of fields
    and an object of fields are all read.
    """
    told = row.get("input_schema") or row.get("input_data") or row.get("input_fields")
    if isinstance(told, Mapping) and isinstance(told.get("properties"), Mapping):
        required = told.get("required") or ()
        return {str(name): name in required for name in told["properties"]}
    if isinstance(told, Mapping):
        return {str(name): isinstance(one, Mapping) and one.get("required") is True for name, one in told.items()}
    if isinstance(told, list):
        return _of_list(told)
    return None


def _of_list(told: list[Any]) -> dict[str, bool]:
    found = {}
    for one in told:
        name = (
            next((one[key] for key in ("name", "key", "id") if one.get(key)), "") if isinstance(one, Mapping) else one
        )
        found[str(name)] = isinstance(one, Mapping) and one.get("required") is True
    return found


def _input_problems(row: Mapping[str, Any], inputs: list[str]) -> list[str]:
    fields = input_fields(row)
    if fields is None:
        return []
    unknown = [f"has no input `{name}` ({did_you_mean(name, fields)})" for name in inputs if name not in fields]
    missing = [f"needs the input `{name}`" for name, required in fields.items() if required and name not in inputs]
    return unknown + missing


def _chosen(client: Client, rows: list[Mapping[str, Any]], kind: str, named: str, by: str) -> Mapping[str, Any]:
    found = [row for row in rows if named in (row.get(by), row["id"])]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"{client.host}: {len(found)} {kind}s are named `{named}`"
        raise SourceRefused(message, fix=f"write the id of one of them in {client.where}")
    known = [str(row.get(by) or row["id"]) for row in rows]
    raise SourceRefused(f"{client.host}: there is no {kind} `{named}`", fix=did_you_mean(named, known))
