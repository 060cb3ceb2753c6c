"""The HTTP side of the made-up Klaviyo: routes, headers, faults below the API, and /_sandbox/klaviyo."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from courier.sandbox.connections import CutOff
from courier.sandbox.faults import Faults, find
from courier.sandbox.klaviyo.service import Klaviyo
from courier.sandbox.shopify.faults import Fault

KIND = "application/vnd.api+json"


class Api:
    """The routes of one account; the faults are the whole sandbox's."""

    def __init__(self, klaviyo: Klaviyo, faults: Faults[Fault]) -> None:
        self.klaviyo = klaviyo
        self.faults = faults

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/klaviyo/settings", self._settings, methods=["GET", "POST"]),
            Route("/_sandbox/klaviyo/requests", self._requests, methods=["GET"]),
            *(
                Route(path, self._api, methods=["GET", "POST"])
                for path in (f"/api/{name}{{rest:path}}" for name in _RESOURCES)
            ),
        ]

    async def _api(self, request: Request) -> Response:
        raw = await request.body()
        path, query = request.url.path.rstrip("/"), request.url.query
        due = self.faults.due(f"{request.method} {path}?{query}")
        if slow := find(due, "slow"):
            await anyio.sleep(slow.seconds)
        early = _broken(due)
        if early is None:
            origin = f"{request.url.scheme}://{request.url.netloc}"
            reply = self.klaviyo.answer(request.method, origin, path, query, request.headers, _body(raw), due)
            revision = self.klaviyo.settings.answers_in or request.headers.get("revision", "")
            content, headers = _spoiled(reply.content, due), {**reply.headers, "revision": revision}
            early = _response(orjson.dumps(content), reply.status, headers, due)
        self.klaviyo.log.append(
            {"method": request.method, "path": path, "query": query, "status": early.status_code,
             "at": self.klaviyo.shop.now().timestamp()}
        )  # fmt: skip
        return early

    async def _settings(self, request: Request) -> Response:
        """GET, or POST some of them: {"predictions": "missing"}."""
        if request.method == "POST":
            given = orjson.loads(await request.body())
            lists: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
            try:
                self.klaviyo.configure(**lists)
            except TypeError as error:
                return _told({"errors": str(error)}, 400)
        return _told({"settings": asdict(self.klaviyo.settings)})

    async def _requests(self, request: Request) -> Response:
        return _told({"requests": self.klaviyo.log})


_RESOURCES = (
    "accounts", "profiles", "lists", "segments", "metrics", "mapped-metrics", "metric-aggregates", "events", "flows",
    "flow-actions", "flow-values-reports", "flow-series-reports", "campaigns", "campaign-values-reports", "templates",
    "catalog-items", "catalog-variants",
)  # fmt: skip


def _told(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _body(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return None


def _broken(due: list[Fault]) -> Response | None:
    """What goes wrong before Klaviyo's own server is reached."""
    fault = find(due, "status") or find(due, "html")
    if fault is None:
        return None
    wait = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if fault.kind == "html":
        return Response("<html><body>made up for a test</body></html>", fault.status, wait, "text/html")
    error = {"id": "made-up", "code": "error", "title": "Made up for a test", "detail": "", "source": {}}
    return Response(orjson.dumps({"errors": [error]}), fault.status, wait, KIND)


def _spoiled(content: Any, due: list[Fault]) -> Any:
    """The content without hidden records, and with a bad value."""
    data = content.get("data") if isinstance(content, dict) else None
    hidden, bad = find(due, "hidden"), find(due, "bad_value")
    if not isinstance(data, list):
        return content
    if hidden:
        data = [node for node in data if node["id"] != hidden.record]
    if bad and data and "attributes" in data[0]:
        first = {**data[0], "attributes": {**data[0]["attributes"], bad.field: bad.value}}
        data = [first, *data[1:]]
    return {**content, "data": data}


def _response(content: bytes, status: int, headers: dict[str, str], due: list[Fault]) -> Response:
    if find(due, "reset"):
        return CutOff(content, status, headers, KIND)
    if find(due, "truncated"):
        content = content[: len(content) // 2]
    return Response(content, status, headers, KIND)
