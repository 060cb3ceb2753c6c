"""A Postgres of the tests' own: a private cluster on loopback, and an empty database for each test that asks.

The cluster lives in a temporary folder and costs 0.6 s and 30 MB of memory, once per worker and only when a test asks
for it; a database costs 0.05 s. The shell that started the server waits for the end of its stdin, so the server goes
with the tests however they end, killed ones included.

COURIER_TEST_POSTGRES_URL names a server that is there already: its role must be allowed to make databases.
COURIER_REQUIRE_POSTGRES=1 fails, rather than skips, where there is no Postgres.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

NO_POSTGRES = (
    "no Postgres here: install its server (Debian: apt-get install postgresql; macOS: brew install postgresql)"
)
PASSWORD_BEGINS = "pg_made_up_"  # tests/leaks.py knows it: a test that prints it fails
PORTS_TO_TRY = 5  # a free port can be taken before the server has it
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "autovacuum=off",  # its worker is a superuser's, who alone may send it out of a database to be dropped
)
GUARD = """
"$1/pg_ctl" -D "$2/data" -l "$2/log" -o "$3" -w -t 60 start >&2 || exit 1
echo ready
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -w stop >&2
rm -rf "$2"
"""


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl: that of PATH, else the newest of Debian's, which PATH does not name."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: float(found.parent.name))
    candidates = [Path(on_path).parent] if on_path else debian[::-1]
    return next((found for found in candidates if (found / "pg_ctl").exists() and (found / "initdb").exists()), None)


@dataclass(frozen=True)
class Account:
    """Postgres refuses to run as root: then it runs as the user that its package made."""

    user: str | None

    def run(self, *command: str) -> None:
        done = subprocess.run(command, user=self.user, group=self.user, cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def popen(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            user=self.user,
            group=self.user,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the tests; the server ends after them
        )


@dataclass(frozen=True)
class Cluster:
    """A server's folder, and the URL of its database `postgres` as a role that may make databases: no superuser."""

    folder: Path
    url: str


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def initialise(bin_folder: Path, folder: Path, account: Account, password: str) -> None:
    (folder / "password").write_text(password)
    if account.user:
        for path in (folder, folder / "password"):
            shutil.chown(path, account.user, account.user)
    secret = f"--pwfile={folder / 'password'}"
    options = ("--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8", "--auth=scram-sha-256")
    account.run(str(bin_folder / "initdb"), "-D", str(folder / "data"), "-U", "postgres", secret, *options)


def start(bin_folder: Path, folder: Path, account: Account) -> tuple[subprocess.Popen[str], int]:
    for _ in range(PORTS_TO_TRY):
        port = free_port()
        options = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"port={port}"))
        guard = account.popen("sh", "-c", GUARD, "sh", str(bin_folder), str(folder), options)
        assert guard.stdout
        if guard.stdout.readline() == "ready\n":
            return guard, port
        guard.communicate()
    raise AssertionError(f"Postgres does not start: {(folder / 'log').read_text()}")


@contextmanager
def cluster(bin_folder: Path) -> Iterator[Cluster]:
    """A new server, stopped and removed at the end."""
    account = Account("postgres" if os.geteuid() == 0 else None)
    password = PASSWORD_BEGINS + secrets.token_hex(8)
    folder = Path(tempfile.mkdtemp(prefix="courier-postgres-"))
    try:
        initialise(bin_folder, folder, account, password)
        guard, port = start(bin_folder, folder, account)
        with guard:
            execute(url_of("postgres", password, port), f"CREATE ROLE courier LOGIN CREATEDB PASSWORD '{password}'")
            yield Cluster(folder, url_of("courier", password, port))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url_of(role: str, password: str, port: int) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/postgres"


def execute(url: str, *statements: str) -> None:
    """Each in a transaction of its own, as CREATE DATABASE demands."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)


def beside(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server with nothing of ours in it, and a role that may make databases."""
    given = os.environ.get("COURIER_TEST_POSTGRES_URL")
    found = binaries()
    if given:
        yield given
    elif found:
        with cluster(found) as server:
            yield server.url
    elif os.environ.get("COURIER_REQUIRE_POSTGRES") == "1":
        pytest.fail(NO_POSTGRES)
    else:
        pytest.skip(NO_POSTGRES)


@contextmanager
def empty_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database. It and its `_sandbox` are dropped afterwards, whoever is still connected."""
    name = f"courier_test_{secrets.token_hex(6)}"
    execute(postgres_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    yield beside(postgres_url, name)
    dropped = (f"DROP DATABASE IF EXISTS {gone} WITH (FORCE)" for gone in (name, f"{name}_sandbox"))
    execute(postgres_url, *dropped)


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database."""
    with empty_database(postgres_url) as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skipped test is easily overlooked among thousands: says so, once."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_POSTGRES in str(report.longrepr)]
    if skipped:
        terminalreporter.section("Postgres was not tested", yellow=True)
        tests = f"{len(skipped)} test{'s were' if len(skipped) > 1 else ' was'}"
        terminalreporter.write_line(f"{tests} skipped: {NO_POSTGRES}")
