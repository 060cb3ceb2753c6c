"""A service on loopback that takes alerts as Apprise's json:// sends them, and keeps them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`status` is what it answers. While `silent` is set it answers nothing."""

    port: int
    status: int = 200
    silent: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    received: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its Apprise URL, with a secret in it, as the URLs of chat services have."""
        return f"json://someone:hunter2hunter2@127.0.0.1:{self.port}/hook-4711secret"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """The service, until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    receiver = handler.receiver = Receiver(server.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.done.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.receiver.silent.is_set():
            self.receiver.done.wait(60)
            return
        self.receiver.paths.append(self.path)
        self.receiver.received.append(json.loads(body))
        self.send_response(self.receiver.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what tests print is looked through."""
