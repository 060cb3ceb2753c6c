"""Lists by page, as documented for personas, generations and workspaces: `limit` 1-100, 50 by default, `cursor`."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from courier.sandbox.faults import find
from courier.sandbox.mavera.account import Ask
from courier.sandbox.mavera.refusals import invalid
from courier.sandbox.mavera.store import Node, Store

DEFAULT, MOST = 50, 100


def page(store: Store, ask: Ask, kind: str, keep: Callable[[Node], bool], show: Callable[[Node], Node]) -> Node:
    """The things of a kind that `keep` accepts, after the cursor. What is made meanwhile comes last."""
    limit, after = _limit(ask.query.get("limit")), _read(ask.query.get("cursor"))
    found = [(number, body) for number, body in store.numbered(kind, after) if keep(body)]
    shown, more = found[:limit], len(found) > limit
    following = _write(shown[-1][0]) if more else None
    if find(ask.faults, "same_cursor"):
        following, more = ask.query.get("cursor") or _write(0), True
    return {"object": "list", "data": [show(body) for _, body in shown], "has_more": more, "next_cursor": following}


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not 1 <= int(text) <= MOST:
        raise invalid("limit", f"must be a number from 1 to {MOST}")
    return int(text)


def _write(number: int) -> str:
    return urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def _read(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        found = re.fullmatch(r"after:(\d{1,15})", urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
    except ValueError:
        found = None
    if found is None:
        raise invalid("cursor", "is not one that was given out")
    return int(found.group(1))
