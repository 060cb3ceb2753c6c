"""What the account has left to spend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.activations.contract import Usage
from courier.activations.mavera.client import Client


def usage(client: Client) -> Usage:
    """GET /usage, which costs nothing. Raises SourceUnreachable and SourceRefused."""
    body = client.get("/usage")
    credits, limits, recharge = (_part(body, name) for name in ("credits", "limits", "auto_recharge"))
    return Usage(
        used=_whole(credits.get("used")),
        remaining=_whole(credits.get("remaining")),
        limit=_whole(limits.get("usage_limit")),
        auto_recharge=recharge.get("enabled") is True,
    )


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def credits_used(body: Mapping[str, Any], otherwise: int) -> int:
    """What an answer says that it cost; the highest estimate where it does not say."""
    said = _whole(_part(body, "usage").get("credits_used"))
    return otherwise if said is None else said
