"""The URL of Postgres, resolved at the last moment and judged before anything connects. It is a secret as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from courier.config.project import Destination, SecretRef
from courier.config.secrets import resolve
from courier.errors import ConfigurationError, CredentialMissing

FORM = "postgresql://user:password@host:5432/database"
SANDBOX = "_sandbox"
LONGEST_NAME = 63  # bytes; of a longer name Postgres takes the beginning, which may be another database
_PORT = 5432
_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._,-]*)(?::[0-9]+)?")
_QUERY = re.compile(r"(?:[A-Za-z_]+=[^&=]*(?:&(?!$)|$))*")
# Said once, before the `?`: behind it they would win, and a message would name another server.
_SAID_BEFORE = frozenset(("dbname", "host", "hostaddr", "password", "port", "service", "user"))


@dataclass(frozen=True)
class PostgresUrl:
    """A database of a server. `url` holds the password; as text it is `shop at db.example.com:5432`."""

    url: str = field(repr=False)
    host: str
    port: int
    database: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.database} at {host}:{self.port}"


def resolve_postgres(
    root: Path, destination: Destination, environ: Mapping[str, str], *, sandbox: bool = False
) -> PostgresUrl:
    """The database of a project at `root` whose destination is Postgres; the sandbox has its own, beside it.

    Raises CredentialMissing where the URL is not set, and ConfigurationError where it is none of a Postgres database
    or where a file that should hold it cannot be read. No message holds anything of the URL.
    """
    ref = destination.url
    if ref is None:
        raise AssertionError("the project's destination is not Postgres")
    url = resolve(root, [ref], environ)[ref]
    if url is None:
        raise _missing(ref)
    try:
        return parse_postgres_url(url, sandbox=sandbox)
    except ValueError as error:
        message = f"{ref.name} ({ref.path}:{ref.line}) is no URL of a Postgres database: {error}"
        raise ConfigurationError(message, fix=f"Set it to {FORM}.") from None


def parse_postgres_url(url: str, *, sandbox: bool = False) -> PostgresUrl:
    """Raises ValueError, whose text says what is wrong without a word of the URL."""
    parts = _split(url)
    host, port = parts.hostname, parts.port
    if not host or "," in host:
        raise ValueError("it does not name one host")
    if not parts.username:
        raise ValueError("it names no user")
    if not _options(parts.query).isdisjoint(_SAID_BEFORE):
        raise ValueError("what is before the `?` is said once more behind it")
    database = _database(parts.path, SANDBOX if sandbox else "")
    return PostgresUrl(parts._replace(path="/" + quote(database, safe="")).geturl(), host, port or _PORT, database)


def _split(url: str) -> SplitResult:
    """The parts of a URL that libpq and Python read alike."""
    if not url.startswith("postgresql://"):
        raise ValueError("it does not begin with postgresql://")
    if re.search(r"[^\x21-\x7e]|%(?![0-9A-Fa-f]{2})|%00|#", url) or url.count("@") > 1:
        raise ValueError("a special character is not written as %XX (@ is %40, # is %23, / is %2F, % is %25)")
    try:
        unquote(url, errors="strict")
        parts = urlsplit(url)
        if parts.port == 0 or not _SERVER.fullmatch(parts.netloc.rpartition("@")[2]):
            raise ValueError
    except ValueError:  # its text holds what it could not read, which may be half a password
        raise ValueError(
            "it cannot be read: perhaps its host or port, or a `/` or `?` is not written as %2F or %3F"
        ) from None
    return parts


def _options(query: str) -> set[str]:
    """The names of what is behind the `?`. libpq shows what it cannot read there, so that is refused here."""
    if not _QUERY.fullmatch(query):
        raise ValueError("what is behind the `?` is not written as name=value&name=value")
    return {option.partition("=")[0] for option in query.split("&")}


def _database(path: str, ending: str) -> str:
    name = unquote(path.removeprefix("/"))
    if not name or "/" in path.removeprefix("/"):
        raise ValueError("it does not name one database")
    if len((name + ending).encode()) > LONGEST_NAME:
        most = LONGEST_NAME - len(ending)
        raise ValueError(
            f"its database's name has more than {most} bytes" + (", which the sandbox needs" * bool(ending))
        )
    return name + ending


def _missing(ref: SecretRef) -> CredentialMissing:
    fix = (
        f"Set it in the environment or in .env, or put it into a file named by {ref.name}_FILE: {FORM}. "
        "Without courier.yaml the rows go into a DuckDB file, which needs no server."
    )
    return CredentialMissing(f"not set: {ref.name} ({ref.path}:{ref.line})", fix=fix)
