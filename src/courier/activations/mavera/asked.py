"""Items of the surfaces that are asked once per payload: responses, chat, focus groups, generations. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier import clock
from courier.activations.contract import Action, Credits, Item, Known, Wanted
from courier.activations.mavera.shaped import difference

NOTHING: Credits = (0, 0)


def asked_item(
    wanted: Wanted,
    known: Known | None,
    payload: Mapping[str, Any],
    credits: Credits,
    aside: frozenset[str] = frozenset(),
) -> Item:
    """Ask where the payload was never asked before; what cost credits once is not asked again for the same data.

    aside: fields of a payload that tell no difference. Something unknown is asked again once it is passed on as
    `failed` (`--retry-unknown`), or when its data changed.
    """
    before, after = difference(_without(known.payload if known else {}, aside), _without(payload, aside))
    action, reason = _decided(known, bool(after))
    asks = action == "create"
    return Item(
        key=wanted.key,
        name=wanted.name,
        action=action,
        reason=reason if not (asks and known and known.state == "done") else f"{reason}: {', '.join(after)}",
        payload=payload,
        before=before if asks else None,
        after=after if asks else None,
        credits=credits if asks else NOTHING,
        remote_id=None if asks or known is None else known.remote_id,
        known=known,
        evidence=wanted.evidence,
        figures=wanted.figures,
    )


def skipped(wanted: Wanted, known: Known | None, reason: str) -> Item:
    """It cannot be asked, and why."""
    return Item(wanted.key, wanted.name, "skip", reason, wanted.payload, known=known, evidence=wanted.evidence)


def _decided(known: Known | None, differs: bool) -> tuple[Action, str]:
    if known is None:
        return "create", "it was never asked"
    at = clock.rfc3339(known.at)
    if known.state == "pending":
        return "unchanged", f"under way at Mavera since {at}: an apply looks for its end"
    if known.state == "failed":
        return "create", f"it failed at {at}"
    if differs:
        return "create", f"its data changed since {at}"
    if known.state == "unknown":
        return "skip", f"sent at {at} without an answer, and nobody can tell whether it took effect"
    return "unchanged", f"answered at {at}"


def _without(payload: Mapping[str, Any], aside: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in aside}
