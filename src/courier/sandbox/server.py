"""The sandbox as a running server, on the loopback interface of this machine only."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any

import uvicorn

from courier.errors import UsageError
from courier.sandbox.mavera.app import Api
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.bulk.files import File
from courier.sandbox.shopify.service import Settings
from courier.sandbox.shopify.versions import SUPPORTED
from courier.sandbox.sources import Sources
from courier.sandbox.stores import Stores

HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """A server that says when it is ready and stops at once: uvicorn's own loop looks every 100 ms."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)

    def stop(self) -> None:
        self.should_exit = self.force_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)


class Sandbox:
    """A served shop, and stores beside it: `with serve(shop) as sandbox`. Its thread ends with the block."""

    def __init__(self, shop: Shop, port: int = 0, settings: Settings | None = None, stores: Iterable[str] = ()) -> None:
        self.shop = shop
        self.sources = Sources(shop, settings or Settings())
        self.stores = Stores(shop, stores, settings or Settings())
        self.mavera = Mavera(shop)
        self.sources.admin.on_reset.append(self.mavera.reset)
        self.faults, self.service = self.sources.faults, self.sources.service
        self.bigcommerce, self.klaviyo = self.sources.bigcommerce, self.sources.klaviyo
        self._port = port
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        assert self._socket is not None, "the sandbox is not running"
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    @property
    def credentials(self) -> dict[str, str]:
        """What a courier needs to log in, by the names of its variables. Nothing here opens a real shop."""
        return {**self.sources.credentials, "MAVERA_API_KEY": self.mavera.key}

    def credential(self, connector: str, store: str = "") -> dict[str, str]:
        """What a courier of this connector is opened with, by the keys of its `credential:`. store: of many, which.

        Raises UsageError for one that the sandbox does not have.
        """
        return (self.stores[store] if store else self.sources).credential(connector)

    @property
    def requests(self) -> Sequence[dict[str, Any]]:
        """What was asked: query, operation, version, cost. Never a token."""
        return tuple(self.service.log)

    def reset(self, changes: bool = False) -> None:
        self.sources.admin.reset(changes)

    def write_bulk(self, query: str, version: str = SUPPORTED[-1], grouped: bool = False) -> File:
        """Write a bulk operation's file ahead. An operation of the same selection that finds the same records takes it.

        Raises Refused where the query breaks a rule.
        """
        return self.service.bulk.write(self.service.root(version), query, grouped)

    def start(self) -> Sandbox:
        """Listen, and return when the first request can be sent."""
        self._socket = _listen(self._port)
        config = uvicorn.Config(
            self.stores.in_front_of(self.sources.application(Api(self.mavera).routes())),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
        )
        # A fault that cuts a response off is an error to uvicorn; nobody wants to read it.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        self._server = _Server(config)
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="sandbox", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        return self

    def wait(self) -> None:
        """Serve until somebody interrupts."""
        assert self._thread is not None
        self._thread.join()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self.mavera.close()
        self._server = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listen(port: int) -> socket.socket:
    # With its protocol named, asyncio turns Nagle's algorithm off: else an answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"port {port} of this machine is taken", fix="choose another with --port, or 0 for any"
        ) from error
    listener.listen(128)
    return listener
