"""Each fault does what its name says, as often as asked."""

from __future__ import annotations

import pytest
import requests

from courier.errors import UsageError
from courier.sandbox.mavera.faults import Fault, read_fault
from tests.sandbox.mavera.client import COHORT, Client, until

POST = "POST /api/v1/personas"


def names(client: Client) -> list[str]:
    return [body["name"] for body in client.mavera.personas if body["name"].startswith("Shopify VIP Customer")]


def made(client: Client) -> bool:
    """Whether the cohort's persona is there and was paid for, once; False where neither."""
    there = COHORT["name"] in names(client)
    assert client.mavera.credits_used == 300 * there
    return there


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_before_anything_happens(client: Client, status: int) -> None:
    """The nth matching request fails and changes nothing, the next works."""
    client.mavera.faults.add(Fault("status", contains=POST, nth=2, status=status, retry_after=1))
    client.post("personas", **{**COHORT, "name": "First"})
    found = client.send("POST", "personas", COHORT)
    assert (found.status_code, found.headers["Retry-After"]) == (status, "1")
    assert "X-RateLimit-Remaining" in found.headers and found.json()["error"]["code"] and not names(client)[1:]
    client.post("personas", **COHORT)


def test_a_page_of_html(client: Client) -> None:
    """What a proxy answers is no JSON."""
    client.mavera.faults.add(Fault("html", status=502))
    found = client.send("POST", "personas", COHORT)
    assert found.status_code == 502 and found.text.startswith("<html>") and not made(client)


def test_a_reset_before_anything_happens(client: Client) -> None:
    """The connection breaks, and nothing was done."""
    client.mavera.faults.add(Fault("reset"))
    with pytest.raises(requests.exceptions.ConnectionError):
        client.send("POST", "personas", COHORT)
    assert not made(client) and client.mavera.received[0].status is None


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_no_answer_to_what_took_effect(client: Client, seconds: float) -> None:
    """The persona is there and paid; the client waits until it gives up, or is cut off at once."""
    client.mavera.faults.add(Fault("no_answer", contains=POST, seconds=seconds))
    kind = requests.exceptions.Timeout if seconds else requests.exceptions.ConnectionError
    with pytest.raises(kind):
        client.session.post(f"{client.sandbox.url}/api/v1/personas", json=COHORT, timeout=0.1 if seconds else 5)
    until(lambda: client.mavera.charges)
    assert made(client) and client.mavera.received[0].status is None
    assert client.error("POST", "personas", COHORT) == (422, "duplicate_name")


@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_error_after_it_took_effect(client: Client, status: int) -> None:
    """A gateway that gave up, while the persona was made."""
    client.mavera.faults.add({"kind": "status_after", "status": status})
    assert client.send("POST", "personas", COHORT).status_code == status and made(client)


def test_torn_and_cut_off(client: Client) -> None:
    """Torn: whole for HTTP, half a JSON. Cut off: the body ends before its length. Both took effect."""
    client.mavera.faults.add(Fault("torn"), Fault("cut_off", contains=POST, nth=2))
    found = client.send("POST", "personas", COHORT)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        found.json()
    assert found.status_code == 201 and made(client)
    with pytest.raises(requests.exceptions.RequestException):
        client.send("POST", "personas", {**COHORT, "name": "Second"})
    assert client.mavera.credits_used == 600


def test_slow(client: Client) -> None:
    """It is carried out although the client has gone."""
    client.mavera.faults.add(Fault("slow", contains=POST, seconds=0.15))
    with pytest.raises(requests.exceptions.Timeout):
        client.session.post(f"{client.sandbox.url}/api/v1/personas", json=COHORT, timeout=0.05)
    until(lambda: client.mavera.received[0].status)
    assert made(client)


def test_credits_that_run_out_at_the_nth_post(client: Client) -> None:
    """Reading goes on; every POST from that one on is refused until the fault is cleared."""
    client.mavera.faults.add(Fault("no_credits", nth=2, times=0))
    client.post("personas", **COHORT)
    for name in ("Second", "Third"):
        assert client.error("POST", "personas", {**COHORT, "name": name}) == (402, "credits_exhausted")
    assert client.get("usage")["credits"]["used"] == 300
    client.mavera.faults.clear()
    client.post("personas", **{**COHORT, "name": "Third"})


def test_a_duplicate(client: Client) -> None:
    """`duplicate`: nobody has the name. `taken`: somebody makes it in the moment before."""
    client.mavera.faults.add(Fault("duplicate", status=409))
    assert client.error("POST", "personas", COHORT) == (409, "duplicate_name") and not made(client)
    client.mavera.faults.add(Fault("taken"))
    assert client.error("POST", "personas", COHORT) == (422, "duplicate_name")
    assert names(client)[1:] == [COHORT["name"]] and client.mavera.credits_used == 0


def test_a_page_that_leads_to_itself(client: Client) -> None:
    """The cursor that came is the next one, too; going on from there reaches the end."""
    cursor = client.get("personas")["next_cursor"]
    client.mavera.faults.add(Fault("same_cursor"))
    assert client.get("personas", cursor=cursor)["next_cursor"] == cursor
    assert client.get("personas", cursor=cursor)["next_cursor"] != cursor


def test_faults_over_http(client: Client) -> None:
    """POST adds, GET shows, DELETE and reset clear; what is no fault is refused with the kinds there are."""
    added = client.control("POST", "faults", [{"kind": "slow"}, {"kind": "torn", "times": 0}])["faults"]
    assert [fault["kind"] for fault in added] == ["slow", "torn"] == [i.kind for i in client.mavera.faults.pending()]
    assert client.control("DELETE", "faults") == {"faults": []}
    assert "earthquake" in client.control("POST", "faults", {"kind": "earthquake"})["errors"]
    client.mavera.faults.add(Fault("torn", times=0))
    client.control("POST", "reset")
    assert client.mavera.faults.pending() == []
    with pytest.raises(UsageError):
        read_fault({"kind": "slow", "second": 1})
