"""Focus groups at the sandbox: begun once, looked at until they end, resumed, and failed with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.activations.contract import Item, NotSent, Sent, Unclear
from courier.activations.mavera.focus_group_names import ASSUMED, request, standing, value_of
from courier.activations.mavera.focus_groups import estimate
from courier.config.activation import FocusGroup, Persona, Question
from courier.sandbox.mavera import focus_groups as sandbox_groups
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from tests.activations.mavera.acting import Acting, acting

BODY = FocusGroup(
    "Cross-sell of {product}",
    (Question("Would you buy both?", "likert"), Question("Which one?", "multiple_choice", ("This", "That"))),
    ("Home Cook", "activation:mavera_cohorts"),
)


@pytest.fixture
def asking(sandbox: Sandbox) -> Acting:
    return acting(sandbox, BODY)


@pytest.fixture
def cohorts(sandbox: Sandbox, asking: Acting) -> Acting:
    """Two personas of another activation."""
    made = acting(sandbox, Persona("{c}", "B2C", "north_star", "d"), name="mavera_cohorts")
    made.owned = asking.owned
    for key in ("b", "a"):
        made.apply(made.wanted(key, name=f"Shopify {key} Customer", description="120 customers"))
    return made


def ended(asking: Acting, item: Item, begun: Sent) -> Sent:
    """Wait for its end, as an apply does once its id is written down."""
    outcome = asking.surface.resume(item, begun.remote_id)
    assert isinstance(outcome, Sent)
    asking.remember(item, outcome)
    return outcome


def credits_of(mavera: Mavera) -> int:
    return sum(one.credits for one in mavera.charges if "focus" in one.call)


def test_it_is_begun_once_and_looked_at_until_it_ends(
    asking: Acting, cohorts: Acting, mavera: Mavera, waits: list[float]
) -> None:
    item, begun = asking.apply(asking.wanted("p1", name="Cross-sell of Shirt"))
    assert isinstance(begun, Sent) and begun.pending and waits == []
    outcome = ended(asking, item, begun)
    assert not outcome.pending and outcome.problems == ()
    assert len(outcome.output["results"]) == 2
    assert item.credits[0] <= outcome.credits == credits_of(mavera) <= item.credits[1]
    assert sum(waits) > 0
    sent = asking.left[0].json
    made = [cohorts.known[key].remote_id for key in ("a", "b")]
    assert sent["persona_ids"][1:] == made and len(sent["persona_ids"]) == 3
    assert sent["questions"][1] == {"text": "Which one?", "type": "multiple_choice", "options": ["This", "That"]}
    assert sent["workspace_id"] == "ws_sandbox_default"
    again, nothing = asking.apply(asking.wanted("p1", name="Cross-sell of Shirt"))
    assert (again.action, nothing) == ("unchanged", None)


def test_a_slow_one_stays_pending_and_is_resumed(sandbox: Sandbox, cohorts: Acting, mavera: Mavera) -> None:
    """Nothing is begun or paid a second time."""
    mavera.configure(focus_group_seconds=900)
    asking = acting(sandbox, replace(BODY, deadline=timedelta(minutes=2)))
    asking.owned = cohorts.owned
    item, outcome = asking.apply(asking.wanted("p1", name="Slow"))
    assert isinstance(outcome, Sent) and outcome.pending
    waiting, nothing = asking.apply(asking.wanted("p1", name="Slow"))
    assert (waiting.action, nothing, waiting.remote_id) == ("unchanged", None, outcome.remote_id)
    tries = [ended(asking, waiting, outcome) for _ in range(9)]
    assert tries[0].problems == ("it has not ended before the deadline",)
    assert tries[0].pending and not tries[-1].pending and tries[-1].output["results"]
    assert {one.credits for one in (outcome, *tries)} == {credits_of(mavera)}
    assert len(asking.left) == 1 and item.action == "create"


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503, "times": 6}, {"kind": "html", "status": 502, "times": 6}]
)
def test_trouble_on_the_way_leaves_it_pending(
    asking: Acting, cohorts: Acting, mavera: Mavera, fault: dict[str, Any]
) -> None:
    mavera.faults.add({**fault, "contains": "GET /api/v1/focus-groups"})
    item, outcome = asking.apply(asking.wanted("p1", name="Interrupted"))
    assert isinstance(outcome, Sent)
    interrupted = ended(asking, item, outcome)
    assert interrupted.pending and "times" in interrupted.problems[0]
    assert not ended(asking, item, interrupted).pending


def test_a_failed_one_says_why_and_what_it_cost(asking: Acting, cohorts: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "failed"})
    item, begun = asking.apply(asking.wanted("p1", name="Failing"))
    assert isinstance(begun, Sent)
    outcome = asking.surface.resume(item, begun.remote_id)
    assert isinstance(outcome, NotSent)
    assert outcome.problem == "the focus group failed: The respondents could not be asked"
    assert outcome.credits == credits_of(mavera) > 0 and not outcome.stop


def test_one_that_is_gone_is_not_waited_for(asking: Acting, cohorts: Acting) -> None:
    item, outcome = asking.apply(asking.wanted("p1", name="x"))
    assert isinstance(outcome, Sent)
    gone = asking.surface.resume(item, "fg_deleted/../x")
    assert isinstance(gone, NotSent) and "404" in gone.problem


def test_an_answer_that_is_lost_is_not_asked_again(asking: Acting, cohorts: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "no_answer", "contains": "POST /api/v1/focus-groups"})
    assert isinstance(asking.apply(asking.wanted("p1", name="x"))[1], Unclear)
    assert asking.apply(asking.wanted("p1", name="x"))[1] is None
    assert len(mavera.things("focus_group")) == 1


def test_names_and_words_can_be_others(sandbox: Sandbox, cohorts: Acting, mavera: Mavera) -> None:
    """The one adapter: no page shows the fields, so that the YAML can name them."""
    renamed = {"persona_ids": "participants", "text": "prompt", "results": "report", "status": "state", "id": "uuid"}
    mavera.configure(focus_group_names=renamed, focus_group_words={"completed": "Done"})
    names = {"personas": "participants", "text": "prompt", "results": "report", "status": "state", "id": "uuid"}
    asking = acting(sandbox, replace(BODY, names=names))
    asking.owned = cohorts.owned
    item, begun = asking.apply(asking.wanted("p1", name="Renamed"))
    assert isinstance(begun, Sent)
    assert ended(asking, item, begun).output["report"]


@pytest.mark.parametrize(
    ("personas", "said"),
    [
        (("Home Cok",), "Did you mean `Home Cook`?"),
        (("activation:nobody",), "apply it first"),
        (tuple(f"Workshop Persona {n}" for n in range(1, 12)), "takes 10"),
    ],
)
def test_who_cannot_be_asked_is_said_by_the_plan(sandbox: Sandbox, personas: tuple[str, ...], said: str) -> None:
    asking = acting(sandbox, replace(BODY, personas=personas))
    item, nothing = asking.apply(asking.wanted("p1", name="x"))
    assert (item.action, nothing, said in item.reason) == ("skip", None, True)


@given(st.integers(1, 10), st.integers(1, 20), st.integers(1, 50))
def test_what_it_costs_is_within_the_estimate(personas: int, questions: int, responses: int) -> None:
    low, high = estimate(personas, questions, responses)
    assert min(low, 200) <= sandbox_groups.credits(personas * responses, questions) <= high


def test_the_documented_example_is_estimated_as_documented() -> None:
    low, high = estimate(10, 5, 5)
    assert low <= 100 and high == 125


@given(
    st.dictionaries(
        st.sampled_from(sorted(set(ASSUMED) - {"questions"})), st.text("abc_", min_size=1, max_size=5), max_size=5
    )
)
def test_every_word_goes_through_the_adapter(names: dict[str, str]) -> None:
    payload = {"name": "x", "personas": ["p"], "responses": 2, "questions": [{"text": "t", "type": "nps"}]}
    body = request(payload, names)
    wanted = {names.get(word, ASSUMED[word]) for word in ("name", "personas", "responses", "questions")}
    assert set(body) == wanted
    for word, path in {**ASSUMED, **names}.items():
        nested: Any = 7
        for step in reversed(path.split(".")):
            nested = {step: nested}
        assert value_of(nested, word, names) == 7


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("COMPLETED", "done"),
        ("Ready", "done"),
        ("failed", "failed"),
        ("ERROR", "failed"),
        ("PROCESSING", "pending"),
        ("zzz", "pending"),
    ],
)
def test_words_are_read_whatever_their_case(status: str, ended: str) -> None:
    assert standing({"status": status}, {}) == ended
