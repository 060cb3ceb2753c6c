"""courier tables: the loaded domain tables, their columns and tags, and their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json
from courier.cli.project import find_root, place_of
from courier.cli.table import number, print_table
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.storage.inspect import Source, TableInfo, ViewInfo


@click.command(short_help="The domain tables, or the columns of one TABLE.")
@click.argument("table", required=False)
@click.option("--hash", "hashes", is_flag=True, help="A hash of each table's content, whatever its order and place.")
@click.option("--tag", metavar="TAG", help="The columns that carry a tag: email, or txn-item/* for a group of them.")
@click.option("--profile", is_flag=True, help="How filled, unique and well-formed tagged columns are; order items too.")
@project_option
@sandbox_option
@json_option
def tables(
    table: str | None,
    hashes: bool,
    tag: str | None,
    profile: bool,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
) -> None:
    """List the domain tables, or the columns of one TABLE such as shopify.order."""
    from courier.cli.published import looking
    from courier.cli.tags import show_profile, show_tagged
    from courier.storage.inspect import described

    if hashes and (tag or profile):
        raise UsageError("--hash is of whole tables: it goes neither with --tag nor with --profile")
    with looking(place_of(find_root(root), sandbox)) as source:
        if profile:
            show_profile(source, tag, table, sandbox, as_json)
        elif tag:
            show_tagged(described(source), tag, table, sandbox, as_json)
        else:
            _show_tables(source, table, hashes, sandbox, as_json)
    if not as_json:
        mark(sandbox)


def _show_tables(source: Source, table: str | None, hashes: bool, sandbox: bool, as_json: bool) -> None:
    from courier.storage.inspect import tables as list_tables
    from courier.storage.inspect import views as list_views

    found, views = list_tables(source, hashes=hashes), list_views(source)
    if table is not None:
        _check_name(table, found, views)
        found = [one for one in found if one.table == table]
        views = [one for one in views if one.view == table]
    if as_json:
        listed = {"tables": [asdict(one) for one in found], "views": [asdict(one) for one in views]}
        print_json({"version": 1, "sandbox": sandbox, **listed})
    elif table is None or hashes:
        _list(found, views, hashes)
    else:
        _columns(found, views)


def _check_name(table: str, found: Sequence[TableInfo], views: Sequence[ViewInfo]) -> None:
    """Raises UsageError where there is no such table or view, with the name that was probably meant."""
    from courier.config.suggestions import did_you_mean

    names = [one.table for one in found] + [one.view for one in views]
    if table not in names:
        raise UsageError(f"there is no table {table!r}", fix=did_you_mean(table, names))


def _list(found: Sequence[TableInfo], views: Sequence[ViewInfo], hashes: bool) -> None:
    columns = ["table", "kind", "rows", "primary key", "columns", *(["hash"] if hashes else [])]
    rows = [
        (one.table, "table", number(one.rows), ", ".join(one.primary_key), len(one.columns), *([one.hash] * hashes))
        for one in found
    ]
    rows += [(one.view, "view", number(one.rows), "", len(one.columns), *([""] * hashes)) for one in views]
    print_table(columns, sorted(rows), right=["rows", "columns"])


def _columns(found: Sequence[TableInfo], views: Sequence[ViewInfo]) -> None:
    listed: list[TableInfo | ViewInfo] = [*found, *views]
    rows = [
        (column.name, column.type, ", ".join(column.tags), "pii" if column.pii else "", column.status)
        for one in listed
        for column in one.columns
    ]
    print_table(["column", "type", "tags", "pii", "status"], rows)
