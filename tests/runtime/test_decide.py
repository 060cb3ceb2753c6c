"""Whether a group runs: pure, and each answer has its one reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from courier.config.project import Constraint, CourierGroup
from courier.runtime.decide import Decision, PastRun, decide

S = datetime(2026, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
FREE = CourierGroup("klaviyo", "0 8 * * *", "UTC", True, "source", ())
BOUND = replace(FREE, constraints=(Constraint("shopify", offset=2 * HOUR, wait=2 * HOUR),))


def shopify(hours: float, succeeded: bool = True) -> PastRun:
    return PastRun("shopify", S + hours * HOUR, succeeded)


def test_without_constraints_it_runs_when_due() -> None:
    assert decide(FREE, S, S, []).answer == "run"


def test_before_its_instant_it_is_idle() -> None:
    assert decide(FREE, S, S - HOUR, []).answer == "idle"
    assert decide(FREE, None, S, []).answer == "idle"


def test_a_group_that_is_not_enabled_is_idle() -> None:
    assert decide(replace(FREE, enabled=False), S, S, []).answer == "idle"


def test_a_later_success_covers_an_earlier_fire() -> None:
    assert decide(FREE, S, S + HOUR, [PastRun("klaviyo", S + HOUR, True)]).answer == "covered"
    assert decide(FREE, S, S + HOUR, [PastRun("klaviyo", S + HOUR, False)]).answer == "run"


@given(st.floats(-4, 4), st.booleans())
def test_a_constraint_holds_within_offset_and_wait(hours: float, succeeded: bool) -> None:
    """Exactly a successful run scheduled in [S - offset, S + wait] lets the group run."""
    answer = decide(BOUND, S, S + 2 * HOUR, [shopify(hours, succeeded)]).answer
    assert (answer == "run") == (succeeded and S - 2 * HOUR <= S + hours * HOUR <= S + 2 * HOUR)


def test_it_waits_until_the_wait_is_over_and_is_then_blocked() -> None:
    waiting = decide(BOUND, S, S + 2 * HOUR, [])
    assert waiting == Decision("wait", "waits for a successful run of shopify", S + 2 * HOUR)
    assert decide(BOUND, S, S + 2 * HOUR + timedelta(seconds=1), []).answer == "blocked"
