"""The HTTP side of the made-up BigCommerce: token, quota, headers, faults."""

from __future__ import annotations

import secrets

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from courier.sandbox.bigcommerce.refusals import Refused
from courier.sandbox.bigcommerce.service import Asked, Store
from courier.sandbox.connections import CutOff
from courier.sandbox.faults import Faults, find
from courier.sandbox.shopify.faults import Fault

PATH = "/stores/{store}/{version}/{path:path}"
JSON = "application/json"


class Api:
    """The routes of one store."""

    def __init__(self, store: Store, faults: Faults[Fault]) -> None:
        self.store = store
        self.faults = faults

    def routes(self) -> list[Route]:
        return [Route(PATH, self._get, methods=["GET"])]

    async def _get(self, request: Request) -> Response:
        path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        due = self.faults.due(f"GET {path}")
        if slow := find(due, "slow"):
            await anyio.sleep(slow.seconds)
        version = request.path_params["version"]
        entry: dict[str, object] = {"path": path.split(f"/{version}/", 1)[-1], "version": version}
        self.store.log.append(entry)
        response = self._answered(request, version, due)
        entry["status"] = response.status_code
        return response

    def _answered(self, request: Request, version: str, due: list[Fault]) -> Response:
        now = self.store.shop.now().timestamp()
        try:
            self._before(request, due, now)
            asked = Asked(version, request.path_params["path"].strip("/"), dict(request.query_params), tuple(due))
            content = self.store.answer(asked)
        except Refused as refused:
            # Without headers: the platform is under load, and the quota has nothing to do with it.
            bare = refused.status == 429 and find(due, "status") is not None
            headers = {} if bare else self.store.quota.headers(now)
            return Response(orjson.dumps(refused.content(version)), refused.status, headers, JSON)
        return _response(content, self.store.quota.headers(now), due)

    def _before(self, request: Request, due: list[Fault], now: float) -> None:
        """What stands before every answer. Raises Refused."""
        if fault := find(due, "status"):
            raise Refused(fault.status)
        given = request.headers.get("X-Auth-Token", "")
        known = secrets.compare_digest(given.encode(), self.store.token.encode())
        if not known or request.path_params["store"] != self.store.hash:
            raise Refused(401)
        others = self.store.settings.others
        if not self.store.quota.take(now, others) or find(due, "throttled"):
            raise Refused(429)


def _response(content: object, headers: dict[str, str], due: list[Fault]) -> Response:
    if content is None:
        return Response(status_code=204, headers=headers)
    body = orjson.dumps(content)
    if find(due, "html"):
        return Response("<html><body>made up for a test</body></html>", 200, headers, "text/html")
    if find(due, "reset"):
        return CutOff(body, 200, headers, JSON)
    if find(due, "truncated"):
        body = body[: len(body) // 2]
    return Response(body, 200, headers, JSON)
