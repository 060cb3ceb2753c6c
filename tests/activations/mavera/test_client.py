"""How Mavera is asked: how fast, what a refusal means, and that the key shows nowhere."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.activations.contract import Item, NotSent, Sent, Unclear
from courier.activations.mavera.answers import fault, is_duplicate
from courier.activations.mavera.client import Client
from courier.activations.mavera.pacing import Pace, pace
from courier.activations.mavera.persona_items import Listed
from courier.config.activation import Persona
from courier.errors import ConfigurationError, SourceRefused, SourceUnreachable
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from tests.activations.mavera.acting import Acting, acting
from tests.http.scripted import json_answer, serving

BODY = Persona("{cohort}", "B2C", "north_star", "text")


@pytest.fixture
def one(sandbox: Sandbox) -> Acting:
    return acting(sandbox, BODY)


def make(acted: Acting, name: str = "Shopify VIP Customer") -> object:
    return acted.apply(acted.wanted(name, name=name, description="120 customers"))[1]


def test_429_is_waited_for_and_sent_again(one: Acting, mavera: Mavera, waits: list[float]) -> None:
    """It took no effect, so that this POST may be repeated; egress hears of both."""
    mavera.faults.add({"kind": "status", "status": 429, "retry_after": 17, "contains": "POST", "times": 2})
    assert isinstance(make(one), Sent)
    assert [seconds for seconds in waits if seconds] == [17, 17]
    assert one.told == [(17, "status 429")] * 2
    assert [left.method for left in one.left] == ["POST"] * 3
    assert mavera.credits_used == 300


def test_an_endless_429_ends_as_not_sent(one: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "status", "status": 429, "contains": "POST", "times": 0})
    outcome = make(one)
    assert isinstance(outcome, NotSent) and "rate limit" in outcome.problem and not outcome.stop


def test_a_small_limit_is_kept_without_a_single_429(one: Acting, mavera: Mavera, waits: list[float]) -> None:
    """The headers say how many are left: the last ones are spread over the minute."""
    mavera.configure(requests_per_minute=20)
    for number in range(12):
        make(one, f"Persona {number}")
    assert {received.status for received in mavera.received} == {200, 201}
    assert len(mavera.received) > 20 and sum(waits) > 0


def test_402_stops_everything(one: Acting, mavera: Mavera) -> None:
    mavera.configure(credits_included=500)
    assert isinstance(make(one, "First one"), Sent)
    outcome = make(one, "Second one")
    assert isinstance(outcome, NotSent) and outcome.stop and "credits" in outcome.problem
    assert mavera.credits_used == 300


@pytest.mark.parametrize(("status", "stop"), [(400, False), (401, True), (403, False), (404, False), (422, False)])
def test_a_refusal_says_what_to_do(one: Acting, mavera: Mavera, status: int, stop: bool) -> None:
    mavera.faults.add({"kind": "status", "status": status, "contains": "POST"})
    outcome = make(one)
    assert isinstance(outcome, NotSent)
    assert (outcome.stop, f"status {status}" in outcome.problem) == (stop, True)
    assert outcome.fix and one.activation.path in outcome.fix


@pytest.mark.parametrize("kind", ["html", "status"])
@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_5xx_leaves_a_post_unclear(one: Acting, mavera: Mavera, kind: str, status: int) -> None:
    mavera.faults.add({"kind": kind, "status": status, "contains": "POST"})
    assert isinstance(make(one), Unclear)
    assert len(one.left) == 1


def test_html_is_an_answer_too(one: Acting, mavera: Mavera) -> None:
    for status in (400, 403, 404):
        mavera.faults.add({"kind": "html", "status": status, "contains": "GET"})
        with pytest.raises(SourceRefused, match=f"status {status}"):
            one.surface.look()


ROWS = [{"id": f"p{number}", "name": "x", "is_custom": True} for number in range(100)]


@pytest.mark.parametrize(
    ("page", "whole"),
    [
        ({"data": ROWS}, False),
        ({"data": ROWS, "has_more": True}, False),
        ({"data": ROWS, "next_cursor": None}, True),
        ({"personas": ROWS, "has_more": False, "next_cursor": "left over"}, True),
        ({"data": ROWS[:99]}, True),
        ({"rows": ROWS}, False),
    ],
)
def test_a_list_that_may_be_cut_is_not_taken_for_the_whole(
    sandbox: Sandbox, page: dict[str, object], whole: bool
) -> None:
    """What seems to be missing from it would be made, and paid, a second time."""
    with serving(json_answer(page)) as server:
        surface = acting(sandbox, BODY, endpoint=server.origin).surface
        if whole:
            assert surface.look().hash
        else:
            with pytest.raises(SourceRefused):
                surface.look()


def test_looking_is_retried(one: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "status", "status": 503, "contains": "GET", "times": 3}, {"kind": "reset"})
    assert len(one.surface.look().personas) > 100  # type: ignore[attr-defined]


def test_no_key_is_in_any_message(sandbox: Sandbox) -> None:
    """A wrong key, one that is told back, one that cannot be sent: none shows, not even in a trace."""
    key = "mvra_live_wrong_and_secret_0123456789"
    acted = acting(sandbox, BODY, key=key)
    with pytest.raises(SourceRefused) as refused:
        acted.surface.look()
    assert "Settings > Developer" in refused.value.fix
    unreachable = acting(sandbox, BODY, key=key, endpoint="http://127.0.0.1:9")
    with pytest.raises(SourceUnreachable) as silent:
        unreachable.surface.look()
    never = unreachable.surface.send(sent_item(acted), lambda *_: None)
    assert isinstance(never, NotSent)
    for error in (refused.value, silent.value):
        text = f"{error.message} {error.fix} {''.join(traceback.format_exception(error))}"
        assert key not in text and "secret" not in text
    assert key not in f"{never} {acted.told} {unreachable.told}"
    assert key not in str(fault({"error": {"message": f"no such key {key}", "code": key}}))


def test_a_key_that_cannot_be_sent_is_not_shown_by_the_attempt(sandbox: Sandbox) -> None:
    """What surrounds it is cut off; a letter that no header takes would be shown by the error about it."""
    key = sandbox.credentials["MAVERA_API_KEY"]
    assert acting(sandbox, BODY, key=f" {key}\n").surface.look().hash
    for broken in ("mvra_live_\nsecret", "mvra_live_secrét", ""):
        with pytest.raises(ConfigurationError) as refused:
            acting(sandbox, BODY, key=broken or " ")
        assert "secr" not in f"{refused.value.message} {refused.value.fix}"


def sent_item(acted: Acting) -> Item:
    wanted = acted.wanted("k", name="Somebody", description="120 customers")
    return acted.surface.item(wanted, None, Listed({}), {})


def test_a_message_that_repeats_what_was_sent_is_not_shown() -> None:
    sent = b'{"input":"the parcel of Jane came late and wet"}'
    told = fault(
        {"error": {"code": "invalid_field", "param": "input", "message": "bad: the parcel of Jane came"}}, sent
    )
    assert str(told) == "invalid_field at input"
    told = fault({"error": {"code": "invalid_field", "param": "input", "message": "too long"}}, sent)
    assert str(told) == "invalid_field at input: too long"


@pytest.mark.parametrize("body", [None, "text", [1], {"error": None}, {"error": "short"}, {"error": {"code": 5}}, {}])
def test_any_body_is_taken_for_an_error(body: object) -> None:
    assert isinstance(str(fault(body)), str)
    assert not is_duplicate(400, body) and not is_duplicate(201, body)


instants = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)).map(
    lambda t: t.replace(tzinfo=UTC)
)


@given(instants, st.integers(1, 600), st.integers(0, 600), st.floats(-100, 100))
def test_a_pause_is_never_longer_than_the_limits_own_minute(now: datetime, limit: int, left: int, ahead: float) -> None:
    """And there is none while enough is left; the fewer are left, the longer it is."""
    reset = now.timestamp() + ahead
    pause = Pace(limit, left, reset).pause(now)
    assert 0 <= pause <= 60
    assert left < 10 or pause == 0
    assert pause >= Pace(limit, left + 1, reset).pause(now)


@given(instants, st.floats(1, 60))
def test_with_nothing_left_the_reset_is_awaited(now: datetime, ahead: float) -> None:
    assert Pace(60, 0, now.timestamp() + ahead).pause(now) == pytest.approx(ahead, abs=0.001)


def test_requests_side_by_side_share_what_is_left(one: Acting, mavera: Mavera, waits: list[float]) -> None:
    """Each takes one before its answer says so: the second waits longer than the first."""
    mavera.configure(requests_per_minute=8)
    one.surface.look()
    client: Client = one.surface._client  # type: ignore[attr-defined]
    first, second, third = (client._due() for _ in range(3))
    assert 0 < first < second < third


@pytest.mark.parametrize(
    "headers", [{}, {"X-RateLimit-Limit": "x", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1"}]
)
def test_headers_that_say_nothing_pace_nothing(headers: dict[str, str]) -> None:
    assert pace(headers) is None
