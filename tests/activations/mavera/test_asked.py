"""What is asked once per payload: never again for the same, again for another, and never by itself after a doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.activations.contract import Known, State, Wanted
from courier.activations.mavera.asked import asked_item

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PRICE = (1, 5)
payloads = st.dictionaries(st.sampled_from(["input", "persona_id", "thread_id"]), st.sampled_from("ab"), min_size=1)


def known(payload: dict[str, Any], state: State) -> Known:
    return Known("a", "k", state, "r1", payload, "", NOW)


@given(payloads, payloads, st.sampled_from(["done", "unknown", "pending", "failed"]))
def test_it_costs_something_exactly_where_something_is_sent(first: Any, second: Any, state: State) -> None:
    item = asked_item(Wanted("k", "k", second), known(first, state), second, PRICE)
    assert (item.action == "create") == (item.credits == PRICE) == (item.after is not None)
    assert item.action != "update" and item.reason
    if state == "pending":
        assert (item.action, item.remote_id) == ("unchanged", "r1")


@given(payloads)
def test_the_same_is_asked_again_only_after_a_failure(payload: Any) -> None:
    wanted = Wanted("k", "k", payload)
    actions = {state: asked_item(wanted, known(payload, state), payload, PRICE).action for state in STATES}
    assert actions == {"done": "unchanged", "pending": "unchanged", "unknown": "skip", "failed": "create"}
    assert asked_item(wanted, None, payload, PRICE).action == "create"


STATES: tuple[State, ...] = ("done", "pending", "unknown", "failed")


def test_somebody_may_say_that_a_doubt_is_a_failure() -> None:
    doubt = known({"input": "a"}, "unknown")
    again = asked_item(Wanted("k", "k", {"input": "a"}), replace(doubt, state="failed"), {"input": "a"}, PRICE)
    assert again.action == "create"


@pytest.mark.parametrize("thread", ["t1", None])
def test_another_thread_is_no_other_question(thread: str | None) -> None:
    asked = {"input": "a", "thread_id": thread}
    item = asked_item(Wanted("k", "k", asked), known({"input": "a"}, "done"), asked, PRICE, frozenset({"thread_id"}))
    assert item.action == "unchanged"
