"""/workspaces: list, read, make. Documented, but for the default workspace's id and the answer of creation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.made_up import WORKSPACE
from courier.sandbox.mavera.paging import page
from courier.sandbox.mavera.refusals import invalid, missing
from courier.sandbox.mavera.store import Node

TYPES = ("enterprise", "marketing_agency", "user", "starter")


def listed(account: Account, ask: Ask) -> Answer:
    """GET /workspaces."""
    text, members = ask.query.get("search", "").lower(), ask.query.get("include_members", "").lower() == "true"

    def keep(body: Node) -> bool:
        return text in body["name"].lower()

    return Answer(page(account.store, ask, "workspace", keep, lambda body: _shown(body, members)))


def read(account: Account, ask: Ask) -> Answer:
    """GET /workspaces/{id}."""
    return Answer(_shown(account.need("workspace", "Workspace", ask.part), True))


def created(account: Account, ask: Ask) -> Answer:
    """POST /workspaces. It costs nothing (inferred)."""
    name, kind = ask.body.get("name"), ask.body.get("type", "user")
    if not name:
        raise missing("name")
    if not isinstance(name, str) or len(name) > 100:
        raise invalid("name", "must be a text of 1 to 100 characters")
    if kind not in TYPES:
        raise invalid("type", f"must be one of {', '.join(TYPES)}")
    body = {"id": account.store.new_id("ws_"), "name": name, "type": kind, "created_at": account.iso()}
    body |= {field: ask.body.get(field) for field in ("budget_alert", "usage_limit", "billing_email")}
    return Answer(_shown(account.store.add("workspace", body), False), 201)


def _shown(body: Node, members: bool) -> Node:
    found = {"object": "workspace", **body, "role": "owner", "is_owner": True}
    return {**found, "members": []} if members else found


def workspace_of(account: Account, body: Mapping[str, Any], *, needed: bool = False) -> str:
    """The id of the workspace that a request is for; the default one where it says none. Raises Refused."""
    given = body.get("workspace_id")
    if given is None and needed:
        raise missing("workspace_id")
    return str(account.need("workspace", "Workspace", str(given))["id"]) if given is not None else WORKSPACE
