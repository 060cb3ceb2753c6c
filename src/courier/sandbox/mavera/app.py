"""The HTTP side of the made-up Mavera: keys, limits, headers, faults, and which function answers which path."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from courier.errors import UsageError
from courier.sandbox.connections import CutOff, Silence
from courier.sandbox.faults import find
from courier.sandbox.mavera import (
    brand_voices,
    chat,
    focus_groups,
    generations,
    personas,
    responses,
    usage,
    workspaces,
)
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.control import Control
from courier.sandbox.mavera.faults import Fault
from courier.sandbox.mavera.limits import Chats, admit, room
from courier.sandbox.mavera.refusals import (
    Refused,
    broken,
    duplicate,
    invalid,
    not_found,
    out_of_credits,
    unauthenticated,
)
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.mavera.store import Node

PREFIX = "/api/v1/"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
Call = Callable[[Account, Ask], Answer]
CHAT = "POST /mave/chat"
CALLS: Mapping[str, Call] = {
    "GET /personas": personas.listed,
    "POST /personas": personas.created,
    "PATCH /personas/{id}": personas.updated,
    "POST /responses": responses.created,
    CHAT: chat.sent,
    "GET /mave/threads": chat.threads,
    "GET /mave/threads/{id}": chat.thread,
    "DELETE /mave/threads/{id}": chat.deleted,
    "POST /focus-groups": focus_groups.created,
    "GET /focus-groups/{id}": focus_groups.read,
    "GET /generation-apps": generations.apps,
    "GET /generations": generations.listed,
    "POST /generations": generations.created,
    "GET /generations/{id}": generations.read,
    "PATCH /generations/{id}": generations.retitled,
    "DELETE /generations/{id}": generations.deleted,
    "GET /brand-voices": brand_voices.listed,
    "POST /brand-voices": brand_voices.created,
    "GET /brand-voices/{id}": brand_voices.read,
    "PATCH /brand-voices/{id}": brand_voices.updated,
    "GET /workspaces": workspaces.listed,
    "POST /workspaces": workspaces.created,
    "GET /workspaces/{id}": workspaces.read,
    "GET /usage": usage.told,
}


def call_of(method: str, path: str) -> tuple[str, str]:
    """The name of a call, `PATCH /personas/{id}`, and the id. Raises Refused (404)."""
    parts = path.removeprefix(PREFIX).strip("/").split("/")
    if f"{method} /{'/'.join(parts)}" in CALLS:
        return f"{method} /{'/'.join(parts)}", ""
    call = f"{method} /{'/'.join([*parts[:-1], '{id}'])}"
    if call not in CALLS:
        raise not_found("Path", path)
    return call, parts[-1]


class Api:
    """The routes of one account."""

    def __init__(self, mavera: Mavera) -> None:
        self.mavera = mavera
        self.account = mavera.account
        self.chats = Chats()

    def routes(self) -> list[Route]:
        return [Route(PREFIX + "{path:path}", self._api, methods=METHODS), *Control(self.mavera).routes()]

    async def _api(self, request: Request) -> Response:
        raw = await request.body()
        query = f"?{request.url.query}" if request.url.query else ""
        path = request.url.path + query
        number = self.account.store.receive(self.account.now(), request.method, path, raw)
        due = self.mavera.faults.due(f"{request.method} {path}\n{raw.decode('utf-8', 'replace')}")
        response = await self._before(due)
        if response is None:
            try:
                response = _response(await self._answer(request, raw, number, due), due)
            except Refused as refused:
                response = _refusal(refused)
        if not isinstance(response, Silence):
            self.account.store.answered(number, response.status_code)
            response.headers.update(room(self.account).headers)
        return response

    async def _before(self, due: Sequence[Fault]) -> Response | None:
        """What goes wrong before Mavera does anything."""
        slow, status = find(due, "slow"), find(due, "status", "html")
        if slow:
            await anyio.sleep(slow.seconds)
        if find(due, "reset"):
            return Silence()
        if status is None:
            return None
        wait = {} if status.retry_after is None else {"Retry-After": f"{status.retry_after:g}"}
        if status.kind == "html":
            return Response("<html><body>made up for a test</body></html>", status.status, wait, "text/html")
        response = _refusal(broken(status.status))
        response.headers.update(wait)
        return response

    async def _answer(self, request: Request, raw: bytes, number: int, due: Sequence[Fault]) -> Answer:
        """Carry the request out. Raises Refused."""
        self._authenticate(request.headers.get("Authorization", ""))
        admit(self.account, number)
        call, part = call_of(request.method, request.url.path)
        ask = Ask(call, part, dict(request.query_params), _body(request.method, raw), due)
        self._interfere(ask)
        if call != CHAT:
            return self._carry_out(ask)
        with self.chats.one_more():
            if self.account.let_pass(seconds := self.account.settings.chat_seconds):
                await anyio.sleep(seconds)
            return self._carry_out(ask)

    def _carry_out(self, ask: Ask) -> Answer:
        with self.account.store.transaction():
            return CALLS[ask.call](self.account, ask)

    def _authenticate(self, header: str) -> None:
        """Documented: the four codes of 401, and that a key whose subscription has expired gets 402."""
        scheme, _, key = header.partition(" ")
        settings = self.account.settings
        if scheme.lower() != "bearer" or not key.strip():
            raise unauthenticated("missing_api_key")
        if not secrets.compare_digest(key.strip().encode(), self.account.key.encode()):
            raise unauthenticated("invalid_api_key")
        if settings.key != "active":
            raise unauthenticated(f"{settings.key}_api_key")
        if settings.subscription_expired:
            raise out_of_credits(0, 1)

    def _interfere(self, ask: Ask) -> None:
        """Faults that Mavera itself answers."""
        if find(ask.faults, "no_credits"):
            raise out_of_credits(0, 1)
        if fault := find(ask.faults, "duplicate"):
            given = fault.status if fault.status < 500 else self.account.settings.duplicate_status
            raise duplicate(given)
        if find(ask.faults, "taken"):
            with suppress(UsageError):  # no persona can have what was sent as a name
                self.mavera.make_persona(name=ask.body.get("name"), description="Made by somebody else, just now.")


def _body(method: str, raw: bytes) -> Node:
    """The body of a request that has one. Raises Refused where it is no JSON object."""
    if method not in ("POST", "PATCH", "PUT"):
        return {}
    try:
        found: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise invalid("body", "must be a JSON object")
    return found


def _refusal(refused: Refused) -> Response:
    headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    return Response(orjson.dumps(refused.content), refused.status, headers, "application/json")


def _response(answer: Answer, due: Sequence[Fault]) -> Response:
    """The answer of a request that took effect, or what a fault leaves of it."""
    if silence := find(due, "no_answer"):
        return Silence(silence.seconds)
    if late := find(due, "status_after"):
        return _refusal(broken(late.status))
    kind = "application/json" if answer.events is None else "text/event-stream"
    chunks = [orjson.dumps(answer.content)] if answer.events is None else list(_stream(answer.events))
    content = b"".join(chunks)
    if find(due, "cut_off"):
        return CutOff(content, answer.status, media_type=kind)
    if find(due, "torn"):
        return Response(content[: len(content) // 2], answer.status, media_type=kind)
    if answer.events is None:
        return Response(content, answer.status, media_type=kind)
    return StreamingResponse(iter(chunks), answer.status, media_type=kind)


def _stream(events: tuple[tuple[str, Node], ...]) -> Iterator[bytes]:
    for name, data in events:
        yield b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
    yield b"data: [DONE]\n\n"
