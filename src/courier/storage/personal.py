"""Which columns of the domain tables say something of a person: personal data, and people's keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from courier.config.project import Column, DomainTable, Project
from courier.config.vocabulary import Vocabulary, vocabulary
from courier.storage.relations import Stored


@dataclass(frozen=True)
class Personal:
    """`data` and `keys`: column -> why it is one."""

    data: Mapping[Stored, str]
    keys: Mapping[Stored, str]

    def why(self, stored: Stored) -> str:
        """Why a column does not leave; "" for one that may."""
        return self.data.get(stored) or self.keys.get(stored, "")

    def is_key(self, stored: Stored) -> bool:
        """Whether it says who somebody is, and nothing else of them."""
        return stored in self.keys and stored not in self.data


def personal_columns(project: Project, schemas: Iterable[str]) -> Personal:
    """The personal columns of these schemas."""
    tags = vocabulary(project.tags)
    data: dict[Stored, str] = {}
    keys: dict[Stored, str] = {}
    for schema in schemas:
        tables = project.folders.get(project.folder_of(schema), {})
        people = _keys_of_people(tables)
        for table in tables.values():
            for column in table.columns:
                stored = Stored(schema, table.name, column.name)
                data[stored] = _why_data(column, tags)
                keys[stored] = _why_key(table, column, people)
    return Personal(_those_that_are(data), _those_that_are(keys))


def _those_that_are(why: Mapping[Stored, str]) -> Mapping[Stored, str]:
    return {stored: reason for stored, reason in why.items() if reason}


def _why_data(column: Column, tags: Vocabulary) -> str:
    tagged = [tag.name for tag in map(tags.find, column.tags) if tag is not None and tag.pii]
    if tagged:
        return f"it is tagged `{tagged[0]}`"
    return "it is marked `pii: true`" if column.pii else ""


def _is_person(tag: str) -> bool:
    return tag == "ck" or tag.startswith(("ck-", "fk-customer"))


def _keys_of_people(tables: Mapping[str, DomainTable]) -> frozenset[str]:
    """What other tables call the key of a table of people: `customer_id` for customer.id or customers.id, tagged ck."""
    keys = {
        table.name: table.primary_key[0]
        for table in tables.values()
        if len(table.primary_key) == 1 and any(map(_is_person, table.column(table.primary_key[0]).tags))
    }
    return frozenset(f"{name}_{key}" for table, key in keys.items() for name in (table, table.removesuffix("s")))


def _why_key(table: DomainTable, column: Column, people: frozenset[str]) -> str:
    tagged = [tag for tag in column.tags if _is_person(tag)]
    if tagged:
        return f"it is the key of a person, tagged `{tagged[0]}`"
    if column.name in people:
        return "it is the key of a person"
    about_one = any(_is_person(tag) for other in table.columns for tag in other.tags)
    return "it is the key of a row about one person" if about_one and table.primary_key == (column.name,) else ""
