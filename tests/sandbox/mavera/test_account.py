"""Keys, limits, credits, and what lasts."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests

from courier import clock, sandbox
from courier.errors import UsageError
from tests.sandbox.conftest import SMALL
from tests.sandbox.mavera.client import COHORT, Client, Json, until

KILLED = """
import os, requests, signal
from pathlib import Path
from courier import sandbox
with sandbox.serve(sandbox.open_shop(Path({folder!r}))) as served:
    key = served.credentials["MAVERA_API_KEY"]
    body = {body!r}
    requests.post(served.url + "/api/v1/personas", json=body, headers={{"Authorization": "Bearer " + key}})
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_keys(client: Client) -> None:
    """The documented codes of 401; an expired subscription gets 402."""
    assert len(client.mavera.key) >= 32 and client.mavera.key.startswith("mvra_live_")
    url = f"{client.sandbox.url}/api/v1/usage"
    assert requests.get(url, timeout=5).json()["error"]["code"] == "missing_api_key"
    wrong = requests.get(url, headers={"Authorization": "Bearer mvra_live_wrong"}, timeout=5)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    for state in ("revoked", "expired"):
        client.mavera.configure(key=state)
        assert client.error("GET", "usage") == (401, f"{state}_api_key")
    client.mavera.configure(key="active", subscription_expired=True)
    assert client.send("GET", "usage").status_code == 402


def test_the_sliding_minute(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: no 60 seconds hold more requests than the limit; after Retry-After there is room again; headers say so."""
    start = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: start)
    client.mavera.configure(requests_per_minute=3)
    shop = client.sandbox.shop
    assert [client.send("GET", "usage").headers["X-RateLimit-Remaining"] for _ in range(2)] == ["2", "1"]
    shop.offset += timedelta(seconds=30)
    assert client.send("GET", "usage").status_code == 200
    refused = client.send("GET", "usage")
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Limit"]) == ("30", "3")
    assert int(refused.headers["X-RateLimit-Reset"]) == start.timestamp() + 60
    shop.offset += timedelta(seconds=30)
    assert [client.send("GET", "usage").status_code for _ in range(3)] == [200, 200, 429]


def arrived(client: Client, number: int) -> bool:
    return len(client.mavera.received) == number


def test_ten_chats_at_once(client: Client) -> None:
    """One after the other there is no end of them; the eleventh at once is refused, and costs nothing."""
    for number in range(11):
        client.post("mave/chat", message=f"Question {number}")
    client.mavera.configure(chat_seconds=3_600, latency="sleep")
    url, ended = f"{client.sandbox.url}/api/v1/mave/chat", 11
    for number in range(10):
        with pytest.raises(requests.exceptions.ReadTimeout):
            client.session.post(url, json={"message": "Wait"}, timeout=(5, 0.001))
        until(partial(arrived, client, ended + number + 1))
    assert client.error("POST", "mave/chat", {"message": "Why?"}) == (429, "rate_limit_exceeded")
    assert len(client.mavera.charges) == ended


def test_credits_run_out(client: Client) -> None:
    """Law: used is the sum of the charges, never more than there is; what is refused for it leaves nothing."""
    client.mavera.configure(credits_included=700)
    made = [client.send("POST", "personas", {**COHORT, "name": f"Cohort {number}"}) for number in range(4)]
    assert [one.status_code for one in made] == [201, 201, 402, 402]
    assert made[2].json()["error"]["code"] == "insufficient_credits"
    assert client.get("usage")["credits"] == {"used": 600, "included": 700, "remaining": 100, "percentage_used": 85.71}
    assert [body["name"] for body in client.mavera.personas][-2:] == ["Cohort 0", "Cohort 1"]
    client.sandbox.shop.offset += timedelta(days=32)
    assert client.get("usage")["credits"]["used"] == 0
    assert sum(charge.credits for charge in client.mavera.charges) == 600


def test_recharge_and_limit(client: Client) -> None:
    """Auto-recharge buys without a word; a usage limit is another 402."""
    client.mavera.configure(credits_included=100, auto_recharge=True)
    client.post("personas", **COHORT)
    assert client.get("usage")["credits"]["included"] == 1100
    client.mavera.configure(usage_limit=400)
    assert client.error("POST", "personas", {**COHORT, "name": "Another"}) == (402, "budget_exceeded")


def test_what_answers_say_is_what_is_charged(client: Client) -> None:
    """Law: `credits_charged` and `usage.credits_used` of all answers add up to the account's use."""
    place = client.get("workspaces")["data"][0]["id"]
    persona = client.post("personas", **COHORT)
    answers: list[Json] = [
        client.post("responses", model="mavera-1", input="Which themes are there?", persona_id=persona["id"]),
        client.post("mave/chat", message="What would they buy next?"),
        client.post("generations", app_id="blog_post_generator", input_data={"topic": "Tea"}),
        client.post(
            "focus-groups",
            workspace_id=place,
            persona_ids=[persona["id"]],
            questions=[{"text": "Would you?", "type": "nps"}],
            responses=10,
        ),
    ]
    told = persona["credits_charged"] + sum(answer["usage"]["credits_used"] for answer in answers)
    voice = client.post("brand-voices", label="Plain", usage_context="Everything we write.")
    assert client.mavera.credits_used == told + 50 and voice["status"] == "pending"
    assert [charge.thing for charge in client.mavera.charges][1:-1] == [answer["id"] for answer in answers]
    assert client.get("usage")["api_requests"]["credits_used"] == told + 50


def test_every_request_is_kept_to_the_byte(client: Client) -> None:
    """Method, path, body and status, for another process too; the key is nowhere, not even after it was sent."""
    raw = b'{ "name" :  "\xc3\xa9\xff", "a": 1e2}'
    client.session.post(f"{client.sandbox.url}/api/v1/personas?x=%20y", data=raw, timeout=5)
    seen = client.mavera.received[0]
    assert (seen.method, seen.path, seen.body, seen.status) == ("POST", "/api/v1/personas?x=%20y", raw, 400)
    told = client.control("GET", "received")["requests"]
    assert [b64decode(one["base64"]) for one in told] == [raw] and told[0]["status"] == 400
    everything = repr([client.control("GET", name) for name in ("received", "account", "settings", "personas")])
    assert client.mavera.key not in everything


def test_state_outlives_a_killed_process(tmp_path: Path) -> None:
    """Law: what a request made and what it cost are there after SIGKILL, in files of mode 0600, until a reset."""
    sandbox.open_shop(tmp_path, SMALL)
    program = KILLED.format(folder=str(tmp_path), body=COHORT)
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == -9
    with sandbox.serve(sandbox.open_shop(tmp_path)) as served:
        assert [row["name"] for row in Client(served).every("personas")][-1] == COHORT["name"]
        assert served.mavera.credits_used == 300 and len(served.mavera.received) > 1
        served.mavera.configure(duplicate_status=409)
        assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("mavera*")} == {0o600}
    key = served.mavera.key.encode()
    assert not any(key in path.read_bytes() for path in tmp_path.iterdir())
    with sandbox.serve(sandbox.open_shop(tmp_path)) as served:
        assert Client(served).error("POST", "personas", COHORT) == (409, "duplicate_name")
        requests.post(f"{served.url}/_sandbox/reset", timeout=5)
        assert served.mavera.credits_used == 0 and not served.mavera.received
        assert served.mavera.settings.duplicate_status == 422
        Client(served).post("personas", **COHORT)


