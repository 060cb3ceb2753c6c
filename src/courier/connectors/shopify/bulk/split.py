"""The lines of a bulk result -> the streams that they belong to, byte for byte. Pure.

A line's beginning, up to its first comma, nearly always says its type, since every node selects `__typename` first:
what it leads to is remembered, so that a line costs half a microsecond. Lines that begin otherwise are read as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from courier.connectors.shopify import graph
from courier.connectors.shopify.bulk.lines import record_of
from courier.connectors.shopify.document import Field
from courier.errors import Incomplete

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
            start = line[: line.find(b",")]
            add = adding.get(start)
            if add is None:
                stream = self._streams.get(start) or self._stream(start, line)
                add = found.setdefault(stream, []).append
                if start in self._streams:
                    adding[start] = add
            add(line)
        return found

    def _stream(self, start: bytes, line: bytes) -> str:
        record = record_of(line)
        name = str(record.get("__typename"))
        places = self._by_type.get(name, [])
        if len(places) == 1:
            if start == b'{"__typename":"%s"' % name.encode():
                self._streams[start] = places[0][1]
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
