"""courier tables: the published domain tables, their columns and tags, and their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json
from courier.cli.project import find_root
from courier.cli.table import number, print_table
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.storage.inspect import TableInfo


@click.command(short_help="The domain tables, or the columns of one TABLE.")
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
    listed = found if table is None else [_named(table, found)]
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "tables": [asdict(one) for one in listed]})
        return
    if table is None or hashes:
        _list(listed, hashes)
    else:
        _columns(listed[0])
    mark(sandbox)


def _named(table: str, found: Sequence[TableInfo]) -> TableInfo:
    """The table of that name. Raises UsageError, with the name that was probably meant."""
    from courier.config.suggestions import did_you_mean

    for one in found:
        if one.table == table:
            return one
    raise UsageError(f"there is no table {table!r}", fix=did_you_mean(table, [one.table for one in found]))


def _list(found: Sequence[TableInfo], hashes: bool) -> None:
    columns = ["table", "rows", "primary key", "columns", *(["hash"] if hashes else [])]
    rows = [
        (one.table, number(one.rows), ", ".join(one.primary_key), len(one.columns), *([one.hash] if hashes else []))
        for one in found
    ]
    print_table(columns, rows, right=["rows", "columns"])


def _columns(found: TableInfo) -> None:
    rows = [
        (column.name, column.type, ", ".join(column.tags), "pii" if column.pii else "", column.status)
        for column in found.columns
    ]
    print_table(["column", "type", "tags", "pii", "status"], rows)
