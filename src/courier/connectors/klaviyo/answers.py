"""What Klaviyo's refusals mean: which ones a person must act on, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.connectors.klaviyo.endpoints import REVISION
from courier.errors import SourceRefused

LONGEST = 200  # letters of Klaviyo's own words in a message


class Forbidden(SourceRefused):
    """403: the key lacks a scope, or the account's plan has no such thing."""


class NotThere(SourceRefused):
    """404: what is asked for is gone."""


class CursorRefused(SourceRefused):
    """400 for a cursor: the list has to be read from its beginning."""


def errors_of(body: Any) -> list[Mapping[str, Any]]:
    found = body.get("errors") if isinstance(body, Mapping) else None
    return [error for error in found if isinstance(error, Mapping)] if isinstance(found, list) else []


def said(body: Any) -> str:
    """Klaviyo's own words, on one line."""
    words = "; ".join(str(error.get("detail") or error.get("title") or error.get("code")) for error in errors_of(body))
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())[:LONGEST]


def refusal(status: int, body: Any, host: str, where: str) -> SourceRefused | None:
    """The error that an answer is; None for a good one."""
    if status == 200:
        return None
    words = said(body)
    told = f": {words}" if words else ""
    if status == 401:
        return SourceRefused(
            f"{host}: the API key is refused (401){told}",
            fix=f"check the private key, pk_..., in the variable that {where} names",
        )
    if status == 403:
        return Forbidden(f"{host}: refused (403){told}", fix="give the private key the scope, or leave the feed out")
    if status == 410 or _names(body, "revision"):
        return retired(status, host, where, told)
    if status == 404:
        return NotThere(f"{host}: not found (404){told}", fix="run again later")
    if status == 400 and _names(body, "page[cursor]"):
        return CursorRefused(f"{host}: a cursor is refused (400){told}", fix="run again; nothing was committed")
    return SourceRefused(f"{host}: refused ({status}){told}", fix="report this")


def retired(status: int, host: str, where: str, told: str) -> SourceRefused:
    return SourceRefused(
        f"{host}: revision {REVISION} of the API is not served any more ({status}){told}",
        fix=f"install a newer courier: {where} is read in this revision alone",
    )


def _names(body: Any, name: str) -> bool:
    """Whether an error is about a parameter or header."""
    sources = [error.get("source") for error in errors_of(body)]
    return any(isinstance(source, Mapping) and name in source.values() for source in sources)
