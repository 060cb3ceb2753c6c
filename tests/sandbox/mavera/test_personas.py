"""Personas: what is listed, what is kept of what is sent, and what nobody can change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.sandbox.mavera.personas import FIELDS
from tests.sandbox.mavera.client import COHORT, Client, Json

FEW = settings(max_examples=25, deadline=None)
WORDS = st.text(max_size=12)
VALUES: st.SearchStrategy[Any] = st.one_of(st.none(), st.booleans(), st.integers(), WORDS, st.lists(WORDS, max_size=3))
BODIES = st.dictionaries(st.one_of(st.sampled_from([*COHORT, "type", "demographic", *FIELDS]), WORDS), VALUES)


@FEW
@given(limit=st.integers(1, 100))
def test_paging_visits_every_persona_once(shared: Client, limit: int) -> None:
    """Law: for any limit every page but the last is full, and the pages are all personas, each once."""
    pages = list(shared.pages("personas", limit=limit))
    assert [row["id"] for page in pages for row in page] == [body["id"] for body in shared.mavera.personas]
    assert {len(page) for page in pages[:-1]} <= {limit} and 0 < len(pages[-1]) <= limit


def test_the_list(client: Client) -> None:
    """50 rows unless told, no details; base and custom personas over more than two pages of 50."""
    first = client.get("personas")
    assert len(first["data"]) == 50 and first["has_more"] is True
    rows = client.every("personas")
    assert set(rows[0]) == {
        *("id", "object", "name", "category", "description", "is_custom", "is_expert", "created_at"),
    }
    base = [row for row in rows if not row["is_custom"]]
    assert len(base) >= 50 and len(rows) - len(base) > 60 and "Gen Z Consumer" in {row["name"] for row in base}
    assert client.error("GET", "personas", limit=101) == (400, "invalid_field")
    assert client.error("GET", "personas", cursor="nonsense") == (400, "invalid_field")


def test_lists_as_other_pages_have_them(client: Client) -> None:
    """Rows under `personas`, and no `has_more`: the end is where `next_cursor` is null."""
    client.mavera.configure(personas_key="personas", persona_paging=False)
    found = client.get("personas", limit=100)
    assert len(found["personas"]) == 100 and not {"data", "has_more"} & set(found) and found["next_cursor"]
    assert client.get("personas", limit=100, cursor=found["next_cursor"])["next_cursor"] is None


def test_filters(client: Client) -> None:
    """`name` filters nothing; `search` looks into names and descriptions; `is_custom` and `category` filter."""
    made = client.post("personas", **{**COHORT, "description": "Buys every NEWSPRINT."})
    assert len(client.get("personas", name=COHORT["name"], limit=100)["data"]) == 100
    assert {row["name"] for row in client.every("personas", search="shopify vip customer")} == {
        COHORT["name"],
        "Shopify VIP Customer (sample)",
    }
    assert [row["id"] for row in client.every("personas", search="newsprint")] == [made["id"]]
    assert all(row["is_custom"] for row in client.every("personas", is_custom="true"))
    assert {row["category"] for row in client.every("personas", category="B2B")} == {"B2B"}


def test_what_sticks(client: Client) -> None:
    """`details` shows documented fields as sent; others are dropped without a word unless a setting has them."""
    sent = {
        **COHORT,
        "type": "B2C",
        "life_stage": "settled",
        "channels": ["email"],
        "attributes": {},
        "demographic": {},
    }
    made = client.post("personas", **sent)
    assert made["credits_charged"] == 300 and (made["name"], made["description"]) == (sent["name"], sent["description"])
    assert made["details"].keys() == set(FIELDS)
    assert {name: value for name, value in made["details"].items() if value} == {
        "pipeline_type": "north_star",
        "persona_type": "B2C",
        "life_stage": "settled",
        "channels": ["email"],
    }
    client.mavera.configure(accepted_fields=["demographic"], dropped_fields=["channels"])
    kept = client.patch(f"personas/{made['id']}", demographic={"custom_attributes": {"a": 1}}, channels=["sms"])
    assert kept["details"]["demographic"] == {"custom_attributes": {"a": 1}} and "channels" not in kept["details"]
    client.mavera.configure(accepted_fields=[], dropped_fields=[])
    assert client.patch(f"personas/{made['id']}")["details"]["channels"] == ["email"]


def test_an_update_replaces_what_it_names(client: Client) -> None:
    """A list replaces the one before; what is not sent stays; nothing is charged."""
    made = client.post("personas", **COHORT, goals=["a", "b"], pains=["c"])
    kept = client.patch(f"personas/{made['id']}", goals=["d"], description="Other")
    assert (kept["details"]["goals"], kept["details"]["pains"]) == (["d"], ["c"])
    assert (kept["name"], kept["description"]) == (COHORT["name"], "Other")
    assert client.mavera.credits_used == 300


@pytest.mark.parametrize("status", [422, 409, 400])
def test_a_name_is_given_once(client: Client, status: int) -> None:
    """A custom persona's name is taken, exactly as it is written; a base persona's is not."""
    client.mavera.configure(duplicate_status=status)
    client.post("personas", **COHORT)
    other = client.post("personas", **{**COHORT, "name": COHORT["name"].lower()})
    client.post("personas", **{**COHORT, "name": "Gen Z Consumer"})
    assert client.error("POST", "personas", COHORT) == (status, "duplicate_name")
    assert client.error("PATCH", f"personas/{other['id']}", {"name": COHORT["name"]}) == (status, "duplicate_name")
    client.patch(f"personas/{other['id']}", name=other["name"], description="its own name is no duplicate")
    assert client.mavera.credits_used == 900


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": None}, "missing_field"),
        ({"description": None}, "missing_field"),
        ({"pipeline_type": None}, "missing_field"),
        ({"name": "x"}, "invalid_field"),
        ({"name": "x" * 101}, "invalid_field"),
        ({"pipeline_type": "south_star"}, "invalid_field"),
        ({"type": "B2D"}, "invalid_field"),
        ({"channels": "email"}, "invalid_field"),
    ],
)
def test_a_bad_persona_is_refused_and_free(client: Client, change: Json, code: str) -> None:
    """400 with the documented code, nothing is made or charged."""
    before = client.mavera.personas
    assert client.error("POST", "personas", {**COHORT, **change}) == (400, code)
    assert client.mavera.personas == before and client.mavera.credits_used == 0


def test_a_job_without_pipeline_type(client: Client) -> None:
    """The published jobs leave it out: a setting takes them."""
    client.mavera.configure(needs_pipeline_type=False)
    sent = {name: value for name, value in COHORT.items() if name != "pipeline_type"}
    assert client.post("personas", **sent)["pipeline_type"] == "north_star"


@FEW
@given(body=BODIES, index=st.integers(0, 10_000))
def test_nothing_changes_a_base_persona(shared: Client, body: Json, index: int) -> None:
    """Law: whatever is sent, base personas are as before, and no answer is a server error."""
    before = [one for one in shared.mavera.personas if not one["is_custom"]]
    aimed = before[index % len(before)]
    assert shared.error("PATCH", f"personas/{aimed['id']}", body) == (403, "forbidden")
    assert shared.send("POST", "personas", {**body, "id": aimed["id"]}).status_code in (201, 400, 422)
    assert [one for one in shared.mavera.personas if not one["is_custom"]] == before


def test_paths_that_are_not_offered(client: Client) -> None:
    """Reading and deleting one persona are on no public page; an unknown id is not found."""
    made = client.post("personas", **COHORT)
    for method in ("GET", "DELETE"):
        assert client.error(method, f"personas/{made['id']}") == (404, "resource_not_found")
    assert client.error("PATCH", "personas/clx000", {"name": "Somebody"}) == (404, "resource_not_found")


def test_other_people(client: Client) -> None:
    """Somebody makes, edits and deletes personas by hand, over HTTP too; none of it is charged."""
    made = client.control("POST", "personas", {"name": "By hand", "goals": ["a"]})
    client.control("PATCH", f"personas/{made['id']}", {"description": "Edited"})
    assert [row["description"] for row in client.every("personas", search="by hand")] == ["Edited"]
    assert "already exists" in client.control("POST", "personas", {"name": "By hand"})["errors"]
    client.control("DELETE", f"personas/{made['id']}")
    assert client.error("PATCH", f"personas/{made['id']}", {}) == (404, "resource_not_found")
    assert client.mavera.credits_used == 0
