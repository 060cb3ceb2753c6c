"""courier query: SQL over the loaded tables, read-only."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from courier.cli.options import project_option, sandbox_option
from courier.cli.output import as_json as json_text
from courier.cli.output import plural, say
from courier.cli.project import find_root, place_of
from courier.cli.table import print_table
from courier.clock import rfc3339
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.storage.inspect import Answer

FORMATS = ("table", "csv", "json", "jsonl")
BARE_ORDER = re.compile(r"(?<![\w.\"])order\s*\.\s*\w|\b(?:from|join)\s+order\b", re.IGNORECASE)
NUMBERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|FLOAT|DOUBLE")
# DuckDB quotes the value that it could not convert, and it may be a customer's.
VALUE = re.compile(r"'.*'", re.DOTALL)


@click.command(short_help="Ask the published tables a question in SQL.")
@click.argument("sql", required=False)
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the SQL here.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True, help="How to print the rows."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json: one JSON object on stdout.")
@project_option
@sandbox_option
def query(sql: str | None, file: Path | None, form: str, as_json: bool, root: Path | None, sandbox: bool) -> None:
    """Ask the published tables a question in SQL: courier query "select count(*) from shopify.customer".

    Nothing can be changed by it. The SQL is that of the destination, DuckDB or Postgres. Decimals are strings in JSON,
    times are RFC 3339 in UTC.
    """
    from courier.cli.published import asking

    if (sql is None) == (file is None):
        raise UsageError("give the SQL, or --file with a file that holds it", fix='courier query "select 1"')
    statement = sql if sql is not None else file.read_text(encoding="utf-8") if file else ""
    try:
        with asking(place_of(find_root(root), sandbox), statement) as answer:
            count = show(answer, "json" if as_json else form)
    except UsageError as wrong:
        raise explained(wrong, statement, sandbox) from None
    say(plural(count, "row") + (" (sandbox)" if sandbox else ""))


def explained(wrong: UsageError, statement: str, sandbox: bool) -> UsageError:
    """The error with what to do, and without the value that DuckDB quotes unless the person typed it."""
    message = wrong.message
    if message.startswith(("Conversion Error", "Invalid Input Error", "Out of Range Error")):
        head, line, rest = message.partition("\n\nLINE ")
        message = VALUE.sub("a value", head) + line + rest
    also = " --sandbox" if sandbox else ""
    fix = hint(statement) or wrong.fix or f"courier tables{also} lists the tables, courier tables TABLE{also} columns"
    return UsageError(message, fix=fix)


def hint(statement: str) -> str:
    """What people trip over: `order` is a reserved word."""
    if BARE_ORDER.search(statement):
        return "order is a reserved word: write `from shopify.order as o` and `o.id`"
    return ""


def show(answer: Answer, form: str) -> int:
    """The result on stdout; returns how many rows it has. Decimals are text in JSON, so that none is rounded."""
    columns = distinct(answer.columns)
    if form == "table":
        rows = [[_cell(value) for value in row] for row in answer.rows]
        named = zip(columns, answer.types, strict=True)
        print_table(columns, rows, [name for name, kind in named if NUMBERS.fullmatch(kind)])
        return len(rows)
    if form == "csv":
        return _csv(columns, answer.rows)
    records = (dict(zip(columns, row, strict=True)) for row in answer.rows)
    if form == "jsonl":
        return _lines(records)
    found = list(records)
    click.echo(json_text({"version": 1, "columns": columns, "rows": found}))
    return len(found)


def distinct(names: Sequence[str]) -> list[str]:
    """The columns' names, the second `id` as `id_2`: in JSON it would take the first one's place."""
    found: list[str] = []
    for name in names:
        again, unique = 1, name
        while unique in found:
            again += 1
            unique = f"{name}_{again}"
        found.append(unique)
    return found


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        count += 1
    return count


def _lines(records: Iterable[dict[str, Any]]) -> int:
    count = 0
    for record in records:
        click.echo(json_text(record))
        count += 1
    return count


def _cell(value: Any) -> Any:
    """One value as text: as in JSON, but that text has no quotes and null is empty."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | list | tuple | dict):
        return json_text(value)
    return rfc3339(value) if hasattr(value, "tzinfo") and hasattr(value, "date") and value.tzinfo else str(value)
