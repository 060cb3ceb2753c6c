"""API versions: which are answered, and what each lacks of the vendored schema."""

from __future__ import annotations

import re

SUPPORTED = ("2026-01", "2026-04", "2026-07", "2026-10")
UNSTABLE = "unstable"
ADDED_2026_07 = {"Order": ("cartToken", "checkoutToken"), "LineItem": ("weight",)}
EXCLUSIVE_AFTER = "2026-10"  # `>` in a search excludes its whole second from this version on


def answered_by(asked: str) -> str | None:
    """The version that answers: a stable one too old falls forward to the oldest supported; None if never known."""
    if asked == UNSTABLE or asked in SUPPORTED:
        return asked
    quarterly = re.fullmatch(r"20\d\d-(01|04|07|10)", asked) is not None
    return SUPPORTED[0] if quarterly and asked < SUPPORTED[0] else None


def missing_fields(version: str) -> dict[str, tuple[str, ...]]:
    """Type -> fields that the vendored schema has and this version has not."""
    return ADDED_2026_07 if version < "2026-07" else {}


def exclusive_after(version: str) -> bool:
    return version >= EXCLUSIVE_AFTER


def bulk_slots(version: str) -> int:
    """How many bulk queries an app may run at once on a shop."""
    return 5 if version >= "2026-01" else 1
