"""What BigCommerce's answers mean: statuses, bodies in two shapes, and what the headers tell of the quota. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courier.errors import Incomplete, SourceRefused

Record = dict[str, Any]


@dataclass(frozen=True)
class Quota:
    """What the store says of its window: requests left in it for us, and the seconds until the next one."""

    left: int
    seconds: float


def quota(headers: Mapping[str, str]) -> Quota | None:
    """None where the headers are not there, as on a 429 that comes of the platform's load."""
    try:
        left, reset = headers["X-Rate-Limit-Requests-Left"], headers["X-Rate-Limit-Time-Reset-Ms"]
        return Quota(int(left), max(0.0, int(reset) / 1000))
    except (KeyError, ValueError):
        return None


def told_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds after which another try may pass; None where the headers do not say."""
    for name, unit in (("X-Retry-After", 1.0), ("X-Rate-Limit-Time-Reset-Ms", 1000.0)):
        text = headers.get(name, "")
        if text.isdecimal():
            return min(120.0, int(text) / unit)
    return None


def refusal(status: int, host: str, where: str, scope: str) -> SourceRefused | None:
    """What a status that no other try can mend means. `where`: the courier's file; `scope`: what the path takes."""
    known = {
        401: ("the access token is not valid (401)", f"check the credential that {where} names"),
        403: (
            f"access is forbidden (403): the token lacks the scope {scope}",
            f"make an API account with the scope {scope}, or leave its feeds out of {where}",
        ),
        404: ("there is no such store or path (404)", f"check `store_hash` of the credential that {where} names"),
        413: ("a page is larger than the store allows (413)", "report this"),
        423: ("the store is locked (423)", "its owner has to ask BigCommerce's support"),
        507: ("a limit of the store's plan is reached (507)", "its owner has to ask BigCommerce's support"),
    }
    if status in known:
        what, fix = known[status]
        return SourceRefused(f"{host}: {what}; nothing was committed", fix=fix)
    if status >= 400:
        return SourceRefused(f"{host}: status {status}; nothing was committed", fix="run again later, or report this")
    return None


@dataclass(frozen=True)
class Page:
    """Records, and of V3 how many there are in all and on how many pages."""

    records: list[Record]
    total: int | None = None
    pages: int | None = None


def page(path: str, body: Any) -> Page:
    """A list of either version; no body at all, as 204 has none, is an empty one. Raises Incomplete."""
    if body is None:
        return Page([], 0, 0)
    if isinstance(body, list):
        return Page(_records(path, body))
    meta = body.get("meta") if isinstance(body, Mapping) else None
    paging = meta.get("pagination") if isinstance(meta, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(paging, Mapping):
        raise _odd(path)
    total, pages = paging.get("total"), paging.get("total_pages")
    if type(total) is not int or type(pages) is not int:
        raise _odd(path)
    return Page(_records(path, body.get("data")), total, pages)


def single(path: str, body: Any) -> Record:
    """One object. Raises Incomplete."""
    if not isinstance(body, dict):
        raise _odd(path)
    return body


def _records(path: str, found: Any) -> list[Record]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _odd(path)
    if not all("id" in one for one in found):
        raise Incomplete(f"{path}: the store answered with records that have no id", fix="run again later")
    return found


def _odd(path: str) -> Incomplete:
    return Incomplete(f"{path}: the store answered without a list of records", fix="run again later")
