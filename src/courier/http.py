"""The one door to requests: sessions with timeouts, retries and no redirects; and downloads of signed URLs.

No message from here holds a token, a query string or a part of a body: only the method, the host and the status.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util.retry import RequestHistory, Retry

from courier import __version__, clock
from courier.errors import ConfigurationError, SourceOverloaded, SourceRefused, SourceUnreachable

# 530 and 540 are Cloudflare's and Shopify's "not now": https://shopify.dev/docs/api/usage/response-codes
# 509 was BigCommerce's 429, and may still come.
RETRIED = frozenset({429, 500, 502, 503, 504, 509, 530, 540})
ATTEMPTS = 6
# The policy is urllib3's. Its own loop ends before the body is read and sleeps unseen, so the tries are counted here.
RETRY = Retry(total=None, backoff_factor=0.25, backoff_max=30, backoff_jitter=0.5, retry_after_max=120)
REPLACEMENT = "\ufffd"
CHUNK_BYTES = 1024 * 1024

# It writes whole URLs into its debug messages, and a signed URL is a secret.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

Notify = Callable[[float, str], None]
ToldWait = Callable[[Mapping[str, str]], float | None]


def _retry_after_header(headers: Mapping[str, str]) -> float | None:
    return retry_after(headers.get("Retry-After"))


@dataclass(frozen=True)
class Answer:
    """A whole answer. `headers` ignore case; `replaced` counts lone surrogates that became U+FFFD."""

    status: int
    headers: Mapping[str, str]
    body: Any
    received: datetime
    replaced: int = 0


@dataclass(frozen=True)
class _Failure:
    """One try that may be repeated. `reached`: the host did answer, but not with anything of use."""

    what: str
    reached: bool
    retry_after: float | None = None


@dataclass
class Traffic:
    """What went over the wire: requests sent, how many of them repeated another one, bytes of bodies, unpacked."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0


