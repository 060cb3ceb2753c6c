"""Plan and apply against a made-up account on its bad days: what is paid is paid once, and nobody else's is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from courier import clock
from courier.activations.tables import bring_tables_up_to_date
from courier.config.activation import FocusGroup, Question
from courier.errors import Locked, Refused
from courier.runtime.activation_run import apply_activation
from courier.runtime.place import activation_lock
from courier.sandbox.mavera.faults import Fault
from courier.storage.inspect import open_published
from tests.activations.acted import COHORTS, Acted, actions

POST = "POST /api/v1/personas"
TABLES = ("activation_run", "activation_item", "egress", "activation_result")
CHAT = "POST /api/v1/mave/chat"


def test_planning_changes_nothing_and_applying_is_done_once(acted: Acted) -> None:
    """Two plans are one plan; after the apply everything is unchanged, and another one costs nothing."""
    first, second = acted.plan(), acted.plan()
    assert first.plan.hash == second.plan.hash
    assert actions(first.plan) == dict.fromkeys(COHORTS, "create")
    assert [(one.key, one.guard) for one in first.plan.left_out] == [("many", "min_cohort_size")]
    assert acted.charged == 0
    applied = acted.apply(expected=first.plan.hash)
    assert (applied.result, applied.credits, acted.charged) == ("succeeded", 900, 900)
    assert {f"Buyer {cohort}" for cohort in COHORTS} <= set(acted.made)
    after = acted.plan()
    assert (set(actions(after.plan).values()), after.plan.credits) == ({"unchanged"}, (0, 0))
    again = acted.apply()
    assert (again.result, again.credits, again.carried, acted.charged) == ("succeeded", 0, (), 900)


def test_another_plan_than_the_one_that_was_read_is_refused(acted: Acted) -> None:
    """Somebody edits what the plan was made upon: nothing is sent."""
    acted.apply()
    seen = acted.plan().plan.hash
    persona = next(one for one in acted.mavera.personas if one["name"] == "Buyer one")
    acted.mavera.edit_persona(persona["id"], description="mine now")
    with pytest.raises(Refused, match="has moved"):
        acted.apply(expected=seen)
    moved = acted.plan().plan
    assert {item.key: item.after for item in moved.items if item.action == "update"}.keys() == {"one"}
    assert acted.apply(expected=moved.hash).credits == 0


@pytest.mark.parametrize("kinds", [("no_answer", "status_after", "torn"), ("cut_off", "reset", "status")])
def test_a_lost_answer_is_paid_once(acted: Acted, kinds: tuple[str, ...]) -> None:
    """Whether the POST took effect or not: one persona each, 900 credits, and the journal says so."""
    acted.mavera.faults.add(
        *(Fault(kind, contains=f"Buyer {cohort}") for kind, cohort in zip(kinds, COHORTS, strict=True))
    )
    applied = acted.apply()
    assert (applied.result, applied.credits, acted.charged) == ("succeeded", 900, 900), applied.problem
    names = [one["name"] for one in acted.mavera.personas]
    assert all(names.count(f"Buyer {cohort}") == 1 for cohort in COHORTS)
    assert set(actions(acted.plan().plan).values()) == {"unchanged"}


def test_credits_that_run_out_stop_all_the_rest(acted: Acted) -> None:
    """One is made, one refused, one not tried; the next apply goes on with two."""
    acted.mavera.faults.add(Fault("no_credits", contains=POST, nth=2, times=0))
    applied = acted.apply()
    assert [one.state for one in applied.carried] == ["done", "failed", "not_sent"]
    assert (applied.result, applied.credits, acted.charged) == ("partial", 300, 300)
    acted.mavera.faults.clear()
    assert sorted(actions(acted.plan().plan).values()) == ["create", "create", "unchanged"]
    assert (acted.apply().credits, acted.charged) == (600, 900)


def test_what_cannot_be_told_is_sent_at_most_once(acted: Acted) -> None:
    """A chat whose answer is lost is unknown, in every plan and apply, until somebody says to send it again."""
    acted.mavera.faults.add(Fault("no_answer", contains=CHAT))
    applied = acted.apply("answers")
    assert sorted(one.state for one in applied.carried) == ["done", "done", "unknown"]
    assert (applied.result, len(acted.mavera.charges)) == ("partial", 3)
    assert "--retry-unknown" in applied.fix
    again = acted.apply("answers")
    assert (again.result, again.carried, len(acted.mavera.charges)) == ("partial", (), 3)
    assert sorted(actions(acted.plan("answers").plan).values()) == ["skip", "unchanged", "unchanged"]
    last = acted.apply("answers", retry_unknown=True)
    assert (last.result, len(last.carried), len(acted.mavera.charges)) == ("succeeded", 1, 4)


def test_nobody_elses_persona_is_touched(acted: Acted) -> None:
    """One of the very name is left alone, and so is everything whose name only contains it."""
    other = acted.mavera.make_persona(name="Buyer one", description="hers")
    before = {one["id"]: one for one in acted.mavera.personas}
    plan = acted.plan().plan
    assert actions(plan)["one"] == "skip"
    acted.apply()
    after = {one["id"]: one for one in acted.mavera.personas}
    assert {id_: after[id_] for id_ in before} == before
    assert other["id"] in before and acted.charged == 600


def test_caps_and_age_refuse_before_anything_is_sent(acted: Acted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three personas cost 900; those that somebody deleted cost as much again, in the same month; data grows old."""
    acted.guarded("buyers", max_credits=899)
    assert "`max_credits` is 899" in refused(acted)
    acted.guarded("buyers", max_credits=None, max_credits_per_month=1000)
    acted.apply()
    for persona in acted.mavera.personas:
        if persona["name"].startswith("Buyer "):
            acted.mavera.delete_persona(persona["id"])
    assert "900 credits are spent this month" in refused(acted)
    acted.guarded("buyers", max_credits_per_month=None, max_age=timedelta(hours=1))
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=2))
    assert "`max_age` is 1h" in refused(acted)
    assert acted.charged == 900
    acted.guarded("buyers", max_age=None)


