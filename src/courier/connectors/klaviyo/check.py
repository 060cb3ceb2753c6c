"""Problems of a project that only this connector can see."""

from __future__ import annotations

from collections.abc import Iterator

from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Courier, Feed, Project
from courier.config.suggestions import did_you_mean
from courier.connectors.klaviyo.endpoints import REVISION
from courier.connectors.klaviyo.roots import ROOTS

OF_EVENTS = ("Event", "MetricAggregate")


def check(project: Project, courier: Courier) -> list[Problem]:
    """Unknown record types, another revision, options that mean nothing here."""
    problems = [*_revision(project, courier)]
    for feed in courier.feeds:
        problems += _feed(project, courier, feed)
    return problems


def _revision(project: Project, courier: Courier) -> Iterator[Problem]:
    if courier.api_version not in (None, REVISION):
        message = f"this connector reads revision {REVISION} of Klaviyo's API, not `{courier.api_version}`"
        fix = f"Write `api_version: {REVISION}`."
        yield problem_at(project, courier.path, ("api_version",), "api-version", message, fix)


def _feed(project: Project, courier: Courier, feed: Feed) -> Iterator[Problem]:
    rows, table = feed.table.rows, feed.table
    root = ROOTS.get(rows.root)
    if root is None:
        message = f"`{rows.root}` is not a record type that this connector can read"
        yield problem_at(project, table.path, ("rows",), "unknown-rows", message, did_you_mean(rows.root, ROOTS))
        return
    below = [one.name for one in root.below]
    if rows.lists and (len(rows.lists) > 1 or rows.lists[0] not in [(name,) for name in below]):
        message = f"`{rows}` is not a list that this connector can read"
        yield problem_at(project, table.path, ("rows",), "unknown-rows", message, did_you_mean(str(rows), below))
    if feed.metrics and rows.root not in OF_EVENTS:
        message = f"the rows of `{feed.name}` are {rows}, which are of no metric"
        yield problem_at(
            project, courier.path, ("feeds", feed.name, "metrics"), "metrics", message, "Delete `metrics:`."
        )
