"""What is sent once is never sent twice, and whether a byte of it left is known."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, SSLError

from courier.http import Answer, Http, Unanswered, _never_sent
from tests.http.scripted import Scripted, json_answer, serving


@pytest.mark.parametrize("status", [200, 201, 302, 400, 402, 409, 429, 500, 503, 530])
def test_any_status_is_an_answer_to_a_single_sending(status: int, waits: list[float]) -> None:
    with serving(Scripted(status, b'{"a": 1}', {"Retry-After": "9", "Location": "/elsewhere"})) as server:
        answer = Http(server.origin).once("POST", "/x", b'{"b":2}', read_timeout=5)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, waits) == (status, {"a": 1}, [])
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [("POST", "/x", b'{"b":2}')]


@pytest.mark.parametrize(
    "broken", [Scripted(reset=True), Scripted(201, b'{"a":', cut=100), Scripted(201, b'{"a": [1,')]
)
def test_an_answer_that_is_lost_leaves_it_open_whether_it_took_effect(broken: Scripted, waits: list[float]) -> None:
    with serving(broken) as server:
        outcome = Http(server.origin).once("POST", "/x", b"{}", read_timeout=5)
    assert isinstance(outcome, Unanswered) and outcome.sent
    assert (len(server.asked), waits) == (1, [])


def test_silence_leaves_it_open_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        http = Http(f"http://127.0.0.1:{silent.getsockname()[1]}")
        outcome = http.once("POST", "/x", b"{}", read_timeout=0.05)
    assert outcome == Unanswered("no answer in time", sent=True)


def test_a_refused_connection_was_never_reached() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = Http(f"http://127.0.0.1:{taken.getsockname()[1]}").once("POST", "/x", b"{}", read_timeout=5)
    assert outcome == Unanswered("the connection failed", sent=False)


def test_a_certificate_that_is_not_trusted_stops_it_before_a_byte_leaves() -> None:
    def failed(inner: Exception) -> requests.exceptions.SSLError:
        return requests.exceptions.SSLError(MaxRetryError(HTTPConnectionPool("h"), "/x", SSLError(inner)))

    assert _never_sent(failed(ssl.SSLCertVerificationError(1, "self-signed")))
    assert not _never_sent(failed(ssl.SSLEOFError(8, "cut off")))
    assert _never_sent(requests.ConnectTimeout())


def test_a_patch_is_retried_and_heard_of_before_every_sending(waits: list[float]) -> None:
    heard: list[int] = []
    with serving(Scripted(503), Scripted(reset=True), json_answer({"ok": 1})) as server:
        http = Http(server.origin)
        answer = http.patch("/x", b'{"a":1}', before=lambda: heard.append(len(server.asked)))
    assert (answer.body, len(waits)) == ({"ok": 1}, 2)
    assert heard == [0, 1, 2]
    assert {(asked.method, asked.body) for asked in server.asked} == {("PATCH", b'{"a":1}')}
