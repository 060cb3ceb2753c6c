"""How far something asynchronous has come: by how often it was asked about, and by the shop's clock."""

from __future__ import annotations

from courier.sandbox.mavera.account import Account
from courier.sandbox.mavera.store import Node

AT_LAST = 120  # seconds after which it is done even if nobody asks (documented: 30-120 s)


def begun(account: Account, *, fails: bool) -> Node:
    """What a thing needs to keep."""
    return {"polls": 0, "began": account.now().timestamp(), "fails": fails}


def status(account: Account, body: Node, polls: int, seconds: float) -> str:
    """pending, running, completed or failed. polls: how often it is looked at before it can be done."""
    age = account.now().timestamp() - body["began"]
    if age >= max(AT_LAST, seconds) or (body["polls"] > polls and age >= seconds):
        return "failed" if body["fails"] else "completed"
    return "running" if body["polls"] > 1 else "pending"


def looked_at(account: Account, kind: str, body: Node) -> Node:
    return account.store.put(kind, {**body, "polls": body["polls"] + 1})
