"""Personas: listed over all pages, made once, updated, and read back field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from courier.activations.contract import Egress, Item, Known, NotSent, Outcome, Remote, Sent, Unclear, Usage, Wanted
from courier.activations.mavera.answers import is_duplicate
from courier.activations.mavera.client import Client, Refusal, Reply, segment
from courier.activations.mavera.persona_items import (
    CREATE_CREDITS,
    Listed,
    Rules,
    Seen,
    all_ignored,
    patch_of,
    persona_item,
)
from courier.activations.mavera.persona_shape import not_echoed
from courier.activations.mavera.usage import usage

PATH = "/personas"
CLOCKS_APART = timedelta(minutes=10)


class Personas:
    """The surface of one activation. Looking is free; a persona costs 300 credits to make."""

    def __init__(self, client: Client, rules: Rules) -> None:
        self._client = client
        self._rules = rules

    def look(self) -> Listed:
        """Every persona. Not asked with `name`, which the reference does not know and the server may ignore."""
        rows = self._client.rows(PATH, keys=("data", "personas"))
        return Listed({seen.id: seen for seen in map(_seen, rows)})

    def item(self, wanted: Wanted, known: Known | None, remote: Remote, owned: Mapping[str, Known]) -> Item:
        return persona_item(wanted, known, cast(Listed, remote), owned, self._rules)

    def seen(self, item: Item, remote: Remote) -> tuple[str, ...]:
        return tuple(sorted(seen.id for seen in cast(Listed, remote).named(item.name)))

    def send(self, item: Item, egress: Egress) -> Outcome:
        with self._client.slot():
            return self._create(item, egress) if item.action == "create" else self._update(item, egress)

    def find(self, item: Item, since: datetime, known_ids: Sequence[str]) -> str | Literal["cannot tell"] | None:
        """By the exact name over all pages, among what was not there before."""
        if item.remote_id is not None:
            return item.remote_id if item.remote_id in self.look().personas else None
        found = [seen for seen in self.look().named(item.name) if seen.custom and seen.id not in known_ids]
        if len(found) > 1:
            found = [seen for seen in found if not _older(seen, since)]
        if len(found) > 1:
            return "cannot tell"
        return found[0].id if found else None

    def adopted(self, item: Item, remote_id: str) -> Sent:
        return Sent(remote_id, CREATE_CREDITS[1] if item.action == "create" else 0)

    def resume(self, item: Item, remote_id: str) -> Outcome:
        raise AssertionError(f"a persona is never pending: {item.key}")

    def usage(self) -> Usage:
        return usage(self._client)

    def _create(self, item: Item, egress: Egress) -> Outcome:
        outcome = self._client.post(PATH, item.payload, egress)
        if isinstance(outcome, Refusal):
            return self._not_made(outcome)
        if not isinstance(outcome, Reply):
            return outcome
        if not outcome.body.get("id"):
            return Unclear(f"{self._client.host}: a persona without an id")
        charged = outcome.body.get("credits_charged")
        credits = charged if isinstance(charged, int) else CREATE_CREDITS[1]
        return Sent(str(outcome.body["id"]), credits, outcome.body, not_echoed(item.payload, outcome.body))

    def _not_made(self, refused: Refusal) -> NotSent:
        if not is_duplicate(refused.status, refused.body):
            return refused.meaning
        problem = f"{self._client.host}: a persona of this name is there already, status {refused.status}"
        return NotSent(problem, "plan again: it says whose it is")

    def _update(self, item: Item, egress: Egress) -> Outcome:
        assert item.remote_id is not None, "an update knows its persona"
        fields = patch_of(item)
        outcome = self._client.patch(f"{PATH}/{segment(item.remote_id)}", fields, egress)
        if isinstance(outcome, Refusal):
            return self._not_updated(outcome)
        if not isinstance(outcome, Reply):
            return outcome
        return Sent(item.remote_id, 0, outcome.body, all_ignored(item, fields, not_echoed(fields, outcome.body)))

    def _not_updated(self, refused: Refusal) -> NotSent:
        if refused.status == 404:
            return NotSent(
                f"{self._client.host}: the persona is gone, status 404", "plan again: it is made anew", gone=True
            )
        return refused.meaning


def _seen(row: Mapping[str, Any]) -> Seen:
    """Where the list does not say that a persona is custom, it is taken for a base one, and left alone."""
    return Seen(
        id=str(row["id"]),
        name=str(row.get("name") or ""),
        description=str(row.get("description") or ""),
        custom=row.get("is_custom") is True,
        created=_created(row.get("created_at")),
    )


def _created(value: Any) -> float | None:
    """The reference shows seconds since 1970 here, and ISO 8601 elsewhere."""
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else None
    except ValueError:
        return None


def _older(seen: Seen, since: datetime) -> bool:
    return seen.created is not None and seen.created < (since - CLOCKS_APART).timestamp()
