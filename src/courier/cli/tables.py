"""courier tables: the published domain tables, their columns and tags, and their hashes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import print_json, print_table, say
from courier.cli.project import find_root


@click.command()
@click.argument("table", required=False)
@click.option("--hash", "hashes", is_flag=True, help="A hash of each table's content, whatever its order and place.")
@project_option
@sandbox_option
@json_option
def tables(table: str | None, hashes: bool, root: Path | None, sandbox: bool, as_json: bool) -> None:
    """List the domain tables, or the columns of one TABLE such as shopify.order."""
    from courier.cli.published import published_file
    from courier.storage.inspect import open_published
    from courier.storage.inspect import tables as list_tables

    with open_published(published_file(find_root(root), sandbox)) as connection:
        found = list_tables(connection, hashes=hashes)
    listed = [one for one in found if table is None or one.table == table]
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "tables": [asdict(one) for one in listed]})
    elif table is None:
        _list(listed, hashes)
    else:
        _columns(listed)
    if sandbox:
        say("(sandbox)")


def _list(found: list[Any], hashes: bool) -> None:
    columns = ["table", "rows", "primary key", "columns", *(["hash"] if hashes else [])]
    rows = [
        (one.table, f"{one.rows:,}", ", ".join(one.primary_key), len(one.columns), *([one.hash] if hashes else []))
        for one in found
    ]
    print_table(columns, rows, right=["rows", "columns"])


def _columns(found: list[Any]) -> None:
    rows = [
        (column.name, column.type, ", ".join(column.tags), "pii" if column.pii else "", column.status)
        for one in found
        for column in one.columns
    ]
    print_table(["column", "type", "tags", "pii", "status"], rows)
