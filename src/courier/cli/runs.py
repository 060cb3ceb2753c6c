"""courier runs: the run history; with a run's name, everything that happened in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from courier.activations.journal import Journal, RunRow
from courier.cli.fleets import MOST_LISTED
from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json, say
from courier.cli.project import find_root, place_of
from courier.cli.table import number, print_table
from courier.errors import UsageError
from courier.runtime.activation_states import whole_journal
from courier.runtime.history import History, PastCourierRun, PastGroupRun

COUNTERS = ["fetched", "read", "inserted", "updated", "unchanged", "rejected", "errors", "deleted"]
COLUMNS = ["run", "of", "scheduled", "started", "result", "read", "changed"]
Line = PastGroupRun | PastCourierRun


@click.command(short_help="The latest runs, or all about one: show RUN.")
@click.argument("run", nargs=-1, metavar="[show RUN]")
@click.option("--group", metavar="NAME", help="Only this group's runs.")
@click.option("--courier", metavar="NAME", help="Only this courier's runs.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@project_option
@sandbox_option
@json_option
def runs(
    run: tuple[str, ...],
    group: str | None,
    courier: str | None,
    limit: int,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
) -> None:
    """List the latest runs of groups with those of their couriers, newest first; or `show RUN`: all about one.

    Of a group's run: its couriers and activations. Of a courier's: each feed with its period, request and counts, and
    what it took. Of an activation's apply: its items.
    """
    place = place_of(find_root(root), sandbox)
    history = History(place.history)
    wanted = _wanted(run)
    if wanted is not None:
        _show(history, whole_journal(place), wanted, sandbox, as_json)
        return
    if group is not None and courier is not None:
        raise UsageError("--group and --courier exclude each other", fix="keep one of them")
    found = latest(history, group, courier, limit)
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, **_list_as_json(history, found)})
    else:
        _list(history, found)
        mark(sandbox)


def _wanted(words: tuple[str, ...]) -> str | None:
    """The run that is to be shown: `show RUN`, or its name alone."""
    names = words[1:] if words[:1] == ("show",) else words
    if len(names) > 1 or (words and not names):
        raise UsageError("`courier runs show` takes the name of one run", fix="courier runs lists them")
    return names[0] if names else None


def latest(history: History, group: str | None, courier: str | None, limit: int) -> list[Line]:
    """Runs of groups and, beside them, runs of couriers outside of any group; newest first."""
    groups = [] if courier else history.group_runs(group, limit)
    couriers = [] if group else history.runs(courier, limit, alone=courier is None)
    both: list[Line] = [*groups, *couriers]
    return sorted(both, key=lambda one: one.started, reverse=True)[:limit]


def _list_as_json(history: History, found: list[Line]) -> dict[str, Any]:
    groups = [one for one in found if isinstance(one, PastGroupRun)]
    couriers = [run for one in found for run in _couriers_of(history, one)]
    return {
        "group_runs": [_group_as_json(history, one) for one in groups],
        "runs": [asdict(one) for one in couriers],
    }


def _couriers_of(history: History, line: Line) -> list[PastCourierRun]:
    return history.couriers_of(line.run) if isinstance(line, PastGroupRun) else [line]


def _group_as_json(history: History, run: PastGroupRun) -> dict[str, Any]:
    return {**asdict(run), "couriers": [asdict(one) for one in history.members_of(run).values()]}


def _list(history: History, found: list[Line]) -> None:
    rows: list[tuple[Any, ...]] = []
    hidden = 0
    for one in found:
        members = _couriers_of(history, one)
        if isinstance(one, PastGroupRun):
            rows.append((one.run, f"group {one.group}", *_times(one), one.result, *_counts(members)))
        shown = members if len(members) <= MOST_LISTED else [run for run in members if run.result != "succeeded"]
        rows += [(run.run, f"courier {run.courier}", *_times(run), run.result, *_counts([run])) for run in shown]
        hidden += len(members) - len(shown)
    print_table(COLUMNS, rows, right=["read", "changed"])
    if hidden:
        say(f"{hidden:,} couriers that succeeded in a run of many are not listed: courier runs show RUN lists them")
    say(f"courier runs show {found[0].run} shows the latest" if found else "nothing has run here yet")


def _times(run: Line) -> tuple[str, str]:
    return _second(run.scheduled), _second(run.started)


def _show(history: History, journal: Journal, run: str, sandbox: bool, as_json: bool) -> None:
    group, courier = history.find_group(run), history.find(run)
    if courier is not None:
        _show_courier(history, courier, sandbox, as_json)
    elif group is not None:
        _show_group(history, group, sandbox, as_json)
    elif (applied := journal.find(run)) is not None:
        _show_apply(journal, applied, sandbox, as_json)
    else:
        raise UsageError(f"there is no run {run!r}", fix=f"courier runs{' --sandbox' if sandbox else ''} lists them")
    if not as_json:
        mark(sandbox)


def _show_group(history: History, run: PastGroupRun, sandbox: bool, as_json: bool) -> None:
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "run": _group_as_json(history, run)})
        return
    _head(run, f"group {run.group}, trigger {run.trigger}, config {run.config}")
    if run.retry_of:
        say(f"  goes on with {run.retry_of}")
    rows = [(one.courier, one.run, one.result, *_counts([one])) for one in history.members_of(run).values()]
    print_table(["courier", "run", "result", "read", "changed"], rows, right=["read", "changed"])

    activations = (run.report or {}).get("activations", ())
    if activations:
        click.echo()
        applied = [(one["name"], one["run"], one["result"], one["credits"]) for one in activations]
        print_table(["activation", "run", "result", "credits"], applied, right=["credits"])


def _show_apply(journal: Journal, run: RunRow, sandbox: bool, as_json: bool) -> None:
    """An apply of an activation, item by item."""
    outcomes = journal.outcomes(run.run)
    if as_json:
        items = [asdict(one) for one in outcomes]
        print_json({"version": 1, "sandbox": sandbox, "run": {**asdict(run), "items": items}})
        return
    say(f"{run.run}: activation {run.activation}, {run.result}, {run.credits} credits, plan {run.plan_hash}")
    rows = [(one.key, one.action, one.state, one.credits, one.remote_id, "; ".join(one.problems)) for one in outcomes]
    print_table(["item", "action", "state", "credits", "id", "problem"], rows, right=["credits"])


def _show_courier(history: History, run: PastCourierRun, sandbox: bool, as_json: bool) -> None:
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "run": asdict(run), "events": history.events(run.run)})
        return
    report = run.report or {}
    _head(run, f"courier {run.courier}" + (f", of the group's run {run.group_run}" if run.group_run else ""))
    for line in _effort(report):
        say(f"  {line}")
    feeds = report.get("feeds", [])
    rows = [[feed["feed"], *(number(feed.get(name)) for name in COUNTERS), feed["watermark"]] for feed in feeds]
    print_table(["feed", *COUNTERS, "watermark"], rows, right=COUNTERS)
    click.echo()
    print_table(["feed", "period", "request"], [(feed["feed"], *_periods(feed)) for feed in feeds])


def _head(run: Line, what: str) -> None:
    ended = _second(run.ended) if run.ended else "-"
    times = f"scheduled {_second(run.scheduled)}, started {_second(run.started)}, ended {ended}"
    say(f"{run.run}: {run.result}, {what}")
    say(f"  {times}")
    if run.problem:
        say(f"  {run.problem}" + (f"\n  fix: {run.fix}" if run.fix else ""))


def _effort(report: Mapping[str, Any]) -> list[str]:
    """What the run took and what it was made with, as far as it was recorded."""
    lines = []
    if "requests" in report:
        lines.append(f"{report['requests']:,} requests, {report['retries']:,} retries, {report['bytes']:,} bytes")
        lines.append("seconds: " + ", ".join(f"{stage} {taken:.1f}" for stage, taken in report["seconds"].items()))
        versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items() if version)
        lines.append(f"versions: {versions}; config {report['config']}")
    if report.get("error_limit") is not None:
        lines.append(f"this once: --error-limit {report['error_limit']}")
    lines += [f"this once: --skip-feed {feed}" for feed in report.get("skip_feeds", ())]
    return lines


def _periods(feed: Mapping[str, Any]) -> tuple[str, str]:
    if feed["skipped"] or not feed["period"]:
        return f"left out: {feed['skipped']}", ""
    return _interval(feed["period"]), _interval(feed["request"])


def _interval(pair: Mapping[str, str | None]) -> str:
    return f"[{pair['since'] or 'the beginning'}, {pair['until'] or 'now'})"


def _second(instant: str) -> str:
    """The history's instants have microseconds; a person needs seconds."""
    return instant[:19] + "Z"


def _counts(runs: Iterable[PastCourierRun]) -> tuple[str, str]:
    """Rows read and rows changed, of those runs that have a report."""
    feeds = [feed for run in runs for feed in (run.report or {}).get("feeds", [])]
    if not feeds:
        return "", ""
    changed = sum(feed[counter] for feed in feeds for counter in ("inserted", "updated", "deleted"))
    return number(sum(feed["read"] for feed in feeds)), number(changed)
