"""A root record as it arrives -> its lines in the raw streams; and which inner connections have more to give. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from courier.connectors.shopify.document import Connection, Field
from courier.errors import Incomplete

Record = dict[str, Any]

_DIGITS = re.compile(r"(\d+)(?:\?.*)?$", re.DOTALL)


def digits(gid: object) -> str | None:
    """`gid://shopify/MailingAddress/123?model_name=CustomerAddress` -> `123`; None where there are none."""
    found = _DIGITS.search(gid) if isinstance(gid, str) else None
    return found.group(1) if found else None


@dataclass(frozen=True)
class OpenEnd:
    """An inner connection of which only the first page is there: `nodes` is that record's own list, to be added to."""

    stream: str
    holder: str
    nodes: list[Record]
    cursor: str


def open_ends(field: Field, record: Record) -> Iterator[OpenEnd]:
    """The inner connections of a record, at any depth, that have a next page. Raises Incomplete for a broken page."""
    yield from _open_ends(field, record, record.get("id"))


def _open_ends(field: Field, value: Record, holder: object) -> Iterator[OpenEnd]:
    for child in field.paged:
        below = value.get(child.name)
        if child.kind == "connection":
            page = page_of(child.stream, below)
            if page.cursor is not None:
                yield OpenEnd(child.stream, _known(child.stream, holder), page.nodes, page.cursor)
            for node in page.nodes if child.paged else ():
                yield from open_ends(child, node)
        elif child.stream:
            for node in _listed(child.stream, below):
                yield from open_ends(child, node)
        elif child.kind == "object" and isinstance(below, dict):
            yield from _open_ends(child, below, holder)


@dataclass(frozen=True)
class Page:
    """One page of a connection; `cursor` leads to the next one, None on the last. A null node is left out."""

    nodes: list[Record]
    cursor: str | None
    nulls: int = 0


def page_of(stream: str, value: object) -> Page:
    """Read `{nodes, pageInfo}`. Raises Incomplete where the page cannot be what the API promises."""
    nodes = value.get("nodes") if isinstance(value, Mapping) else None
    info = value.get("pageInfo") if isinstance(value, Mapping) else None
    if not isinstance(nodes, list) or not isinstance(info, Mapping):
        raise Incomplete(f"{stream}: the shop answered without a page of records", fix="run again later")
    more, cursor = info.get("hasNextPage"), info.get("endCursor")
    if more and not isinstance(cursor, str):
        raise Incomplete(f"{stream}: the shop says that there is more, and not where", fix="run again later")
    present = [node for node in nodes if isinstance(node, dict)]
    if len(present) == len(nodes):  # the very list, so that a later page can be added to the record
        return Page(nodes, cursor if more else None)
    return Page(present, cursor if more else None, len(nodes) - len(present))


def _listed(stream: str, value: object) -> list[Record]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Incomplete(f"{stream}: the shop answered without the list of records", fix="run again later")
    return value


def _known(stream: str, holder: object) -> str:
    if not isinstance(holder, str):
        raise Incomplete(f"{stream}: the record that it belongs to has no id", fix="run again later")
    return holder


@dataclass
class Lines:
    """The lines of one root record by stream; `number` is its `__record`. Open: some connection has a next page."""

    number: int
    by_stream: dict[str, list[Record]]
    is_open: bool = False


def lines_of(planned: Field, record: Record, number: int, fetched_at: str) -> Lines:
    """The lines of one root record, as far as it is there; `planned` is its plan. Raises Incomplete for a bad page."""
    root: Record = {"__record": number, "__fetchedAt": fetched_at}
    lines = Lines(number, {planned.stream: [root]})
    root.update(_own(planned, record, record.get("id"), lines))
    return lines


def _own(field: Field, value: Record, holder: object, lines: Lines) -> Record:
    """The value without the records that have streams of their own, which are added to `lines`."""
    if not field.taken_out:
        return value
    kept = dict(value)
    for child in field.taken_out:
        below = value.get(child.name)
        if child.internal:
            kept.pop(child.name, None)
        elif child.stream:
            kept.pop(child.name, None)
            _add(child, below, holder, lines)
        elif child.kind == "object" and isinstance(below, dict):
            kept[child.name] = _own(child, below, holder, lines)
    return kept


def _add(field: Field, value: object, holder: object, lines: Lines) -> None:
    if field.kind == "list":
        nodes = _listed(field.stream, value)
    else:
        page = page_of(field.stream, value)
        if page.nulls:
            raise Incomplete(f"{field.stream}: the shop answered with records that are null", fix="run again later")
        nodes = page.nodes
        lines.is_open = lines.is_open or page.cursor is not None
    target = lines.by_stream.setdefault(field.stream, [])
    for index, node in enumerate(nodes):
        line: Record = {"__record": lines.number, "__parentId": holder, "__index": index}
        target.append(line)
        line.update(_own(field, node, node.get("id"), lines))


def below(connection: Connection, holder: object) -> object:
    """The connection's value below its holder, through the objects on the way."""
    for name in connection.path:
        holder = holder.get(name) if isinstance(holder, Mapping) else None
    return holder
