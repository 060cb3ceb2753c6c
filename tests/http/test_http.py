from __future__ import annotations

import socket
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier import clock
from courier.decoding import decode
from courier.errors import ConfigurationError, SourceOverloaded, SourceRefused, SourceUnreachable
from courier.http import Http, backoff, retry_after
from courier.origins import checked_host
from tests.http.scripted import Scripted, json_answer, serving

SECRET = "shpat_very_secret"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 530, 540])
def test_a_passing_trouble_is_tried_again_also_for_posts(status: int, waits: list[float]) -> None:
    with serving(Scripted(status), Scripted(status), json_answer({"ok": 1})) as server:
        answer = Http(server.origin).post("/x", payload={"a": 1})
    assert (answer.body, len(server.asked), len(waits)) == ({"ok": 1}, 3, 2)
    assert [asked.json for asked in server.asked] == [{"a": 1}] * 3


@pytest.mark.parametrize(
    "broken", [Scripted(reset=True), Scripted(body=b'{"a":', cut=100), Scripted(body=b'{"a": [1,')]
)
def test_a_connection_or_body_that_breaks_is_tried_again(broken: Scripted, waits: list[float]) -> None:
    with serving(broken, json_answer({"ok": 1})) as server:
        assert Http(server.origin).post("/x", payload={}).body == {"ok": 1}
    assert len(waits) == 1


def test_what_goes_over_the_wire_is_counted(waits: list[float]) -> None:
    """Requests, those among them that repeat one, and the bytes of all bodies."""
    with serving(Scripted(503, body=b"busy"), Scripted(reset=True), json_answer({"ok": 1})) as server:
        http = Http(server.origin)
        http.get("/x")
        http.get("/x")
    assert (http.traffic.requests, http.traffic.retries, http.traffic.bytes) == (4, 2, len(b"busy") + 2 * 8)


def test_retry_after_is_obeyed_and_told(waits: list[float]) -> None:
    told: list[tuple[float, str]] = []
    with serving(Scripted(429, headers={"Retry-After": "7"}), json_answer({})) as server:
        Http(server.origin, notify=lambda *wait: told.append(wait)).get("/x")
    assert waits == [7.0]
    assert told == [(7.0, "status 429")]


def test_retry_after_is_seconds_or_a_date_and_capped() -> None:
    soon = format_datetime(clock.now() + timedelta(seconds=30), usegmt=False)
    assert retry_after("2.0") == 2
    assert retry_after("2.5") == 3
    assert 25 < (retry_after(soon) or 0) <= 30
    assert retry_after("86400") == 120
    assert retry_after("soon") is retry_after(None) is retry_after("-1") is retry_after("nan") is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    """The credential goes to one origin only, wherever that points."""
    with serving(json_answer({})) as elsewhere:
        away = Scripted(status, headers={"Location": f"{elsewhere.origin}/caught"})
        with serving(away) as server, pytest.raises(SourceRefused, match="redirect"):
            Http(server.origin).post("/x", {"X-Shopify-Access-Token": SECRET}, payload={})
    assert elsewhere.asked == []
    assert len(server.asked) == 1


def test_failing_for_good_says_method_host_and_status_only(waits: list[float]) -> None:
    """No message holds a token, a query string or a part of a body."""
    with serving(Scripted(503, b'{"error": "secret-body"}')) as server, pytest.raises(SourceOverloaded) as caught:
        Http(server.origin).post(f"/x?token={SECRET}", {"X-Shopify-Access-Token": SECRET}, payload={"q": SECRET})
    assert caught.value.message == f"POST {server.origin.removeprefix('http://')}: status 503, 6 times"
    assert len(waits) == 5
    chain: BaseException | None = caught.value
    while chain:
        assert SECRET not in repr(chain) and "secret-body" not in repr(chain)
        chain = chain.__cause__ or chain.__context__


def test_an_unreachable_host_is_unreachable_not_overloaded(waits: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SourceUnreachable, match="the connection failed") as caught:
            Http(f"http://127.0.0.1:{taken.getsockname()[1]}").get("/x")
    assert not isinstance(caught.value, SourceOverloaded)


def test_a_slow_answer_is_given_up(waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        http = Http(f"http://127.0.0.1:{silent.getsockname()[1]}", timeouts=(1, 0.05), attempts=2)
        with pytest.raises(SourceOverloaded, match="no answer in time"):
            http.get("/x")


def test_refusals_are_answers(waits: list[float]) -> None:
    with serving(Scripted(403, b"<html>")) as server:
        answer = Http(server.origin).get("/x")
    assert (answer.status, answer.body, waits) == (403, None, [])


def test_loopback_uses_no_proxy_and_no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(json_answer({})) as server:
        Http(server.origin).get("/x")
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    "origin",
    ["http://example.com", "ftp://127.0.0.1", "https://", "https://a:b@example.com", "https://example.com/path"],
)
def test_a_credential_is_sent_to_https_or_loopback_only(origin: str) -> None:
    with pytest.raises(ConfigurationError):
        checked_host(origin)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_values)
def test_json_is_decoded_as_it_is(value: object) -> None:
    assert decode(orjson.dumps(value)) == (value, 0)


def test_lone_surrogates_and_broken_bytes_become_replacement_characters() -> None:
    assert decode(b'{"note": ["a\\ud800b", "\\ud83d\\ude00"]}') == ({"note": ["a\ufffdb", "\U0001f600"]}, 1)
    assert decode(b'["\xff"]') == (["\ufffd"], 1)


def test_a_number_beyond_64_bits_is_the_same_beside_a_lone_surrogate_and_can_be_written_again() -> None:
    """A field of the scalar JSON may hold one."""
    alone, _ = decode(b'{"n": 99999999999999999999, "m": 18446744073709551615, "k": -9223372036854775808}')
    beside, _ = decode(
        b'{"n": 99999999999999999999, "m": 18446744073709551615, "k": -9223372036854775808, "a": "\\ud800"}'
    )
    assert orjson.loads(orjson.dumps(beside)) == {**alone, "a": "\ufffd"}


@given(st.integers(1, 40))
def test_backoff_grows_to_half_a_minute(attempt: int) -> None:
    shortest = min(30, 0.5 * 2 ** (attempt - 1))
    assert shortest <= backoff(attempt) <= min(30, shortest + 0.5)
