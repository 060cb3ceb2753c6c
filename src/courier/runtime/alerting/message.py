"""What a target receives: one message for all alerts of a run that it asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from courier.clock import rfc3339
from courier.runtime.alerting.group_run import Alert, AlertedRun

if TYPE_CHECKING:
    from courier.config.project import AlertRule, Alerts

Tone = Literal["info", "success", "warning", "failure"]


@dataclass(frozen=True)
class Message:
    """`tone` is how the service colours it. Neither text holds a secret or a customer's value."""

    title: str
    body: str
    tone: Tone


TEST = Message(
    "courier: a test",
    "This target of alerts.yaml works. Somebody typed: courier alerts test",
    "info",
)


def messages(config: Alerts, run: AlertedRun, alerts: Sequence[Alert], sandbox: bool = False) -> dict[str, Message]:
    """Target -> message, for every target that any of the alerts is for."""
    chosen = {target: [one for one in alerts if _wanted(config.rules, target, one)] for target in config.targets}
    return {target: _message(run, found, sandbox) for target, found in chosen.items() if found}


def _wanted(rules: Iterable[AlertRule], target: str, alert: Alert) -> bool:
    return any(
        target in rule.targets
        and (not rule.kinds or alert.kind in rule.kinds)
        and (not rule.groups or alert.group in rule.groups)
        for rule in rules
    )


def _message(run: AlertedRun, alerts: Sequence[Alert], sandbox: bool) -> Message:
    kinds = dict.fromkeys(alert.kind for alert in alerts)
    where = " (sandbox)" if sandbox else ""
    facts = [f"run {run.run}", f"scheduled {rfc3339(run.scheduled)}, started {rfc3339(run.started)}"]
    if run.result != "running":
        facts.append(f"ended {rfc3339(run.until)}: {run.result}")
    commands = dict.fromkeys(alert.command for alert in alerts)
    body = [*(alert.text for alert in alerts), *facts, *(f"next: {command}" for command in commands)]
    return Message(f"courier: {run.group}: {', '.join(kinds)}{where}", "\n".join(body), _tone(set(kinds)))


def _tone(kinds: set[str]) -> Tone:
    if kinds & {"failed", "blocked"}:
        return "failure"
    return "success" if kinds == {"recovered"} else "warning"
