"""Couriers: a file of couriers/ becomes a Courier, or problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from courier.config.documents import Document, pattern, reference
from courier.config.known_connectors import KNOWN_CONNECTORS, KnownConnector
from courier.config.models import CourierModel, FeedModel
from courier.config.problems import Problem
from courier.config.project import Courier, DomainTable, Feed, SecretRef
from courier.config.suggestions import did_you_mean, listed

_OF_DUCKDB = ("main", "information_schema", "pg_catalog", "temp", "system")
_OF_COURIER = ("courier", "courier_family", "courier_journal", "semantic")
_RESERVED_NAMES = frozenset((*_OF_DUCKDB, *_OF_COURIER, "public", "private", "warehouse", "sandbox", "landing"))
_RESERVED_BEGINNINGS = ("pg_", "courier_landing_")
Tables = Mapping[str, DomainTable | None]
"""The tables of one folder by name; None for one that cannot be read."""


def reserved(schema: str) -> str:
    """Why a courier cannot have a schema of this name, or ""."""
    taken = schema in _RESERVED_NAMES or schema.startswith(_RESERVED_BEGINNINGS)
    return f"the schema `{schema}` is used by DuckDB, by Postgres or by courier itself" if taken else ""


def check_courier(document: Document, model: CourierModel, folders: Mapping[str, Tables]) -> Iterator[Problem]:
    """Everything that can be wrong with a courier whose file has the right structure."""
    name = PurePosixPath(document.path).stem
    if message := reserved(name):
        fix = f"Rename the file, for instance to `{name}_data.yaml`."
        yield document.problem(document.key(()), "reserved-name", message, fix)
    connector = KNOWN_CONNECTORS.get(model.connector)
    if connector is None:
        fix = did_you_mean(model.connector, KNOWN_CONNECTORS)
        message = f"there is no connector `{model.connector}`"
        yield document.problem(document.value(("connector",)), "unknown-connector", message, fix)
    else:
        yield from _check_version(document, model.connector, connector)
        yield from _check_keys(document, model, connector)
    yield from _check_store(document, model)
    yield from _check_feeds(document, model, folders)


def _check_version(document: Document, name: str, connector: KnownConnector) -> Iterator[Problem]:
    if connector.needs_version and document.data.get("api_version") is None:
        message = f"the key `api_version` is missing, which {name} needs"
        yield document.problem(document.key(()), "missing-key", message, "Give `api_version:` a value, as 2026-10.")


def _check_keys(document: Document, model: CourierModel, connector: KnownConnector) -> Iterator[Problem]:
    written = document.data.get("credential") or {}
    given = set(written)
    unknown = [key for key in written if key not in connector.credential_keys]
    for key in unknown:
        fix = did_you_mean(key, connector.credential_keys, f"Keys here: {listed(connector.credential_keys)}.")
        at = document.key(("credential", key))
        yield document.problem(at, "unknown-key", f"unknown key `{key}`", fix)
    if not given and model.stores is None:
        named = "credential" in document.data
        message = f"the key `credential` {'has no value, and no default' if named else 'is missing'}"
        yield document.problem(document.key(("credential",)), "missing-key", message, "Give `credential:` a value.")
    elif not unknown and model.stores is None and given not in [set(keys) for keys in connector.credential]:
        wanted = "; or ".join(" and ".join(f"`{key}`" for key in keys) for keys in connector.credential)
        message = f"{model.connector} cannot be opened with {listed(sorted(given))}"
        yield document.problem(document.key(("credential",)), "bad-credential", message, f"Give {wanted}.")


def _check_store(document: Document, model: CourierModel) -> Iterator[Problem]:
    """The one key of a credential that may be literal; literal secrets are found wherever a file is read."""
    for key, value in model.credential.items():
        if pattern(value) and model.stores is None:
            fix = "Write ${NAME}; or name the stores: `stores: stores.csv`."
            at = document.value(("credential", key))
            yield document.problem(at, "secret-reference", "`*` stands for a store's name, and there is none", fix)
    store = model.credential.get("store", "")
    if "${" in store and not reference(store) and not pattern(store):
        at = document.value(("credential", "store"))
        message = "a reference to a secret must be the whole value"
        yield document.problem(at, "secret-reference", message, "Write ${NAME} alone, and the rest into NAME.")


def _check_feeds(document: Document, model: CourierModel, folders: Mapping[str, Tables]) -> Iterator[Problem]:
    folder = model.domain_tables or model.connector
    if folder not in folders:
        if model.domain_tables or model.connector in KNOWN_CONNECTORS:
            key = ("domain_tables",) if model.domain_tables else ("connector",)
            fix = did_you_mean(folder, folders, f"Make the folder domain_tables/{folder}/.")
            message = f"there are no domain tables in domain_tables/{folder}/"
            yield document.problem(document.value(key), "unknown-domain-tables", message, fix)
        return
    for name in model.feeds:
        at = document.key(("feeds", name))
        if name not in folders[folder]:
            fix = did_you_mean(name, folders[folder], f"Make it: domain_tables/{folder}/{name}.yaml.")
            yield document.problem(at, "unknown-feed", f"there is no domain table `{name}`", fix)
            continue
        table = folders[folder][name]
        if table and table.parent in folders[folder] and table.parent not in model.feeds:
            message = f"the rows of `{name}` are replaced by their parent `{table.parent}`, which is not sent"
            yield document.problem(at, "child-without-parent", message, f"Add `{table.parent}:` to the feeds.")
        if table:
            yield from _check_parent_version(document, model, table, folders[folder])
            yield from _check_namespaces(document, table, model.feeds[name])


def _check_parent_version(
    document: Document, model: CourierModel, table: DomainTable, tables: Tables
) -> Iterator[Problem]:
    """Sets of children compete by their parent's version; without one, only where every load brings all of them."""
    parent = tables.get(table.parent or "")
    sent = model.feeds.get(table.parent or "")
    if parent is None or sent is None or parent.last_updated is not None or sent.load == "truncate":
        return
    message = f"`{parent.name}` has no `last_updated`: which set of `{table.name}` is newer could not be told"
    fix = f"Add `last_updated:` to {parent.path}, or write `{parent.name}: {{ load: truncate }}`."
    yield document.problem(document.key(("feeds", table.name)), "bad-parent", message, fix)


