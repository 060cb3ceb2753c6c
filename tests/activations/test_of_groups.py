"""A group's activations, once its couriers have committed: what is planned, what is applied, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier.runtime.history import History
from courier.sandbox.mavera.faults import Fault
from tests.activations.acted import COHORTS, Acted

RUN = ("run", "--group", "shopify", "--json")
GROUPS = "shopify:\n  couriers: { shopify: }\n"


@pytest.fixture
def grouped(acted: Acted) -> Iterator[Acted]:
    """`buyers` by hand and `texts` by itself follow the courier."""
    path = acted.root / "courier_groups.yaml"
    before = path.read_text("utf-8")
    path.write_text(f"{GROUPS}  activations: [buyers, texts]\n", "utf-8")
    acted.write("texts", apply="automatic")
    yield acted
    path.write_text(before, "utf-8")
    acted.write("texts")


def test_a_group_plans_its_activations_and_applies_the_automatic_ones(grouped: Acted) -> None:
    """One line each, and the command for the one that waits for a person; `runs show` and `status` have them."""
    assert grouped.courier("plan", "--group", "shopify", "--json").object["activations"] == ["buyers", "texts"]
    ended = grouped.courier(*RUN)
    assert (ended.code, ended.object["result"]) == (0, "succeeded"), ended.err
    planned, applied = ended.object["activations"]
    assert (planned["name"], planned["result"], planned["credits"]) == ("buyers", "planned", 0)
    assert (planned["expected"], planned["actions"]["create"]) == ([900, 900], len(COHORTS))
    assert (applied["name"], applied["result"], applied["credits"]) == ("texts", "succeeded", grouped.charged)
    told = {event["activation"]: event for event in ended.named("ActivationEnded")}
    assert told["buyers"]["fix"] == "courier activate buyers --apply"
    assert [event["key"] for event in ended.named("ActivationItem")] == list(COHORTS)
    run = ended.object["run"]
    assert "texts" in grouped.courier("runs", "show", run).out
    (row,) = [one for one in grouped.courier("status", "--json").object["activations"] if one["activation"] == "texts"]
    assert (row["result"], row["items"]) == ("succeeded", {"done": 3})
    shown = grouped.courier("runs", "show", row["last_run"], "--json").object["run"]
    assert (shown["group_run"], [item["state"] for item in shown["items"]]) == (run, ["done"] * 3)


def test_a_failed_activation_makes_the_run_partial_and_a_retry_goes_on_with_it(grouped: Acted) -> None:
    """What was committed stays so for whoever waits for the group; exit 1, and what to type."""
    grouped.mavera.faults.add(Fault("no_credits", contains="POST /api/v1/generations", nth=2, times=0))
    ended = grouped.courier(*RUN)
    body = ended.object
    assert (ended.code, body["result"], body["activations"][1]["result"]) == (1, "partial", "partial")
    assert "activation texts: " in body["problem"]["message"]
    assert body["problem"]["fix"].endswith(f"courier retry {body['run']} goes on with the activations")
    history = History(grouped.place.history)
    (row,) = history.group_runs(limit=1)
    assert (row.result, row.committed) == ("partial", True)
    assert f"courier retry {row.run}" in grouped.courier("status").err
    grouped.mavera.faults.clear()
    retried = grouped.courier("retry", row.run, "--json")
    assert (retried.code, retried.object["result"]) == (0, "succeeded"), retried.err
    assert retried.named("RunStarted") == []
    assert len(grouped.mavera.things("generation")) == len(COHORTS)


def test_credentials_of_activations_are_looked_up_first(grouped: Acted) -> None:
    """Without a key nothing begins, unless the run leaves the activations out; its retry would too."""
    missing = grouped.courier(*RUN, key="")
    assert missing.code == 3
    problem = missing.problem
    assert "MAVERA_API_KEY (activations/buyers.yaml:" in problem["message"]
    assert "--run-type source leaves the activations out" in problem["fix"]
    source = grouped.courier(*RUN, "--run-type", "source", key="")
    assert (source.code, source.object["activations"]) == (0, [])
    wrong = grouped.courier(*RUN, key="mvra_live_" + "0" * 40)
    assert (wrong.code, wrong.object["result"]) == (1, "partial")
    assert {one["result"] for one in wrong.object["activations"]} == {"failed"}
    assert grouped.charged == 0
