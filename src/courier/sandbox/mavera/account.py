"""The account: its clock, its settings, its credits, and how a request reaches what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from courier.clock import rfc3339
from courier.sandbox.mavera import made_up
from courier.sandbox.mavera.faults import Fault
from courier.sandbox.mavera.refusals import not_found, out_of_credits, over_budget
from courier.sandbox.mavera.settings import Settings, changed
from courier.sandbox.mavera.store import Node, Store
from courier.sandbox.shop import Shop

STATE_FILE = "mavera.db"
RECHARGE = 1_000


@dataclass(frozen=True)
class Ask:
    """A request that has passed authentication and limits. `call` is `POST /personas`; `part` the id in the path."""

    call: str
    part: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Node = field(default_factory=dict)
    faults: Sequence[Fault] = ()


@dataclass(frozen=True)
class Answer:
    """What is sent back: JSON, or, with `events`, server-sent events of (name, JSON)."""

    content: Node
    status: int = 200
    events: tuple[tuple[str, Node], ...] | None = None


class Account:
    """One account of the shop. Its file is opened, and filled, with the first request."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._lock = RLock()
        self._store: Store | None = None
        self._given: Node = {}
        self._settings = Settings()

    @cached_property
    def key(self) -> str:
        """The account's API key, 32 characters and more. It opens nothing but this made-up account."""
        return f"mvra_live_sandbox_{self.shop.options.seed:x}".ljust(40, "0")

    @property
    def store(self) -> Store:
        with self._lock:  # a server's thread and its test may both come first
            if self._store is None:
                self._store = Store(self._path)
                self._fill(self._store)
            return self._store

    @property
    def _path(self) -> Path | None:
        return self.shop.folder / STATE_FILE if self.shop.folder else None

    def _fill(self, store: Store) -> None:
        with store.transaction():
            if store.kept("filled"):
                return
            for kind, body in made_up.things(self.shop.anchor):
                store.add(kind, {"id": store.new_id(), **body})
            store.keep("filled", True)

    def reset(self) -> None:
        """As at the start: what was made, received, charged and set is gone."""
        if self._store is None and (self._path is None or not self._path.exists()):
            return
        with self.store.transaction():
            self.store.clear()
            self._fill(self.store)

    def close(self) -> None:
        """Let go of the file. What is in memory only can still be read."""
        with self._lock:
            if self._store is not None and self._path is not None:
                self._store.close()
                self._store = None

    def now(self) -> datetime:
        return self.shop.now()

    def seconds(self) -> int:
        """Unix seconds, which personas and responses have for their `created_at` (documented)."""
        return int(self.now().timestamp())

    def iso(self) -> str:
        """ISO 8601, which everything else has (documented)."""
        return rfc3339(self.now().replace(microsecond=0))

    @property
    def settings(self) -> Settings:
        """As they are kept; another process may set them too."""
        given = self.store.kept("settings") or {}
        if given != self._given:
            self._given, self._settings = given, changed(Settings(), given)
        return self._settings

    def configure(self, given: Mapping[str, Any]) -> Settings:
        """Raises UsageError, and sets nothing, on a name or value that there is not."""
        with self.store.transaction():
            settings = changed(self.settings, given)
            self.store.keep("settings", asdict(settings))
        return settings

    def let_pass(self, seconds: float) -> bool:
        """Let time pass on the shop's clock; True where it has to be waited for instead."""
        if self.settings.latency == "sleep":
            return seconds > 0
        self.shop.offset += timedelta(seconds=seconds)
        return False

    def need(self, kind: str, what: str, identity: str) -> Node:
        """Raises Refused (404)."""
        found = self.store.get(kind, identity)
        if found is None:
            raise not_found(what, identity)
        return found

    def month(self) -> datetime:
        """The start of the billing period, the calendar month (inferred; documented: "monthly")."""
        return self.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    def used(self) -> int:
        """Credits charged in this billing period."""
        return sum(charge.credits for charge in self.store.charges(self.month()))

    def count_tokens(self, prompt: int, completion: int) -> None:
        before = self.store.kept("tokens") or (0, 0)
        self.store.keep("tokens", (before[0] + prompt, before[1] + completion))

    def included(self) -> int:
        """Credits of this billing period, with what was bought on top."""
        return self.settings.credits_included + int(self.store.kept(f"bought {self.month():%Y-%m}") or 0)

    def charge(self, call: str, thing: str, credits: int) -> None:
        """Take credits, within the transaction that makes the thing. Raises Refused (402) when there are too few.

        Auto-recharge buys more instead (documented), 1,000 at a time.
        """
        settings, used = self.settings, self.used()
        if settings.usage_limit is not None and used + credits > settings.usage_limit:
            raise over_budget(settings.usage_limit)
        short = used + credits - self.included()
        if short > 0 and not settings.auto_recharge:
            raise out_of_credits(credits - short, credits)
        if short > 0:
            bought = self.included() - settings.credits_included + -(-short // RECHARGE) * RECHARGE
            self.store.keep(f"bought {self.month():%Y-%m}", bought)
        self.store.charge(self.now(), call, thing, credits)
