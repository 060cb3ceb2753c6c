"""courier tables --tag and --profile: which columns carry a tag, and how good what they hold is. Never a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from courier import clock
from courier.cli.output import print_json
from courier.cli.table import number, print_table
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.storage.duck import Connection
    from courier.storage.inspect import Source
    from courier.storage.profile import ColumnProfile
    from courier.storage.transactions import Finding


def show_tagged(connection: Connection, tag: str, table: str | None, sandbox: bool, as_json: bool) -> None:
    """The columns of domain tables that carry the tag. Raises UsageError if there is none."""
    from courier.storage.profile import tagged_columns

    found = [one for one in tagged_columns(connection, _matches(tag)) if table in (None, one.table)]
    if not found:
        raise _no_column(connection, tag, table)
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "columns": [asdict(one) for one in found]})
        return
    rows = [(f"{one.table}.{one.column}", one.tag, one.type, "pii" if one.pii else "") for one in found]
    print_table(["column", "tag", "type", "pii"], rows)


def show_profile(source: Source, tag: str | None, table: str | None, sandbox: bool, as_json: bool) -> None:
    """How good the tagged columns are; then, unless something was chosen, the rules for order items."""
    from courier.storage.inspect import described
    from courier.storage.postgres.snapshot import Snapshot
    from courier.storage.profile import copy_tagged, profiles
    from courier.storage.transactions import VIEW, findings

    connection = described(source)
    if isinstance(source, Snapshot):
        copy_tagged(source, table)
    found = profiles(connection, _matches(tag or "*"), [table] if table else ())
    if not found:
        raise _no_column(connection, tag, table)
    checked = tag is None and table in (None, f"semantic.{VIEW}")
    made = findings(connection, clock.now()) if checked else []
    if as_json:
        columns, checks = [_column_as_json(one) for one in found], [asdict(one) for one in made]
        print_json({"version": 1, "sandbox": sandbox, "columns": columns, "transaction_checks": checks})
        return
    _print_columns(found)
    if made:
        click.echo()
        _print_findings(made)


def _matches(tag: str) -> Callable[[str], bool]:
    if tag.endswith("*"):
        return lambda carried: carried.startswith(tag[:-1])
    return lambda carried: carried == tag


def _no_column(connection: Connection, tag: str | None, table: str | None) -> UsageError:
    from courier.config.suggestions import did_you_mean
    from courier.storage.profile import tagged_columns

    known = tagged_columns(connection, _matches("*"))
    of = f" of {table}" if table else ""
    if tag is None:
        return UsageError(f"no column{of} carries a tag", fix="courier tables lists the tables and views")
    message = f"no column{of} carries the tag {tag!r}"
    return UsageError(message, fix=did_you_mean(tag, sorted({one.tag for one in known})))


def _column_as_json(one: ColumnProfile) -> dict[str, Any]:
    shares = {"completion": _share(one.filled, one.rows), "uniqueness": _share(one.distinct, one.rows)}
    invalid = None if one.invalid is None else _share(one.invalid, one.filled)
    return {**asdict(one), **shares, "invalid_share": invalid}


def _share(part: int, whole: int) -> Decimal | None:
    """A part from 0 to 1, with four digits; None of nothing."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001")) if whole else None


def _percent(part: int | None, whole: int) -> str:
    return "" if part is None or not whole else f"{100 * part / whole:.1f}%"


def _print_columns(found: Sequence[ColumnProfile]) -> None:
    rows = [
        (
            *(f"{one.table}.{one.column}", ", ".join(one.tags), number(one.rows)),
            *(_percent(one.filled, one.rows), _percent(one.distinct, one.rows)),
            *(_percent(one.invalid, one.filled), number(one.unfit) if one.unfit else ""),
        )
        for one in found
    ]
    numbers = ["rows", "filled", "unique", "invalid", "unfit"]
    print_table(["column", "tags", *numbers], rows, numbers)


def _print_findings(made: Sequence[Finding]) -> None:
    rows = [
        (one.check, one.source, *(("", "", f"needs {', '.join(map(_tag, one.needs))}") if one.needs else _counted(one)))
        for one in made
    ]
    print_table(["check of semantic.order_item", "source", "rows", "failing", ""], rows, ["rows", "failing"])


def _tag(column: str) -> str:
    return f"txn-item/{column.replace('_', '-')}"


def _counted(one: Finding) -> tuple[str, str, str]:
    return number(one.rows), number(one.failing), _percent(one.failing, one.rows) if one.failing else ""
