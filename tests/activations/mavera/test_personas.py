"""Personas at the sandbox: paged, made once, updated with what differs, and never somebody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from courier import clock
from courier.activations.contract import Known, NotSent, Sent, Unclear
from courier.config.activation import Persona
from courier.errors import SourceRefused
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from tests.activations.mavera.acting import Acting, acting

BODY = Persona("Shopify {cohort} Customer", "B2C", "north_star", "{customers} customers")
VIP: dict[str, Any] = {
    "name": "Shopify VIP Customer",
    "description": "120 customers",
    "fields": {"goals": ["save time"]},
}


@pytest.fixture
def cohorts(sandbox: Sandbox) -> Acting:
    return acting(sandbox, BODY, name="mavera_cohorts")


def by_name(mavera: Mavera, name: str) -> list[dict[str, Any]]:
    return [persona for persona in mavera.personas if persona["name"] == name]


def writes(mavera: Mavera) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in mavera.received if one.method != "GET"]


def test_every_page_is_read(cohorts: Acting, mavera: Mavera) -> None:
    """More personas than a page holds; the base ones come first and are told apart."""
    remote = cohorts.surface.look()
    assert len(remote.personas) == len(mavera.personas) > 100  # type: ignore[attr-defined]
    assert sum(not seen.custom for seen in remote.personas.values()) >= 50  # type: ignore[attr-defined]
    assert [one.path.split("?")[0] for one in mavera.received] == ["/api/v1/personas"] * 2


def test_pages_without_an_end_are_given_up(cohorts: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "same_cursor", "times": 0})
    with pytest.raises(SourceRefused, match="have no end"):
        cohorts.surface.look()


def test_making_once_is_making_for_good(cohorts: Acting, mavera: Mavera) -> None:
    """Made for 300 credits; asked again, nothing is to be done and nothing is sent."""
    item, outcome = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert (item.action, item.credits, item.before) == ("create", (300, 300), dict.fromkeys(item.after or {}))
    assert isinstance(outcome, Sent)
    assert (outcome.credits, outcome.ignored, mavera.credits_used) == (300, (), 300)
    again, nothing = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert (again.action, again.credits, nothing) == ("unchanged", (0, 0), None)
    assert writes(mavera) == [("POST", "/api/v1/personas")]


def test_egress_hears_of_the_very_bytes(cohorts: Acting, mavera: Mavera) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    cohorts.apply(cohorts.wanted("VIP", **VIP | {"description": "130 customers"}))
    sent = [(one.method, one.path, one.body) for one in mavera.received if one.method != "GET"]
    assert [(one.method, one.path, one.body) for one in cohorts.left] == sent
    assert cohorts.left[1].json == {"description": "130 customers"}


def test_an_update_sends_what_differs_and_empties_what_is_gone(cohorts: Acting, mavera: Mavera) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    item, outcome = cohorts.apply(cohorts.wanted("VIP", **VIP | {"fields": {"pains": ["late parcels"]}}))
    assert (item.action, item.credits) == ("update", (0, 0))
    assert item.before == {"goals": ["save time"], "pains": None}
    assert item.after == {"goals": None, "pains": ["late parcels"]}
    assert cohorts.left[-1].json == {"goals": [], "pains": ["late parcels"]}
    assert isinstance(outcome, Sent) and outcome.ignored == ()
    assert cohorts.item(cohorts.wanted("VIP", **VIP | {"fields": {"pains": ["late parcels"]}})).action == "unchanged"
    assert mavera.credits_used == 300


def test_an_edit_by_hand_is_set_back_with_its_reason(cohorts: Acting, mavera: Mavera) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    mavera.edit_persona(cohorts.known["VIP"].remote_id or "", description="best customers ever")
    item, _ = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert (item.action, item.reason) == ("update", "edited at Mavera, set back: description")
    assert (item.before, item.after) == ({"description": "best customers ever"}, {"description": "120 customers"})
    assert cohorts.item(cohorts.wanted("VIP", **VIP)).action == "unchanged"


def test_a_name_follows_what_the_yaml_says(cohorts: Acting, mavera: Mavera) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    item, _ = cohorts.apply(cohorts.wanted("VIP", **VIP | {"name": "Best Shopify Customer"}))
    assert (item.action, item.after) == ("update", {"name": "Best Shopify Customer"})
    assert len(by_name(mavera, "Best Shopify Customer")) == 1
    assert mavera.credits_used == 300


def test_a_name_that_somebody_else_has_is_not_taken(cohorts: Acting, mavera: Mavera) -> None:
    """Renamed in the YAML into what is there already."""
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    item, nothing = cohorts.apply(cohorts.wanted("VIP", **VIP | {"name": "New York Commuter"}))
    assert (item.action, nothing) == ("skip", None) and "did not make" in item.reason


def test_what_mavera_drops_is_told_and_not_sent_for_ever(cohorts: Acting, mavera: Mavera) -> None:
    """Dropped fields of the reference, and the published `demographic`, which it does not know."""
    mavera.configure(dropped_fields=["purchase_cadence"])
    fields = {"purchase_cadence": "every 30 days", "goals": ["save time"]}
    attributes = [{"key": "tier", "value": "gold", "sample": 90}]
    seeded = acting_seed(cohorts)
    _, outcome = seeded.apply(seeded.wanted("VIP", **VIP | {"fields": fields, "attributes": attributes}))
    assert isinstance(outcome, Sent) and set(outcome.ignored) == {"purchase_cadence", "demographic"}
    assert seeded.left[-1].json["demographic"] == {
        "custom_attributes": {"tier": {"most_common": "gold", "sample_size": 90}}
    }
    assert seeded.item(seeded.wanted("VIP", **VIP | {"fields": fields, "attributes": attributes})).action == "unchanged"
    moved = VIP | {"fields": fields | {"goals": ["be thrifty"]}, "attributes": attributes}
    _, updated = seeded.apply(seeded.wanted("VIP", **moved))
    assert seeded.left[-1].json == {"goals": ["be thrifty"]}
    assert isinstance(updated, Sent) and set(updated.ignored) == {"purchase_cadence", "demographic"}


def acting_seed(like: Acting) -> Acting:
    body = replace(BODY, dialect="seed", attributes={"key": "key", "value": "value", "sample": "sample"})
    return replace(like, activation=replace(like.activation, body=body))


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_name_that_is_taken_is_refused_whatever_the_status(cohorts: Acting, mavera: Mavera, status: int) -> None:
    """Somebody was quicker between plan and apply: theirs is left alone, and nothing is charged."""
    mavera.configure(duplicate_status=status)
    mavera.faults.add({"kind": "taken"})
    _, outcome = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert isinstance(outcome, NotSent) and "is there already" in outcome.problem and not outcome.stop
    item, nothing = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert (item.action, nothing, mavera.credits_used) == ("skip", None, 0)
    assert "did not make" in item.reason
    assert [persona["description"] for persona in by_name(mavera, VIP["name"])] == ["Made by somebody else, just now."]


def test_base_personas_and_those_of_others_are_never_touched(cohorts: Acting, mavera: Mavera) -> None:
    """Whatever their names hold: the exact name of a base persona or of somebody else's is in the way, no more."""
    before = mavera.personas
    base = cohorts.apply(cohorts.wanted("b", **VIP | {"name": "Gen Z Consumer"}))
    other = cohorts.apply(cohorts.wanted("o", **VIP | {"name": "New York Commuter"}))
    assert [(item.action, outcome) for item, outcome in (base, other)] == [("skip", None)] * 2
    assert "base persona" in base[0].reason and "did not make" in other[0].reason
    for key in ("VIP", "New", "Returning"):
        assert cohorts.apply(cohorts.wanted(key, **VIP | {"name": f"Shopify {key} Customer"}))[0].action == "create"
    assert [persona for persona in mavera.personas if persona in before] == before
    assert {method for method, _ in writes(mavera)} == {"POST"}


