"""A run's events as they happen: a live line on a terminal, one line per event elsewhere, JSON lines with --json."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from courier.cli.output import as_json as json_text
from courier.cli.output import duration, print_json, say
from courier.runtime import events
from courier.runtime.events import Event, Report
from courier.runtime.result import GroupResult


@contextmanager
def rendering(*, as_json: bool, quiet: bool, verbose: bool) -> Iterator[Report]:
    """Something to report events to, all on stderr."""
    if as_json:
        yield _json_lines(quiet)
    elif quiet or verbose or not _is_terminal():
        yield _lines(quiet, verbose)
    else:
        with _live() as report:
            yield report


def finish(result: GroupResult, *, sandbox: bool, as_json: bool) -> int:
    """The last line of a run, or its one object; returns the exit code. With --json stderr holds only JSON lines."""
    if as_json:
        print_json({**result.as_json(), "sandbox": sandbox})
    else:
        took = duration((result.ended - result.started).total_seconds())
        said = f"Completed in {took}" if result.result == "succeeded" else f"{result.result.capitalize()} after {took}"
        for line in _in_parts(result):
            say(line)
        say(said + (" (sandbox)" if sandbox else ""))
    return 0 if result.result in ("succeeded", "covered") else 1


def _in_parts(result: GroupResult) -> list[str]:
    """What of a group did not come to its end, and what to type. One courier alone has said so itself."""
    if result.result == "blocked":
        return [f"{result.group}: {result.problem}", f"  fix: {result.fix}"]
    if result.result in ("succeeded", "covered"):
        return []
    if all(one.result == "succeeded" for one in result.couriers):
        return [f"{result.group}: {result.problem}", f"  fix: {result.fix}"]
    if len(result.couriers) < 2:
        return []
    done = [one.courier for one in result.couriers if one.result == "succeeded"]
    missing = [one for one in result.couriers if one.result != "succeeded"]
    told = [f"{result.group}: committed: {', '.join(done) or 'none'}"]
    told += [f"{result.group}: not committed: {one.courier}: {one.problem}" for one in missing]
    return [*told, f"  fix: {result.fix}"]


def _is_terminal() -> bool:
    return bool(sys.stderr.isatty())


def _json_lines(quiet: bool) -> Report:
    lock = threading.Lock()

    def report(event: Event) -> None:
        if not quiet:
            with lock:
                say(json_text(events.as_json(event)))

    return report


def _lines(quiet: bool, verbose: bool) -> Report:
    lock = threading.Lock()

    def report(event: Event) -> None:
        line = describe(event) or (_detail(event) if verbose else None)
        if line and (_is_problem(event) if quiet else verbose or not _is_tick(event)):
            with lock:
                say(line)

    return report


def _is_problem(event: Event) -> bool:
    if isinstance(event, events.ActivationEnded):
        return event.result not in ("planned", "succeeded")
    return isinstance(event, events.RunFinished) and event.result != "succeeded"


def _is_tick(event: Event) -> bool:
    """Events that come many times in a run, of which only the last says something that lasts."""
    return isinstance(event, events.Fetched) and not event.complete


@contextmanager
def _live() -> Iterator[Report]:
    """A progress line per request, with the lasting events above it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[waiting]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Live(progress)


