"""The HTTP side of the emulated Shopify: routes, tokens, headers, and faults below GraphQL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qsl
from uuid import uuid4

import anyio
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from courier.errors import UsageError
from courier.sandbox.connections import CutOff, with_transport
from courier.sandbox.faults import Faults, find
from courier.sandbox.shopify.bulk.download import answer_download
from courier.sandbox.shopify.faults import Fault
from courier.sandbox.shopify.rest import Rest, origin
from courier.sandbox.shopify.service import Service
from courier.sandbox.shopify.versions import answered_by

BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
CLIENT_ID = "courier-sandbox-client"


def reply(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json; charset=utf-8")


class Admin:
    """The routes. Tokens minted here live until their time; the shop's static token has none."""

    def __init__(self, service: Service, faults: Faults[Fault]) -> None:
        self.service = service
        self.faults = faults
        self.client_secret = f"shpss_sandbox_{service.shop.options.seed:x}"
        self.tokens: dict[str, datetime] = {}
        self.rest = Rest(service)
        self.on_reset: list[Callable[[], None]] = []  # what else starts over with the sandbox

    def credentials(self) -> dict[str, str]:
        return {
            "SHOPIFY_STORE": self.service.handle,
            "SHOPIFY_ACCESS_TOKEN": self.service.shop.token,
            "SHOPIFY_CLIENT_ID": CLIENT_ID,
            "SHOPIFY_CLIENT_SECRET": self.client_secret,
        }

    def application(self, beside: Sequence[Route] = ()) -> ASGIApp:
        """These routes, and those of what else is served on the same port."""
        control = {
            "truth": (self._truth, ["GET"]),
            "change": (self._change, ["POST"]),
            "requests": (self._requests, ["GET"]),
            "faults": (self._faults, ["GET", "POST", "DELETE"]),
            "clock": (self._clock, ["GET", "POST"]),
            "lag": (self._lag, ["GET", "POST"]),
            "reset": (self._reset, ["POST"]),
        }
        routes = Starlette(
            routes=[
                Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
                Route("/admin/oauth/access_token", self._token, methods=["POST"]),
                Route("/bulk/{opaque}/{name}", self._download, methods=["GET", "HEAD"]),
                Route("/admin/oauth/access_scopes.json", self._rest, methods=["GET"]),
                Route("/admin/api/{version}/{path:path}.json", self._rest, methods=["GET"]),
                *(Route(f"/_sandbox/{name}", call, methods=methods) for name, (call, methods) in control.items()),
                *beside,
            ]
        )
        return with_transport(routes)

    async def _graphql(self, request: Request) -> Response:
        raw = await request.body()
        due = self.faults.due(raw.decode("utf-8", "replace"))
        early = await self._before(due)
        response = early or self._answer(request, raw, due)
        response.headers["X-Request-Id"] = str(uuid4())
        return response

    async def _before(self, due: list[Fault]) -> Response | None:
        """What goes wrong before Shopify's GraphQL server is reached."""
        slow, status, redirect = find(due, "slow"), find(due, "status"), find(due, "redirect")
        if slow:
            await anyio.sleep(slow.seconds)
        if redirect:
            return Response(status_code=302, headers={"Location": redirect.location})
        if status is None:
            return None
        self.service.log.append({"query": "", "version": "", "cost": None, "status": status.status})
        wait = {"Retry-After": str(status.retry_after)} if status.retry_after is not None else {}
        return reply({"errors": f"made up for a test: {status.status}"}, status.status, wait)

    def _answer(self, request: Request, raw: bytes, due: list[Fault]) -> Response:
        if not self._known(request.headers.get("X-Shopify-Access-Token", "")):
            return reply({"errors": BAD_TOKEN}, 401)
        version = answered_by(request.path_params["version"])
        if version is None:
            return reply({"errors": "Not Found"}, 404)
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return reply({"errors": "The request body is not valid JSON"}, 783)
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return reply({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        self.service.bulk.origin = origin(request)
        content = orjson.dumps(self.service.answer(body, version, due))
        return _response(content, version, due)

    async def _rest(self, request: Request) -> Response:
        due = self.faults.due(f"GET {request.url.path}?{request.url.query}")
        response = await self._before(due)
        if response is None and not self._known(request.headers.get("X-Shopify-Access-Token", "")):
            response = reply({"errors": BAD_TOKEN}, 401)
        if response is None:
            response = self.rest.answer(request) if "path" in request.path_params else self.rest.scopes()
        response.headers["X-Request-Id"] = str(uuid4())
        return response

    async def _download(self, request: Request) -> Response:
        due = self.faults.due(f"GET {request.url.path}")
        response = answer_download(self.service.bulk, request, due)
        told = {"operation": "download", "range": request.headers.get("range"), "status": response.status_code}
        self.service.log.append({"query": "", "version": "", "cost": None, **told})
        return response

    def _known(self, token: str) -> bool:
        if secrets.compare_digest(token.encode(), self.service.shop.token.encode()):
            return True
        expiry = self.tokens.get(token)
        return expiry is not None and self.service.shop.now() < expiry

    async def _token(self, request: Request) -> Response:
        """Client credentials, as form or JSON."""
        raw = await request.body()
        is_json = "json" in request.headers.get("content-type", "")
        given = orjson.loads(raw) if is_json else dict(parse_qsl(raw.decode()))
        if given.get("grant_type") != "client_credentials":
            return reply({"error": "unsupported_grant_type"}, 400)
        if given.get("client_id") != CLIENT_ID or given.get("client_secret") != self.client_secret:
            return reply({"error": "invalid_client", "error_description": "The client is not known."}, 400)
        token, seconds = f"shpca_sandbox_{secrets.token_hex(8)}", self.service.settings.token_seconds
        self.tokens[token] = self.service.shop.now() + timedelta(seconds=seconds)
        scope = ",".join(self.service.settings.scopes)
        return reply({"access_token": token, "scope": scope, "expires_in": seconds})

    async def _truth(self, request: Request) -> Response:
        from courier.sandbox import truth

        self.service.shop.refresh()
        source = request.query_params.get("source", "shopify")
        tables = [{"table": i.table, "rows": i.rows, "hash": i.hash} for i in truth(self.service.shop, source=source)]
        return reply({"version": 1, "tables": tables})

    async def _change(self, request: Request) -> Response:
        """POST {"orders": 50}: change the shop, as `courier sandbox change` does, and tell what that means."""
        from courier.sandbox import change

        given = orjson.loads(await request.body() or b"{}")
        return reply({"version": 1, "tables": change(self.service.shop, int(given.get("orders", 50)))})

    async def _requests(self, request: Request) -> Response:
        return reply({"requests": self.service.log})

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            given = orjson.loads(await request.body())
            try:
                self.faults.add(*(given if isinstance(given, list) else [given]))
            except (UsageError, TypeError) as error:
                return reply({"errors": str(error), "fix": getattr(error, "fix", "")}, 400)
        return reply({"faults": self.faults.pending()})

    async def _clock(self, request: Request) -> Response:
        """GET, or POST {"offset": seconds from courier's clock} or {"advance": seconds more}."""
        shop = self.service.shop
        if request.method == "POST":
            given = orjson.loads(await request.body())
            start = 0.0 if "offset" in given else shop.offset.total_seconds()
            shop.offset = timedelta(seconds=start + float(given.get("offset", given.get("advance", 0))))
        return reply({"now": shop.now(), "offset": shop.offset.total_seconds()})

    async def _lag(self, request: Request) -> Response:
        """GET, or POST {"seconds": that searches and counts lag behind the records}."""
        if request.method == "POST":
            self.service.index_lag = float(orjson.loads(await request.body())["seconds"])
        return reply({"seconds": self.service.index_lag})

    async def _reset(self, request: Request) -> Response:
        """Faults, log, bucket, tokens and clock as at the start; {"changes": true} undoes the shop's changes too."""
        raw = await request.body()
        self.reset(changes=bool(raw and orjson.loads(raw).get("changes")))
        return reply({"reset": True})

    def reset(self, changes: bool = False) -> None:
        self.faults.clear()
        self.service.reset()
        self.tokens.clear()
        self.service.shop.offset = timedelta(0)
        for start_over in self.on_reset:
            start_over()
        if changes:
            self.service.shop.reset()


def _response(content: bytes, version: str, due: list[Fault]) -> Response:
    headers = {"X-Shopify-API-Version": version, "X-Shopify-Shop-Api-Call-Limit": "1/40"}
    if find(due, "reset"):
        return CutOff(content, 200, headers, "application/json; charset=utf-8")
    if find(due, "truncated"):
        content = content[: len(content) // 2]
    return Response(content, 200, headers, "application/json; charset=utf-8")
