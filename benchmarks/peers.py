"""Courier beside what people would pick instead: the same shop into DuckDB, rows compared, then nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks import measure
from benchmarks.peer_install import NotInstalledError
from benchmarks.peer_rows import COMPARED, Outcome, Rows, compare, truth
from benchmarks.peer_runs import COURIER, PEERS, Peer, Prepared, Setting
from benchmarks.proxy import proxy_to
from benchmarks.report import Cell, Options, Report, Table, say
from benchmarks.sandbox_server import Shop, serve

SUMMARY = "courier beside ingestr, tap-shopify, PyAirbyte and shopify_dlt on the same shop"
ORDERS = 2_000
TIMEOUT = 300.0
Outcomes = dict[str, Outcome | None]


@dataclass(frozen=True)
class Round:
    """One pull: what all its commands used together, and what the database held then. `problem` is why it failed."""

    usage: measure.Usage | None
    rows: Outcomes
    problem: str = ""

    @property
    def right(self) -> bool:
        return not self.problem and all(outcome.right for outcome in self.rows.values() if outcome is not None)


@dataclass(frozen=True)
class Result:
    peer: Peer
    first: Round
    second: Round | None = None
    origin: str = ""


def run(options: Options) -> Report:
    with _served(options) as setting:
        told = truth(setting.shop.folder)
        wanted = [peer for peer in PEERS if not options.only or any(i in peer.name for i in options.only)]
        results = [_measured(peer, setting, told) for peer in (COURIER, *wanted)]
        refused = sorted(setting.proxy.refused)
    return _report(results, refused)


@contextmanager
def _served(options: Options) -> Iterator[Setting]:
    shop_folder, keys = options.work / "shop", options.work / "keys"
    with serve(shop_folder, options.orders, generous=True) as shop, proxy_to(shop.url, keys) as proxy:
        yield Setting(shop, proxy, options.cache, options.work, _first_day(shop))


def _first_day(shop: Shop) -> str:
    """The day before the shop's first record, over all kinds."""
    first = min(_created(shop, name) for name in ("customers", "orders", "products"))
    return first[:10]


def _created(shop: Shop, name: str) -> str:
    url = f"{shop.url}/admin/api/2026-10/{name}.json?status=any&limit=1&order=created_at%20asc&fields=created_at"
    asked = Request(url, headers={"X-Shopify-Access-Token": shop.credentials["SHOPIFY_ACCESS_TOKEN"]})
    with urlopen(asked, timeout=60) as answer:
        return str(json.load(answer)[name][0]["created_at"])


def _measured(peer: Peer, setting: Setting, told: dict[str, Rows]) -> Result:
    say(f"{peer.name} {peer.version}")
    work = setting.work / "".join(i if i.isalnum() else "-" for i in peer.name)
    work.mkdir()
    own = Setting(setting.shop, setting.proxy, setting.cache, work, setting.since)
    try:
        prepared = peer.prepare(own)
    except NotInstalledError as error:
        say(f"  not installed: {error}")
        return Result(peer, Round(None, {}, f"not installed: {error}"))
    for number, command in enumerate(prepared.setup):
        measure.run(command, log=work / "logs" / f"setup-{number}.log", cwd=work, env=prepared.env, timeout=TIMEOUT)
    first = _round(peer, prepared, work, "first", told)
    second = None if first.problem else _round(peer, prepared, work, "second", told)
    return Result(peer, first, second, prepared.origin)


def _round(peer: Peer, prepared: Prepared, work: Path, name: str, told: dict[str, Rows]) -> Round:
    used: list[measure.Usage] = []
    for number, command in enumerate(prepared.commands):
        log = work / "logs" / f"{name}-{number}.log"
        used.append(measure.run(command, log=log, cwd=work, env=prepared.env, timeout=TIMEOUT))
        if used[-1].exit_code != 0:
            code = used[-1].exit_code
            problem = f"stopped after {TIMEOUT:.0f} s" if code is None else f"failed with exit code {code}"
            say(f"  {problem}; {log}")
            return Round(measure.added(used), {}, problem)
    usage, rows = measure.added(used), compare(prepared.database, peer.queries, told)
    shown = ", ".join(f"{table} {outcome}" for table, outcome in rows.items() if outcome is not None)
    say(f"  {name}: {usage.wall:.1f} s, {usage.cpu:.1f} CPU s, {usage.peak_mb} MB; {shown}")
    return Round(usage, rows)