def refused(acted: Acted) -> str:
    """Why, as the plan and the apply say alike."""
    (told,) = acted.plan().refusals
    with pytest.raises(Refused) as refusal:
        acted.apply()
    assert told in refusal.value.message
    return told


def test_one_apply_at_a_time(acted: Acted) -> None:
    """While another process applies, a plan says so and settles nothing."""
    with activation_lock(acted.place, "buyers"):
        assert any("another process" in note for note in acted.plan().plan.notes)
        ended = acted.courier("activate", "buyers", "--json")
    assert ended.code == 0 and len(ended.object["items"]) == 3
    asked = acted.courier("activate", "buyers", "--apply")
    assert asked.code == 2 and "--yes" in asked.err
    assert "buyers" in acted.courier("activate", "buyer").err
    with activation_lock(acted.place, "buyers"), pytest.raises(Locked):
        apply_activation(replace(acted.context, wait_for_lock=False), "buyers")


def test_everything_that_was_sent_is_in_the_egress_table(acted: Acted) -> None:
    """Byte for byte what the other side received, answered or not; and the ledger is a copy of the journal."""
    acted.mavera.faults.add(Fault("status_after", contains=POST), Fault("status", contains=POST, nth=2))
    applied = acted.apply()
    sent = [(one.method, one.path, one.body.decode()) for one in acted.mavera.received if one.body]
    with open_published(acted.place.files.published) as connection:
        rows = connection.execute("SELECT method, path, body FROM courier.egress ORDER BY entry").fetchall()
        runs = connection.execute("SELECT run, result, credits FROM courier.activation_run").fetchall()
        items = connection.execute(
            "SELECT key, state, credits FROM courier.activation_item WHERE activation = 'buyers' ORDER BY 1"
        ).fetchall()
        results = connection.execute("SELECT count(*) FROM courier.activation_result").fetchone()
    assert rows[-len(sent) :] == sent and len(sent) == 4
    assert (applied.run, "succeeded", 900) in runs
    assert items == [(cohort, "done", 300) for cohort in COHORTS]
    assert results is not None and results[0] >= 3


def test_the_tables_are_brought_up_to_date_as_often_as_one_likes(acted: Acted) -> None:
    """Killed between commit and mark, they take over nothing twice; where nothing is new, nothing is opened."""
    acted.apply()
    journal, files = acted.journal("buyers"), acted.place.files
    with open_published(files.published) as connection:
        before = [connection.execute(f"SELECT * FROM courier.{table} ORDER BY ALL").fetchall() for table in TABLES]
    with journal.opened() as kept:
        kept.execute("DELETE FROM kept WHERE name = 'copied'")
    assert bring_tables_up_to_date(journal, files) == []
    with open_published(files.published) as connection:
        after = [connection.execute(f"SELECT * FROM courier.{table} ORDER BY ALL").fetchall() for table in TABLES]
    assert after == before and all(before)
    written = files.private.stat().st_mtime_ns, files.published.stat().st_ino
    assert bring_tables_up_to_date(journal, files) == []
    assert (files.private.stat().st_mtime_ns, files.published.stat().st_ino) == written


def test_a_journal_is_copied_once_whatever_others_were_copied_before(acted: Acted) -> None:
    """Also where the clock has gone back since, so that entries of a deleted one are the later ones by their names."""
    acted.apply()
    acted.fresh()
    journal = acted.journal("buyers")
    with journal.opened() as kept:
        kept.execute("INSERT INTO kept VALUES ('name', '19990101T000000-000000')")
    acted.apply()
    with open_published(acted.place.files.published) as connection:
        before = connection.execute("SELECT count(*), count(DISTINCT entry) FROM courier.egress").fetchone()
    with journal.opened() as kept:
        kept.execute("DELETE FROM kept WHERE name = 'copied'")
    assert bring_tables_up_to_date(journal, acted.place.files) == []
    with open_published(acted.place.files.published) as connection:
        after = connection.execute("SELECT count(*), count(DISTINCT entry) FROM courier.egress").fetchone()
    assert before is not None and after == before and before[0] == before[1] >= 3


def test_nothing_that_leaves_is_about_one_person(acted: Acted) -> None:
    """Of no customer of the shop is the address, the number, the id or the name in any body that was ever sent."""
    for name in ("buyers", "texts", "answers"):
        acted.apply(name)
    with open_published(acted.place.files.published) as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM courier.egress").fetchall()]
        people = connection.execute(
            "SELECT id::VARCHAR, email, phone, first_name || ' ' || last_name FROM shopify.customer"
        ).fetchall()
    values = {value for person in people for value in person if value}
    assert len(bodies) >= 9 and len(values) > 100
    assert [value for value in values if any(value in body for body in bodies)] == []


def test_a_focus_group_in_a_workspace_asks_the_personas_of_an_activation(acted: Acted) -> None:
    """Personas belong to no workspace: whichever activation names one, they are the same account's."""
    acted.apply("buyers")
    body = FocusGroup("Buyers", (Question("Why?", "open_ended"),), ("activation:buyers",))
    group = replace(acted.project.activations["answers"], name="group", surface="focus_groups", body=body, key=None)
    named = replace(group, workspace="Default workspace")
    acted.opened = replace(acted.project, activations={**acted.project.activations, "group": named})
    (item,) = acted.plan("group").plan.items
    assert item.action == "create", item.reason
    assert len(item.payload["personas"]) == len(COHORTS)
