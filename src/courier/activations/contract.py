"""What activations and their destinations agree on: items, plans, surfaces, and what came of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Action = Literal["create", "update", "unchanged", "skip"]
Payload = Mapping[str, Any]
State = Literal["done", "unknown", "pending", "failed"]
Credits = tuple[int, int]
"""Low and high."""
Figures = Mapping[str, tuple[Mapping[str, Any], ...]]
"""Path of a list -> names and values of its elements, one for each row that was sent. The first tells them apart."""


@dataclass(frozen=True)
class LeftOut:
    """A row that does not leave, and the guard that keeps it. `key` never holds a customer's value."""

    key: str
    guard: str
    reason: str


@dataclass(frozen=True)
class Wanted:
    """One item as the data want it: what would be sent if nothing had been sent before. `name`: for people.

    evidence: path in the answer -> what it may name. figures: path of a list in it -> what each element repeats
    """

    key: str
    name: str
    payload: Payload
    evidence: Mapping[str, frozenset[str]] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What the ledger knows of an item: what was sent last, under which remote id, and how that ended.

    state done:    the remote side has it; `payload` is what it has
    state unknown: it was sent, and nobody can tell whether it took effect
    state pending: begun there (a focus group), and not yet ended
    state failed:  refused, or ended badly; nothing is there

    ignored: what the answer to it did not show as sent: no reason to send it again
    seen:    ids of what had the same name there before it was sent; what state `unknown` made is none of them
    """

    activation: str
    key: str
    state: State
    remote_id: str | None
    payload: Payload
    payload_hash: str
    at: datetime
    name: str = ""
    thread: str | None = None
    ignored: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One line of a plan. `before` and `after` hold the fields that differ, by their names.

    payload: what the remote side is to have, with the ids of what it names in place of the names. It is what the
    journal keeps as `Known.payload`; an update sends the fields of `after` alone.
    """

    key: str
    name: str
    action: Action
    reason: str
    payload: Payload
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    credits: Credits = (0, 0)
    remote_id: str | None = None
    known: Known | None = None
    evidence: Mapping[str, frozenset[str]] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that an apply would do. `hash` changes with what would be sent and with what it was planned upon."""

    activation: str
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...]
    hash: str
    as_of: datetime | None  # up to when the data is whole
    notes: tuple[str, ...] = ()

    @property
    def credits(self) -> Credits:
        return sum(item.credits[0] for item in self.items), sum(item.credits[1] for item in self.items)


@dataclass(frozen=True)
class Sent:
    """The remote side answered that it has it. `output`: what it gave back, for people and SQL (text or JSON).

    ignored: fields that were sent and that the answer does not show as sent. pending: it goes on there; look later.
    credits: of the whole item so far: what `resume` says takes the place of what `send` said.
    """

    remote_id: str
    credits: int
    output: Any = None
    ignored: tuple[str, ...] = ()
    pending: bool = False
    thread: str | None = None
    problems: tuple[str, ...] = ()  # an answer that breaks its schema, evidence that was never sent


@dataclass(frozen=True)
class NotSent:
    """The remote side said no, was never reached, or gave it up (a failed focus group): nothing of it is there.

    stop: nothing else can work either. gone: what was to be updated is not there any more; look again and plan the
    item anew. credits: what it cost all the same.
    """

    problem: str
    fix: str = ""
    stop: bool = False
    gone: bool = False
    credits: int = 0


@dataclass(frozen=True)
class Unclear:
    """It was sent and no answer came: it may have taken effect."""

    problem: str


Outcome = Sent | NotSent | Unclear


@dataclass(frozen=True)
class Usage:
    """What the account may still spend, in credits; None where the destination does not say.

    limit: of the billing period, set by the account's owner. auto_recharge: more is bought when it runs out.
    """

    used: int | None
    remaining: int | None
    limit: int | None = None
    auto_recharge: bool = False


Egress = Callable[[str, str, bytes], None]
"""Called with method, path and the exact body before every single sending of it."""


class Remote(Protocol):
    """What could be seen of the remote side at one moment. Raises nothing: it is a value."""

    @property
    def hash(self) -> str:
        """Changes with existence, name and description of everything that a plan may touch or collide with."""


class Surface(Protocol):
    """One surface of a destination, opened with a credential. Every method may raise SourceUnreachable and
    SourceRefused but `send`, which answers with values."""

    def look(self) -> Remote:
        """Read everything that a plan depends on. Costs no credits."""

    def item(self, wanted: Wanted, known: Known | None, remote: Remote, owned: Mapping[str, Known]) -> Item:
        """What is to be done. Pure. `owned`: everything that this project made there, by remote id."""

    def seen(self, item: Item, remote: Remote) -> tuple[str, ...]:
        """Ids of what already has the name of what the item makes. The journal keeps them with the intent."""

    def send(self, item: Item, egress: Egress) -> Outcome:
        """Carry an item out, once. A POST that may have taken effect is never repeated here. What goes on there is
        answered as pending at once, so that its id is written down before anybody waits for it."""

    def find(self, item: Item, since: datetime, known_ids: Sequence[str]) -> str | Literal["cannot tell"] | None:
        """The remote id of what an unclear `send` made, None where it made nothing, or that nobody can tell.

        known_ids: what had the same name before it was sent."""

    def adopted(self, item: Item, remote_id: str) -> Sent:
        """What `send` would have answered, for something that `find` found; credits as known, or the price."""

    def resume(self, item: Item, remote_id: str) -> Outcome:
        """Look again for something pending, until it has ended or its deadline is over."""

    def usage(self) -> Usage:
        """What the account has left. Costs nothing."""
