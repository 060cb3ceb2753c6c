"""What is loaded, for the commands that read it: the published file, or the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from courier.errors import UsageError
from courier.runtime.place import Place

if TYPE_CHECKING:
    from courier.storage.inspect import Answer, Source


@contextmanager
def looking(place: Place) -> Iterator[Source]:
    """What `courier tables` reads. Raises UsageError while nothing has been loaded."""
    from courier.storage.inspect import has_ledger, open_published
    from courier.storage.postgres.snapshot import snapshot

    if place.database is None:
        with open_published(_published_file(place)) as connection:
            yield connection
        return
    with snapshot(place.database, place.state if place.state.is_dir() else None) as taken:
        taken.copy_ledger()
        if not has_ledger(taken.connection):
            raise _not_yet(f"the database {place.database.shown} is empty", place.sandbox)
        yield taken


@contextmanager
def asking(place: Place, sql: str) -> Iterator[Answer]:
    """The answer to one reading statement. Raises UsageError for any other, for mistakes, and as `looking` does."""
    from courier.storage.inspect import query

    if place.database is None:
        with query(_published_file(place), sql) as answer:
            yield answer
        return
    from courier.storage.postgres.asking import ask

    with ask(place.database, sql) as answer:
        yield answer


def _published_file(place: Place) -> Path:
    """The file that people and BI tools open."""
    path = place.files.published
    if not path.exists():
        raise _not_yet(f"{path.name} is not there yet", place.sandbox)
    return path


def _not_yet(why: str, sandbox: bool) -> UsageError:
    again = "courier run --group shopify --sandbox"
    if not sandbox:
        again = f"courier run --group shopify; or look at made-up data: {again}, and --sandbox here too"
    return UsageError(f"{why}: nothing has been loaded", fix=again)
