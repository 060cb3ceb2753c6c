"""A source is whole, or it is not there: what is known of it in one place is there in all the others."""

from __future__ import annotations

from importlib import import_module

import pytest

from courier.config.known_connectors import KNOWN_CONNECTORS
from courier.config.load import load_project
from courier.config.project import Project
from courier.connectors import connector_named
from courier.sandbox.sources import CREDENTIALS
from courier.sandbox.telling import Books
from tests.config.projects import REPOSITORY


@pytest.fixture(scope="module")
def project() -> Project:
    loaded = load_project(REPOSITORY)
    assert loaded.project is not None
    return loaded.project


def test_no_source_is_known_by_halves(project: Project) -> None:
    """The project ships a courier of each, and the sandbox serves each."""
    assert {courier.connector for courier in project.couriers.values()} == {*KNOWN_CONNECTORS}
    assert {*CREDENTIALS} == {*KNOWN_CONNECTORS}


@pytest.mark.parametrize("name", KNOWN_CONNECTORS)
def test_its_parts_agree(name: str, project: Project) -> None:
    """The sandbox opens its courier, and tells each feed that is turned on, by the keys of its domain table."""
    courier, books = project.couriers[name], _books(name)
    assert connector_named(name).name == books.source == name
    assert set(CREDENTIALS[name]) in [set(keys) for keys in KNOWN_CONNECTORS[name].credential]
    assert {feed.name for feed in courier.feeds} == {*books.loaded} <= {*books.keys}
    assert all(set(feed.table.primary_key) == set(books.keys[feed.name]) for feed in courier.feeds)


def _books(name: str) -> Books:
    books: Books = import_module(f"courier.sandbox.{name}.truth").BOOKS
    return books
