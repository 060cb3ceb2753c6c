"""Answers that a well-behaved web server never gives: cut off, torn, or none at all."""

from __future__ import annotations

import socket
import struct

import anyio
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

TRANSPORT = "courier.transport"  # in a request's scope: the connection it came by


class CutOff(Response):
    """An answer that promises more bytes than it sends; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[: len(self.body) // 2], "more_body": True})


class Silence(Response):
    """No answer: nothing for `seconds`, or until the client gives up, and then a TCP reset."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(self.seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
        reset(scope)


def reset(scope: Scope) -> None:
    """End the connection with a TCP reset instead of an orderly close."""
    transport = scope.get(TRANSPORT)
    if transport is not None:
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def with_transport(application: ASGIApp) -> ASGIApp:
    """Lets an answer end its connection with a TCP reset, for which ASGI has no message."""

    async def entry(scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await application(scope, receive, send)

    return entry