def _check_namespaces(document: Document, table: DomainTable, feed: FeedModel) -> Iterator[Problem]:
    if feed.namespaces is None:
        return
    path = ("feeds", table.name, "namespaces")
    if not table.holds_metafields:
        message = f"the rows of `{table.name}` are {table.rows}, which have no namespaces"
        yield document.problem(document.key(path), "namespaces", message, "Delete `namespaces:`.")
    elif not feed.namespaces or not all(name.strip() for name in feed.namespaces):
        message = "no namespace would be kept"
        fix = "Write `namespaces: [custom]`, or delete it to keep all of them."
        yield document.problem(document.value(path), "namespaces", message, fix)
    for position, name in enumerate(feed.namespaces):
        if name in feed.namespaces[:position]:
            at = document.value((*path, position))
            yield document.problem(at, "namespaces", f"`{name}` is already chosen", "Keep it once.")


def resolve_courier(document: Document, model: CourierModel, folders: Mapping[str, Tables]) -> Courier:
    """The courier, of a file without problems."""
    folder = model.domain_tables or model.connector
    return Courier(
        name=PurePosixPath(document.path).stem,
        path=document.path,
        connector=model.connector,
        api_version=model.api_version,
        credential={key: _credential(document, key, value) for key, value in model.credential.items()},
        domain_tables=folder,
        feeds=tuple(_feeds(model, folders[folder])),
        endpoint=model.endpoint,
        since=model.since,
    )


def _credential(document: Document, key: str, value: str) -> str | SecretRef:
    name = reference(value)
    return SecretRef(name, document.path, document.value(("credential", key)).line) if name else value


def _feeds(model: CourierModel, tables: Tables) -> Iterator[Feed]:
    for name, options in model.feeds.items():
        table = tables[name]
        if table:
            yield Feed(
                name,
                table,
                options.load,
                options.look_back,
                options.every,
                options.error_limit,
                options.mode,
                options.namespaces or (),
                options.metrics or (),
            )
