"""Raw JSON lines -> typed parquet: every record becomes a row, or a record in error with its place and reason.

DuckDB reads a stream's files with the types that the domain table asks for, in one query per table. That query leaves
out the rows that do not hold; only when some are missing is it asked again for them, and only when a file cannot be
read at all, or a text looks like a nested value, are its lines looked at one by one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from courier.config.project import DomainTable, Feed, Step
from courier.errors import ConfigurationError, Incomplete, RunFailed
from courier.storage.deletes import shape_deletes
from courier.storage.duck import unreadable
from courier.storage.load import RecordError, Shaped
from courier.storage.passing_by import not_kept
from courier.storage.raw import read_manifest
from courier.storage.selection import Computed, Node
from courier.storage.shape_drift import unknown_fields
from courier.storage.shape_errors import BadRow, line_errors, row_errors
from courier.storage.shape_fields import left_out_of, relation, value_at
from courier.storage.shape_lines import Checked
from courier.storage.shape_namespaces import keep_chosen
from courier.storage.shape_plain import as_pages
from courier.storage.shape_prepare import (
    LinesInDoubt,
    Values,
    Work,
    make_computed,
    open_locked,
    records_of,
    write,
)
from courier.storage.shape_rows import all_roots, rows_of, rows_path, set_columns, set_number
from courier.storage.shape_sql import NO_ROOT, Rows, bad_rows, count_rows, good_rows, sources_read
from courier.storage.shape_texts import make_texts

if TYPE_CHECKING:
    from courier.storage.duck import Connection

__all__ = ["shape", "shape_deletes", "shaping"]


@dataclass(frozen=True)
class _Outcome:
    """One try at a feed: the rows that were written, and those that were not.

    missing: how many records are neither. DuckDB reads no line that holds only blanks, for one.
    """

    good: int
    bad: tuple[BadRow, ...]
    missing: int = 0


def shape(
    feeds: Sequence[Feed],
    parents: Mapping[str, DomainTable],
    raw: Path,
    out: Path,
    computed: Sequence[Computed],
    ordinal: int,
    connection: Connection | None = None,
) -> tuple[Shaped, ...]:
    """Shape one whole request, folder `raw`, into parquet under `out`: one Shaped per feed, in their order.

    `parents` holds the domain tables of the feeds' parents by name; `ordinal` is this request's number in its run.
    `connection` comes from `shaping`, for all requests of a run; without it this one has its own.
    Raises Incomplete for a folder that is not whole, RunFailed, ConfigurationError.
    """
    manifest = read_manifest(raw)
    if manifest is None or not manifest.complete:
        raise Incomplete(f"{raw.name} was not fetched to its end")
    scratch = _make_scratch(out)
    try:
        with nullcontext(connection) if connection else open_locked(raw.resolve(), out.resolve()) as opened:
            work = Work(opened, manifest, raw.resolve(), out.resolve(), ordinal)
            with not_kept(work.read_once):
                return _shape_all(work, feeds, parents, computed)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _make_scratch(out: Path) -> Path:
    scratch = out.resolve() / "scratch"
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    out.chmod(0o700)
    return scratch


@contextmanager
def shaping(raw: Path, out: Path) -> Iterator[Connection]:
    """One connection for all requests of a run, whose folders lie in `raw` and `out`. To open one costs 18 ms."""
    scratch = _make_scratch(out)
    try:
        with open_locked(raw.resolve(), out.resolve()) as connection:
            yield connection
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _shape_all(
    work: Work, feeds: Sequence[Feed], parents: Mapping[str, DomainTable], computed: Sequence[Computed]
) -> tuple[Shaped, ...]:
    known = {**{feed.name: feed.table for feed in feeds}, **parents}
    used = _used(feeds, computed)
    try:
        return _shape_feeds(make_texts(work, feeds, known, used) if work.is_large else work, feeds, known, used)
    except LinesInDoubt:
        return _shape_feeds(as_pages(work), feeds, known, used)


def _shape_feeds(
    work: Work, feeds: Sequence[Feed], known: Mapping[str, DomainTable], used: Sequence[Computed]
) -> tuple[Shaped, ...]:
    values = make_computed(work, used)
    roots = all_roots(work, feeds, known)
    drift = unknown_fields(work, feeds, [known[name] for name in roots if name], used)
    shaped = []
    for feed in feeds:
        rows = rows_of(work, feed, roots.get(feed.table.parent) if feed.table.rows.lists else None, values)
        result = _shape_feed(work, feed, rows, values)
        result = keep_chosen(work.connection, feed, result, work.out)
        shaped.append(replace(result, unknown_fields=drift.get(feed.name, ())))
    return tuple(shaped)


def _used(feeds: Iterable[Feed], computed: Sequence[Computed]) -> list[Computed]:
    named = {
        source.steps[0].name
        for feed in feeds
        for column in feed.table.columns
        for source in column.sources
        if source.kind == "computed"
    }
    missing = named - {value.name for value in computed}
    if missing:
        raise ConfigurationError(f"computed.{min(missing)} is not a value that this connector publishes")
    return [value for value in computed if value.name in named]


def _shape_feed(work: Work, feed: Feed, rows: Rows, values: Mapping[str, Values]) -> Shaped:
    if left_out := left_out_of(feed.table.rows, work.manifest.layout):
        return Shaped(feed.name, (), _write_sets(work, feed, rows, frozenset(), left_out), 0)
    streams = sources_read(rows)
    checked = {stream: Checked(work.files(stream), ()) for stream in streams}
    if feed.name in work.done:
        return _account(work, feed, rows, checked, _Outcome(work.done[feed.name], ()))
    ready = _with_files(work, rows, checked, values)
    try:
        outcome: _Outcome | None = _try(work, feed, ready, checked)
    except unreadable():
        outcome = None
    if outcome is None or outcome.missing or any(row.is_nested for row in outcome.bad):
        checked = work.check(streams, rows.nodes, feed.name, rows.levels)
        ready = replace(_with_files(work, rows, checked, values), verified=True)
        outcome = _try_again(work, feed, ready, checked)
    return _account(work, feed, ready, checked, outcome)


def _with_files(work: Work, rows: Rows, checked: Mapping[str, Checked], values: Mapping[str, Values]) -> Rows:
    relations = {stream: _relation(work, stream, found, rows) for stream, found in checked.items()}
    if rows.table.name in work.again:
        relations[rows.levels.innermost] = work.again[rows.table.name]
    needed = {rows.levels.innermost, *rows.levels.streams}
    picked = [found for stream, found in checked.items() if stream not in needed]
    names = {s.steps[0].name for c in rows.table.columns for s in c.sources if s.kind == "computed"}
    doubts = [records_of(picked), *(values[name].doubtful for name in names)]
    return replace(rows, relations=relations, doubtful=_doubtful(doubts, relations[rows.levels.innermost]))


def _relation(work: Work, stream: str, checked: Checked, rows: Rows) -> str:
    """The stream's texts, or its files without the lines that were found to be bad."""
    node = rows.nodes[stream]
    return work.relation(stream, node) if checked.files == work.files(stream) else relation(checked.files, node)


