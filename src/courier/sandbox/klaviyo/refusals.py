"""What Klaviyo says when it refuses: {"errors": [{id, code, title, detail, source}]}."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


class Refused(Exception):
    """A request that is answered with an error. `retry_after`: whole seconds."""

    def __init__(
        self, status: int, code: str, title: str, detail: str, source: str = "", retry_after: int | None = None
    ):
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.source = source
        self.retry_after = retry_after

    @property
    def content(self) -> dict[str, Any]:
        source = {"parameter": self.source} if self.source else {"pointer": "/data"}
        error = {"id": str(uuid4()), "status": self.status, "code": self.code, "title": self.title,
                 "detail": self.detail, "source": source, "links": {}, "meta": {}}  # fmt: skip
        return {"errors": [error]}


def invalid(source: str, detail: str) -> Refused:
    return Refused(400, "invalid", "Invalid input.", detail, source)
