"""What lies below a list, a segment or a flow, and what each costs a request of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from courier.connectors.klaviyo import lines
from courier.connectors.klaviyo.client import Ask, Client
from courier.connectors.klaviyo.pages import walk
from courier.connectors.klaviyo.roots import Root
from courier.errors import Incomplete
from courier.storage.selection import Node

Record = dict[str, Any]
JOINED = "joined_group_at"
COUNT = "profile_count"


@dataclass(frozen=True)
class Batch:
    """Records by list, and where to go on after them; "" after the last."""

    records: Mapping[str, list[Record]]
    token: str


def details(client: Client, root: Root, node: Node, identity: str) -> Record:
    """Attributes that are had for one record only. Raises NotThere and what Client.ask raises."""
    if not asks_count(node):
        return {}
    kind = root.resource
    asked = {f"additional-fields[{kind}]": COUNT, f"fields[{kind}]": COUNT}
    reply = client.ask(Ask(f"get_{kind}", asked, identity, costly=True))
    data = reply.body["data"]
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict) or COUNT not in attributes:
        raise Incomplete(f"get_{kind}: an answer without {COUNT}", fix="run again later")
    return {COUNT: attributes[COUNT]}


def asks_count(node: Node) -> bool:
    return COUNT in node.fields.get("attributes", Node()).fields


def batches(client: Client, root: Root, node: Node, below: Sequence[str], identity: str, token: str) -> Iterator[Batch]:
    """Everything below one root record, from a token on."""
    if root.kind == "flows":
        yield Batch(_flow(client, below, identity), "")
    elif "profiles" in below:
        for page in walk(client, members(root, node, identity), token):
            yield Batch({"profiles": [_member(record) for record in page.records]}, page.following)


def members(root: Root, node: Node, identity: str, joined: bool | None = None) -> Ask:
    """The list of a group's members; with the time that they joined where a column, or `joined`, asks for it."""
    profiles = node.fields.get("profiles", Node())
    asked = {"page[size]": "100"}
    if joined or (joined is None and JOINED in profiles.fields.get("attributes", Node()).fields):
        return Ask(f"get_profiles_for_{root.resource}", {**asked, "fields[profile]": JOINED}, identity)
    return Ask(f"get_profile_ids_for_{root.resource}", asked, identity)


def _member(record: Mapping[str, Any]) -> Record:
    joined = (record.get("attributes") or {}).get(JOINED)
    return {"id": record["id"], **({"attributes": {JOINED: joined}} if joined else {})}


def _flow(client: Client, below: Sequence[str], identity: str) -> dict[str, list[Record]]:
    actions = [
        record for page in walk(client, Ask("get_actions_for_flow", _FIFTY, identity)) for record in page.records
    ]
    found: dict[str, list[Record]] = {}
    if "actions" in below:
        found["actions"] = [lines.flow_action(action) for action in actions]
    if "messages" in below:
        sending = [action for action in actions if _sends(action)]
        found["messages"] = [message for action in sending for message in _messages(client, str(action["id"]))]
    return found


_FIFTY = {"page[size]": "50"}


def _sends(action: Mapping[str, Any]) -> bool:
    """Whether an action has messages: it names them, or where it names none, its type says so."""
    related = ((action.get("relationships") or {}).get("flow-messages") or {}).get("data")
    if isinstance(related, list):
        return bool(related)
    definition = (action.get("attributes") or {}).get("definition") or {}
    return str(definition.get("type", "")).startswith("send-")


def _messages(client: Client, action: str) -> list[Record]:
    asked = Ask("get_flow_action_messages", _FIFTY, action)
    return [lines.plain(record) for page in walk(client, asked) for record in page.records]