@pytest.mark.parametrize("kind", ["no_answer", "torn", "cut_off", "status_after"])
def test_an_answer_that_is_lost_is_found_again_and_paid_once(cohorts: Acting, mavera: Mavera, kind: str) -> None:
    mavera.make_persona(name="Shopify VIP", description="another")
    mavera.faults.add({"kind": kind, "contains": "POST /api/v1/personas"})
    since, remote = clock.now(), cohorts.surface.look()
    item = cohorts.item(cohorts.wanted("VIP", **VIP))
    seen = cohorts.surface.seen(item, remote)
    outcome = cohorts.send(item)
    assert isinstance(outcome, Unclear)
    found = cohorts.surface.find(item, since, seen)
    assert [persona["id"] for persona in by_name(mavera, item.name)] == [found]
    assert (mavera.credits_used, len(cohorts.left)) == (300, 1)
    assert cohorts.surface.adopted(item, str(found)) == Sent(str(found), 300)
    # And without it: a plan knows it for ours by the intent alone.
    planned = cohorts.item(cohorts.wanted("VIP", **VIP))
    assert (planned.action, planned.remote_id, planned.credits) == ("update", found, (0, 0))


def test_what_never_took_effect_is_not_found(cohorts: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "reset", "contains": "POST"})
    item, outcome = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert isinstance(outcome, Unclear)
    assert cohorts.surface.find(item, clock.now(), ()) is None
    assert cohorts.item(cohorts.wanted("VIP", **VIP)).action == "create"
    assert mavera.credits_used == 0