def test_what_was_received_can_be_read_after_the_server(tmp_path: Path) -> None:
    """With a folder and without one. An account that nobody asked leaves no file."""
    for folder in (None, tmp_path):
        with sandbox.serve(sandbox.open_shop(folder, SMALL)) as served:
            served.reset()
            assert not (tmp_path / "mavera.db").exists()
            Client(served).post("personas", **COHORT)
        assert [one.method for one in served.mavera.received] == ["POST"] and served.mavera.credits_used == 300
        served.mavera.close()


def test_settings(client: Client) -> None:
    """Over HTTP too. What there is not is refused, and nothing is set."""
    assert client.control("POST", "settings", {"requests_per_minute": 60})["settings"]["requests_per_minute"] == 60
    assert "no such setting" in client.control("POST", "settings", {"key": "revoked", "colour": "red"})["errors"]
    with pytest.raises(UsageError):
        client.mavera.configure(duplicate_status=418)
    assert client.mavera.settings.key == "active" and client.get("usage")["rate_limit"] == {"requests_per_minute": 60}


@pytest.mark.parametrize("path", ["personas", "responses", "mave/chat", "generations", "focus-groups", "brand-voices"])
@pytest.mark.parametrize("raw", [b"", b"[]", b'{"name": '])
def test_a_body_that_is_no_object(shared: Client, path: str, raw: bytes) -> None:
    """400 in the documented shape."""
    found = shared.session.post(f"{shared.sandbox.url}/api/v1/{path}", data=raw, timeout=5)
    assert (found.status_code, found.json()["error"]["code"]) == (400, "invalid_field")
