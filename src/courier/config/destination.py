"""Where the domain tables are: courier.yaml, which a project may do without, becomes a Destination, or problems."""

from __future__ import annotations

from collections.abc import Iterator

from courier.config.documents import Document, reference
from courier.config.models import SettingsModel
from courier.config.problems import Problem
from courier.config.project import Destination, SecretRef

URL_NAME = "COURIER_POSTGRES_URL"
"""The secret that is the URL of Postgres where courier.yaml names no other one."""
_URL = ("destination", "url")


def check_settings(document: Document, model: SettingsModel) -> Iterator[Problem]:
    """Everything that can be wrong with settings whose file has the right structure."""
    if model.destination.type == "duckdb" and model.destination.url is not None:
        message = "DuckDB's file stands beside the project: it has no `url`"
        fix = "Delete `url:`, or write `type: postgres`."
        yield document.problem(document.key(_URL), "destination-url", message, fix)


def resolve_destination(document: Document, model: SettingsModel) -> Destination:
    """The destination, of a file without problems."""
    if model.destination.type == "duckdb":
        return Destination()
    name = reference(model.destination.url) or URL_NAME
    return Destination("postgres", SecretRef(name, document.path, document.value(_URL).line))
