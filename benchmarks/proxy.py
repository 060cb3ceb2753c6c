"""A CONNECT proxy on loopback that takes every *.myshopify.com to the made-up shop, and nobody anywhere else.

Clients that can only speak to `https://<shop>.myshopify.com` are pointed at it with HTTPS_PROXY, and trust a throw-away
authority that lives as long as the block. What they send to other hosts (telemetry, version checks) is refused.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

CHUNK = 1 << 16
DOMAIN = ".myshopify.com"
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass
class Proxy:
    """`env` points a client at it; `refused` are the hosts that were asked for in vain."""

    port: int
    bundle: Path
    refused: set[str] = field(default_factory=set)

    @property
    def env(self) -> Mapping[str, str]:
        address = f"http://127.0.0.1:{self.port}"
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        local = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        return {"HTTPS_PROXY": address, "https_proxy": address, **local, **dict.fromkeys(names, str(self.bundle))}


@contextmanager
def proxy_to(url: str, folder: Path) -> Iterator[Proxy]:
    """Serve while the block lasts. `url`: the shop's, plain HTTP; `folder`: where keys and certificates are written."""
    folder.mkdir(parents=True, exist_ok=True)
    context = _server_context(folder)
    target = urlsplit(url)
    assert target.hostname and target.port
    served = _Served(context, (target.hostname, target.port))
    thread = Thread(target=served.run, name="proxy", daemon=True)
    thread.start()
    served.ready.wait()
    try:
        yield Proxy(served.port, folder / "bundle.pem", served.refused)
    finally:
        served.stop()
        thread.join()


class _Served:
    def __init__(self, context: ssl.SSLContext, target: tuple[str, int]) -> None:
        self.context = context
        self.target = target
        self.ready = Event()
        self.refused: set[str] = set()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self._end.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
            host = head[1].decode("ascii", "replace").rsplit(":", 1)[0]
            if head[0] == b"CONNECT" and host.endswith(DOMAIN):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.start_tls(self.context)
                await self._relay(reader, writer)
            else:
                self.refused.add(host)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self.target)
        try:
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        finally:
            inner_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


def _server_context(folder: Path) -> ssl.SSLContext:
    """A context with a certificate for the domain, signed by an authority made now; `bundle.pem` trusts that too."""
    _openssl(
        folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=benchmark-authority -keyout ca.key -out ca.pem"
    )
    _openssl(folder, f"req -newkey rsa:2048 -nodes -subj /CN=*{DOMAIN} -keyout server.key -out server.csr")
    (folder / "extensions").write_text(f"subjectAltName=DNS:*{DOMAIN}\nextendedKeyUsage=serverAuth\n")
    signing = "x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions"
    _openssl(folder, f"{signing} -out server.pem")
    system = next((path for path in map(Path, _SYSTEM_BUNDLES) if path.exists()), None)
    known = system.read_text() if system else ""
    (folder / "bundle.pem").write_text(known + (folder / "ca.pem").read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True, umask=0o077)
