"""The made-up account as a test sees it: what came in, what it cost, and the hands of other people in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from courier.errors import UsageError
from courier.sandbox.mavera import personas, usage
from courier.sandbox.mavera.account import Account
from courier.sandbox.mavera.faults import no_faults
from courier.sandbox.mavera.refusals import Refused
from courier.sandbox.mavera.settings import Settings
from courier.sandbox.mavera.store import Charge, Node, Received
from courier.sandbox.shop import Shop


class Mavera:
    """The account of a shop. Its state is kept beside the shop's, in memory for a shop without a folder."""

    def __init__(self, shop: Shop) -> None:
        self.account = Account(shop)
        self.faults = no_faults()

    @property
    def key(self) -> str:
        return self.account.key

    @property
    def settings(self) -> Settings:
        return self.account.settings

    def configure(self, **given: Any) -> Settings:
        """Set some of the settings, until they are set again or everything is reset. Raises UsageError."""
        return self.account.configure(given)

    @property
    def received(self) -> Sequence[Received]:
        """Every request that reached /api/v1, with the exact bytes of its body. Never the key."""
        return self.account.store.received()

    def forget_received(self) -> None:
        """Forget the requests, and with them the rate limit's last minute."""
        self.account.store.forget_received()

    @property
    def charges(self) -> Sequence[Charge]:
        return self.account.store.charges()

    @property
    def credits_used(self) -> int:
        """In this billing period."""
        return self.account.used()

    @property
    def personas(self) -> list[Node]:
        """All of them, base ones included, as they are kept: `given` is what stuck of what was sent."""
        return self.account.store.every("persona")

    def things(self, kind: str) -> list[Node]:
        """All of a kind as they are kept: persona, response, thread, focus_group, generation, ..."""
        return self.account.store.every(kind)

    def make_persona(self, **given: Any) -> Node:
        """A person makes a custom persona by hand, which is not charged. Raises UsageError."""
        with _said(), self.account.store.transaction():
            return personas.make(self.account, {"pipeline_type": "north_star", **given})

    def edit_persona(self, identity: str, **given: Any) -> Node:
        """A person edits a custom persona by hand. Raises UsageError."""
        with _said(), self.account.store.transaction():
            return personas.edit(self.account, self.account.need("persona", "Persona", identity), given)

    def delete_persona(self, identity: str) -> None:
        """A person deletes a custom persona. Raises UsageError when there is none of that id."""
        with _said(), self.account.store.transaction():
            self.account.need("persona", "Persona", identity)
            self.account.store.remove("persona", identity)

    def summary(self) -> Node:
        """Credits, and every charge with what it was for."""
        charges = [{"at": i.at, "call": i.call, "thing": i.thing, "credits": i.credits} for i in self.charges]
        return {"credits": usage.credits(self.account), "charges": charges}

    def reset(self) -> None:
        """Everything as at the start: personas, credits, settings, requests, faults."""
        self.faults.clear()
        self.account.reset()

    def close(self) -> None:
        self.account.close()


@contextmanager
def _said() -> Iterator[None]:
    """Turns a refusal of the API into the error of a test that asked for what cannot be."""
    try:
        yield
    except Refused as refused:
        raise UsageError(refused.message, fix=f"{refused.status} {refused.code}") from refused
