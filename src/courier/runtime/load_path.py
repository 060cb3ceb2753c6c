"""The second half of a run: shape -> land -> reconcile -> commit -> publish.

Everything before the commit can be done again from what lies on disk; the commit is one transaction; what comes after
it is repaired at the next start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from courier import clock
from courier.connectors.contract import Request
from courier.errors import ErrorLimitExceeded, RunFailed
from courier.runtime.context import Work
from courier.runtime.effort import versions
from courier.runtime.events import (
    Committing,
    FeedCommitted,
    FeedShaped,
    Noticed,
    RunCommitted,
    RunLanded,
)
from courier.runtime.fetch import DELETES, Answer, fields_of, reachable_plans
from courier.runtime.plan import FeedPlan, requests_of
from courier.runtime.proof import check_landed, check_shaped
from courier.runtime.publishing import publish_changes, publish_for_all
from courier.runtime.result import Outcome
from courier.storage import warehouse
from courier.storage.commit import commit, commit_without_news
from courier.storage.duck import read_parquet, text
from courier.storage.land import clear_landing, land
from courier.storage.load import Committed, FeedLoad, Landed, RunRecord, Shaped, WorkRecord, merged
from courier.storage.news import preview
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.landing import drop_landings, land_in_postgres
from courier.storage.raw import parts_of, read_manifest
from courier.storage.shape import shape, shape_deletes, shaping
from courier.storage.warehouse import Files, Warehouse

if TYPE_CHECKING:
    from courier.storage.duck import Connection


@dataclass(frozen=True)
class Fetched:
    """The plans and requests of a run whose records are on disk, and what the source said."""

    answer: Answer
    plans: Mapping[str, FeedPlan]
    requests: tuple[Request, ...]
    skipped: Mapping[str, str]


def load(work: Work, answer: Answer) -> Outcome:
    """Make rows of what was fetched and commit them. Raises RunFailed with nothing committed."""
    fetched = _fetched(work, answer)
    with work.meter.stage("shape"):
        shaped, deletes = _shape(work, fetched)
    loads = _loads(work, fetched, shaped, read_parquet(deletes) if deletes else "")
    landed, committed = None, _commit_without_news(work, fetched, loads)
    if committed is None:
        with work.meter.stage("land"):
            landed, loads = _land(work, loads, shaped, deletes)
        committed = _commit(work, fetched, loads, landed)
    clean_up(work)
    return _outcome(fetched, landed, committed)


def _fetched(work: Work, answer: Answer) -> Fetched:
    plans, skipped = reachable_plans(work, answer.preflight)
    requests = requests_of(work.courier, plans)
    missing = [
        path
        for name, paths in fields_of(work.connector, requests).items()
        for path in paths
        if path not in answer.fields.get(name, ())
    ]
    if missing:
        raise RunFailed(
            f"the run did not fetch what the domain tables ask for now: {', '.join(missing[:5])}",
            fix="fetch again: courier retry RUN --fetch",
        )
    wanted = {plan.feed.name: plan for plan in plans if plan.request and not plan.skipped}
    return Fetched(answer, wanted, requests, skipped)


def _shape(work: Work, fetched: Fetched) -> tuple[dict[str, Shaped], tuple[Path, ...]]:
    """What the feeds brought, and the files of deletes."""
    work.folder.clear_made()
    found: dict[str, Shaped] = {}
    with shaping(work.folder.raw, work.folder.shaped) as connection:
        ordinals = count()
        for request in fetched.requests:
            parts = [
                _shape_part(work, request, raw, connection, next(ordinals)) for raw in _filled_parts(work, request)
            ]
            for feed in request.feeds:
                brought = [one for made in parts for one in made if one.feed == feed.name]
                found[feed.name] = merged(brought) if brought else Shaped(feed.name, (), (), 0)
                _report_shaped(work, found[feed.name])
        _check_errors(fetched, found)
        deletes = work.folder.raw / DELETES
        return found, shape_deletes(connection, deletes, work.folder.shaped / DELETES) if deletes.exists() else ()


def _filled_parts(work: Work, request: Request) -> list[Path]:
    """The first part, and the others that hold any record."""
    first, *others = parts_of(work.folder.raw / request.name)
    return [first, *(part for part in others if (found := read_manifest(part)) and found.records)]


def _shape_part(work: Work, request: Request, raw: Path, connection: Connection, ordinal: int) -> tuple[Shaped, ...]:
    """One part of what was fetched for a request, as far as it brings feeds."""
    manifest = read_manifest(raw)
    only = manifest.layout.feeds if manifest else ()
    feeds = tuple(feed for feed in request.feeds if feed.name in only or not only)
    out = work.folder.shaped / raw.relative_to(work.folder.raw)
    made = shape(feeds, request.parents, raw, out, work.connector.computed, ordinal, connection)
    check_shaped(replace(request, feeds=feeds), manifest, made)
    return made


def _report_shaped(work: Work, shaped: Shaped) -> None:
    errors = len(shaped.errors)
    work.reporter(FeedShaped, feed=shaped.feed, rows=shaped.read - errors, errors=errors)
    if shaped.unknown_fields:
        work.reporter(Noticed, note=f"{shaped.feed}: no column names {', '.join(shaped.unknown_fields)}")


def _check_errors(fetched: Fetched, shaped: Mapping[str, Shaped]) -> None:
    """1% of a feed's records may be in error, and one always may."""
    for name, made in shaped.items():
        feed = fetched.plans[name].feed
        limit = max(1, int(made.read * feed.error_limit / 100))
        if len(made.errors) > limit:
            first = made.errors[0]
            raise ErrorLimitExceeded(
                f"{name}: {len(made.errors)} of {made.read} records are in error, at most {limit} may be. The first: "
                f"{first.file}, line {first.line}, column {first.column or '(all)'}: {first.reason} ({first.shape})",
                fix=f"mend {feed.table.path} and type courier retry RUN; or, this time only, "
                f"courier retry RUN --error-limit {_percent(made)}, or --skip-feed {name}",
            )


