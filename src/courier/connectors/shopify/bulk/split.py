"""The lines of a bulk result -> the streams that they belong to, byte for byte. Pure.

A line's beginning nearly always says its type, since every node selects `__typename` first: what it leads to is
remembered, so that a line costs a quarter of a microsecond. Lines that begin otherwise are read as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from courier.connectors.shopify import graph
from courier.connectors.shopify.bulk.lines import record_of
from courier.connectors.shopify.document import Field
from courier.errors import Incomplete

_BEGINNING = 44
"""Bytes of a line's beginning that are looked at: room for the longest type that is asked for, and hardly for an id."""
_MOST_BEGINNINGS = 1000
_NAME = re.compile(r"[_A-Za-z]\w{0,80}", re.ASCII)


@dataclass
class Splitter:
    """`lines` of each stream in a piece of the file. `planned` is the operation's plan."""

    planned: Field
    _streams: dict[bytes, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_type: dict[str, list[tuple[str, str]]] = {}  # type -> (type of the parent, stream)
        for holder, child in _connections(self.planned):
            for name in _types(child.type or ""):
                self._by_type.setdefault(name, []).append((holder.type or "", child.stream))
        self._by_type[self.planned.type or ""] = [("", self.planned.stream)]

    def split(self, lines: list[bytes]) -> dict[str, list[bytes]]:
        """Stream -> its lines, in their order. Raises Incomplete for a type that was not asked for."""
        found: dict[str, list[bytes]] = {}
        adding: dict[bytes, Callable[[bytes], None]] = {}
        for line in lines:
            beginning = line[:_BEGINNING]
            add = adding.get(beginning)
            if add is None:
                stream = self._streams.get(beginning) or self._stream(beginning, line)
                add = found.setdefault(stream, []).append
                if beginning in self._streams:
                    adding[beginning] = add
            add(line)
        return found

    def _stream(self, beginning: bytes, line: bytes) -> str:
        record = record_of(line)
        name = str(record.get("__typename"))
        places = self._by_type.get(name, [])
        if len(places) == 1:
            says_it = beginning.startswith(b'{"__typename":"%s",' % name.encode())
            if says_it and len(self._streams) < _MOST_BEGINNINGS:
                self._streams[beginning] = places[0][1]
            return places[0][1]
        parent = str(record.get("__parentId"))
        for holder, stream in places:
            if parent.startswith(f"gid://shopify/{holder}/"):
                return stream
        shown = name if _NAME.fullmatch(name) else "?"
        raise Incomplete(
            f"the bulk result has a record of the type {shown}, which was not asked for", fix="report this"
        )


def _connections(planned: Field) -> list[tuple[Field, Field]]:
    """Every connection below the root with the field whose records it hangs on."""
    found: list[tuple[Field, Field]] = []

    def visit(holder: Field, at: Field) -> None:
        for child in at.fields:
            if child.kind == "connection":
                found.append((holder, child))
                visit(child, child)
            else:
                visit(holder, child)

    visit(planned, planned)
    return found


def _types(name: str) -> tuple[str, ...]:
    """The types that records of a field can have: an interface's members, or the type itself."""
    return graph.IMPLEMENTED.get(name, (name,))
