"""A person's question to a database: every type can be shown, mistakes are told, and nothing can be changed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from courier.errors import UsageError
from courier.storage.postgres.asking import ask
from courier.storage.postgres.database import Postgres
from tests.postgres_server import beside, execute

MADE = (
    "CREATE SCHEMA shop",
    "CREATE SEQUENCE shop.number",
    "CREATE TABLE shop.person AS SELECT 1 AS id, 'ada@b.co' AS email",
    """CREATE FUNCTION shop.sneaky() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('transaction_read_only', 'off', false); DELETE FROM shop.person; RETURN 1; END $$""",
)


@pytest.fixture(scope="module")
def shop(postgres_url: str) -> Iterator[Postgres]:
    """A database with a person in it, for tests that cannot change it."""
    name = f"courier_test_{secrets.token_hex(6)}"
    execute(postgres_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    execute(beside(postgres_url, name), *MADE)
    yield Postgres(beside(postgres_url, name), "people at here")
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def rows(shop: Postgres, sql: str) -> list[tuple[Any, ...]]:
    with ask(shop, sql) as answer:
        return list(answer.rows)


def refused(shop: Postgres, sql: str) -> str:
    with pytest.raises(UsageError) as wrong:
        rows(shop, sql)
    return wrong.value.message


def test_every_type_of_postgres_can_be_shown(shop: Postgres) -> None:
    """Those that Arrow has no place for, too: infinity, ranges, records."""
    values = {
        "'infinity'::timestamptz": "infinity",
        "'0044-03-15 BC'::date": "0044-03-15 BC",
        "int4range(1, 3)": "[1,3)",
        "row(1, 'a')": "(1,a)",
        "'10.0.0.1'::inet": "10.0.0.1/32",
        "array[1.10, null]": [Decimal("1.10"), None],
        "array['a \"b\"', null]": ['a "b"', None],
        "interval '1 day'": "1 day",
        "'{\"a\": 1}'::jsonb": '{"a": 1}',
        "12345678901234567890.10::numeric": Decimal("12345678901234567890.10"),
        "0.1::float8 + 0.2": 0.30000000000000004,
        "null": None,
        "false": False,
    }
    (found,) = rows(shop, f"select {', '.join(values)}")
    assert list(found) == list(values.values())


def test_types_have_duckdbs_names(shop: Postgres) -> None:
    """So that numbers are known as such when they are printed."""
    sql = "select 1::int8, 1::int4, 1.5, 1::float8, 'a'::varchar(3), true, now(), array['a'], current_date"
    with ask(shop, sql) as answer:
        assert answer.types == (
            *("BIGINT", "INTEGER", "DECIMAL", "DOUBLE", "VARCHAR", "BOOLEAN"),
            *("TIMESTAMP WITH TIME ZONE", "VARCHAR[]", "DATE"),
        )


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as a;",
        "select 1 as a -- one; -- two",
        "/* one */ (select 1 as a); -- done",
        "with x(a) as (values (1)) table x",
        "select 1 as a, 1 as a",
    ],
)
def test_a_statement_may_be_written_as_people_write_it(shop: Postgres, sql: str) -> None:
    assert {*rows(shop, sql)[0]} == {1}


def test_the_order_is_that_of_the_statement(shop: Postgres) -> None:
    found = rows(shop, "select n from generate_series(1, 50000) n order by n % 7, n desc")
    assert found == [(n,) for n in sorted(range(1, 50001), key=lambda n: (n % 7, -n))]


def test_explain_and_show_are_questions_too(shop: Postgres) -> None:
    assert rows(shop, "show transaction_read_only") == [("on",)]
    assert "Seq Scan" in rows(shop, "explain analyze select * from shop.person")[0][0]


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT; DROP TABLE shop.person",
        "select 1; DROP TABLE shop.person",
        "DROP TABLE shop.person",
        "SET default_transaction_read_only = off",
        "with gone as (delete from shop.person returning *) select * from gone",
        "explain analyze delete from shop.person",
        "select * into shop.other from shop.person",
        "select * from shop.person for update",
        "select nextval('shop.number')",
        "explain analyze select nextval('shop.number')",
        "select set_config('transaction_read_only', 'off', false)",
        "select shop.sneaky()",
        "select lo_import('/etc/passwd')",
        "do $$ begin delete from shop.person; end $$",
        "copy shop.person to stdout",
        "select 1) to stdout; drop table shop.person; --",
        "select",
        "",
    ],
)
def test_nothing_can_be_changed(shop: Postgres, sql: str) -> None:
    """Refused in a sentence, and without effect."""
    assert refused(shop, sql)
    assert rows(shop, "select (select count(*) from shop.person), is_called from shop.number") == [(1, False)]


def test_what_is_not_refused_does_not_outlast_the_query(shop: Postgres) -> None:
    """A large object may be made in a transaction that only reads; it goes with it."""
    assert rows(shop, "select lo_creat(-1) > 0, set_config('default_transaction_read_only', 'off', false)")
    assert rows(shop, "select count(*) from pg_largeobject_metadata") == [(0,)]
    assert rows(shop, "show default_transaction_read_only") == [("on",)]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select nothing from shop.person", 'column "nothing" does not exist\nLINE 1: select nothing from'),
        ("select * from shop.persn", 'relation "shop.persn" does not exist'),
        ("select email::int from shop.person", "invalid input syntax for type integer: a value"),
        ("select email::json from shop.person", "invalid input syntax for type json"),
        ("select 10 / (id - 1) from shop.person", "division by zero"),
        ("select 1; select 2", "A query is one statement; this is several."),
        ("delete from shop.person", "A query may only read, and this is DELETE."),
    ],
)
def test_a_mistake_is_told_without_a_value(shop: Postgres, sql: str, said: str) -> None:
    message = refused(shop, sql)
    assert message.startswith(said)
    assert "ada" not in message


def test_rows_come_as_they_are_asked_for(shop: Postgres) -> None:
    """Of more rows than could ever be read the first is there at once, and nobody goes on with the rest."""
    many = ", ".join(f"pg_attribute a{n}" for n in range(6))
    with ask(shop, f"select 1 from {many}") as answer:
        assert next(answer.rows) == (1,)
    busy = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    assert rows(shop, f"{busy} and query like '%pg_attribute a5%' and state = 'active'") == [(0,)]