def _percent(made: Shaped) -> int:
    """The smallest whole limit that lets these errors pass."""
    return -(-len(made.errors) * 100 // made.read)


def _loads(work: Work, fetched: Fetched, shaped: Mapping[str, Shaped], deletes: str) -> tuple[FeedLoad, ...]:
    loads = []
    for request in fetched.requests:
        whole = request.interval.since is None and request.root not in fetched.answer.preflight.bounded
        for feed in request.feeds:
            made, plan = shaped[feed.name], fetched.plans[feed.name]
            assert plan.period is not None and plan.request is not None
            of_feed = f"(SELECT key, deleted_at FROM {deletes} WHERE feed = {text(feed.name)})" if deletes else ""
            loads.append(
                FeedLoad(
                    feed=feed,
                    rows=read_parquet(made.rows),
                    read=made.read,
                    period=plan.period,
                    request=plan.request,
                    parent=request.parents.get(feed.table.parent or ""),
                    sets=read_parquet(made.sets) if made.sets else "",
                    deletes="" if feed.table.rows.lists else of_feed,
                    whole=whole,
                    errors=made.errors,
                    outside_window=fetched.answer.reconciled[request.name].outside_window,
                    seen=made.seen,
                    fetched=fetched.answer.reconciled[request.name].fetched,
                )
            )
    return tuple(loads)


def _land(
    work: Work, loads: tuple[FeedLoad, ...], shaped: Mapping[str, Shaped], deletes: Sequence[Path]
) -> tuple[Landed | None, tuple[FeedLoad, ...]]:
    """Land the feeds that have news through dlt. The rows of the others are all stored already: only counted."""
    here = work.context.place.warehouse
    news = preview(here, work.courier.name, loads)
    tables = _landing_tables([load for load in loads if load.feed.name in news], shaped, deletes)
    if not tables:
        work.reporter(RunLanded, load_id=None, rows=0)
        return None, loads if isinstance(here, Files) else tuple(map(_without_files, loads))
    landed = _landing(work, here, tables)
    check_landed(tables, landed, {name: made.read - len(made.errors) for name, made in shaped.items()})
    work.reporter(RunLanded, load_id=landed.load_id, rows=sum(landed.counts.values()))
    for note in landed.notes:
        work.reporter(Noticed, note=note)
    sets = {load.feed.name: _table_of(tables, shaped[load.feed.name].sets) for load in loads}
    return landed, tuple(_from_landing(load, here, landed, sets[load.feed.name]) for load in loads)


def _landing(work: Work, here: Warehouse, tables: Mapping[str, Sequence[Path]]) -> Landed:
    if isinstance(here, Postgres):
        return land_in_postgres(here, work.courier.name, work.stored.run, tables, work.folder.path)
    return land(work.courier.name, tables, work.folder.path)


def _landing_tables(
    loads: Sequence[FeedLoad], shaped: Mapping[str, Shaped], deletes: Sequence[Path]
) -> dict[str, Sequence[Path]]:
    tables: dict[str, Sequence[Path]] = {}
    for load in loads:
        made = shaped[load.feed.name]
        if made.read > len(made.errors):
            tables[load.feed.name] = made.rows
        if made.sets and not _table_of(tables, made.sets):  # siblings have the same sets, and need them but once
            tables[f"set_{load.feed.name}"] = made.sets
    if deletes and any(load.deletes for load in loads):
        tables["deleted_record"] = deletes
    return tables


def _table_of(tables: Mapping[str, Sequence[Path]], sets: Sequence[Path]) -> str:
    """The landing table of some files; "" where they are not landed."""
    return next((table for table, files in tables.items() if sets and files == sets), "")


def _from_landing(load: FeedLoad, here: Warehouse, landed: Landed, sets_table: str) -> FeedLoad:
    """The load, reading from the landing what was landed, and the rest from where it lies if that can be read."""
    tables, left = landed.relations, load if isinstance(here, Files) else _without_files(load)
    deletes = left.deletes
    if load.deletes and "deleted_record" in tables:
        deletes = f"(SELECT key, deleted_at FROM {tables['deleted_record']} WHERE feed = {text(load.feed.name)})"
    rows, sets = tables.get(load.feed.name, left.rows), tables.get(sets_table, left.sets)
    return replace(load, rows=rows, sets=sets, deletes=deletes)


def _without_files(load: FeedLoad) -> FeedLoad:
    """The load for a database, which reads no file: what was not landed had no rows."""
    return replace(load, rows="", sets="", deletes="")


def _commit_without_news(work: Work, fetched: Fetched, loads: tuple[FeedLoad, ...]) -> Committed | None:
    """The whole second half of a run whose rows are all stored already; None where some are not."""

    def before_commit() -> None:
        work.reporter(RunLanded, load_id=None, rows=0)
        work.reporter(Committing)

    here, tags = work.context.place.warehouse, work.context.project.tags
    with warehouse.lock(here):
        run = _record(work, fetched, None)
        with work.meter.stage("commit"):
            committed = commit_without_news(here, run, loads, tags, work.courier.name, before_commit)
        if committed is not None:
            _settle(work, loads, committed)
    return committed


def _commit(work: Work, fetched: Fetched, loads: tuple[FeedLoad, ...], landed: Landed | None) -> Committed:
    here = work.context.place.warehouse
    with warehouse.lock(here):
        with work.meter.stage("commit"):
            committed = commit(
                here,
                _record(work, fetched, landed),
                loads,
                project_tags=work.context.project.tags,
                schema=work.courier.name,
                before_commit=lambda: work.reporter(Committing),
            )
        _settle(work, loads, committed)
    return committed


def _settle(work: Work, loads: Sequence[FeedLoad], committed: Committed) -> None:
    """Tell what was committed, and publish it, still under the lock."""
    _report_committed(work, loads, committed)
    with work.meter.stage("publish"):
        pace = work.context.pace
        if pace is None:
            publish_changes(work.context, work.reporter, committed)
        elif pace.due():
            publish_for_all(pace, work.context, work.reporter)


def _record(work: Work, fetched: Fetched, landed: Landed | None) -> RunRecord:
    preflight = fetched.answer.preflight
    return RunRecord(
        run=work.stored.run,
        courier=work.courier.name,
        connector=work.courier.connector,
        identity=preflight.identity,
        started=clock.rfc3339(work.stored.started),
        load_id=landed.load_id if landed else None,
        api_version=preflight.api_version,
        statuses=preflight.statuses,
        views=work.context.project.views.get(work.courier.domain_tables, ()),
        work=_work_record(work),
        fleet=work.context.project.fleets.get(work.courier.fleet or ""),
        spanning_later=work.context.pace is not None,
    )


def _work_record(work: Work) -> WorkRecord:
    effort, made_with = work.meter.effort, versions()
    return WorkRecord(
        requests=effort.requests,
        retries=effort.retries,
        bytes=effort.bytes,
        config=work.stored.fingerprint,
        courier_version=made_with["courier"],
        dlt_version=made_with["dlt"],
        duckdb_version=made_with["duckdb"],
    )


def _report_committed(work: Work, loads: Sequence[FeedLoad], committed: Committed) -> None:
    for load in loads:
        counters = committed.counters[load.feed.name]
        work.reporter(FeedCommitted, feed=load.feed.name, period=load.period, request=load.request, **asdict(counters))
    work.reporter(RunCommitted, changed=committed.changed)
    for note in committed.notes:
        work.reporter(Noticed, note=note)


def clean_up(work: Work) -> None:
    """Drop what can be made again; the raw records stay for a week."""
    work.folder.clear_made()
    clear_landing(work.folder.path)
    if isinstance(here := work.context.place.warehouse, Postgres):
        with here.session() as session:
            drop_landings(session, work.courier.name)


def _outcome(fetched: Fetched, landed: Landed | None, committed: Committed) -> Outcome:
    proven = {feed.name: request.name for request in fetched.requests for feed in request.feeds}
    proofs = {name: fetched.answer.reconciled[request] for name, request in proven.items()}
    return Outcome(
        load_id=landed.load_id if landed else None,
        counters=committed.counters,
        reconciled=frozenset(name for name, request in proven.items() if request in fetched.answer.reconciled),
        watermarks=committed.watermarks,
        skipped=fetched.skipped,
        outside_window={name: proof.outside_window for name, proof in proofs.items()},
        changed=committed.changed,
        namespaces=committed.namespaces,
        fetched={name: proof.fetched for name, proof in proofs.items()},
        api_version=fetched.answer.preflight.api_version,
    )