class Http:
    """Speaks JSON with one origin. `notify` hears of every wait before it begins; `traffic` counts.

    told_wait: the seconds that the headers of an answer ask for before another try, None where they ask for nothing
    """

    def __init__(
        self,
        origin: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeouts: tuple[float, float] = (10.0, 60.0),
        attempts: int = ATTEMPTS,
        retried: frozenset[int] = RETRIED,
        notify: Notify = lambda seconds, reason: None,
        told_wait: ToldWait = _retry_after_header,
    ) -> None:
        """`retried`: the statuses after which the same request is sent again; any other is an answer."""
        self.origin = origin.rstrip("/")
        self.host = checked_host(self.origin)
        self.traffic = Traffic()
        self._timeouts = timeouts
        self._attempts = attempts
        self._retried = retried
        self._notify = notify
        self._told_wait = told_wait
        self._session = _session(self.host, headers or {})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET, retried. Raises SourceUnreachable, SourceOverloaded, and SourceRefused for a redirect."""
        return self._send("GET", path, headers, None, None)

    def post(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        payload: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST a JSON payload or a form, retried: use it only where asking twice does no harm. Raises as `get`."""
        return self._send("POST", path, headers, None if payload is None else orjson.dumps(payload), form)

    def close(self) -> None:
        self._session.close()

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        form: Mapping[str, str] | None,
    ) -> Answer:
        attempt = 1
        while isinstance(outcome := self._try(method, path, headers or {}, body, form), _Failure):
            if attempt == self._attempts:
                raise self._given_up(method, outcome)
            self._wait(outcome, attempt)
            attempt += 1
        return outcome

    def _given_up(self, method: str, outcome: _Failure) -> SourceUnreachable:
        kind = SourceOverloaded if outcome.reached else SourceUnreachable
        return kind(
            f"{method} {self.host}: {outcome.what}, {self._attempts} times",
            fix="run again later; nothing was committed",
        )

    def _wait(self, failure: _Failure, attempt: int) -> None:
        seconds = backoff(attempt) if failure.retry_after is None else failure.retry_after
        self._notify(seconds, failure.what)
        clock.sleep(seconds)
        self.traffic.retries += 1

    def _try(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        form: Mapping[str, str] | None,
    ) -> Answer | _Failure:
        sent = {"Content-Type": "application/json", **headers} if body is not None else dict(headers)
        self.traffic.requests += 1
        try:
            response = self._session.request(
                method,
                self.origin + path,
                headers=sent,
                data=body if body is not None else form,
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except requests.ConnectTimeout:
            return _Failure("no connection in time", reached=False)
        except requests.Timeout:
            return _Failure("no answer in time", reached=True)
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            return _Failure("the answer was cut off", reached=True)
        except requests.exceptions.SSLError:
            return _Failure("the TLS connection failed", reached=False)
        except requests.ConnectionError:
            return _Failure("the connection failed", reached=False)
        return self._judge(method, response)

    def _judge(self, method: str, response: requests.Response) -> Answer | _Failure:
        status = response.status_code
        self.traffic.bytes += len(response.content)
        if 300 <= status < 400:
            raise SourceRefused(
                f"{method} {self.host}: status {status}, a redirect, which is not followed with a credential",
                fix="check the store's name and the courier's `endpoint`",
            )
        if status in self._retried:
            return _Failure(f"status {status}", status != 429, self._told_wait(response.headers))
        try:
            body, replaced = decode(response.content) if response.content else (None, 0)
        except ValueError:
            if status == 200:
                return _Failure("the answer was not whole JSON", reached=True)
            body, replaced = None, 0
        return Answer(status, response.headers, body, clock.now(), replaced)


@dataclass(frozen=True)
class Opened:
    """A download under way: its bytes from `offset` on, which is 0 where the server knows no ranges.

    `chunks` has up to 1 MB each, and raises SourceUnreachable where the body is cut off. What it holds open ends with
    it, or with its `close()`.
    """

    offset: int
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class NotOpened:
    """A download that did not begin; `status` is None where nobody answered."""

    what: str
    status: int | None = None
    retry_after: float | None = None


def download(url: str, offset: int = 0, *, timeouts: tuple[float, float] = (10.0, 60.0)) -> Opened | NotOpened:
    """GET a signed URL from a byte on: once, without any credential of ours, following no redirect.

    Raises ConfigurationError for a URL that is neither https nor on loopback. Bytes come as they are sent: a file of
    5 GB is to cost little.
    """
    host = _downloaded_from(url)
    wanted = {"Accept": "*/*", "Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
    session = _session(host, wanted)
    failure, response = "the connection failed", None
    try:
        response = session.get(url, stream=True, timeout=timeouts, allow_redirects=False)
    except requests.Timeout:
        failure = "no answer in time"
    except requests.exceptions.SSLError:
        failure = "the TLS connection failed"
    except requests.RequestException:
        pass
    if response is None:
        session.close()
        return NotOpened(failure)
    if response.status_code not in (200, 206):
        session.close()
        after = retry_after(response.headers.get("Retry-After"))
        return NotOpened(f"status {response.status_code}", response.status_code, after)
    return _opened(session, response, host, offset)


def _opened(session: requests.Session, response: requests.Response, host: str, offset: int) -> Opened | NotOpened:
    if response.status_code == 200:
        return Opened(0, _chunks(session, response, host))
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None or int(found.group(1)) != offset:
        session.close()
        return NotOpened("another range than the one asked for")
    return Opened(offset, _chunks(session, response, host))


def _chunks(session: requests.Session, response: requests.Response, host: str) -> Iterator[bytes]:
    """Iterator of a body's bytes. `raw` decodes nothing and copies nothing: 0.2 s of CPU per GB."""
    whole = False
    try:
        while chunk := response.raw.read(CHUNK_BYTES, decode_content=False):
            yield chunk
        whole = True
    except (HTTPError, OSError):
        pass
    finally:
        session.close()
        response.close()
    if not whole:
        raise SourceUnreachable(f"GET {host}: the download was cut off", fix="run again: it goes on from there")


def _downloaded_from(url: str) -> str:
    parts = urlsplit(url)
    return checked_host(f"{parts.scheme}://{parts.netloc}")


def backoff(attempt: int) -> float:
    """Seconds before another try, from the first: half a second doubling up to 30, with up to half a second more."""
    failed = RequestHistory(None, None, None, None, None)
    return RETRY.new(history=(failed,) * (attempt + 1)).get_backoff_time()


def retry_after(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for (a number or a date), at most 120; None if there is none."""
    if header and re.fullmatch(r"\s*\d+\.\d+\s*", header):
        header = str(ceil(float(header)))  # Shopify sends 2.0, which urllib3 does not take
    try:
        return RETRY.parse_retry_after(header) if header else None
    except InvalidHeader:
        return None


def decode(content: bytes) -> tuple[Any, int]:
    """JSON as values, and how many lone surrogates or broken bytes were replaced by U+FFFD. Raises ValueError."""
    try:
        return orjson.loads(content), 0
    except orjson.JSONDecodeError:
        pass
    text = content.decode("utf-8", "replace")
    broken = text.count(REPLACEMENT) - content.count(REPLACEMENT.encode())
    value, replaced = _without_surrogates(json.loads(text, parse_int=_integer))
    return value, replaced + broken


def _integer(digits: str) -> int | float:
    """As orjson reads it, which writes no integer beyond 64 bits."""
    number: int | float = orjson.loads(digits)
    return number


def _without_surrogates(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        lone = sum(1 for letter in value if "\ud800" <= letter <= "\udfff")
        return (_replace_surrogates(value), lone) if lone else (value, 0)
    if isinstance(value, list):
        pairs = [_without_surrogates(item) for item in value]
        return [item for item, _ in pairs], sum(count for _, count in pairs)
    if isinstance(value, dict):
        found = {name: _without_surrogates(item) for name, item in value.items()}
        return {name: item for name, (item, _) in found.items()}, sum(count for _, count in found.values())
    return value, 0


def _replace_surrogates(text: str) -> str:
    return "".join(REPLACEMENT if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def checked_host(origin: str) -> str:
    """The host and port of an origin. Raises ConfigurationError for anything but https, or http to loopback."""
    parts = urlsplit(origin)
    plain = parts.scheme == "http" and is_loopback(parts.hostname)
    if not parts.hostname or parts.username or parts.path or parts.query or not (parts.scheme == "https" or plain):
        raise ConfigurationError(
            "the endpoint is not an origin that a credential may be sent to",
            fix="write it as https://host, or http://127.0.0.1:PORT on this machine",
        )
    return parts.netloc


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _session(host: str, headers: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(max_retries=0)  # tries are counted in one place, where broken bodies are seen as well
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"User-Agent": f"courier-elt/{__version__}", "Accept": "application/json", **headers})
    session.auth = _no_auth  # without one, requests looks into ~/.netrc
    session.trust_env = not is_loopback(urlsplit(f"//{host}").hostname)
    return session


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