def _doubtful(doubts: Iterable[frozenset[int] | None], innermost: str) -> str:
    found: set[int] = set()
    for records in doubts:
        if records is None:
            return f"(SELECT DISTINCT __record FROM {innermost})"
        found |= records
    if not found:
        return ""
    return f"(SELECT unnest([{', '.join(str(record) for record in sorted(found))}]::BIGINT[]) AS __record)"


def _try_again(work: Work, feed: Feed, rows: Rows, checked: Mapping[str, Checked]) -> _Outcome:
    try:
        outcome = _try(work, feed, rows, checked)
    except unreadable() as failure:
        # DuckDB's message can hold a customer's value.
        raise RunFailed(f"{feed.name}: its records cannot be shaped ({type(failure).__name__})") from None
    if outcome.missing:
        shaped = outcome.good + len(outcome.bad)
        raise Incomplete(f"{feed.name}: {shaped + outcome.missing} records were fetched, {shaped} were shaped")
    return outcome


def _try(work: Work, feed: Feed, rows: Rows, checked: Mapping[str, Checked]) -> _Outcome:
    good = write(work.connection, good_rows(rows, set_columns(work, rows)), rows_path(work, feed))
    levels = rows.levels
    if levels.inline:
        answer = work.connection.execute(count_rows(rows)).fetchone()
        expected = int(answer[0]) if answer else 0
    else:
        expected = work.manifest.lines(levels.innermost) - len(checked[levels.innermost].bad)
    if good == expected:
        return _Outcome(good, ())
    bad = tuple(BadRow(*found) for found in work.connection.execute(bad_rows(rows)).fetchall())
    return _Outcome(good, bad, expected - good - len(bad))


def _account(work: Work, feed: Feed, rows: Rows, checked: Mapping[str, Checked], outcome: _Outcome) -> Shaped:
    lines = [line for line in checked[rows.levels.innermost].bad if line.holds_rows]
    errors: list[RecordError] = line_errors(feed.name, feed.table, rows.layout, lines)
    errors += row_errors(feed.name, feed.table, outcome.bad, work.raw, work.manifest.layout)
    return Shaped(
        feed=feed.name,
        rows=(rows_path(work, feed),) if outcome.good else (),
        sets=_write_sets(work, feed, rows, _held(checked[rows.levels.innermost], outcome)),
        read=outcome.good + len(errors),
        errors=tuple(errors),
    )


def _held(innermost: Checked, outcome: _Outcome) -> frozenset[int] | None:
    """The records with an error below them; None when a line cannot be told to belong to any."""
    lines = records_of([innermost])
    if lines is None:
        return None
    return lines | {row.record for row in outcome.bad if row.error != NO_ROOT}


def _write_sets(
    work: Work, feed: Feed, rows: Rows, held: frozenset[int] | None, left_out: str = ""
) -> tuple[Path, ...]:
    """One set per root record; where the records lie in another part (`left_out`), only those known to be empty."""
    if not rows.carried:
        return ()
    records = ", ".join(str(record) for record in sorted(held or ()))
    is_held = "true" if held is None else f"__record IN ({records})" if held else "false"
    columns = f"{set_number(work)} AS _set, __parent AS _parent, __version AS _version, __fetched AS _fetched_at"
    empty = f"SEMI JOIN {_empty(work, left_out)} USING (__record)" if left_out else ""
    query = f"SELECT {columns}, {is_held} AS _held FROM {rows.roots} {empty}"
    if query not in work.sets:  # siblings have the same sets, as long as none is held
        path = work.out / f"{feed.name}.sets.parquet"
        work.sets[query] = (path,) if write(work.connection, query, path) else ()
    return work.sets[query]


def _empty(work: Work, left_out: str) -> str:
    """The root records whose list, as `Order.refunds`, is empty."""
    root, *names = left_out.split(".")
    node = Node()
    node.at(names).is_list = True
    values = value_at("r", [Step(name) for name in names])
    records = work.relation(root, node)
    if not work.manifest.layout.is_bulk:  # of a bulk result in doubt: some line of it may not be readable
        records = relation(work.check([root], {root: node}, f"empty-{left_out}")[root].files, node)
    return f"(SELECT __record FROM {records} r WHERE coalesce(len({values}), 0) = 0)"
