"""Focus groups: asynchronous, charged at once, five at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from courier.sandbox.mavera.faults import Fault
from courier.sandbox.mavera.focus_groups import credits
from courier.sandbox.mavera.results import OPTIONS, TYPES
from tests.sandbox.mavera.client import Client, Json


def group(client: Client, **more: object) -> Json:
    place = client.get("workspaces")["data"][0]["id"]
    personas = [body["id"] for body in client.mavera.personas[:3]]
    questions = [{"text": f"About {kind}?", "type": kind} for kind in ("likert", "nps")]
    return {"workspace_id": place, "persona_ids": personas, "questions": questions, "responses": 2, **more}


def statuses(client: Client, identity: str, times: int) -> list[str]:
    return [client.get(f"focus-groups/{identity}")["status"] for _ in range(times)]


def test_it_ends_after_some_polls(client: Client) -> None:
    """PENDING, PROCESSING, COMPLETED; a row per respondent and question, with the aggregates that follow from them."""
    made = client.post("focus-groups", **group(client))
    assert made["status"] == "PENDING" and client.mavera.credits_used == made["usage"]["credits_used"]
    assert statuses(client, made["id"], 3) == ["PENDING", "PROCESSING", "COMPLETED"]
    likert, nps = client.get(f"focus-groups/{made['id']}")["results"]
    assert len(likert["responses"]) == 6 == sum(likert["aggregate"]["distribution"].values())
    scores = [row["score"] for row in nps["responses"]]
    assert nps["aggregate"]["mean"] == round(sum(scores) / 6, 2) and all(0 <= score <= 10 for score in scores)
    assert client.get(f"focus-groups/{made['id']}")["results"] == [likert, nps]


def test_a_slow_one(client: Client) -> None:
    """It takes its seconds by the shop's clock, however often it is asked about; or ends although nobody asks."""
    client.mavera.configure(focus_group_seconds=600)
    made = client.post("focus-groups", **group(client))
    assert set(statuses(client, made["id"], 5)[2:]) == {"PROCESSING"}
    client.sandbox.shop.offset += timedelta(seconds=600)
    assert statuses(client, made["id"], 1) == ["COMPLETED"]


@pytest.mark.parametrize("as_fault", [True, False])
def test_a_failed_one(client: Client, as_fault: bool) -> None:
    """FAILED with a reason, no results, and it stays charged."""
    client.mavera.configure(focus_group_fails=not as_fault, focus_group_polls=0)
    if as_fault:
        client.mavera.faults.add(Fault("failed"))
    made = client.post("focus-groups", **group(client))
    found = client.get(f"focus-groups/{made['id']}")
    assert (found["status"], found["results"]) == ("FAILED", None) and found["error"] and client.mavera.credits_used


def test_five_at_a_time(client: Client) -> None:
    """The sixth is refused until one has ended."""
    made = [client.post("focus-groups", **group(client)) for _ in range(5)]
    refused = client.send("POST", "focus-groups", group(client))
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0 and len(client.mavera.charges) == 5
    statuses(client, made[0]["id"], 3)
    client.post("focus-groups", **group(client))


def test_other_names_and_words(client: Client) -> None:
    """No public page shows the fields: a setting gives them other names, in requests and answers."""
    client.mavera.configure(focus_group_names={"persona_ids": "personas", "text": "prompt"}, focus_group_polls=0)
    client.mavera.configure(focus_group_words={"completed": "done"})
    body = group(client)
    sent = {**body, "personas": body.pop("persona_ids"), "questions": [{"prompt": "Why?", "type": "OPEN_ENDED"}]}
    made = client.post("focus-groups", **sent)
    found = client.get(f"focus-groups/{made['id']}")
    assert (found["status"], found["questions"][0]["prompt"], found["personas"]) == ("done", "Why?", sent["personas"])
    assert client.error("POST", "focus-groups", group(client)) == (400, "missing_field")


def test_all_types(client: Client) -> None:
    """Twelve, and each has an aggregate over all respondents."""
    assert len(TYPES) == 12
    client.mavera.configure(focus_group_polls=0)
    questions = [{"text": "?", "type": kind, "options": ["a", "b"] if kind in OPTIONS else []} for kind in TYPES]
    made = client.post("focus-groups", **group(client, questions=questions, sample_size=12))
    found = client.get(f"focus-groups/{made['id']}")["results"]
    assert [(one["type"], one["aggregate"]["count"], len(one["responses"])) for one in found] == [
        (kind, 12, 12) for kind in TYPES
    ]


def test_what_one_costs() -> None:
    """The published examples, and the published limits."""
    assert (credits(10, 0), credits(25, 0)) == (50, 75)
    assert 100 <= credits(50, 5) <= 125
    assert {credits(size, number) for size in (1, 500) for number in (1, 20)} <= set(range(50, 201))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"workspace_id": None}, "missing_field"),
        ({"persona_ids": []}, "invalid_field"),
        ({"persona_ids": ["clx0"]}, "invalid_persona"),
        ({"questions": []}, "invalid_field"),
        ({"questions": [{"text": "?", "type": "guess"}]}, "invalid_field"),
        ({"questions": [{"text": "?", "type": "ranking"}]}, "invalid_field"),
        ({"sample_size": 501}, "invalid_field"),
    ],
)
def test_bad_groups(shared: Client, change: Json, code: str) -> None:
    """Refused, and free."""
    before = shared.mavera.credits_used
    assert shared.error("POST", "focus-groups", group(shared, **change)) == (400, code)
    assert shared.mavera.credits_used == before
