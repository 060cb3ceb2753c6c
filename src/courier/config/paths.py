"""`rows` and `from`: paths from a record to what a row, or a column, is made of."""

from __future__ import annotations

import re

from courier.config.project import RowPath, Source, Step

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_ROOT = re.compile(_NAME)
_LIST = re.compile(rf"{_NAME}(\[\])?")
_STEP = re.compile(rf"({_NAME})(?:\[([0-9]{{1,4}})\])?")


def parse_rows(text: str) -> RowPath:
    """`Order.lineItems[].discountAllocations[]`. Raises ValueError, whose text says what is wrong."""
    root, *names = text.split(".")
    if not _ROOT.fullmatch(root):
        raise ValueError("a path begins with a record type, as `Order` or `Order.lineItems[]`")
    lists: list[tuple[str, ...]] = []
    pending: list[str] = []
    for name in names:
        if not _LIST.fullmatch(name):
            raise ValueError(f"`{name}` is no field name; lists are written `{root}.lineItems[]`")
        pending.append(name.removesuffix("[]"))
        if name.endswith("[]"):
            lists.append(tuple(pending))
            pending = []
    if pending:
        raise ValueError(f"`{pending[-1]}` is not a list: rows come from a record type or from a list, `{text}[]`")
    return RowPath(root, tuple(lists))


def parse_source(text: str, rows: RowPath) -> Source:
    """One `from`, relative to a row. Raises ValueError, whose text says what is wrong."""
    if text in ("$index", "$value"):
        if not rows.lists:
            raise ValueError(f"`{text}` needs rows over a list; here every row is a whole {rows.root}")
        return Source("index" if text == "$index" else "value", text=text)
    if text.startswith("computed."):
        name = text.removeprefix("computed.")
        if not _ROOT.fullmatch(name):
            raise ValueError("a computed value is written `computed.name`")
        return Source("computed", (Step(name),), text=text)
    return _field(text, rows)


def _field(text: str, rows: RowPath) -> Source:
    names = text.removesuffix("[]").split(".")
    climb = next((n for n, name in enumerate(names) if name != "parent"), len(names))
    if climb > len(rows.lists):
        above = f"{len(rows.lists)} level{'s'[: len(rows.lists) != 1]}" if rows.lists else "nothing"
        raise ValueError(f"`parent` climbs too far: there is {above} above a row of {rows}")
    if climb == len(names):
        raise ValueError("`parent` alone is a record, not a value: name a field of it")
    return Source("field", tuple(_step(name) for name in names[climb:]), climb, text.endswith("[]"), text)


def _step(name: str) -> Step:
    found = _STEP.fullmatch(name)
    if not found:
        raise ValueError(f"`{name}` is no field name; paths are written `a.b[0].c`, `parent.x`, `$index` or `$value`")
    return Step(found.group(1), int(found.group(2)) if found.group(2) else None)
