"""The sandbox behind TLS, for clients that know nothing else."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import requests

from courier.sandbox.server import Sandbox


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, for this machine's loopback address, and its key."""
    found, key = folder / "certificate.pem", folder / "key.pem"
    asked = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(found)]
    subprocess.run(["openssl", "req", *asked, *named], check=True, capture_output=True)
    return found, key


@contextmanager
def secured(sandbox: Sandbox, folder: Path) -> Iterator[tuple[str, Path]]:
    """The address, `127.0.0.1:PORT`, at which https is answered as the sandbox answers, and the certificate."""
    found, key = certificate(folder)

    class Passing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = requests.get(sandbox.url + self.path, headers=kept, timeout=30)
            self.send_response(answer.status_code)
            for name in ("Content-Type", *(name for name in answer.headers if name.lower().startswith("x-"))):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(found, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
