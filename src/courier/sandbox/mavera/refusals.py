"""Errors in the documented shape: `{"error": {"message", "type", "code", "param"}}`."""

from __future__ import annotations

from courier.sandbox.mavera.store import Node

INVALID = "invalid_request_error"


class Refused(Exception):
    """A request that is answered with an error, and that changes nothing.

    Documented are the statuses with their types and codes. Inferred: the type of 402, 403 and 404 is its code, and the
    code of a duplicate name (its status comes from a setting).
    """

    def __init__(self, status: int, kind: str, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message
        self.param = param
        self.retry_after: int | None = None

    @property
    def content(self) -> Node:
        return {"error": {"message": self.message, "type": self.kind, "code": self.code, "param": self.param}}


def missing(param: str) -> Refused:
    return Refused(400, INVALID, "missing_field", f"'{param}' is required", param)


def invalid(param: str, why: str) -> Refused:
    return Refused(400, INVALID, "invalid_field", f"'{param}' {why}", param)


def not_found(what: str, identity: str) -> Refused:
    return Refused(404, "resource_not_found", "resource_not_found", f"{what} '{identity}' was not found")


def forbidden(message: str) -> Refused:
    return Refused(403, "forbidden", "forbidden", message)


def duplicate(status: int) -> Refused:
    return Refused(status, INVALID, "duplicate_name", "A custom persona with this name already exists", "name")


def unauthenticated(code: str) -> Refused:
    return Refused(401, "authentication_error", code, code.replace("_", " ").capitalize())


def out_of_credits(remaining: int, needed: int) -> Refused:
    code = "insufficient_credits" if remaining > 0 else "credits_exhausted"
    message = f"This call needs {needed} credits; {max(0, remaining)} remain"
    return Refused(402, "insufficient_credits", code, message)


def over_budget(limit: int) -> Refused:
    return Refused(402, "budget_exceeded", "budget_exceeded", f"The usage limit of {limit} credits would be exceeded")


def too_many(retry_after: int, message: str = "Too many requests") -> Refused:
    found = Refused(429, "rate_limit_error", "rate_limit_exceeded", message)
    found.retry_after = retry_after
    return found


def broken(status: int) -> Refused:
    kind = {429: "rate_limit_error", 503: "service_unavailable"}.get(status, "internal_error")
    code = {429: "rate_limit_exceeded"}.get(status, kind)
    return Refused(status, kind, code, f"made up for a test: {status}")
