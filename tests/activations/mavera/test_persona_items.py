"""What is decided about a persona, over any sequence of what is wanted and what others do at Mavera meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from courier.activations.contract import Item, Known, Wanted
from courier.activations.mavera.persona_items import Listed, Rules, Seen, all_ignored, patch_of, persona_item

NOW = datetime(2026, 11, 21, tzinfo=UTC)
RULES = Rules("cohorts")
NAMES = ("Shopify VIP Customer", "Shopify New Customer", "Gen Z Consumer")


@dataclass
class There:
    """Mavera's side, played by its documented rules; `drops`: fields that it silently never keeps."""

    seen: dict[str, Seen] = field(default_factory=dict)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    drops: frozenset[str] = frozenset()
    number: int = 0

    def put(self, id_: str, payload: Mapping[str, Any]) -> tuple[str, ...]:
        kept = {name: value for name, value in payload.items() if name not in self.drops}
        held = self.held.setdefault(id_, {})
        held |= kept
        self.seen[id_] = Seen(id_, held["name"], held.get("description", ""), True)
        return tuple(name for name in payload if name in self.drops)

    def make(self, payload: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        self.number += 1
        return f"p{self.number}", self.put(f"p{self.number}", payload)


@dataclass
class Ours:
    known: dict[str, Known] = field(default_factory=dict)
    owned: dict[str, Known] = field(default_factory=dict)

    def item(self, wanted: Wanted, there: There) -> Item:
        return persona_item(wanted, self.known.get(wanted.key), Listed(there.seen), self.owned, RULES)

    def apply(self, wanted: Wanted, there: There) -> Item:
        item = self.item(wanted, there)
        if item.action == "create":
            assert not any(seen.name == item.name for seen in there.seen.values())
            self._remember(item, *there.make(item.payload))
            self.owned[self.known[item.key].remote_id or ""] = self.known[item.key]
        elif item.action == "update":
            assert item.remote_id in self.owned
            sent = patch_of(item)
            self._remember(item, item.remote_id, all_ignored(item, sent, there.put(item.remote_id, sent)))
        return item

    def _remember(self, item: Item, remote_id: str, ignored: tuple[str, ...]) -> None:
        self.known[item.key] = Known(
            "cohorts", item.key, "done", remote_id, item.payload, "", NOW, item.name, ignored=ignored
        )


payloads = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "type": st.just("B2C"), "pipeline_type": st.just("north_star")},
    optional={
        "description": st.sampled_from(["a", "b "]),
        "goals": st.lists(st.sampled_from("xyz"), max_size=2),
        "demographic": st.fixed_dictionaries(
            {"custom_attributes": st.dictionaries(st.sampled_from("kl"), st.integers())}
        ),
    },
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("want"), st.sampled_from(["VIP", "New"]), payloads),
        st.tuples(st.just("edit"), st.integers(0, 3), st.sampled_from(["a", "edited"])),
        st.tuples(st.just("delete"), st.integers(0, 3), st.none()),
        st.tuples(st.just("doubt"), st.sampled_from(["VIP", "New"]), st.none()),
    ),
    max_size=8,
)


def started(drops: frozenset[str]) -> There:
    there = There(drops=drops)
    there.seen["base"] = Seen("base", "Gen Z Consumer", "as research describes them", False)
    there.seen["theirs"] = Seen("theirs", "Shopify New Customer (ours)", "made by somebody else", True)
    return there


@settings(max_examples=60)
@given(moves, st.frozensets(st.sampled_from(["description", "goals", "demographic"])))
def test_applying_an_item_leaves_nothing_to_do(moves: list[tuple[str, Any, Any]], drops: frozenset[str]) -> None:
    """Whatever was wanted before, and whatever others did; and what is not ours stays as it was."""
    there, ours = started(drops), Ours()
    foreign = {id_: there.seen[id_] for id_ in ("base", "theirs")}
    for kind, which, what in moves:
        if kind == "want":
            wanted = Wanted(which, what["name"], what)
            if ours.apply(wanted, there).action == "skip":
                continue
            again = ours.item(wanted, there)
            assert (again.action, again.credits, again.after) == ("unchanged", (0, 0), None)
        else:
            meddled(kind, which, what, there, ours)
    assert {id_: there.seen[id_] for id_ in foreign} == foreign


