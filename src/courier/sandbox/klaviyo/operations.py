"""The operations that are served, as Klaviyo's own specification tells them: paging, limits, scopes, filters, sorts."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from courier.sandbox.klaviyo.refusals import Refused

_SPECIAL = re.compile(r"additional-fields\[(\w+)\]=(\w+) -> (\d+)/s (\d+)/m")


@dataclass(frozen=True)
class Limit:
    """Requests a second, a minute and a day; 0: as many as the others let through."""

    burst: int
    steady: int
    daily: int = 0


@dataclass(frozen=True)
class Operation:
    """`special`: (resource type, additional field) that makes the limit another one."""

    name: str
    method: str
    path: str
    page_default: int
    page_max: int
    limit: Limit
    special: tuple[tuple[str, str], Limit] | None
    scopes: tuple[str, ...]
    filters: dict[str, frozenset[str]]
    filter_required: bool
    sorts: frozenset[str]
    includes: frozenset[str]
    additional: frozenset[str]

    def limit_of(self, additional: dict[str, list[str]]) -> tuple[str, Limit]:
        """The key and the limit that a request counts against."""
        if self.special and self.special[0][1] in additional.get(self.special[0][0], ()):
            return f"{self.name}+{self.special[0][1]}", self.special[1]
        return self.name, self.limit


@cache
def operations() -> tuple[Operation, ...]:
    text = resources.files("courier.sandbox.klaviyo").joinpath("operations.csv").read_text("utf-8")
    return tuple(_read(row) for row in csv.DictReader(text.splitlines()))


def _read(row: dict[str, str]) -> Operation:
    found = _SPECIAL.search(row["special_limit"])
    special = ((found[1], found[2]), Limit(int(found[3]), int(found[4]))) if found else None
    filters = {
        name: frozenset(ways.split("|"))
        for name, _, ways in (one.partition(":") for one in _split(row["filters"], ";"))
    }
    return Operation(
        row["operation_id"],
        row["method"],
        row["path"],
        int(row["page_default"] or 200 * (row["operation_id"] == "get_metrics")),
        int(row["page_max"] or 0),
        Limit(*(int(row[name].split("/")[0] or 0) for name in ("burst", "steady", "daily"))),
        special,
        tuple(row["scopes"].split()),
        filters,
        row["filter_required"] == "1",
        frozenset(_split(row["sort"], "|")),
        frozenset(_split(row["include"], "|")),
        frozenset(_split(row["additional_fields"], "|")),
    )


def _split(text: str, by: str) -> list[str]:
    return [part for part in text.split(by) if part]


def operation_of(method: str, path: str) -> tuple[Operation, str]:
    """The operation, and the id in its path. Raises Refused (404, 405)."""
    parts = path.strip("/").split("/")
    others = False
    for operation in operations():
        wanted = operation.path.strip("/").split("/")
        if len(wanted) == len(parts) and all(a in (b, "{id}") for a, b in zip(wanted, parts, strict=True)):
            if operation.method == method:
                return operation, next((b for a, b in zip(wanted, parts, strict=True) if a == "{id}"), "")
            others = True
    if others:
        raise Refused(405, "method_not_allowed", "Method not allowed", f"Method {method} not allowed.")
    if parts[:1] != ["api"]:
        raise Refused(410, "gone", "Gone", "v1 and v2 of the API are retired.")
    raise Refused(404, "not_found", "Not found.", "The path is not known.")
