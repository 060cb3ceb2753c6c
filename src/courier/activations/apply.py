"""Carry a plan out, item by item: what happens to one stops no other, but for credits that have run out.

A POST that may have taken effect is searched for, not repeated. What cannot be searched for is `unknown` and stays so
until somebody says `--retry-unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Literal

from courier import clock
from courier.activations.contract import Egress, Item, Known, NotSent, Outcome, Plan, Remote, Sent, Surface, Unclear
from courier.activations.journal import Intent, Journal, Settled
from courier.errors import RunFailed

MOST_SENDS = 3
"""How often something is sent of which nothing is there after an answer that never came."""
PAUSES = (0.0, 2.0, 8.0)
"""Before each look for what may have been made: a request that nobody waits for any more may still be at work."""
RECENT_SECONDS = 300.0
"""What left longer ago has been made by now, or never will be: one look is enough."""
Ending = Literal["done", "pending", "unknown", "failed", "not_sent"]


@dataclass(frozen=True)
class Carried:
    """What came of one item. not_sent: nothing was tried, as the credits had run out before its turn."""

    item: Item
    state: Ending
    remote_id: str | None = None
    credits: int = 0
    problem: str = ""
    fix: str = ""
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # of the answer: it breaks its schema, or names what was never sent


@dataclass(frozen=True)
class Applying:
    """One apply of one activation, under its lock. `report` hears of every item as it ends."""

    journal: Journal
    surface: Surface
    activation: str
    run: str
    report: Callable[[Carried], None] = lambda carried: None
    parallel: int = 1  # items at once
    stopped: Event = field(default_factory=Event)

    def plan(self, plan: Plan, remote: Remote) -> tuple[Carried, ...]:
        """Everything that is to be created or updated; in the plan's order where the surface takes one at a time."""
        items = [item for item in plan.items if item.action in ("create", "update")]
        return self._each(items, lambda item: self._kept(item, lambda: self._carry(item, remote)))

    def pending(self, plan: Plan) -> tuple[Carried, ...]:
        """Go on with what had begun there when an earlier run ended."""
        known = self.journal.known(self.activation).values()
        waiting = [_item_of(one, plan) for one in known if one.state == "pending" and one.remote_id]
        return self._each(waiting, lambda item: self._kept(item, lambda: self._resumed(item, str(item.remote_id))))

    def settle(self) -> tuple[Carried, ...]:
        """Find out what came of what a killed process was about to send, or had sent."""
        return tuple(self._settled_late(intent) for intent in self.journal.open_intents(self.activation))

    def _each(self, items: Sequence[Item], work: Callable[[Item], Carried]) -> tuple[Carried, ...]:
        if min(self.parallel, len(items)) <= 1:
            return tuple(self._told(work(item)) for item in items)
        with ThreadPoolExecutor(max_workers=min(self.parallel, len(items))) as pool:
            running = [pool.submit(lambda item=item: self._told(work(item))) for item in items]  # type: ignore[misc]
            try:
                return tuple(future.result() for future in running)
            except KeyboardInterrupt:
                self.stopped.set()
                raise

    def _told(self, carried: Carried) -> Carried:
        self.report(carried)
        return carried

    def _kept(self, item: Item, work: Callable[[], Carried]) -> Carried:
        """Per item: a source that cannot be reached leaves its intent open, and the next start settles it."""
        if self.stopped.is_set():
            return Carried(item, "not_sent", item.remote_id, problem="not sent: the one before it was stopped")
        try:
            return work()
        except RunFailed as failed:
            return Carried(item, "failed", item.remote_id, problem=failed.message, fix=failed.fix)

    # One item

    def _carry(self, item: Item, remote: Remote) -> Carried:
        seen = self.surface.seen(item, remote)
        for attempt in range(1, MOST_SENDS + 1):
            intent = self.journal.intend(self.run, self.activation, item, seen)
            outcome = self.surface.send(item, self._egress(intent))
            carried = self._answered(intent, outcome, again=attempt > 1)
            if carried is not None:
                return carried
        problem = f"sent {MOST_SENDS} times without an answer, and nothing of it is there"
        return Carried(item, "failed", item.remote_id, problem=problem, fix="apply again later")

    def _egress(self, intent: Intent) -> Egress:
        def leaving(method: str, path: str, body: bytes) -> None:
            self.journal.leaving(intent, self.activation, method, path, body)

        return leaving

    def _answered(self, intent: Intent, outcome: Outcome, *, again: bool) -> Carried | None:
        """What came of a sending; None where it is sure that nothing did, so that it may be sent again."""
        if isinstance(outcome, Sent):
            return self._sent(intent, outcome)
        if isinstance(outcome, Unclear):
            return self._unclear(intent, outcome.problem)
        # The name may be taken by what the sending before made, too late to be found.
        if again and not outcome.stop and isinstance(found := self._look_for(intent, (0.0,)), str):
            return self._adopted(intent, found)
        return self._refused(intent, outcome)

    def _sent(self, intent: Intent, sent: Sent) -> Carried:
        carried = self._settle(intent, intent.item, _settled(sent))
        if not sent.pending:
            return carried
        return self._resumed(replace(intent.item, remote_id=sent.remote_id), sent.remote_id, carried.credits)

    def _refused(self, intent: Intent, refused: NotSent) -> Carried:
        if refused.stop:
            self.stopped.set()
        ended = Settled("failed", intent.item.remote_id, refused.credits, problems=(refused.problem,))
        carried = self._settle(intent, intent.item, ended)
        fix = refused.fix or (f"courier activate {self.activation} plans it anew" if refused.gone else "")
        return replace(carried, problem=refused.problem, fix=fix, problems=())

    def _unclear(self, intent: Intent, problem: str) -> Carried | None:
        if intent.item.action == "update":
            self.journal.doubt(intent, self.activation)
            item, fix = intent.item, "apply again: it is sent once more"
            return Carried(item, "failed", item.remote_id, problem=problem, fix=fix)
        found = self._look_for(intent, PAUSES)
        if found == "cannot tell":
            return self._unknown(intent, problem)
        if found is not None:
            return self._adopted(intent, found)
        self.journal.forget(intent, "nothing there")
        return None

    def _look_for(self, intent: Intent, pauses: Sequence[float]) -> str | None:
        """The id of what the intent made, `cannot tell`, or None where it made nothing."""
        for pause in pauses:
            clock.sleep(pause)
            found = self.surface.find(intent.item, intent.at, intent.seen)
            if found is not None:
                return found
        return None

    def _unknown(self, intent: Intent, problem: str) -> Carried:
        told = f"{problem}; whether it took effect cannot be told"
        carried = self._settle(intent, intent.item, Settled("unknown", None, problems=(told,)))
        fix = f"courier activate {self.activation} --apply --retry-unknown sends it again, and may pay twice"
        return replace(carried, problem=told, fix=fix, problems=())

    def _adopted(self, intent: Intent, remote_id: str) -> Carried:
        """It was made, and only its answer was lost."""
        return self._sent(intent, self.surface.adopted(intent.item, remote_id))

    def _resumed(self, item: Item, remote_id: str, credits: int = 0) -> Carried:
        """Wait for the end of what goes on there. `credits`: counted already in this run."""
        outcome = self.surface.resume(item, remote_id)
        if isinstance(outcome, Sent) and not outcome.pending:
            carried = self._settle(None, item, _settled(outcome))
            return replace(carried, credits=carried.credits + credits)
        if isinstance(outcome, NotSent):
            if outcome.stop:
                self.stopped.set()
            ended = Settled("failed", remote_id, outcome.credits, problems=(outcome.problem,))
            carried = self._settle(None, item, ended)
            return replace(
                carried, credits=carried.credits + credits, problem=outcome.problem, fix=outcome.fix, problems=()
            )
        told = (outcome.problem,) if isinstance(outcome, Unclear) else outcome.problems
        problem = next(iter(told), "it has not ended yet")
        fix = f"courier activate {self.activation} --apply goes on with it"
        return Carried(item, "pending", remote_id, credits, problem=problem, fix=fix)

    def _settle(self, intent: Intent | None, item: Item, ended: Settled) -> Carried:
        added = self.journal.settle(intent, self.run, self.activation, item, ended)
        return Carried(item, ended.state, ended.remote_id, added, ignored=ended.ignored, problems=ended.problems)

    # What a killed process left

    def _settled_late(self, intent: Intent) -> Carried:
        if not intent.sent:
            return self._nothing_of(intent, "killed before it was sent")
        if intent.item.action == "update":
            self.journal.doubt(intent, self.activation)
            return Carried(intent.item, "not_sent", intent.item.remote_id, problem="killed while it was updated")
        age = (clock.now() - intent.at).total_seconds()
        found = self._look_for(intent, PAUSES if age < RECENT_SECONDS else PAUSES[:1])
        if found == "cannot tell":
            return self._unknown(intent, "its process was killed")
        return self._nothing_of(intent, "nothing there") if found is None else self._adopted_late(intent, found)

    def _adopted_late(self, intent: Intent, remote_id: str) -> Carried:
        """Known again; what still goes on there is waited for later, as everything that is pending."""
        return self._settle(intent, intent.item, _settled(self.surface.adopted(intent.item, remote_id)))

    def _nothing_of(self, intent: Intent, why: str) -> Carried:
        self.journal.forget(intent, why)
        return Carried(intent.item, "not_sent", intent.item.remote_id, problem=why)


def _settled(sent: Sent) -> Settled:
    return Settled(
        state="pending" if sent.pending else "done",
        remote_id=sent.remote_id,
        credits=sent.credits,
        output=sent.output,
        thread=sent.thread,
        ignored=sent.ignored,
        problems=sent.problems,
    )


def _item_of(known: Known, plan: Plan) -> Item:
    """What is pending, as an item: what was sent, not what would be sent now."""
    now = next((item for item in plan.items if item.key == known.key), None)
    return Item(
        key=known.key,
        name=known.name,
        action="create",
        reason="it had begun",
        payload=known.payload,
        remote_id=known.remote_id,
        known=known,
        evidence=now.evidence if now else {},
        figures=now.figures if now else {},
    )


def failures(carried: Sequence[Carried]) -> Iterator[Carried]:
    """What did not come to its end, or ended in an answer that is not what was asked for."""
    return (one for one in carried if one.state != "done" or one.problems)