def test_what_was_there_before_is_not_taken_for_ours(cohorts: Acting, mavera: Mavera) -> None:
    """The name appeared with somebody else's persona before ours was sent."""
    item = cohorts.item(cohorts.wanted("VIP", **VIP))
    theirs = mavera.make_persona(name=item.name, description="theirs")["id"]
    assert cohorts.surface.find(item, clock.now(), (theirs,)) is None
    known = Known("mavera_cohorts", "VIP", "unknown", None, item.payload, "", clock.now(), item.name, seen=(theirs,))
    cohorts.known["VIP"] = known
    assert cohorts.item(cohorts.wanted("VIP", **VIP)).action == "skip"


def test_of_several_only_a_recent_one_can_be_what_was_sent(cohorts: Acting, mavera: Mavera) -> None:
    """Where Mavera lets two have one name, and the journal does not know the older one."""
    item, _ = cohorts.apply(cohorts.wanted("VIP", **VIP))
    (made,) = by_name(mavera, item.name)
    store, since = mavera.account.store, clock.now()
    with store.transaction():
        store.add("persona", {**made, "id": "older", "created_at": made["created_at"] - 86_400})
    assert cohorts.surface.find(item, since, ()) == made["id"]
    with store.transaction():
        store.add("persona", {**made, "id": "as-new"})
    assert cohorts.surface.find(item, since, ()) == "cannot tell"
    assert cohorts.surface.find(item, since, ("as-new",)) == made["id"]


def test_a_persona_that_is_gone_is_made_anew(cohorts: Acting, mavera: Mavera) -> None:
    """Deleted between plan and apply: the update says so, and the next look makes it anew."""
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    changed = cohorts.wanted("VIP", **VIP | {"description": "130 customers"})
    item = cohorts.item(changed)
    mavera.delete_persona(cohorts.known["VIP"].remote_id or "")
    outcome = cohorts.send(item)
    assert isinstance(outcome, NotSent) and outcome.gone and not outcome.stop
    again, made = cohorts.apply(changed)
    assert (again.action, again.reason) == ("create", "it is gone from Mavera: made anew")
    assert isinstance(made, Sent) and cohorts.item(changed).action == "unchanged"


