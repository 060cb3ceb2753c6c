"""A root record with everything below it, as far as its feeds want it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from courier.clock import rfc3339
from courier.connectors.bigcommerce.answers import Record
from courier.connectors.bigcommerce.roots import Root
from courier.connectors.bigcommerce.select import own_fields, pruned
from courier.storage.raw import RawWriter
from courier.storage.selection import Node


@dataclass(frozen=True)
class Family:
    """`below`: stream below the root, `products` -> its records."""

    record: Record
    received: datetime
    below: Mapping[str, list[Record]] = field(default_factory=dict)


def write(writer: RawWriter, root: Root, asked: Node, families: Iterable[Family]) -> None:
    """Write the lines of whole families: the fields that are asked for, and nothing else."""
    own = own_fields(asked, root)
    gathered: dict[str, list[Record]] = {}
    for family in families:
        number, identity = writer.next_record(), family.record.get("id")
        line = {"id": identity, **pruned(family.record, own)} if own.fields else {"id": identity}
        told = {"__record": number, "__fetchedAt": rfc3339(family.received), "__time": family.record.get(root.time)}
        gathered.setdefault(root.type, []).append({**told, **line})
        for name, records in family.below.items():
            node = asked.fields.get(name, Node())
            gathered.setdefault(f"{root.type}.{name}", []).extend(
                {"__record": number, "__parentId": str(identity), "__index": index, **pruned(record, node)}
                for index, record in enumerate(records)
            )
    for stream, lines in gathered.items():
        writer.write(stream, lines)
