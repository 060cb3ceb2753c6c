"""The views over all sources: which tables and columns they have, what stands in them, and when they are made anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.cli.init import write_project as write_shop
from courier.config.column_types import TYPE_NAMES
from courier.config.load import load_project
from courier.storage.duck import connect
from courier.storage.entities import TaggedTable, column_name, entities_of, entity_sql
from courier.storage.expressions import check_expressions
from courier.storage.inspect import open_published, tables, views
from courier.storage.warehouse import publish
from tests.config.projects import REPOSITORY, write_project
from tests.storage.loads import LINE, ORDER, SCHEMA, Shop
from tests.storage.tagged import create, load, made, table, tagged

if TYPE_CHECKING:
    from courier.storage.duck import Connection

STRING, INTEGER = "string", "integer"
CRM = table("crm", "person", name=(STRING, "surname"), number=(INTEGER, "ck"), mail=(STRING, "email"))
NEWS = table("news", "profile", key=(STRING, "ck"), mail=(STRING, "email"), city=(STRING, "city"))


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with connect(threads=1) as made_here:
        yield made_here


def columns(*given: TaggedTable, entity: str = "customer") -> list[str]:
    return [one.name for one in made(*given)[entity].columns]


@pytest.mark.parametrize(
    ("tags", "belongs"),
    [
        (("email",), {"customer"}),
        (("email-work",), {"customer"}),
        (("loyalty-id", "ck"), {"customer"}),
        (("address", "city", "ck"), {"customer"}),  # a customer's address
        (("address", "fk-customer-id"), {"customer"}),
        (("address", "city"), set()),  # a shop's
        (("ck", "pk", "update-dt"), set()),
        (("city", "birthdate"), set()),
        (("email-opt/email",), set()),  # what somebody agreed to is no customer record
        (("txn-item/order-id", "ck"), {"order_item"}),
        (("pc/product-id",), {"product"}),
        (("email", "pc/product-id", "txn-item/order-id"), {"customer", "product", "order_item"}),
    ],
)
def test_a_table_belongs_by_its_tags(tags: tuple[str, ...], belongs: set[str]) -> None:
    assert made(table("s", "t", **{f"c{n}": (STRING, tag) for n, tag in enumerate(tags)})).keys() == belongs


def test_columns_are_named_and_ordered_by_the_vocabulary() -> None:
    """Whatever order tables and columns come in; the key of a row stands for `pk`; a source's words stay its own."""
    mixed = table(
        "a", "t", z=(STRING, "email", "pk"), y=(STRING, "email-2"), x=(STRING, "given-name"), w=(STRING, "ck")
    )
    assert columns(mixed, CRM) == columns(CRM, mixed) == ["ck", "given_name", "surname", "email", "email_2"]
    assert columns(table("s", "t", a=(STRING, "txn-item/order-id"), b=(INTEGER, "fk-customer-id")), entity="order_item")
    assert [column_name(tag) for tag in ("txn-item/order-id", "source", "fk-Kunde Nr")] == [
        *("order_id", "source_", "fk_kunde_nr")
    ]


def test_keys_are_text_and_tags_have_the_type_of_the_vocabulary(connection: Connection) -> None:
    """One source's customer 7 is a number and another's a word; what cannot be cast is null and costs nobody a row."""
    items = table("crm", "item", q=(STRING, "txn-item/item-quantity"), o=(INTEGER, "txn-item/order-id"))
    rows: dict[str, Any] = {
        "person": [["Doe", 7, "a@b.co"]],
        "profile": [["x7", "c@d.co", "Rome"]],
        "item": [["3", 1], ["many", 2], [None, None]],
    }
    create(connection, (CRM, NEWS, items), rows)
    assert connection.execute("FROM semantic.customer ORDER BY source").fetchall() == [
        ("crm", "person", "0", "7", "Doe", "a@b.co", None),
        ("news", "profile", "0", "x7", None, "c@d.co", "Rome"),
    ]
    found = connection.execute("SELECT source_key, order_id, item_quantity FROM semantic.order_item ORDER BY 1")
    assert found.fetchall() == [("0", "1", 3), ("1", "2", None), ("2", None, None)]


def test_every_type_can_stand_under_every_tag(connection: Connection) -> None:
    """No pair of types makes a view that cannot be made, which would end the transaction."""
    kinds = (*TYPE_NAMES, "decimal(10,2)")
    tags = ("email", "birthdate", "update-dt", "txn-item/item-quantity", "txn-item/item-revenue", "ck")
    every = [table("s", f"t{n}", c=(kind, *tags)) for n, kind in enumerate(kinds)]
    create(connection, every, {one.name: [[None]] for one in every})
    for view in ("customer", "order_item"):
        assert connection.execute(f"SELECT count(*) FROM semantic.{view}").fetchone() == (len(kinds),)


VALUES = {STRING: st.sampled_from([None, "", "7", "seven"]), INTEGER: st.sampled_from([None, 0, 7])}
TAG_TYPES = {"ck": STRING, "email": STRING, "surname": STRING, "txn-item/item-quantity": INTEGER}


@st.composite
def sources(draw: st.DrawFn) -> tuple[list[TaggedTable], dict[str, list[list[Any]]]]:
    drawn, rows = [], {}
    for number in range(draw(st.integers(1, 3))):
        name = f"t{number}"
        kinds = draw(st.lists(st.sampled_from((STRING, INTEGER)), min_size=1, max_size=4))
        tags = st.lists(st.sampled_from(sorted(TAG_TYPES)), min_size=1, max_size=2, unique=True)
        drawn.append(table(f"s{number % 2}", name, **{f"c{n}": (kind, *draw(tags)) for n, kind in enumerate(kinds)}))
        rows[name] = draw(st.lists(st.tuples(*(VALUES[kind] for kind in kinds)).map(list), max_size=3))
    return drawn, rows


