"""What is to be done about one persona: made, changed, left as it is, or left alone, and why. Pure.

Touched is only what this project made, as its journal says. Names are compared letter by letter, and tell nothing but
who is in the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from courier.activations.contract import Item, Known, Wanted
from courier.activations.mavera.persona_shape import IDENTITY, emptied
from courier.activations.mavera.shaped import difference, digest, same

CREATE_CREDITS = (300, 300)
UPDATE_CREDITS = (0, 0)  # inferred: the reference's example shows the 300 of the creation


@dataclass(frozen=True)
class Seen:
    """A persona as the list shows it. `created`: seconds since 1970, where the list says."""

    id: str
    name: str
    description: str
    custom: bool
    created: float | None = None


@dataclass(frozen=True)
class Listed:
    """Every persona that the key can see, base ones too, by id."""

    personas: Mapping[str, Seen]

    @property
    def hash(self) -> str:
        return digest(sorted((seen.id, seen.name, seen.description, seen.custom) for seen in self.personas.values()))

    def named(self, name: str) -> list[Seen]:
        return [seen for seen in self.personas.values() if seen.name == name]


@dataclass(frozen=True)
class Rules:
    """activation: whose items these are. enriches: whose personas they add to. enriched_by: activations that add to
    these, and may have made one anew in our place."""

    activation: str
    enriches: str | None = None
    enriched_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Target:
    """The persona that the item is about. `trusted`: the journal knows what it holds."""

    seen: Seen
    trusted: bool
    how: str


def persona_item(wanted: Wanted, known: Known | None, listed: Listed, owned: Mapping[str, Known], rules: Rules) -> Item:
    """What is to be done. `owned`: who made what, by remote id."""
    target = _target(wanted, known, listed, owned, rules)
    if target is None:
        return _made(wanted, known, listed, owned)
    if not target.seen.custom:
        return _left(wanted, known, "it is a base persona now, which nobody may change", target.seen.id)
    if taken := _renamed_into(wanted, target.seen, listed, rules):
        return _left(wanted, known, _in_the_way(taken, None, owned.get(taken.id)), target.seen.id)
    return _changed(wanted, known, target, rules)


def _renamed_into(wanted: Wanted, seen: Seen, listed: Listed, rules: Rules) -> Seen | None:
    """The persona that already has the name that ours is to get."""
    if rules.enriches or wanted.name == seen.name:
        return None
    return next((other for other in listed.named(wanted.name) if other.id != seen.id), None)


def _target(
    wanted: Wanted, known: Known | None, listed: Listed, owned: Mapping[str, Known], rules: Rules
) -> _Target | None:
    if rules.enriches and (seen := _theirs(wanted, listed, owned, rules.enriches)):
        same_one = known is not None and known.remote_id == seen.id
        return _Target(seen, same_one and _is_whole(known), f"made by {rules.enriches}")
    if known and known.remote_id and known.remote_id in listed.personas:
        return _Target(listed.personas[known.remote_id], _is_whole(known), "")
    if known and known.state == "unknown" and known.remote_id is None:
        found = [seen for seen in listed.named(wanted.name) if _ours_by_intent(seen, known, owned)]
        return _Target(found[0], False, "found again by its name") if len(found) == 1 else None
    for seen in listed.named(wanted.name):
        maker = owned.get(seen.id)
        if maker and (maker.activation in rules.enriched_by or maker.activation == rules.activation):
            return _Target(seen, False, f"made anew by {maker.activation}") if maker.key == wanted.key else None
    return None


def _is_whole(known: Known | None) -> bool:
    """Whether the journal knows what is there: it does not after an update without an answer."""
    return known is not None and known.state == "done" and bool(known.payload)


def _theirs(wanted: Wanted, listed: Listed, owned: Mapping[str, Known], maker: str) -> Seen | None:
    """The newest persona that the enriched activation made for the same key and that is still there."""
    found = [
        (known.at, id_)
        for id_, known in owned.items()
        if (known.activation, known.key) == (maker, wanted.key) and id_ in listed.personas
    ]
    return listed.personas[max(found)[1]] if found else None


def _ours_by_intent(seen: Seen, known: Known, owned: Mapping[str, Known]) -> bool:
    return seen.custom and seen.id not in known.seen and seen.id not in owned and seen.name == known.name


def _made(wanted: Wanted, known: Known | None, listed: Listed, owned: Mapping[str, Known]) -> Item:
    for seen in listed.named(wanted.name):
        return _left(wanted, known, _in_the_way(seen, known, owned.get(seen.id)))
    gone = known is not None and known.state == "done"
    before, after = difference({}, wanted.payload)
    return Item(
        key=wanted.key,
        name=wanted.name,
        action="create",
        reason="it is gone from Mavera: made anew" if gone else "there is none yet",
        payload=wanted.payload,
        before=before,
        after=after,
        credits=CREATE_CREDITS,
        known=known,
    )


def _in_the_way(seen: Seen, known: Known | None, maker: Known | None) -> str:
    if not seen.custom:
        return "a base persona of Mavera's has this name: choose another"
    if maker:
        return f"activation {maker.activation} made the persona of this name: use `enriches` or another name"
    if known and known.state == "unknown":
        return "it was sent without an answer, and nobody can tell which persona of this name it made"
    return "a persona of this name is there that this project did not make: rename one of them"


def _left(wanted: Wanted, known: Known | None, reason: str, remote_id: str | None = None) -> Item:
    return Item(wanted.key, wanted.name, "skip", reason, wanted.payload, remote_id=remote_id, known=known)


def _changed(wanted: Wanted, known: Known | None, target: _Target, rules: Rules) -> Item:
    payload = _managed(wanted.payload, rules)
    stored = _managed(known.payload, rules) if known and target.trusted else {}
    edited = _edits(stored, known, target.seen) if known and target.trusted else _shown(target.seen, payload)
    before, after = difference({**stored, **edited}, payload)
    reason = _why(edited, payload, after) if target.trusted else _untrusted(known, target)
    return Item(
        key=wanted.key,
        name=wanted.name,
        action="update" if after else "unchanged",
        reason=reason if after else "it is as it was sent",
        payload=payload,
        before=before or None,
        after=after or None,
        credits=UPDATE_CREDITS,
        remote_id=target.seen.id,
        known=known,
    )


def _managed(payload: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """What an activation that enriches another's persona leaves to that: its name, types and description."""
    return {name: value for name, value in payload.items() if not (rules.enriches and name in IDENTITY)}


