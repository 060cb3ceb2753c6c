"""/_sandbox/mavera/...: what a test in another process reads, sets and does by hand. Nothing is charged."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from courier.errors import UsageError
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.mavera.store import Node

PREFIX = "/_sandbox/mavera"


class Control:
    """The routes. What cannot be done is answered with 400, `errors` and `fix`."""

    def __init__(self, mavera: Mavera) -> None:
        self.mavera = mavera

    def routes(self) -> list[Route]:
        calls = {
            "received": (self._received, ["GET", "DELETE"]),
            "account": (self._account, ["GET"]),
            "settings": (self._settings, ["GET", "POST"]),
            "faults": (self._faults, ["GET", "POST", "DELETE"]),
            "personas": (self._personas, ["GET", "POST"]),
            "personas/{id}": (self._persona, ["PATCH", "DELETE"]),
            "things/{kind}": (self._things, ["GET"]),
            "reset": (self._reset, ["POST"]),
        }
        return [Route(f"{PREFIX}/{name}", _answering(call), methods=way) for name, (call, way) in calls.items()]

    def _received(self, request: Request, given: Any) -> Node:
        """GET: every request in order. `base64`: the body to the byte, `body`: as text. DELETE forgets them."""
        if request.method == "DELETE":
            self.mavera.forget_received()
        return {
            "requests": [
                {
                    "at": one.at,
                    "method": one.method,
                    "path": one.path,
                    "body": one.body.decode("utf-8", "replace"),
                    "base64": b64encode(one.body).decode(),
                    "status": one.status,
                }
                for one in self.mavera.received
            ]
        }

    def _account(self, request: Request, given: Any) -> Node:
        """GET: credits, and every charge."""
        return self.mavera.summary()

    def _settings(self, request: Request, given: Any) -> Node:
        """GET, or POST some of them: {"duplicate_status": 409}."""
        return {"settings": asdict(self.mavera.configure(**given) if given else self.mavera.settings)}

    def _faults(self, request: Request, given: Any) -> Node:
        """POST adds one or a list, GET shows those that wait, DELETE clears."""
        if request.method == "DELETE":
            self.mavera.faults.clear()
        elif given:
            self.mavera.faults.add(*(given if isinstance(given, list) else [given]))
        return {"faults": self.mavera.faults.pending()}

    def _personas(self, request: Request, given: Any) -> Node:
        """GET: all, with what stuck. POST {"name", ...}: somebody makes one by hand."""
        return self.mavera.make_persona(**given) if given else {"personas": self.mavera.personas}

    def _persona(self, request: Request, given: Any) -> Node:
        """PATCH: somebody edits one by hand. DELETE: somebody deletes it."""
        identity = request.path_params["id"]
        if request.method == "PATCH":
            return self.mavera.edit_persona(identity, **given)
        self.mavera.delete_persona(identity)
        return {"deleted": identity}

    def _things(self, request: Request, given: Any) -> Node:
        """GET: all of a kind, as kept: response, generation, thread, message, focus_group, brand_voice, workspace."""
        return {"things": self.mavera.things(request.path_params["kind"])}

    def _reset(self, request: Request, given: Any) -> Node:
        """POST: as at the start."""
        self.mavera.reset()
        return {"reset": True}


def _answering(call: Callable[[Request, Any], Node]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            content, status = call(request, orjson.loads(await request.body() or b"{}")), 200
        except (UsageError, TypeError, orjson.JSONDecodeError) as error:
            content, status = {"errors": str(error), "fix": getattr(error, "fix", "")}, 400
        return Response(orjson.dumps(content), status, media_type="application/json")

    return answer