def cast(value: Any, wanted: str) -> Any:
    if value is None or wanted == STRING:
        return None if value is None else str(value)
    return int(value) if str(value).isdecimal() else None


def expected(one: TaggedTable, row: list[Any], tag: str) -> Any:
    """The first value, in the table's order, of the columns with the tag."""
    given_ = (cast(v, TAG_TYPES[tag]) for c, v in zip(one.columns, row, strict=True) if tag in c.tags)
    return next((value for value in given_ if value is not None), None)


@settings(max_examples=20, deadline=None)
@given(sources())
def test_a_view_is_its_tables_rows_and_nothing_else(
    given_: tuple[list[TaggedTable], dict[str, list[list[Any]]]],
) -> None:
    """As many rows as the tables have together, each with its own table's values: none lost, made up or mixed."""
    drawn, rows = given_
    with connect(threads=1) as connection:
        create(connection, drawn, rows)
        for name, entity in made(*drawn).items():
            tags = [column.tags[0] for column in entity.columns]
            wanted = {
                (one.schema, one.name, str(number), *(expected(one, row, tag) for tag in tags))
                for one in entity.tables
                for number, row in enumerate(rows[one.name])
            }
            found = connection.execute(f"FROM semantic.{name}").fetchall()
            assert len(found) == sum(len(rows[one.name]) for one in entity.tables)
            assert set(found) == wanted


def test_views_follow_the_tags(filed: Shop) -> None:
    """A tag appears with the next run, in the view and in the published copy; without a tag the view is gone.

    A run that describes nothing new makes nothing anew, and the tables' hashes do not know of the views.
    """
    row = [{"id": 1, "email": "a@b.co", "total": 2, "updated_at": "2026-01-01"}]
    assert load(filed, filed.rows_load(ORDER, row), run="1").changed
    assert filed.ask("FROM private.semantic.customer") == [(SCHEMA, "order", "1", "a@b.co")]
    assert not load(filed, filed.rows_load(ORDER, row), run="2").changed
    wider = tagged(ORDER, id="txn-item/order-id", total="txn-item/item-revenue")
    assert load(filed, filed.rows_load(wider, row), run="3").changed
    publish(filed.files)
    with open_published(filed.files.published) as published:
        (hashed,) = tables(published)
        assert published.execute("SELECT order_id, item_revenue FROM semantic.order_item").fetchall() == [("1", 2)]
        (customer, item) = views(published)
        assert (customer.view, item.view, item.rows) == ("semantic.customer", "semantic.order_item", 1)
        assert [(c.name, c.tags, c.pii) for c in customer.columns[-1:]] == [("email", ("email",), True)]
    bare = replace(ORDER, columns=tuple(replace(column, tags=()) for column in ORDER.columns))
    assert load(filed, filed.rows_load(bare, row), run="4").changed
    publish(filed.files)
    with open_published(filed.files.published) as published:
        assert views(published) == [] and tables(published)[0].hash == hashed.hash


def test_a_courier_adds_its_rows_to_the_others(shop: Shop) -> None:
    """Two schemas with tables of other names and columns; an alias is its tag; a key of two columns is a list."""
    person = tagged(
        replace(LINE, name="person", parent=None, primary_key=("id", "order_id")), title="addresss", id="ck"
    )
    load(shop, shop.rows_load(ORDER, [{"id": 1, "email": "a@b.co", "updated_at": "2026-01-01"}]))
    load(shop, shop.rows_load(person, [{"id": 5, "order_id": 6, "title": "1 High St"}]), schema="crm")
    assert shop.ask("FROM private.semantic.customer ORDER BY source") == [
        ("crm", "person", '["5","6"]', "5", None, "1 High St"),
        (SCHEMA, "order", "1", None, "a@b.co", None),
    ]
    assert shop.ask("SELECT tag FROM private.courier.semantic_tag WHERE column_name = 'title'") == [("address",)]


def test_a_project_tells_its_views_before_any_run(tmp_path: Path) -> None:
    """From the YAML alone, as the ledger has them once everything is loaded."""
    project = load_project(write_project(tmp_path)).project
    assert project is not None
    (customer,) = entities_of(project)
    assert [one.name for one in customer.tables] == ["customer"]
    assert "email" in entity_sql(customer)


def test_the_order_items_of_the_documentation_hold(tmp_path: Path) -> None:
    """Put into the table that `courier init` writes, they are a project without problems, and have what is promised."""
    write_shop(tmp_path)
    block = (REPOSITORY / "docs/semantic_views.md").read_text("utf-8").split("```yaml\ncolumns:\n")[1].split("```")[0]
    names = re.findall(r"^  (\w+):", block, re.MULTILINE)
    file = tmp_path / "domain_tables/shopify/order_line.yaml"
    kept = [line for line in file.read_text("utf-8").splitlines() if line.split(":")[0].strip() not in names]
    file.write_text("\n".join(kept) + "\n" + block, "utf-8")
    loaded = load_project(tmp_path)
    assert loaded.project is not None and not [*loaded.problems, *check_expressions(loaded.project)]
    (item,) = (one for one in entities_of(loaded.project) if one.name == "order_item")
    (line,) = (one for one in item.tables if one.schema == "shopify")
    given = [column for column in item.columns if any(origin.table == line for origin in column.origins)]
    assert line.name == "order_line" and len(given) == len(names)
