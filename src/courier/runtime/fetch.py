"""The first half of a run: ask the source, write down what it says, and have it counted again.

What comes of it lies in the run's folder, so that the second half (runtime.load_path) needs no source: a run whose
YAML was wrong is shaped again without fetching.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import orjson

from courier import clock
from courier.clock import Interval
from courier.config.project import DomainTable
from courier.connectors.contract import Connector, Preflight, Reconciled, Request, Session, without
from courier.errors import RunFailed, SourceUnreachable
from courier.runtime.context import Work
from courier.runtime.decide import deadline
from courier.runtime.events import FeedSkipped, Fetched, Noticed, RequestReconciled, SourceAnswered, Waited
from courier.runtime.plan import FeedPlan, requests_of
from courier.runtime.run_folder import plans_of
from courier.storage import ledger
from courier.storage.load import ColumnStatus
from courier.storage.raw import parts_of, read_manifest
from courier.storage.selection import Node, identity_of, select
from courier.storage.stored import stored_rows

POLL_SECONDS = 15.0
DELETES = "deletes"
Answered = TypeVar("Answered")


@dataclass(frozen=True)
class Answer:
    """What the source said: who it is, what it cannot give, and the proof for each request."""

    preflight: Preflight
    reconciled: Mapping[str, Reconciled]
    fields: Mapping[str, tuple[str, ...]]  # request -> the paths that were asked for

    def as_json(self) -> dict[str, Any]:
        preflight = {**asdict(self.preflight), "bounded": sorted(self.preflight.bounded)}
        proofs = {name: asdict(proof) for name, proof in self.reconciled.items()}
        return {"preflight": preflight, "reconciled": proofs, "fields": dict(self.fields)}


def answer_from_json(values: Mapping[str, Any]) -> Answer:
    preflight = values["preflight"]
    return Answer(
        preflight=Preflight(
            **{
                **preflight,
                "statuses": tuple(ColumnStatus(**status) for status in preflight["statuses"]),
                "notes": tuple(preflight["notes"]),
                "bounded": frozenset(preflight["bounded"]),
            }
        ),
        reconciled={name: Reconciled(**proof) for name, proof in values["reconciled"].items()},
        fields={name: tuple(paths) for name, paths in values["fields"].items()},
    )


def fetch(work: Work) -> Answer:
    """Fetch every request of the run and reconcile it with the source. Raises RunFailed, CredentialMissing, Refused."""
    opened, credential = work.context.access(work.courier)
    stored = partial(stored_rows, work.context.place.warehouse, work.courier.name)
    session = work.connector.open(opened, credential, work.context.place.budgets, work.tick, stored)
    work.meter.traffic = session.traffic
    preflight = _answered(work, session)
    _check_identity(work, preflight)
    plans, skipped = reachable_plans(work, preflight)
    for feed, reason in skipped.items():
        work.reporter(FeedSkipped, feed=feed, reason=reason)
    requests = requests_of(work.courier, plans)
    folders = [(request, work.folder.raw / request.name) for request in requests]
    _when_there(work, partial(session.prepare, folders))
    for request in requests:
        _when_there(work, partial(session.fetch, request, work.folder.raw / request.name))
        work.reporter(Fetched, request=request.name, records=_records(work, request), complete=True)
    _fetch_deletes(work, session, plans)
    answer = Answer(preflight, _reconcile(work, session, requests), fields_of(work.connector, requests))
    work.folder.store_answer(orjson.dumps(answer.as_json()))
    return answer


def _answered(work: Work, session: Session) -> Preflight:
    preflight = _when_there(work, session.preflight)
    work.reporter(SourceAnswered, name=preflight.name, api_version=preflight.api_version)
    for note in preflight.notes:
        work.reporter(Noticed, note=note)
    return preflight


def _when_there(work: Work, call: Callable[[], Answered]) -> Answered:
    """The call, tried again until S + wait while the source is away, or others have taken what it needs of it."""
    until = deadline(work.stored.scheduled, timedelta(seconds=work.stored.wait_seconds))
    while True:
        try:
            return call()
        except SourceUnreachable as away:
            if clock.now() + timedelta(seconds=POLL_SECONDS) > until:
                raise
            work.reporter(Waited, seconds=POLL_SECONDS, reason=away.message)
            clock.sleep(POLL_SECONDS)


def _check_identity(work: Work, preflight: Preflight) -> None:
    schema = work.courier.name
    standing = work.standing or ledger.standing(work.context.place.warehouse, schema, ())
    ledger.check_identity(standing.identity, schema, preflight.identity)


def reachable_plans(work: Work, preflight: Preflight) -> tuple[tuple[FeedPlan, ...], dict[str, str]]:
    """The plans without the feeds, and without the columns, that this source cannot give; and why.

    Feeds that a person leaves out are told too, and stay among the plans.
    """
    plans, skipped = [], {}
    for plan in plans_of(work.stored, work.courier):
        if plan.period and plan.skipped:
            skipped[plan.feed.name] = plan.skipped
        if plan.period and plan.feed.name in preflight.unreachable:
            skipped[plan.feed.name] = preflight.unreachable[plan.feed.name]
        else:
            plans.append(replace(plan, feed=without(plan.feed, preflight.statuses)))
    return tuple(plans), skipped


def fields_of(connector: Connector, requests: Iterable[Request]) -> dict[str, tuple[str, ...]]:
    """The paths that each request asks for: what a retry may shape from."""
    found = {}
    for request in requests:
        tables: list[DomainTable] = [feed.table for feed in request.feeds]
        tables += [identity_of(table) for table in request.parents.values()]
        found[request.name] = tuple(
            path
            for root, node in select(tables, connector.computed, connector.lists).items()
            for path in _paths(root, node)
        )
    return found


def _paths(path: str, node: Node) -> list[str]:
    below = [found for name, child in node.fields.items() for found in _paths(f"{path}.{name}", child)]
    return below or [path]


def _fetch_deletes(work: Work, session: Session, plans: Sequence[FeedPlan]) -> None:
    """Delete events, for feeds that have been loaded before: what was gone then was never loaded."""
    wanted = [plan for plan in plans if not plan.skipped and not plan.feed.table.rows.lists]
    asked = [plan for plan in wanted if plan.request and plan.request.since]
    if not asked:
        return
    since = min(plan.request.since for plan in asked if plan.request and plan.request.since)
    untils = [plan.request.until for plan in asked if plan.request and plan.request.until]
    interval = Interval(since, max(untils) if untils else None)
    feeds = [plan.feed for plan in asked]
    _when_there(work, partial(session.fetch_deletes, feeds, interval, work.folder.raw / DELETES))
    manifest = read_manifest(work.folder.raw / DELETES)
    for note in manifest.claims.get("notes", ()) if manifest else ():
        work.reporter(Noticed, note=note)


def _reconcile(work: Work, session: Session, requests: Sequence[Request]) -> dict[str, Reconciled]:
    proofs = {}
    for request in requests:
        proof = _when_there(work, partial(session.reconcile, request, work.folder.raw / request.name))
        work.reporter(
            RequestReconciled,
            request=request.name,
            counted=proof.counted,
            fetched=proof.fetched,
            moved=proof.moved,
            computed=proof.computed,
        )
        proofs[request.name] = proof
    return proofs


def _records(work: Work, request: Request) -> int:
    """Of the request's own part: the others bring some of its records once more."""
    parts = [read_manifest(part) for part in parts_of(work.folder.raw / request.name)]
    if not parts or not all(part and part.complete for part in parts):
        raise RunFailed(f"the {request.name} records were not fetched to their end", fix="run again")
    return parts[0].records if parts[0] else 0
