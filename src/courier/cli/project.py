"""From the command line to a project: find it, check it whole, and say who may open its couriers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from courier.cli.output import ProjectInvalid, show_problems
from courier.config.problems import Problem
from courier.config.suggestions import did_you_mean
from courier.errors import ConfigurationError, CredentialMissing, UsageError

if TYPE_CHECKING:
    from courier.config.activation import Activation
    from courier.config.project import Courier, CourierGroup, Project
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
    from courier.storage.views import check_views

    loaded = load_project(root)
    problems = list(loaded.problems)
    if loaded.project is not None:
        problems += check_expressions(loaded.project)
        problems += check_views(loaded.project)
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


def open_project(given: Path | None) -> Project:
    """A project without problems. Raises ProjectInvalid with all of them."""
    from courier.runtime.known_good import recall, remember, stamp

    root = find_root(given)
    now = stamp(root)
    if (known := recall(root, now)) is not None:
        return known
    project, problems = all_problems(root)
    if project is None:
        raise ProjectInvalid(problems)
    if not problems:
        remember(project, now)
    if problems:  # warnings stop nothing
        show_problems(problems)
    return project


def pick_group(project: Project, name: str) -> CourierGroup:
    if name not in project.groups:
        raise UsageError(f"there is no group {name!r} in courier_groups.yaml", fix=did_you_mean(name, project.groups))
    return project.groups[name]


def pick_courier(project: Project, name: str, feeds: tuple[str, ...]) -> Courier:
    """The courier; of one with many stores, that of the first. Raises UsageError."""
    if name not in project.couriers and name not in project.fleets:
        known = [*project.couriers, *project.fleets]
        raise UsageError(f"there is no couriers/{name}.yaml", fix=did_you_mean(name, known))
    courier = project.courier_of(name)
    known = [feed.name for feed in courier.feeds]
    for feed in feeds:
        if feed not in known:
            raise UsageError(f"courier {name} has no feed {feed!r}", fix=did_you_mean(feed, known))
    return courier


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
