"""A folder of YAML becomes a Project, or every problem of all its files at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from courier.config.activation import Activation
from courier.config.activation_models import ActivationModel
from courier.config.activations import (
    Surroundings,
    check_activation,
    columns_of_couriers,
    read_queries,
    resolve_activation,
)
from courier.config.alerts import check_alerts, resolve_alerts
from courier.config.couriers import check_courier, reserved, resolve_courier
from courier.config.destination import check_settings, resolve_destination
from courier.config.documents import ALERTS_FILE, SETTINGS_FILE, Document, read_document
from courier.config.groups import check_groups, resolve_groups
from courier.config.models import AlertsModel, CourierModel, DomainTableModel, Groups, SemanticTags, SettingsModel
from courier.config.problems import Problem
from courier.config.project import Alerts, Courier, Destination, DomainTable, Project, View
from courier.config.stores import Stores, check_names, couriers_of, fleet_of, read_stores
from courier.config.structure import check
from courier.config.tables import NAME, NAME_FIX, check_family, resolve_table
from courier.config.views import read_view
from courier.config.vocabulary import Vocabulary, check_tags, resolve_tags, vocabulary

GROUPS_FILE = "courier_groups.yaml"
TAGS_FILE = "semantic_tags.yaml"
T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """`project` is None when a problem is more than a warning. `problems` are sorted by file, line and column."""

    project: Project | None
    problems: tuple[Problem, ...]


def load_project(root: Path) -> Loaded:
    """Read and check a whole project. Needs no secret and changes nothing; every problem is in the result."""
    return _Loading(root).load()


class _Loading:
    """One reading of a project. Every step adds to `problems` and goes on, so that all are found at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._problems: list[Problem] = []
        self._documents: dict[str, Document] = {}
        self._queries: Mapping[str, str] = {}
        self._stores: dict[str, Stores] = {}

    def load(self) -> Loaded:
        tags = self._tags()
        folders = self._folders(tags)
        views = self._views(folders)
        couriers = self._couriers(folders)
        groups = self._groups(couriers)
        alerts = self._alerts()
        destination = self._destination()
        activations = self._activations(tags, couriers, folders)
        problems = tuple(sorted(set(self._problems)))
        if groups is None or any(not problem.warning for problem in problems):
            return Loaded(None, problems)
        resolved = {courier.name: courier for courier in self._resolved_couriers(couriers, folders)}
        fleets = {name: fleet_of(name, found) for name, found in self._stores.items()}
        lines = {key: at for document in self._documents.values() for key, at in document.positions()}
        found = {folder: {name: one for name, one in tables.items() if one} for folder, tables in folders.items()}
        project = Project(self._root, resolved, resolve_groups(groups, fleets), tags.tags, lines, found, views)
        described = replace(
            project, alerts=self._resolved(alerts), activations=self._described(activations), fleets=fleets
        )
        return Loaded(replace(described, destination=destination), problems)

    def _read(self, path: str, shape: type[T]) -> tuple[Document, T | None]:
        document, problems = read_document(self._root, path)
        model, wrong = check(document, shape)
        self._documents[path] = document
        self._problems += problems + wrong
        return document, model

    def _read_required(self, path: str, shape: type[T], fix: str) -> tuple[Document, T | None]:
        if (self._root / path).exists():
            return self._read(path, shape)
        self._problems.append(Problem(path, 1, 1, "missing-file", "this file is missing", fix))
        return Document(path), None

    def _tags(self) -> Vocabulary:
        fix = "Write it, or copy one with `courier init` in an empty folder."
        document, model = self._read_required(TAGS_FILE, SemanticTags, fix)
        if model is None:
            return vocabulary((), complete=False)
        self._problems += check_tags(document, model)
        return vocabulary(resolve_tags(model))

    def _folders(self, tags: Vocabulary) -> Mapping[str, Mapping[str, DomainTable | None]]:
        folders: dict[str, dict[str, DomainTable | None]] = {}
        for path in self._files("domain_tables/*"):
            folder = folders.setdefault(PurePosixPath(path).parent.name, {})
            document, model = self._read(path, DomainTableModel)
            table, problems = resolve_table(document, model, tags) if model else (None, [])
            folder[PurePosixPath(path).stem] = table
            self._problems += problems
        for tables in folders.values():
            for table in filter(None, tables.values()):
                self._problems += check_family(self._documents[table.path], table, tables)
        return folders

    def _views(self, folders: Mapping[str, Mapping[str, DomainTable | None]]) -> Mapping[str, tuple[View, ...]]:
        views: dict[str, tuple[View, ...]] = {}
        for found in sorted(self._root.glob("domain_tables/*/*.sql")):
            folder = found.parent.name
            view, problems = read_view(self._root, found.relative_to(self._root).as_posix(), folders.get(folder, {}))
            self._problems += problems
            if view:
                views[folder] = (*views.get(folder, ()), view)
        return views

    def _couriers(self, folders: Mapping[str, Mapping[str, DomainTable | None]]) -> Mapping[str, CourierModel | None]:
        couriers: dict[str, CourierModel | None] = {}
        for path in self._files("couriers"):
            document, model = self._read(path, CourierModel)
            couriers[PurePosixPath(path).stem] = model
            self._problems += check_courier(document, model, folders) if model else ()
            if model and model.stores is not None:
                self._stores[PurePosixPath(path).stem], problems = read_stores(self._root, document, model)
                self._problems += problems
        self._check_stores(couriers)
        return couriers

    def _check_stores(self, couriers: Iterable[str]) -> None:
        """The names of all stores' couriers against all others."""
        taken = {name: f"couriers/{name}.yaml" for name in couriers}
        for stores in self._stores.values():
            self._problems += check_names(stores, taken, reserved)
            taken |= {one.courier: stores.document.path for one in stores.stores}

    def _resolved_couriers(
        self, couriers: Mapping[str, CourierModel | None], folders: Mapping[str, Mapping[str, DomainTable | None]]
    ) -> Iterator[Courier]:
        for name, model in couriers.items():
            if model:
                courier = resolve_courier(self._documents[f"couriers/{name}.yaml"], model, folders)
                yield from couriers_of(courier, self._stores[name]) if name in self._stores else [courier]

    def _groups(self, couriers: Mapping[str, CourierModel | None]) -> Groups | None:
        document, model = self._read_required(GROUPS_FILE, Groups, "Write it: what runs together, and when.")
        if model is not None:
            activations = [PurePosixPath(path).stem for path in self._files("activations")]
            stores = {one.courier for found in self._stores.values() for one in found.stores}
            self._problems += check_groups(document, model, {*couriers, *stores}, activations)
        return model

    def _activations(
        self,
        tags: Vocabulary,
        couriers: Mapping[str, CourierModel | None],
        folders: Mapping[str, Mapping[str, DomainTable | None]],
    ) -> Mapping[str, ActivationModel | None]:
        read = {path: self._read(path, ActivationModel) for path in self._files("activations")}
        models = {PurePosixPath(path).stem: model for path, (_, model) in read.items()}
        schemas = dict(columns_of_couriers(couriers, folders))
        for fleet, stores in self._stores.items():
            schemas |= dict.fromkeys((one.courier for one in stores.stores), schemas[fleet])
        around = Surroundings(models, schemas, tags)
        for document, model in read.values():
            self._problems += check_activation(document, model, around) if model else ()
        found, problems = read_queries(self._root, read)
        self._queries = found
        self._problems += problems
        return models

    def _described(self, models: Mapping[str, ActivationModel | None]) -> Mapping[str, Activation]:
        return {
            name: resolve_activation(self._documents[f"activations/{name}.yaml"], model, self._queries[name])
            for name, model in models.items()
            if model
        }

    def _alerts(self) -> AlertsModel | None:
        if not (self._root / ALERTS_FILE).exists():
            return None
        document, model = self._read(ALERTS_FILE, AlertsModel)
        # A group whose own mistakes left it out of the model is in the file all the same.
        groups = self._documents[GROUPS_FILE].data
        if model is not None and isinstance(groups, dict):
            self._problems += check_alerts(document, model, groups)
        return model

    def _destination(self) -> Destination:
        misnamed = SETTINGS_FILE.replace(".yaml", ".yml")
        if (self._root / misnamed).exists():
            self._well_named(misnamed)
        if not (self._root / SETTINGS_FILE).exists():
            return Destination()
        document, model = self._read(SETTINGS_FILE, SettingsModel)
        self._problems += check_settings(document, model) if model else ()
        return resolve_destination(document, model) if model else Destination()

    def _resolved(self, alerts: AlertsModel | None) -> Alerts:
        return resolve_alerts(self._documents[ALERTS_FILE], alerts) if alerts else Alerts()

    def _files(self, folder: str) -> Iterator[str]:
        """The YAML files of a folder, sorted; a file whose name cannot be used is a problem."""
        for found in sorted(self._root.glob(f"{folder}/*")):
            path = found.relative_to(self._root).as_posix()
            if found.suffix.lower() in (".yaml", ".yml") and self._well_named(path):
                yield path

    def _well_named(self, path: str) -> bool:
        file = PurePosixPath(path)
        if file.suffix != ".yaml":
            self._problems.append(
                Problem(
                    path, 1, 1, "file-name", "this file is not read: its name ends in another way", "Name it .yaml."
                )
            )
        elif not NAME.fullmatch(file.stem):
            self._problems.append(Problem(path, 1, 1, "file-name", f"`{file.stem}` is no name", NAME_FIX))
        return file.suffix == ".yaml"
