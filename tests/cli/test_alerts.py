"""courier alerts test, as people type it, to a service on loopback."""

from __future__ import annotations

from pathlib import Path

from tests.cli.process import courier
from tests.runtime.alerting.receiver import receiving


def test_each_target_is_tried_and_told_of(project: Path) -> None:
    """One that works and one that is not set: both are said, as text and as JSON, and no URL is."""
    (project / "alerts.yaml").write_text("targets:\n  ops: ${OPS_URL}\n  dev: ${DEV_URL}\n")
    with receiving() as service:
        both = courier(project, "alerts", "test", "--json", OPS_URL=service.url)
        one = courier(project, "alerts", "test", "--to", "ops", OPS_URL=service.url)
    assert both.code == 1
    assert both.err == "ops: sent\ndev: not sent: DEV_URL is not set (alerts.yaml:3)\n"
    assert both.body["targets"] == [
        {"target": "ops", "sent": True, "problem": None},
        {"target": "dev", "sent": False, "problem": "DEV_URL is not set (alerts.yaml:3)"},
    ]
    assert (one.code, one.err) == (0, "ops: sent\n")
    assert [got["title"] for got in service.received] == ["courier: a test"] * 2
    typo = courier(project, "alerts", "test", "--to", "opps")
    assert (typo.code, typo.err) == (2, "error: alerts.yaml has no target 'opps'\n  fix: Did you mean `ops`?\n")
