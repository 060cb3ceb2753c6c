"""Mave at the sandbox: in a thread that goes on, slow, and at most once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from courier.activations.contract import Sent, Unclear
from courier.activations.mavera.chat import payload_of
from courier.activations.mavera.client import THINKING_SECONDS
from courier.config.activation import Chat, Contract
from courier.errors import SourceRefused
from courier.sandbox.mavera.faults import Fault
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from tests.activations.mavera.acting import Acting, acting


@pytest.fixture
def chatting(sandbox: Sandbox) -> Acting:
    return acting(sandbox, Chat("{rows}"))


def ask(chatting: Acting, message: str) -> Sent:
    outcome = chatting.apply(chatting.wanted("k", message=message))[1]
    assert isinstance(outcome, Sent)
    return outcome


def test_a_thread_goes_on(chatting: Acting, mavera: Mavera) -> None:
    """One question after the other in one thread; the same question again is none."""
    first = ask(chatting, "How do channels compare?")
    assert chatting.apply(chatting.wanted("k", message="How do channels compare?"))[1] is None
    second = ask(chatting, "And this week?")
    assert first.thread == second.thread == chatting.left[1].json["thread_id"]
    assert "thread_id" not in chatting.left[0].json
    assert first.output["content"].startswith("## Answer 1") and second.output["content"].startswith("## Answer 2")
    assert first.output["sources"] and first.problems == ()
    assert first.credits + second.credits == mavera.credits_used
    assert chatting.apply(chatting.wanted("k", message="And this week?"))[1] is None
    assert len(mavera.things("thread")) == 1


def test_a_new_thread_where_the_yaml_says_so(sandbox: Sandbox, mavera: Mavera) -> None:
    chatting = acting(sandbox, Chat("{rows}", thread="new"))
    first, second = ask(chatting, "one"), ask(chatting, "two")
    assert first.thread != second.thread and len(mavera.things("thread")) == 2


def test_a_thread_that_is_gone_is_begun_anew(chatting: Acting, mavera: Mavera) -> None:
    ask(chatting, "one")
    known = chatting.known["k"]
    chatting.known["k"] = replace(known, thread="mave_thread_deleted")
    again = ask(chatting, "two")
    assert again.problems == ("its thread was gone: this began a new one",)
    assert [left.json.get("thread_id") for left in chatting.left] == [None, "mave_thread_deleted", None]
    assert len(mavera.things("thread")) == 2


def test_a_slow_answer_is_waited_for(chatting: Acting, mavera: Mavera) -> None:
    """30-90 s are documented, and at least 180 advised."""
    assert THINKING_SECONDS >= 180
    mavera.configure(chat_seconds=90)
    assert ask(chatting, "slow").output["content"]


def test_a_question_back_is_no_answer(chatting: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "clarification"})
    assert "ask back" in ask(chatting, "vague").problems[0]


@pytest.mark.parametrize("kind", ["no_answer", "torn", "status_after"])
def test_without_an_answer_it_is_not_said_again(chatting: Acting, mavera: Mavera, kind: str) -> None:
    mavera.faults.add({"kind": kind, "contains": "POST"})
    assert isinstance(chatting.apply(chatting.wanted("k", message="one"))[1], Unclear)
    item, nothing = chatting.apply(chatting.wanted("k", message="one"))
    assert (item.action, nothing, len(chatting.left)) == ("skip", None, 1)


def test_never_more_than_ten_at_once(chatting: Acting, mavera: Mavera) -> None:
    """Mavera answers the eleventh with 429: none gets one, however many are sent side by side."""
    mavera.configure(latency="sleep", chat_seconds=0.05)
    items = [chatting.item(chatting.wanted(f"k{number}", message=f"question {number}")) for number in range(14)]
    with ThreadPoolExecutor(max_workers=14) as pool:
        outcomes = list(pool.map(lambda item: chatting.surface.send(item, lambda *_: None), items))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert {one.status for one in mavera.received} == {200}


def test_a_workspace_is_found_by_its_name(sandbox: Sandbox) -> None:
    chatting = acting(sandbox, Chat("{rows}"), workspace="Default workspace")
    ask(chatting, "one")
    assert chatting.left[0].json["workspace_id"] == "ws_sandbox_default"
    lost = acting(sandbox, Chat("{rows}"), workspace="Defalt workspace")
    with pytest.raises(SourceRefused) as refused:
        lost.surface.look()
    assert refused.value.fix == "Did you mean `Default workspace`?"


SHOPS = ({"shop": "a", "orders": 3}, {"shop": "b", "orders": 5})
CONTRACT = Contract(
    schema={
        "type": "object",
        "required": ["shops", "best_shop_ids"],
        "properties": {
            "shops": {"type": "array", "items": {"type": "object", "properties": {"share": {"type": "number"}}}},
            "best_shop_ids": {"type": "array", "items": {"type": "string"}},
        },
    },
    evidence={"best_shop_ids[]": "shop_id"},
    sums={"shops[].share": 100},
    rows={"shops[]": ("shop", "orders")},
)
QUESTION = '{"shop": "a", "orders": 3, "shop_id": "s-1"}\n{"shop": "b", "orders": 5, "shop_id": "s-2"}'


def agreed(sandbox: Sandbox) -> Sent:
    """A question whose answer has a contract, over two rows."""
    chatting = acting(sandbox, Chat("{rows}", contract=CONTRACT))
    evidence = {"best_shop_ids[]": frozenset({"s-1", "s-2"})}
    wanted = replace(chatting.wanted("k", evidence, message=QUESTION), figures={"shops[]": SHOPS})
    outcome = chatting.apply(wanted)[1]
    assert isinstance(outcome, Sent)
    return outcome


def test_an_answer_keeps_to_its_contract(sandbox: Sandbox) -> None:
    sent = agreed(sandbox)
    assert sent.problems == ()
    assert [(one["shop"], one["orders"], one["share"]) for one in sent.output["content"]["shops"]] == [
        ("a", 3, 50),
        ("b", 5, 50),
    ]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("wrong_sum", "shops[].share adds up to 101, not 100"),
        ("wrong_figure", "shops[].orders is not what was sent in 1 of 2"),
        ("broken_schema", "the answer breaks its schema at its top: required"),
        ("invalid_json", "the answer is not JSON"),
        ("foreign_evidence", "best_shop_ids[] names 1 of 3 that were not among what was sent"),
        ("clarification", "ask back"),
    ],
)
def test_an_answer_that_breaks_its_contract_is_kept_and_told(
    sandbox: Sandbox, mavera: Mavera, kind: str, said: str
) -> None:
    mavera.faults.add(Fault(kind))
    sent = agreed(sandbox)
    assert any(said in problem for problem in sent.problems), sent.problems
    assert sent.output["content"] and sent.credits == mavera.credits_used > 0


def test_a_contract_without_a_schema_is_a_mistake_of_the_yaml() -> None:
    """Nothing could be checked of a text."""
    for contract in (Contract(sums={"a": 1}), Contract(rows={"a[]": ("b",)}), Contract(evidence={"a[]": "b"})):
        assert payload_of(Chat("x", contract=contract), {}).problems
    assert "no JSON Schema" in payload_of(Chat("x", contract=Contract({"type": "objekt"})), {}).problems[0]
