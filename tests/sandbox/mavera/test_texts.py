"""Generations, brand voices and workspaces."""

from __future__ import annotations

import pytest

from courier.sandbox.mavera.faults import Fault
from tests.sandbox.mavera.client import Client, Json

BLOG: Json = {"app_id": "blog_post_generator", "input_data": {"topic": "Tea"}}
VOICE: Json = {"label": "Plain", "usage_context": "Everything we write."}


def test_apps_tell_their_inputs(client: Client) -> None:
    """Ids with hyphens and underscores; the inputs under either of the two published names."""
    apps = client.get("generation-apps")["data"]
    assert {"blog_post_generator", "review-reply-writer"} <= {app["id"] for app in apps}
    assert apps[0]["input_schema"]["required"] == ["topic"]
    client.mavera.configure(app_inputs_key="input_data")
    assert client.get("generation-apps")["data"][0]["input_data"][0]["required"] is True


def test_generations_by_page_and_title(client: Client) -> None:
    """Law: each is listed once; by title those with these words; PATCH changes the title alone; the deleted is gone."""
    made = [client.post("generations", **BLOG, title=f"Post {number} #a{number}") for number in range(5)]
    assert made[0]["content"] == made[0]["output"] and 10 <= made[0]["usage"]["credits_used"] <= 30
    assert [row["id"] for row in client.every("generations", limit=2)] == [one["id"] for one in made]
    assert [row["title"] for row in client.every("generations", search="#A3")] == ["Post 3 #a3"]
    assert client.every("generations", app_id="other") == []
    path = f"generations/{made[0]['id']}"
    assert client.patch(path, title="Other", output="x") == {**made[0], "title": "Other"} == client.get(path)
    assert client.send("DELETE", path).status_code == 200
    assert client.error("GET", path) == (404, "resource_not_found")


def test_generations_as_other_pages_spell_them(client: Client) -> None:
    """`app` as text, the type in capitals."""
    client.mavera.configure(app_as_object=False, upper_content_type=True)
    made = client.post("generations", **BLOG)
    assert (made["app"], made["content_type"]) == ("blog_post_generator", "MARKDOWN")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"app_id": None}, (400, "missing_field")),
        ({"app_id": "blog-post-generator"}, (404, "resource_not_found")),
        ({"input_data": {}}, (400, "missing_field")),
        ({"input_data": []}, (400, "invalid_field")),
        ({"persona_id": "clx0"}, (400, "invalid_persona")),
        ({"brand_voice_id": "bv_0"}, (404, "resource_not_found")),
        ({"workspace_id": "ws_0"}, (404, "resource_not_found")),
    ],
)
def test_bad_generations(shared: Client, change: Json, found: tuple[int, str]) -> None:
    """Refused, and free."""
    before = shared.mavera.credits_used
    assert shared.error("POST", "generations", {**BLOG, **change}) == found
    assert shared.mavera.credits_used == before


def test_a_brand_voice_gets_ready(client: Client) -> None:
    """pending, then completed; before that no generation can use it."""
    voice = client.post("brand-voices", **VOICE)
    path = f"brand-voices/{voice['id']}"
    assert client.error("POST", "generations", {**BLOG, "brand_voice_id": voice["id"]}) == (400, "invalid_field")
    states = [client.get(path)["status"] for _ in range(2)]
    assert (voice["status"], states) == ("pending", ["pending", "completed"])
    assert client.get(path)["voice_summary"] and len(client.every("brand-voices", status="completed")) == 2
    made = client.post("generations", **BLOG, brand_voice_id=voice["id"])
    assert made["brand_voice"] == {"id": voice["id"], "label": "Plain"}
    assert client.patch(path, label="Plainer")["label"] == "Plainer"
    client.mavera.configure(brand_voice_words={"completed": "READY"})
    assert client.get(path)["status"] == "READY"


def test_a_brand_voice_that_fails(client: Client) -> None:
    """It says why, and stays charged."""
    client.mavera.faults.add(Fault("failed"))
    client.mavera.configure(brand_voice_polls=0)
    voice = client.post("brand-voices", **VOICE)
    found = client.get(f"brand-voices/{voice['id']}")
    assert found["status"] == "failed" and found["error"] and client.mavera.credits_used == 50
    assert client.error("POST", "brand-voices", {**VOICE, "usage_context": "short"}) == (400, "invalid_field")


def test_workspaces(client: Client) -> None:
    """One is there; others can be made and found; where one is needed it must be told."""
    made = client.post("workspaces", name="Shop", type="user")
    assert [row["id"] for row in client.every("workspaces", search="shop")] == [made["id"]]
    assert client.get(f"workspaces/{made['id']}")["is_owner"] is True and len(client.every("workspaces", limit=1)) == 2
    assert client.post("generations", **BLOG, workspace_id=made["id"])["workspace_id"] == made["id"]
    client.mavera.configure(needs_workspace=True)
    assert client.error("POST", "generations", BLOG) == (400, "missing_field")
