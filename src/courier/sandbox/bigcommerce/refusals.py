"""What BigCommerce says when it does not do what was asked: an object in V3, an array in V2."""

from __future__ import annotations

from courier.errors import CourierError

_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "You don't have a required scope to access the endpoint",
    404: "The requested resource was not found", 413: "The limit is larger than the maximum", 422: "Invalid parameters",
    429: "Too many requests", 500: "Internal error", 503: "The store is down", 509: "The quota is used up",
}  # fmt: skip


class Refused(CourierError):
    """An answer other than 200."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message or _TITLES.get(status, f"Status {status}"))
        self.status = status

    def content(self, version: str) -> object:
        if version == "v2":
            return [{"status": self.status, "message": self.message}]
        return {"status": self.status, "title": self.message, "type": "https://developer.example.com/", "errors": {}}


def unknown_filter(version: str, name: str) -> Refused:
    if version == "v2":
        return Refused(400, f"The field '{name}' is not supported by this resource.")
    return Refused(422, f"The filter(s): {name} are not valid filter parameter(s).")