class _Live:
    """Keeps one bar per courier and request."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._bars: dict[tuple[str, str], Any] = {}
        self._begun: dict[tuple[str, str], Any] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, events.Fetched):
            self._fetched(event)
        elif isinstance(event, events.Waited):
            self._waiting(event)
        line = describe(event)
        if line and not _is_tick(event) and not isinstance(event, events.Waited):
            self._progress.console.print(line)

    def _fetched(self, event: events.Fetched) -> None:
        key = (event.courier, event.request)
        if event.complete:
            if key in self._bars:
                self._progress.remove_task(self._bars.pop(key))
            return
        if key not in self._bars:
            self._begun[key] = event.at
            self._bars[key] = self._progress.add_task(event.request, total=event.expected, rate="", waiting="")
        elapsed = (event.at - self._begun[key]).total_seconds()
        rate = f"{event.records / elapsed:,.0f}/s" if elapsed > 0.5 else ""
        self._progress.update(self._bars[key], completed=event.records, total=event.expected, rate=rate, waiting="")

    def _waiting(self, event: events.Waited) -> None:
        for (courier, _), bar in self._bars.items():
            if courier == event.courier:
                self._progress.update(bar, waiting=f"waiting {event.seconds:.1f} s: {event.reason}")


def describe(event: Event) -> str | None:
    """The event as a line, or None where it says nothing to a person."""
    if isinstance(event, events.GroupWaits):
        return f"{event.group}: {event.reason}"
    if isinstance(event, events.GroupNoticed):
        return f"{event.group}: note: {event.note}"
    if isinstance(event, events.ActivationItem | events.ActivationEnded):
        return _of_activation(event)
    said = _sentence(event)
    return f"{event.courier}: {said}" if said else None


def _of_activation(event: events.ActivationItem | events.ActivationEnded) -> str:
    if isinstance(event, events.ActivationItem):
        cost = f", {event.credits:,} credit{'s' if event.credits != 1 else ''}" if event.credits else ""
        why = f": {event.problem}" if event.problem else ""
        return f"{event.activation}: {event.action} {event.key}: {event.state}{cost}{why}"
    then = f"\n  {'next' if event.result == 'planned' else 'fix'}: {event.fix}" if event.fix else ""
    return f"{event.activation}: {event.result}: {event.said}{then}"


def _detail(event: Event) -> str | None:
    """What only somebody looking for the place of a delay wants to read."""
    match event:
        case events.FeedShaped(feed=feed, rows=rows, errors=errors):
            return f"{event.courier}: shaped {feed}: {rows:,} rows, {errors:,} errors"
        case events.Committing():
            return f"{event.courier}: committing"
        case events.Publishing():
            return f"{event.courier}: publishing"
        case _:
            return None


def _sentence(event: Event) -> str | None:
    match event:
        case events.RunStarted(run=run, recovered=True):
            return f"going on with run {run}"
        case events.RunStarted(run=run):
            return f"run {run}"
        case events.SourceAnswered(name=name, api_version=version):
            return f"{name} answers, API version {version}"
        case events.Noticed(note=note):
            return f"note: {note}"
        case events.Fetched(request=request, records=records, complete=complete):
            return f"fetched {records:,} {request} records" if complete else f"fetching {request}: {records:,}"
        case events.Waited(seconds=seconds, reason=reason):
            return f"waiting {seconds:.1f} s: {reason}"
        case events.FeedSkipped(feed=feed, reason=reason):
            return f"{feed} is left out: {reason}"
        case _:
            return _of_load(event)


def _of_load(event: Event) -> str | None:
    match event:
        case events.RequestReconciled(request=request, fetched=fetched, computed=True):
            return f"{request} is whole: {fetched:,} fetched, as the source computed them"
        case events.RequestReconciled(request=request, counted=counted, fetched=fetched, moved=moved):
            return _proof(request, counted, fetched, moved)
        case events.RunLanded(load_id=load_id, rows=rows):
            return f"landed {rows:,} rows, dlt load {load_id}" if load_id else "nothing new to land"
        case events.FeedCommitted():
            return _counters(event)
        case _:
            return _ending(event)


def _ending(event: Event) -> str | None:
    match event:
        case events.RunCommitted(changed=changed):
            return "committed" if changed else "committed: no row changed"
        case events.RunPublished(path=path):
            return f"published {path}"
        case events.RunFinished(result="succeeded", seconds=seconds):
            return f"succeeded in {duration(seconds)}"
        case events.RunFinished(result=result, problem=problem, fix=fix):
            return f"{result}: {problem}" + (f"\n  fix: {fix}" if fix else "")
        case _:
            return None


def _proof(request: str, counted: int | None, fetched: int, moved: int) -> str:
    source = "every id was found again" if counted is None else f"the source counts {counted:,}"
    also = f", {moved:,} moved on meanwhile" if moved else ""
    return f"{request} is complete: {fetched:,} fetched, {source}{also}"


def _counters(event: events.FeedCommitted) -> str | None:
    named = ("inserted", "updated", "unchanged", "rejected", "errors", "deleted")
    said = [f"{getattr(event, name):,} {name}" for name in named if getattr(event, name)]
    return f"{event.feed}: {event.read:,} read" + (f", {', '.join(said)}" if said else "")