def _shown(seen: Seen, payload: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in (("name", seen.name), ("description", seen.description)) if name in payload}


def _edits(stored: Mapping[str, Any], known: Known, seen: Seen) -> dict[str, str]:
    """What the list shows otherwise than it was sent, but for what Mavera never took as it was sent."""
    return {
        name: value
        for name, value in _shown(seen, stored).items()
        if name not in known.ignored and value.strip() != str(stored[name]).strip()
    }


def _untrusted(known: Known | None, target: _Target) -> str:
    if target.how and not (known and known.remote_id == target.seen.id):
        return f"{target.how}: every field is sent"
    return "nobody can tell whether the last update took effect: every field is sent again"


def _why(edited: Mapping[str, Any], payload: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    back = [name for name in edited if name in payload and not same(edited[name], payload[name])]
    moved = [name for name in after if name not in back]
    reasons = [f"its data changed: {', '.join(moved)}"] if moved else []
    reasons += [f"edited at Mavera, set back: {', '.join(back)}"] if back else []
    return "; ".join(reasons)


def patch_of(item: Item) -> dict[str, Any]:
    """What an update sends: the fields that differ, whole, and an empty value for those that are no longer wanted."""
    before = dict.fromkeys(name.partition(".")[0] for name in item.after or {})
    for name, value in (item.before or {}).items():
        head, _, inner = name.partition(".")
        before[head] = {} if inner else value
    return {name: item.payload[name] if name in item.payload else emptied(before[name]) for name in before}


def all_ignored(item: Item, sent: Mapping[str, Any], ignored: Sequence[str]) -> tuple[str, ...]:
    """What Mavera does not show as it was sent: of this update, and of what came before and is not sent again."""
    before = item.known.ignored if item.known and item.known.remote_id == item.remote_id else ()
    return (*(name for name in before if name not in sent), *ignored)