def _report(results: list[Result], refused: list[str]) -> Report:
    own, *others = results
    ran = [result for result in others if not result.first.problem and result.second]
    right = [result for result in ran if _all_right(result)]
    figures = {
        "courier": _figures(own),
        "peers": {result.peer.name: _figures(result) for result in others},
        "ran": [result.peer.name for result in ran],
        "courier_rows_right": own.first.right and own.second is not None and own.second.right,
        "ratio_to_best_peer": _ratio(own.first, [result.first for result in ran]),
        "ratio_to_best_peer_unchanged": _ratio(own.second, [i.second for i in ran if i.second]),
        "ratio_to_best_right_peer_unchanged": _ratio(own.second, [i.second for i in right if i.second]),
    }
    tables = (
        Table(_COLUMNS, tuple(_row(result, own) for result in results), "Cost"),
        Table(("rows after both pulls", *COMPARED), tuple(_rows_row(result) for result in results), "Rows"),
    )
    return Report(SUMMARY[0].upper() + SUMMARY[1:] + ".", figures, tables, _notes(results, refused))


_COLUMNS = (
    "pipeline", "version", "wall s", "CPU s", "times courier", "peak RSS MB",
    "unchanged: wall s", "unchanged: CPU s", "times courier (unchanged)", "rows right",
)  # fmt: skip


def _row(result: Result, own: Result) -> tuple[Cell, ...]:
    first, second = result.first, result.second
    if first.usage is None:
        return (result.peer.name, result.peer.version, *[None] * 7, first.problem)
    right = first.problem or (second.problem if second else "") or ("yes" if _all_right(result) else "no")
    again = (second.usage.wall, second.usage.cpu) if second and second.usage else (None, None)
    return (
        result.peer.name,
        result.peer.version,
        first.usage.wall,
        first.usage.cpu,
        _times(first, own.first),
        first.usage.peak_mb,
        *again,
        _times(second, own.second),
        right,
    )


def _all_right(result: Result) -> bool:
    return result.first.right and result.second is not None and result.second.right


def _times(one: Round | None, own: Round | None) -> float | None:
    return one.usage.cpu / own.usage.cpu if one and own and one.usage and own.usage else None


def _ratio(own: Round | None, others: list[Round]) -> float | None:
    """Courier's CPU seconds over the least of the peers'."""
    spent = [one.usage.cpu for one in others if one.usage and not one.problem]
    return round(own.usage.cpu / min(spent), 3) if own and own.usage and spent else None


def _rows_row(result: Result) -> tuple[Cell, ...]:
    last = result.second if result.second and result.second.rows else result.first
    shown = [last.rows.get(table) for table in COMPARED]
    return (result.peer.name, *(None if outcome is None else str(outcome) for outcome in shown))


def _figures(result: Result) -> dict[str, object]:
    found: dict[str, object] = {"version": result.peer.version, "rows_right": _all_right(result)}
    for name, one in (("first", result.first), ("unchanged", result.second)):
        if one is not None and one.usage is not None:
            found[name] = {
                "wall_s": round(one.usage.wall, 2),
                "cpu_s": round(one.usage.cpu, 2),
                "peak_rss_mb": one.usage.peak_mb,
                "peak_tree_rss_mb": one.usage.tree_mb,
                "rows": {table: outcome.rows for table, outcome in one.rows.items() if outcome is not None},
            }
        if one is not None and one.problem:
            found["problem"] = one.problem
    return found


def _notes(results: list[Result], refused: list[str]) -> tuple[str, ...]:
    own = dict.fromkeys(note for i in results for note in (*i.peer.notes, i.origin) if note)
    kept = ", ".join(f"{table}.{column}" for table, column in COMPARED.items())
    hosts = f" Requests to other hosts were refused ({', '.join(refused)})." if refused else ""
    return (
        "CPU seconds are user and system time of all processes of a pipeline; peak RSS is its largest process. The "
        "shop is served by another process that does not count, with a rate limit that nobody reaches.",
        f"Rows right: the ids are the truth's, and so are {kept} (order_line.order_id shows whether a line hangs on "
        "its own order). A dash: the pipeline has no such table.",
        "Unchanged: the same command again, with the state that the first one left, and nothing changed in the shop.",
        f"Peers reach the shop through a proxy that ends TLS.{hosts}",
        *own,
    )
