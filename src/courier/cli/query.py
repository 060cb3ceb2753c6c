"""courier query: SQL over the published tables, read-only."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from courier.cli.options import project_option, sandbox_option
from courier.cli.output import print_table, say
from courier.cli.project import find_root
from courier.errors import UsageError

FORMATS = ("table", "csv", "json", "jsonl")
BARE_ORDER = re.compile(r"(?<![\w.\"])order\s*\.\s*\w|\b(?:from|join)\s+order\b", re.IGNORECASE)


@click.command()
@click.argument("sql", required=False)
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the SQL here.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@project_option
@sandbox_option
def query(sql: str | None, file: Path | None, form: str, as_json: bool, root: Path | None, sandbox: bool) -> None:
    """Ask the published tables a question in SQL: courier query "select count(*) from shopify.customer"."""
    from courier.cli.published import published_file
    from courier.storage.inspect import query as ask

    if (sql is None) == (file is None):
        raise UsageError("give the SQL, or --file with a file that holds it", fix='courier query "select 1"')
    statement = sql if sql is not None else file.read_text(encoding="utf-8") if file else ""
    try:
        with ask(published_file(find_root(root), sandbox), statement) as answer:
            show(answer.columns, answer.rows, "json" if as_json else form)
    except UsageError as wrong:
        wrong.fix = hint(statement) or wrong.fix
        raise
    if sandbox:
        say("(sandbox)")


def hint(statement: str) -> str:
    """What people trip over: `order` is a reserved word."""
    if BARE_ORDER.search(statement):
        return "order is a reserved word: write `from shopify.order as o` and `o.id`"
    return ""


def show(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> None:
    """The result on stdout. Decimals are text in JSON, so that none is rounded."""
    if form == "table":
        print_table(columns, rows)
    elif form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(rows)
    elif form == "jsonl":
        for record in _records(columns, rows):
            click.echo(_json(record))
    else:
        click.echo(_json({"version": 1, "columns": list(columns), "rows": list(_records(columns, rows))}))


def _records(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[dict[str, Any]]:
    return (dict(zip(columns, row, strict=True)) for row in rows)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    from datetime import datetime

    from courier.clock import rfc3339

    return rfc3339(value) if isinstance(value, datetime) and value.tzinfo else str(value)
