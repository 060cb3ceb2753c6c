"""Mistakes in a project that only this connector can see."""

from __future__ import annotations

import re
from collections.abc import Iterator

from courier.clock import Interval
from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Column, Courier, DomainTable, Feed, Project, Source
from courier.config.suggestions import did_you_mean
from courier.connectors.contract import Request
from courier.connectors.shopify.bulk.documents import obstacle
from courier.connectors.shopify.computed import COMPUTED
from courier.connectors.shopify.graph import ROOTS, link
from courier.connectors.shopify.ways import planned

_VERSION = re.compile(r"(\d{4}-(01|04|07|10)|unstable)")


def check(project: Project, courier: Courier) -> list[Problem]:
    """All of them, in the order of the courier's feeds."""
    problems = list(_version(project, courier))
    in_bulk: list[Feed] = []
    for feed in courier.feeds:
        found = list(_table(project, feed.table))
        if feed.mode == "bulk" and not found:
            found += _mode(project, courier, feed, in_bulk)
            in_bulk += [] if found else [feed]
        problems += found
    return problems


def _mode(project: Project, courier: Courier, feed: Feed, others: list[Feed]) -> Iterator[Problem]:
    """A feed for which bulk is asked must be one that can be had so, beside the `others` of its root record."""
    root = feed.table.rows.root
    feeds = (*(other for other in others if other.table.rows.root == root), feed)
    parents = {one.name: one.table for one in courier.feeds if one.name in {other.table.parent for other in feeds}}
    why = obstacle(planned(Request(root, root, feeds, parents, Interval(None, None))), feeds)
    if why:
        message = f"`{feed.name}` cannot be had in bulk: {why}"
        fix = "Delete `mode: bulk`: it is read by pages."
        yield problem_at(project, courier.path, ("feeds", feed.name, "mode"), "mode", message, fix)


def _version(project: Project, courier: Courier) -> Iterator[Problem]:
    if courier.api_version and not _VERSION.fullmatch(courier.api_version):
        message = f"`{courier.api_version}` is not a version of Shopify's API"
        fix = "Write the year and one of the months 01, 04, 07 and 10: 2026-10."
        yield problem_at(project, courier.path, ("api_version",), "api-version", message, fix)


def _table(project: Project, table: DomainTable) -> Iterator[Problem]:
    if table.rows.root not in ROOTS:
        message = f"`{table.rows.root}` is not a record type that this connector can read"
        yield problem_at(project, table.path, ("rows",), "unknown-rows", message, did_you_mean(table.rows.root, ROOTS))
        return
    for column in table.columns:
        for source in column.sources:
            for rule, message, fix in _source(table, column, source):
                yield problem_at(project, table.path, ("columns", column.name), rule, message, fix)


def _source(table: DomainTable, column: Column, source: Source) -> Iterator[tuple[str, str, str]]:
    if source.kind == "computed":
        yield from _computed(table, source.steps[0].name)
    elif source.kind == "field":
        yield from _field(table, column, source)


def _computed(table: DomainTable, name: str) -> Iterator[tuple[str, str, str]]:
    known = {computed.name: computed for computed in COMPUTED}
    if name not in known:
        yield "unknown-computed", f"Shopify's connector computes no `{name}`", did_you_mean(name, known)
    elif known[name].rows != str(table.rows):
        rows = known[name].rows
        yield (
            "unknown-computed",
            f"`computed.{name}` belongs to rows of `{rows}`, not of `{table.rows}`",
            f"Use it in a domain table with `rows: {rows}`.",
        )


def _field(table: DomainTable, column: Column, source: Source) -> Iterator[tuple[str, str, str]]:
    """A path must not go through a connection, whose records are rows of their own, nor end at an object."""
    owner: str | None = table.rows.root
    for names in table.rows.lists[: len(table.rows.lists) - source.climb]:
        for name in names:
            owner = _target(owner, name)
    for number, step in enumerate(source.steps):
        found = link(owner, step.name)
        if found and found.first:
            rows = f"{table.rows}.{step.name}[]"
            message = f"`{step.name}` leads to many records, which are rows of their own"
            yield "unusable-from", message, f"Make a domain table with `rows: {rows}`."
            return
        owner = found.type if found else None
        if found and number == len(source.steps) - 1:
            message = f"`{source.text or step.name}` is an object of the type {found.type}, not a value"
            yield "unusable-from", message, f"Add the field of it that `{column.name}` is to hold."


def _target(owner: str | None, name: str) -> str | None:
    found = link(owner, name)
    return found.type if found else None
