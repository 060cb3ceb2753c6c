"""The URL of Postgres: read as libpq reads it, or refused without a word of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn

from courier.config.load import load_project
from courier.config.postgres_url import LONGEST_NAME, PostgresUrl, parse_postgres_url, resolve_postgres
from courier.config.project import Project
from courier.errors import ConfigurationError, CredentialMissing
from tests.config.projects import write_project
from tests.postgres_server import beside, execute

URL = "postgresql://me:hunter2@db.example.com:6432/shop?sslmode=require"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=15)  # at most 60 bytes


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = load_project(write_project(tmp_path, {"courier.yaml": "destination: postgres\n"})).project
    assert found is not None
    return found


@pytest.mark.parametrize(
    "environ", [{"COURIER_POSTGRES_URL": URL}, {"COURIER_POSTGRES_URL_FILE": "url"}], ids=["variable", "file"]
)
def test_it_is_found_like_every_other_secret(project: Project, environ: dict[str, str]) -> None:
    (project.root / "url").write_text(f"{URL}\n")
    assert resolve_postgres(project.root, project.destination, environ) == PostgresUrl(
        URL, "db.example.com", 6432, "shop"
    )


def test_the_sandbox_has_a_database_of_its_own(project: Project) -> None:
    """So that made-up rows never meet real ones; what else the URL says stays."""
    (project.root / ".env").write_text(f"COURIER_POSTGRES_URL={URL}\n")
    sandbox = resolve_postgres(project.root, project.destination, {}, sandbox=True)
    assert sandbox.url == URL.replace("/shop?", "/shop_sandbox?")
    assert str(sandbox) == "shop_sandbox at db.example.com:6432"


def test_a_url_that_is_not_set_is_named_with_its_place(project: Project) -> None:
    with pytest.raises(CredentialMissing) as caught:
        resolve_postgres(project.root, project.destination, {})
    assert caught.value.message == "not set: COURIER_POSTGRES_URL (courier.yaml:1)"
    assert "postgresql://user:password@host:5432/database" in caught.value.fix
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("sandbox", [False, True])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hunter2", "it does not begin with postgresql://"),
        ("mysql://me:hunter2@db/shop", "it does not begin with postgresql://"),
        ("postgresql://me:hunter2@db", "it does not name one database"),
        ("postgresql://me:hunter2@db/", "it does not name one database"),
        ("postgresql://me:hunter2@db/shop/hunter2", "it does not name one database"),
        ("postgresql://me:hunter2@/shop", "it does not name one host"),
        ("postgresql://me:hunter2@one,two/shop", "it does not name one host"),
        ("postgresql:///shop?user=me&password=hunter2", "it does not name one host"),
        ("postgresql://db/shop?password=hunter2", "it names no user"),
        ("postgresql://me@db/shop?password=hunter2", "said once more behind it"),
        ("postgresql://me:hunter2@db/shop?dbname=other", "said once more behind it"),
        ("postgresql://me:hunter2@db:0/shop", "it cannot be read"),
        ("postgresql://me:hunter2@db:port/shop", "it cannot be read"),
        ("postgresql://me:hunter2/@db/shop", "it cannot be read"),
        ("postgresql://me:hunter2?@db/shop", "it cannot be read"),
        ("postgresql://me:hunter2@[db/shop", "it cannot be read"),
        ("postgresql://me:hunter2@db/sh%ffop", "it cannot be read"),
        ("postgresql://me:hunter2@db/shop?hunter2", "name=value"),
        ("postgresql://me:hunter2#@db/shop", "is not written as %XX"),
        ("postgresql://me:hunter2@@db/shop", "is not written as %XX"),
        ("postgresql://me:hunter2%@db/shop", "is not written as %XX"),
        ("postgresql://me:hunter2é@db/shop", "is not written as %XX"),
        ("postgresql://me:hunter 2@db/shop", "is not written as %XX"),
        (f"postgresql://me:hunter2@db/{'s' * 64}", "more than"),
    ],
)
def test_what_is_no_url_of_a_database_is_refused_and_not_shown(
    project: Project, url: str, said: str, sandbox: bool
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_postgres(project.root, project.destination, {"COURIER_POSTGRES_URL": url}, sandbox=sandbox)
    assert said in caught.value.message
    assert caught.value.message.startswith("COURIER_POSTGRES_URL (courier.yaml:1) is no URL of a Postgres database: ")
    assert "hunter" not in f"{caught.value.message} {caught.value.fix}"
    assert caught.value.__suppress_context__
    assert caught.value.exit_code == 3


@given(NAMES, NAMES, NAMES, st.one_of(st.none(), st.integers(1, 65535)), st.booleans())
def test_any_name_and_password_can_be_written(user: str, word: str, name: str, port: int | None, bare: bool) -> None:
    """Law: written as %XX they are taken, libpq reads the same server and database, and no text shows the password."""
    written = [quote(one, safe="") for one in (user, word, name)]
    at = f"[::1]:{port}" if port else "db"
    url = f"postgresql://{written[0]}{'' if bare else ':' + written[1]}@{at}/{written[2]}"
    found = parse_postgres_url(url)
    dsn = parse_dsn(found.url)
    assert (found.host, found.database) == (dsn["host"], dsn["dbname"]) == ("::1" if port else "db", name)
    assert str(found.port) == dsn.get("port", "5432")
    assert (dsn["user"], dsn.get("password")) == (user, None if bare else word)
    assert url not in repr(found)


PIECES = st.text(st.sampled_from("abA:@/%[]=&,51"), min_size=1, max_size=4)


@given(PIECES, PIECES, PIECES, st.sampled_from(["", "?", "?=", "?a", "?sslmode=a&port=1", "?sslmode=a&d%62name=b"]))
@example("a:b", "[::1]:5", "d", "?sslmode=a")
def test_whatever_is_taken_libpq_reads_alike(user: str, host: str, name: str, options: str) -> None:
    """Law: no text is a URL of one database here and of another one, or of none, to libpq."""
    try:
        found = parse_postgres_url(f"postgresql://{user}@{host}/{name}{options}")
    except ValueError:
        return
    dsn = parse_dsn(found.url)
    assert (found.host, str(found.port), found.database) == (
        dsn["host"].lower(),
        dsn.get("port", "5432"),
        dsn["dbname"],
    )


def test_a_longer_name_would_be_another_database(database: str) -> None:
    """Why a name's length is judged: Postgres takes the beginning of a longer one."""
    real = "r" * LONGEST_NAME
    execute(database, f"CREATE DATABASE {real}")
    try:
        with psycopg2.connect(beside(database, real + "_sandbox")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (real,)
        connection.close()
    finally:
        execute(database, f"DROP DATABASE {real} WITH (FORCE)")
