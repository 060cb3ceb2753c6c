"""What Shopify's answers mean: the HTTP status, the GraphQL errors, and the cost that comes along. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from courier.connectors.shopify.budget import ThrottleStatus
from courier.errors import ConfigurationError, CourierError, SourceRefused, SourceUnreachable

Kind = Literal["throttled", "internal", "too_expensive", "cursor", "refused"]

_SCOPE = re.compile(r"\b(?:read|write)_[a-z_]+\b")
_IDENTIFIER = re.compile(r"[_A-Za-z][_0-9A-Za-z.]{0,80}")


@dataclass(frozen=True)
class Trouble:
    """The errors of an answer, as one: what kind it is, and the exception to raise where it cannot be helped."""

    kind: Kind
    error: CourierError


def refusal(status: int, host: str, where: str) -> SourceRefused | None:
    """What a status that no other try can mend means, and what to do. `where`: the courier's file."""
    known = {
        401: ("the access token is not valid (401)", f"check the credential that {where} names, and make a new token"),
        402: ("the shop is frozen (402)", "its owner has to settle its bill with Shopify"),
        403: ("access is forbidden (403)", "check that the app is installed on this shop and not blocked"),
        404: ("there is no such shop or API version (404)", f"check `store` and `api_version` in {where}"),
        423: ("the shop is locked (423)", "its owner has to ask Shopify's support to unlock it"),
        430: (
            "Shopify rejects our requests for security reasons (430)",
            "ask Shopify's support why, before more tries",
        ),
    }
    if status in known:
        what, fix = known[status]
        return SourceRefused(f"{host}: {what}; nothing was committed", fix=fix)
    if status >= 400:
        return SourceRefused(f"{host}: status {status}; nothing was committed", fix="run again later, or report this")
    return None


def trouble(errors: Sequence[Any], host: str, where: str) -> Trouble:
    """The kind of an answer's errors. Messages hold names of fields, types and scopes, never a text of the shop's."""
    first = errors[0] if isinstance(errors[0], Mapping) else {}
    codes = {_code(error) for error in errors if isinstance(error, Mapping)}
    texts = " ".join(str(error.get("message", "")) for error in errors if isinstance(error, Mapping))
    if "THROTTLED" in codes:
        return Trouble("throttled", SourceUnreachable(f"{host}: throttled again and again", fix="run again later"))
    if "MAX_COST_EXCEEDED" in codes:
        return Trouble("too_expensive", SourceRefused(f"{host}: one page of the query costs too much", fix=_FEWER))
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return Trouble(
            "internal", SourceUnreachable(f"{host}: an internal error, several times", fix="run again later")
        )
    if "ACCESS_DENIED" in codes:
        return Trouble("refused", _denied(errors, host, where))
    if codes & {"SHOP_INACTIVE"}:
        return Trouble("refused", SourceRefused(f"{host}: the shop is inactive", fix="its owner has to reopen it"))
    if "undefinedField" in codes:
        return Trouble("refused", _undefined(errors, where))
    if re.search(r"\bcursor\b", texts, re.IGNORECASE):
        return Trouble("cursor", SourceRefused(f"{host}: a cursor is refused, also a fresh one", fix="run again later"))
    code = _identifier(_code(first)) or "without a code"
    place = ".".join(str(step) for step in first.get("path", ()) if _identifier(step))
    at = f" at {place}" if place else ""
    return Trouble(
        "refused",
        SourceRefused(f"{host}: the query is refused ({code}){at}", fix=f"check the domain tables of {where}"),
    )


_FEWER = "ask for fewer columns, or split the domain tables over two couriers"


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, Mapping) else ""


def _identifier(value: Any) -> str:
    """The value where it is a plain name, which cannot be a text of the shop's."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else ""


def _denied(errors: Sequence[Any], host: str, where: str) -> SourceRefused:
    denied = [error for error in errors if isinstance(error, Mapping) and _code(error) == "ACCESS_DENIED"]
    texts = [f"{error.get('message', '')} {error['extensions'].get('requiredAccess', '')}" for error in denied]
    scopes = sorted(set(_SCOPE.findall(" ".join(texts))))
    paths = {".".join(name for name in map(_identifier, error.get("path") or ()) if name) for error in denied}
    at = ", ".join(sorted(paths - {""})) or "the query"
    needs = f": it needs {' or '.join(scopes)}" if scopes else ""
    fix = f"grant {' or '.join(scopes)} to the app" if scopes else "approve the app's protected customer data access"
    return SourceRefused(
        f"{host}: access denied at {at}{needs}; nothing was committed",
        fix=f"{fix}, or leave the feed out of {where}",
    )


def _undefined(errors: Sequence[Any], where: str) -> ConfigurationError:
    for error in errors:
        extensions = error.get("extensions") if isinstance(error, Mapping) else None
        if isinstance(extensions, Mapping) and extensions.get("code") == "undefinedField":
            field = _identifier(extensions.get("fieldName")) or "a field"
            type_ = _identifier(extensions.get("typeName")) or "a type"
            return ConfigurationError(
                f"Shopify has no field `{field}` on {type_} in this API version: a column's `from` asks for it",
                fix=f"correct that `from` in the domain tables of {where}",
            )
    return ConfigurationError("Shopify does not know a field that a column's `from` asks for", fix=f"see {where}")


def throttle_status(body: Any) -> ThrottleStatus | None:
    """`extensions.cost.throttleStatus`, where it is whole."""
    try:
        status = body["extensions"]["cost"]["throttleStatus"]
        return ThrottleStatus(
            available=float(status["currentlyAvailable"]),
            maximum=float(status["maximumAvailable"]),
            rate=float(status["restoreRate"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def requested_cost(body: Any) -> float | None:
    try:
        return float(body["extensions"]["cost"]["requestedQueryCost"])
    except (KeyError, TypeError, ValueError):
        return None


def filter_ignored(body: Any) -> bool:
    """Whether the source warns that it did not understand a search filter, so that a count says nothing."""
    extensions = body.get("extensions") if isinstance(body, Mapping) else None
    search = extensions.get("search") if isinstance(extensions, Mapping) else None
    return any(isinstance(entry, Mapping) and entry.get("warnings") for entry in search or ())
