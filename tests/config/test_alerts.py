"""alerts.yaml: what it means, what is wrong with it, and that no target's URL is ever shown."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courier.config.load import load_project
from courier.config.project import AlertRule, Alerts, SecretRef
from courier.config.render import render_all
from courier.config.schemas import json_schemas
from tests.config.projects import write_project

OPS = {"ops": SecretRef("OPS", "alerts.yaml", 2)}
RULE = "targets:\n  ops: ${OPS}\nalerts:\n  - "


def alerts_of(root: Path, text: str) -> Alerts:
    loaded = load_project(write_project(root, {"alerts.yaml": text}))
    assert loaded.project is not None, render_all(loaded.problems)
    return loaded.project.alerts


def test_a_project_may_do_without_alerts(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path)).project
    assert project is not None
    assert project.alerts == Alerts()


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("targets:\n  ops: ${OPS}\n", [AlertRule(("ops",))]),
        (RULE + "to: ops\n", [AlertRule(("ops",))]),
        (RULE + "{ to: [ops], on: late, groups: shopify }\n", [AlertRule(("ops",), ("late",), ("shopify",))]),
        (RULE + "{ to: ops, on: [failed, stale] }\n", [AlertRule(("ops",), ("failed", "stale"))]),
    ],
)
def test_what_is_left_out_is_everything(tmp_path: Path, text: str, rules: list[AlertRule]) -> None:
    """Without `alerts:` every target is told of everything; without `on` or `groups`, of all kinds and groups."""
    assert alerts_of(tmp_path, text) == Alerts(OPS, tuple(rules))
    schema = json_schemas(tmp_path)["alerts.json"]
    targets = {"ops": "${OPS}"}
    jsonschema.validate({"targets": targets, "alerts": [{"to": ["ops"], "on": "late", "groups": "shopify"}]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"targets": {"ops": "json://host"}}, schema)


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        (RULE + "{ to: ops, on: [faild] }\n", "bad-value", "Did you mean `failed`?"),
        (RULE + "{ to: ops, on: faild }\n", "bad-value", "`faild` is not known here"),
        (RULE + "{ to: ops, groups: [shopfy] }\n", "unknown-group", "Did you mean `shopify`?"),
        (RULE + "{ to: [ops, opps] }\n", "unknown-target", "Did you mean `ops`?"),
        (RULE + "{ to: ops, on: [] }\n", "bad-value", "this is empty"),
        ("targets:\n  ops: ${OPS}\nalerts: []\n", "bad-value", "this is empty"),
        ("targets:\n  Ops: ${OPS}\n", "bad-name", "`Ops` is no name"),
        ("targets:\n  ops: json://${HOST}\n", "literal-secret", "Write ${NAME}"),
        (RULE + "to: ${OPS}\n", "secret-reference", "`targets:` only"),
        ("target:\n  ops: ${OPS}\n", "unknown-key", "Did you mean `targets`?"),
    ],
)
def test_mistakes_are_told_with_a_fix(tmp_path: Path, text: str, rule: str, said: str) -> None:
    loaded = load_project(write_project(tmp_path, {"alerts.yaml": text}))
    assert loaded.project is None
    assert rule in [problem.rule for problem in loaded.problems]
    assert said in render_all(loaded.problems)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=st.from_regex(r"[A-Za-z0-9_-]{12,30}", fullmatch=True),
    place=st.sampled_from(
        [
            "targets:\n  ops: {}\n",
            "targets:\n  ops: '{}'\n",
            "targets:\n  ops: [{}]\n",
            "targets: {{ ops: {} }}\n",
            "targets:\n  ops: '{}\n",
            "targets:\n\tops: {}\n",
            "target: {{ ops: {} }}\n",
            "targets:\n  {}: a\n",
            "targets:\n  ops: ${{OPS}}\nalerts: [{{ to: {} }}]\n",
            "targets:\n  ops: ${{OPS}}\nalerts: [{{ to: ops, on: {} }}]\n",
            "targets:\n  ops: ${{OPS}}\nalerts: [{{ to: ops, groups: [{}] }}]\n",
            "targets:\n  ops: ${{OPS}}\nwhatever: {}\n",
            "targets:\n  ops: ${{OPS}}\n  ops: {}\n",
        ]
    ),
)
def test_a_targets_url_is_never_shown(tmp_path: Path, secret: str, place: str) -> None:
    """Law: wherever a URL is written, and whatever else is wrong there, no output holds what is secret in it."""
    text = place.format(f"slack://{secret}/{secret}")
    loaded = load_project(write_project(tmp_path, {"alerts.yaml": text}))
    assert loaded.project is None
    assert secret not in render_all(loaded.problems)