def meddled(kind: str, which: Any, what: Any, there: There, ours: Ours) -> None:
    mine = [id_ for id_ in there.seen if id_ in ours.owned]
    if kind == "doubt" and which in ours.known:
        ours.known[which] = replace(ours.known[which], payload={})
    if kind in ("edit", "delete") and which < len(mine):
        seen = there.seen.pop(mine[which])
        if kind == "edit":
            there.seen[seen.id] = replace(seen, description=what)


@settings(max_examples=60)
@given(payloads, payloads)
def test_an_update_makes_what_is_there_what_is_wanted(first: dict[str, Any], second: dict[str, Any]) -> None:
    """The fields of an update over what was there are what a creation would have sent, but for empty ones."""
    there, ours = There(), Ours()
    ours.apply(Wanted("k", first["name"], first), there)
    item = ours.apply(Wanted("k", second["name"], second), there)
    held = {name: value for name, value in there.held[item.remote_id or ""].items() if value not in ("", [], {})}
    assert held == {name: value for name, value in second.items() if value not in ("", [], {})}
    assert set(patch_of(item)) == {name.partition(".")[0] for name in item.after or {}}


@given(payloads, st.sampled_from(["done", "unknown", "failed"]))
def test_the_item_says_what_differs_and_what_it_costs(payload: dict[str, Any], state: Any) -> None:
    """300 credits exactly where something is made; a target exactly where something is changed."""
    there = started(frozenset())
    known = Known("cohorts", "k", state, None, payload, "", NOW, payload["name"])
    for one in (None, known):
        item = persona_item(Wanted("k", payload["name"], payload), one, Listed(there.seen), {}, RULES)
        assert (item.credits == (300, 300)) == (item.action == "create")
        assert (item.action == "skip") == (payload["name"] == "Gen Z Consumer")
        assert item.remote_id is None and item.reason


def item_of(known: Known | None, *seen: Seen, owned: Mapping[str, Known] | None = None) -> Item:
    wanted = Wanted("k", "Shopify VIP Customer", {"name": "Shopify VIP Customer", "goals": ["x"]})
    return persona_item(wanted, known, Listed({one.id: one for one in seen}), owned or {}, RULES)


def remembered(state: Any, remote_id: str | None, payload: Mapping[str, Any], **more: Any) -> Known:
    return Known("cohorts", "k", state, remote_id, payload, "", NOW, "Shopify VIP Customer", **more)


def test_what_has_become_a_base_persona_is_left_alone() -> None:
    """Whatever the journal says."""
    known = remembered("done", "p1", {"name": "Shopify VIP Customer"})
    assert item_of(known, Seen("p1", "Shopify VIP Customer", "", False)).action == "skip"


def test_an_intent_explains_no_persona_of_another_activation() -> None:
    theirs = Seen("p1", "Shopify VIP Customer", "", True)
    doubt = remembered("unknown", None, {"goals": ["x"]})
    maker = replace(remembered("done", "p1", {}), activation="other")
    assert item_of(doubt, theirs).action == "update"
    assert item_of(doubt, theirs, owned={"p1": maker}).action == "skip"
    assert item_of(doubt, theirs, replace(theirs, id="p2")).action == "skip"
    assert item_of(replace(doubt, seen=("p2",)), theirs, replace(theirs, id="p2")).remote_id == "p1"


def test_after_an_update_without_an_answer_every_field_is_sent_again() -> None:
    there = Seen("p1", "Shopify VIP Customer", "", True)
    for known in (remembered("done", "p1", {}), remembered("unknown", "p1", {"goals": ["x"]})):
        item = item_of(known, there)
        assert item.reason.startswith("nobody can tell") and patch_of(item) == {"goals": ["x"]}