def test_an_update_without_an_answer_is_sent_again(cohorts: Acting, mavera: Mavera) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    changed = cohorts.wanted("VIP", **VIP | {"description": "130 customers"})
    mavera.faults.add({"kind": "status_after", "contains": "PATCH", "times": 6})
    _, outcome = cohorts.apply(changed)
    assert isinstance(outcome, Unclear) and len(cohorts.left) == 7  # every try is heard of
    item, sent = cohorts.apply(changed)
    assert (item.action, isinstance(sent, Sent)) == ("update", True)
    assert item.reason.startswith("nobody can tell")
    assert cohorts.item(changed).action == "unchanged"


def test_enriching_updates_the_persona_of_another_activation(sandbox: Sandbox, cohorts: Acting, mavera: Mavera) -> None:
    """Only its own fields; the persona's name and description stay with its maker."""
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    more = enriching(sandbox, cohorts)
    item, outcome = more.apply(more.wanted("VIP", **RICHER))
    assert (item.action, item.remote_id, item.credits) == ("update", cohorts.known["VIP"].remote_id, (0, 0))
    assert more.left[-1].json == {"channels": ["sms"]}
    assert isinstance(outcome, Sent) and more.item(more.wanted("VIP", **RICHER)).action == "unchanged"
    assert cohorts.item(cohorts.wanted("VIP", **VIP)).action == "unchanged"
    assert mavera.credits_used == 300


def test_an_enriched_persona_that_is_gone_is_made_anew_by_either(
    sandbox: Sandbox, cohorts: Acting, mavera: Mavera
) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    more = enriching(sandbox, cohorts)
    more.apply(more.wanted("VIP", **RICHER))
    mavera.delete_persona(cohorts.known["VIP"].remote_id or "")
    item, _ = more.apply(more.wanted("VIP", **RICHER))
    assert (item.action, item.credits) == ("create", (300, 300))
    assert more.item(more.wanted("VIP", **RICHER)).action == "unchanged"
    back, _ = cohorts.apply(cohorts.wanted("VIP", **VIP))
    assert (back.action, back.remote_id) == ("update", more.known["VIP"].remote_id)
    assert [one.item(one.wanted("VIP", **given)).action for one, given in ((cohorts, VIP), (more, RICHER))] == [
        "unchanged",
        "unchanged",
    ]
    assert mavera.credits_used == 600


RICHER: dict[str, Any] = {"name": VIP["name"], "description": "made by the other one", "fields": {"channels": ["sms"]}}


def enriching(sandbox: Sandbox, cohorts: Acting) -> Acting:
    more = acting(sandbox, replace(BODY, enriches="mavera_cohorts"), name="mavera_metafields")
    more.owned = cohorts.owned
    cohorts.surface._rules = replace(  # type: ignore[attr-defined]
        cohorts.surface._rules,  # type: ignore[attr-defined]
        enriched_by=frozenset({"mavera_metafields"}),
    )
    return more


def test_without_enriches_another_activation_is_in_the_way(sandbox: Sandbox, cohorts: Acting) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    other = acting(sandbox, BODY, name="mavera_other")
    other.owned = cohorts.owned
    item, outcome = other.apply(other.wanted("VIP", **VIP))
    assert (item.action, outcome) == ("skip", None)
    assert "mavera_cohorts" in item.reason and "enriches" in item.reason


def test_what_is_visible_moves_the_hash(cohorts: Acting, mavera: Mavera) -> None:
    """Existence, name and description of any persona: and nothing else."""
    first = cohorts.surface.look().hash
    assert cohorts.surface.look().hash == first
    made = mavera.make_persona(name="Somebody New", description="x")["id"]
    second = cohorts.surface.look().hash
    mavera.edit_persona(made, description="y")
    third = cohorts.surface.look().hash
    mavera.edit_persona(made, goals=["unseen"])
    assert len({first, second, third}) == 3 and cohorts.surface.look().hash == third


def test_what_is_left_to_spend_is_read(cohorts: Acting, mavera: Mavera) -> None:
    cohorts.apply(cohorts.wanted("VIP", **VIP))
    mavera.configure(usage_limit=4_000, auto_recharge=True)
    usage = cohorts.surface.usage()
    assert (usage.used, usage.remaining, usage.limit, usage.auto_recharge) == (300, 4_700, 4_000, True)
