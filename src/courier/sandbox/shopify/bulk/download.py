"""Where a bulk operation's file is fetched: a signed URL without a token, which answers ranges."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from courier.sandbox.connections import reset as break_off
from courier.sandbox.faults import find
from courier.sandbox.shopify.bulk.files import File
from courier.sandbox.shopify.bulk.server import Bulk
from courier.sandbox.shopify.faults import Fault

CHUNK = 2 * 1024 * 1024
_NAME = re.compile(r"^(partial-)?bulk-(\d+)\.jsonl$")
_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")


@dataclass(frozen=True)
class _Span:
    """Bytes [start, end) of a file."""

    start: int
    end: int


def answer_download(bulk: Bulk, request: Request, faults: list[Fault]) -> Response:
    """The file of a signed URL; 403 for a signature that is wrong or too old, 416 past the end."""
    status = find(faults, "download_status")
    if status:
        return _refused(status.status, "MadeUp", "made up for a test")
    name, asked = _NAME.match(request.path_params["name"]), request.query_params
    if not bulk.signed(request.url.path, asked.get("Expires", ""), asked.get("Signature", "")) or name is None:
        return _refused(403, "SignatureDoesNotMatch", "The signature is wrong or has expired.")
    file = bulk.download(int(name.group(2)), partial=name.group(1) is not None)
    if file is None or not file.path.exists():
        return _refused(404, "NoSuchKey", "The specified key does not exist.")
    return _part(file, request, faults)


def _refused(status: int, code: str, message: str) -> Response:
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status, media_type="application/xml")


def _part(file: File, request: Request, faults: list[Fault]) -> Response:
    wanted = request.headers.get("range")
    span = _span(wanted, file.size)
    if wanted is None or find(faults, "download_no_range") or not _fresh(request, file):
        span, wanted = _Span(0, file.size), None
    if span is None:
        refused = _refused(416, "InvalidRange", "The requested range cannot be satisfied.")
        refused.headers["Content-Range"] = f"bytes */{file.size}"
        return refused
    headers = {
        "Content-Length": str(span.end - span.start),
        "Content-Disposition": request.query_params.get("response-content-disposition", "attachment"),
        "ETag": etag(file),
        "Accept-Ranges": "none" if find(faults, "download_no_range") else "bytes",
    }
    if wanted is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    return Download(file.path, span, 200 if wanted is None else 206, headers, faults)


def etag(file: File) -> str:
    """The same as long as the file is the same."""
    return f'"{file.path.stem}"'


def _fresh(request: Request, file: File) -> bool:
    return request.headers.get("if-range") in (None, etag(file))


def _span(text: str | None, size: int) -> _Span | None:
    """What a Range header asks for; None if there is nothing there."""
    found = _RANGE.match(text or "bytes=0-")
    if found is None:
        return _Span(0, size)
    start, end = int(found.group(1)), min(size, int(found.group(2)) + 1) if found.group(2) else size
    return _Span(start, end) if start < end else None


class Download(Response):
    """A part of a file, sent in big chunks. Faults cut it off, reset its connection, or change a byte."""

    def __init__(self, path: Path, span: _Span, status: int, headers: dict[str, str], faults: list[Fault]) -> None:
        super().__init__(None, status, headers, "application/jsonl")
        self.path = path
        self.span = span
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        stop, reset = self._stop(), find(self.faults, "download_reset")
        with self.path.open("rb", buffering=0) as source:
            for start in range(self.span.start, stop, CHUNK):
                data = self._garbled(os.pread(source.fileno(), min(CHUNK, stop - start), start), start)
                await send({"type": "http.response.body", "body": data, "more_body": start + len(data) < self.span.end})
        if reset:
            break_off(scope)

    def _stop(self) -> int:
        fault = find(self.faults, "download_truncated") or find(self.faults, "download_reset")
        length = self.span.end - self.span.start
        return self.span.end if fault is None else self.span.start + int(length * fault.share)

    def _garbled(self, data: bytes, start: int) -> bytes:
        fault = find(self.faults, "download_garbled")
        at = self.span.start + int((self.span.end - self.span.start) * fault.share) - start if fault else -1
        return data if not 0 <= at < len(data) else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
