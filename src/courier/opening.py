"""A project and what it takes to work with it: find it, check it whole, and say who may open its couriers.

Every way into courier begins here: the command line, and the engines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from courier.config.problems import Problem
from courier.errors import ConfigurationError, CredentialMissing

if TYPE_CHECKING:
    from courier.config.activation import Activation
    from courier.config.project import Courier, Project
    from courier.runtime.context import Access, ActivationAccess
    from courier.runtime.place import Place

MARK = "courier_groups.yaml"


def find_root(given: Path | None) -> Path:
    """The project's folder: the one given, or the nearest one above the current folder. Raises UsageError."""
    if given is not None:
        if not (given / MARK).is_file():
            raise ConfigurationError(f"{given} holds no {MARK}", fix="courier init makes a project in an empty folder")
        return given.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARK).is_file():
            return folder
    raise ConfigurationError(
        f"no {MARK} in this folder or above it",
        fix="courier init makes a project in an empty folder; --project DIR names one elsewhere",
    )


def all_problems(root: Path) -> tuple[Project | None, tuple[Problem, ...]]:
    """The project, if it can be used, and everything that is wrong with it, warnings included."""
    from courier.config.load import load_project
    from courier.connectors import connector_named
    from courier.storage.expressions import check_expressions
    from courier.storage.long_names import check_names
    from courier.storage.shared_disk import check_disk
    from courier.storage.views import check_views

    loaded = load_project(root)
    problems = list(loaded.problems)
    if loaded.project is not None:
        problems += check_expressions(loaded.project)
        problems += check_views(loaded.project)
        problems += check_disk(loaded.project)
        problems += check_names(loaded.project)
        problems += _activations(loaded.project)
        for courier in {one.fleet or one.name: one for one in loaded.project.couriers.values()}.values():
            problems += connector_named(courier.connector).check(loaded.project, courier)
    wrong = any(not problem.warning for problem in problems)
    return (None if wrong else loaded.project), tuple(sorted(problems))


def _activations(project: Project) -> list[Problem]:
    if not project.activations:
        return []
    from courier.storage.lineage import check_activations

    return check_activations(project)


def read_project(root: Path) -> tuple[Project | None, tuple[Problem, ...]]:
    """The same, of the project at `root`; one that was found without any problem is not checked once more."""
    from courier.runtime.known_good import recall, remember, stamp

    now = stamp(root)
    if (known := recall(root, now)) is not None:
        return known, ()
    project, problems = all_problems(root)
    if project is not None and not problems:
        remember(project, now)
    return project, problems


def place_of(root: Path, sandbox: bool) -> Place:
    """Where the project at `root` keeps what it does, and its rows. Raises CredentialMissing, ConfigurationError."""
    from courier.config.glance import glance_at_destination
    from courier.runtime.place import Place

    destination = glance_at_destination(root)
    if destination.type == "duckdb":
        return Place(root, sandbox)
    from courier.config.postgres_url import resolve_postgres
    from courier.storage.postgres.database import Postgres

    found = resolve_postgres(root, destination, os.environ, sandbox=sandbox)
    return Place(root, sandbox, Postgres(found.url, str(found), sandbox=sandbox))


@dataclass(frozen=True)
class Opened:
    """How couriers and activations are opened."""

    couriers: Access
    activations: ActivationAccess


@contextmanager
def opening(
    project: Project, place: Place, needed: Sequence[str] = (), activations: Sequence[str] = ()
) -> Iterator[Opened]:
    """With the credentials of the environment, or in a sandbox that lives as long as this.

    The credentials of the couriers and activations that are needed are looked up at once. Raises CredentialMissing for
    all of them.
    """
    if not place.sandbox:
        _check_credentials(project, needed, activations)
        yield Opened(
            lambda courier: (courier, _real_credential(project, courier)),
            lambda activation: (activation, _real_credential(project, activation)),
        )
        return
    from courier.sandbox import open_shop, serve

    stores = [name for name, courier in project.couriers.items() if courier.fleet]
    with serve(open_shop(place.state), stores=stores) as sandbox:
        key = {"api_key": sandbox.credentials["MAVERA_API_KEY"]}

        def open_courier(courier: Courier) -> tuple[Courier, Mapping[str, str]]:
            store = courier.name if courier.fleet else ""
            return replace(courier, endpoint=sandbox.url), sandbox.credential(courier.connector, store)

        yield Opened(
            open_courier,
            lambda activation: (replace(activation, endpoint=sandbox.url), key),
        )


def _check_credentials(project: Project, couriers: Sequence[str], activations: Sequence[str]) -> None:
    from courier.config.secrets import resolve_credentials

    wanted: list[Courier | Activation] = [project.couriers[name] for name in couriers]
    wanted += [project.activations[name] for name in activations]
    try:
        resolve_credentials(project, wanted, os.environ)
    except CredentialMissing as missing:
        if couriers and "activations/" in missing.message:
            missing.fix += (
                " --run-type source leaves the activations out; so does the group without its `activations:`."
            )
        raise


def _real_credential(project: Project, what: Courier | Activation) -> Mapping[str, str]:
    from courier.config.secrets import resolve_credential

    return resolve_credential(project, what, os.environ)
