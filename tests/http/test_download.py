"""Downloads of signed URLs: what comes whole, what is cut off, and what no message may hold."""

from __future__ import annotations

import logging

import pytest

from courier.errors import ConfigurationError, SourceUnreachable
from courier.http import NotOpened, Opened, download
from tests.http.scripted import Scripted, serving

SIGNED = "/result.jsonl?Signature=very-secret"
BODY = bytes(range(256)) * 64


def got(opened: Opened | NotOpened) -> bytes:
    assert isinstance(opened, Opened), opened
    return b"".join(opened.chunks)


def test_a_body_comes_as_it_is_and_nothing_of_ours_is_sent() -> None:
    with serving(Scripted(200, BODY)) as server:
        opened = download(server.origin + SIGNED)
    assert got(opened) == BODY
    headers = {name.lower() for name in server.asked[0].headers}
    assert server.asked[0].headers["Accept-Encoding"] == "identity"
    assert not headers & {"authorization", "cookie", "x-shopify-access-token", "range"}


def test_it_goes_on_from_a_byte() -> None:
    """A server that knows ranges sends the rest; one that does not begins again, and says so by its offset."""
    span = {"Content-Range": f"bytes 100-{len(BODY) - 1}/{len(BODY)}"}
    with serving(Scripted(206, BODY[100:], span), Scripted(200, BODY)) as server:
        rest, again = download(server.origin + SIGNED, 100), download(server.origin + SIGNED, 100)
        assert isinstance(rest, Opened) and isinstance(again, Opened)
        assert (rest.offset, again.offset) == (100, 0)
        assert BODY[:100] + got(rest) == got(again) == BODY
    assert [asked.headers["Range"] for asked in server.asked] == ["bytes=100-", "bytes=100-"]


def test_another_range_than_asked_for_is_not_taken() -> None:
    with serving(Scripted(206, BODY, {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"})) as server:
        assert isinstance(download(server.origin + SIGNED, 100), NotOpened)


def test_a_body_that_is_cut_off_never_looks_whole() -> None:
    """What arrived is there; then it is said that more was promised."""
    found = b""
    with serving(Scripted(200, BODY, cut=1)) as server:
        opened = download(server.origin + SIGNED)
        assert isinstance(opened, Opened)
        with pytest.raises(SourceUnreachable, match="cut off"):
            for chunk in opened.chunks:
                found += chunk
    assert found == BODY


@pytest.mark.parametrize("status", [302, 403, 404, 410, 416, 503])
def test_other_answers_are_told_by_their_status(status: int) -> None:
    """Also a redirect: it is not followed."""
    with serving(Scripted(status, b"", {"Retry-After": "2", "Location": "/elsewhere"})) as server:
        assert download(server.origin + SIGNED) == NotOpened(f"status {status}", status, 2)
    assert len(server.asked) == 1


def test_nobody_there_is_told() -> None:
    with serving(Scripted(reset=True)) as server:
        assert download(server.origin + SIGNED) == NotOpened("the connection failed")
    assert download(server.origin + SIGNED) == NotOpened("the connection failed")


def test_no_message_and_no_log_holds_the_signature(caplog: pytest.LogCaptureFixture) -> None:
    """The query of a signed URL opens the file to anybody who reads it."""
    caplog.set_level(logging.DEBUG)
    texts = []
    with serving(Scripted(200, BODY, cut=1), Scripted(403), Scripted(reset=True)) as server:
        for _ in range(3):
            opened = download(server.origin + SIGNED)
            texts.append(repr(opened))
            if isinstance(opened, Opened):
                with pytest.raises(SourceUnreachable) as cut_off:
                    got(opened)
                texts += [str(cut_off.value), cut_off.value.fix]
    with pytest.raises(ConfigurationError) as refused:
        download("http://example.com/file?Signature=very-secret")
    told = " ".join([*texts, str(refused.value), refused.value.fix, caplog.text])
    assert "very-secret" not in told


@pytest.mark.parametrize("url", ["http://example.com/file", "file:///etc/passwd", "https://user:word@example.com/file"])
def test_only_https_or_loopback_is_opened(url: str) -> None:
    with pytest.raises(ConfigurationError):
        download(url)
