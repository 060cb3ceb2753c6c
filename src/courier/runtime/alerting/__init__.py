"""Alerts: `tell` is all that whoever runs groups needs to call, once a run has ended and once it is late.

notices = tell(project, place, alerted_run(result, group, scheduled, "schedule"), previous)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from courier.config.secrets import resolve
from courier.errors import ConfigurationError, WarehouseUnreachable
from courier.runtime.alerting.group_run import Alert, AlertedCourier, AlertedRun, alerted_courier, alerted_run
from courier.runtime.alerting.judge import Histories, alerts_of
from courier.runtime.alerting.message import TEST, Message, messages
from courier.runtime.alerting.send import INSTALL, can_send, send

if TYPE_CHECKING:
    from courier.config.project import Alerts, Project
    from courier.runtime.place import Place
    from courier.runtime.result import Result

__all__ = ["Alert", "AlertedCourier", "AlertedRun", "alerted_courier", "alerted_run", "tell", "try_targets", "unready"]


def tell(
    project: Project,
    place: Place,
    run: AlertedRun,
    previous: Result | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """Send the alerts of a group's run to whom alerts.yaml names. Returns notices: what could not be told, and why.

    Call it when a run has ended, and once, with result "running", when a run under way has taken longer than
    `alert_after`; then set `told_late` at its end. `previous` is the result of the group's scheduled run before,
    interrupted and covered ones left out. It raises for no target, and for no warehouse that cannot be read; sending
    takes 20 seconds at most (send.LIMIT), and no time where there is nothing to tell.
    """
    if not project.alerts.targets or run.trigger != "schedule":
        return ()
    histories, notices = _histories(project.alerts, place, run)
    alerts = alerts_of(run, previous, histories)
    wanted = messages(project.alerts, run, alerts, place.sandbox)
    unsent = _sent(project, wanted, environ)
    return (*notices, *(f"alert not sent to {name}: {why}" for name, why in unsent.items()))


def try_targets(project: Project, targets: tuple[str, ...], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Send a test message to each target. Returns what went wrong by target, empty where nothing did."""
    problems = _sent(project, dict.fromkeys(targets, TEST), environ)
    return {name: problems.get(name, "") for name in targets}


def unready(project: Project, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Why alerts could not be sent, known before anything happens: what a daemon says when it starts."""
    problems = _urls(project, tuple(project.alerts.targets), environ)[1]
    return tuple(f"no alert can be sent to {name}: {why}" for name, why in problems.items())


def _sent(project: Project, wanted: Mapping[str, Message], environ: Mapping[str, str]) -> dict[str, str]:
    urls, problems = _urls(project, tuple(wanted), environ)
    return {**problems, **send({name: wanted[name] for name in urls}, urls)}


def _urls(
    project: Project, targets: tuple[str, ...], environ: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The URLs of those targets that can be sent to, and why the others cannot."""
    if not can_send():
        return {}, dict.fromkeys(targets, f"Apprise is not installed: {INSTALL}")
    refs = {name: project.alerts.targets[name] for name in targets}
    try:
        found = resolve(project.root, refs.values(), environ)
    except ConfigurationError as error:
        return {}, dict.fromkeys(targets, error.message)
    missing = {name: f"{ref.name} is not set ({ref.path}:{ref.line})" for name, ref in refs.items() if not found[ref]}
    return {name: url for name, ref in refs.items() if (url := found[ref])}, missing


def _histories(config: Alerts, place: Place, run: AlertedRun) -> tuple[Histories, tuple[str, ...]]:
    """What the feeds of the run brought so far, if anybody wants to know of volume and freshness; and notices."""
    about = [rule for rule in config.rules if not rule.groups or run.group in rule.groups]
    if run.result == "running" or not any(not rule.kinds or {"volume", "stale"} & {*rule.kinds} for rule in about):
        return {}, ()
    # Here, because DuckDB takes 0.1 s and 40 MB that a run without such alerts need not spend.
    from courier.storage import duck
    from courier.storage.ledger import feed_history

    names = [courier.courier for courier in run.couriers if courier.result == "succeeded"]
    try:
        return {name: feed_history(place.warehouse, name) for name in names}, ()
    except (OSError, WarehouseUnreachable, duck.error()):
        return {}, ("volume and freshness were not looked at: the warehouse could not be read",)
