"""Reading a bulk result's root lines again, quickly: a million of them in a second."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from courier.connectors.shopify.records import digits
from courier.decoding import decode
from courier.errors import Incomplete
from courier.storage.raw import read_manifest

INDEX = "roots.json"
Key = int | str  # the number of an ordinary gid, which takes least memory, or the gid


def key_of(type_: str, gid: str) -> Key:
    """What tells a root record from the others of its type."""
    number = digits(gid)
    return int(number) if number and gid == f"gid://shopify/{type_}/{int(number)}" else gid


def root_lines(folder: Path, stream: str) -> Iterator[bytes]:
    """The lines of a part's root stream, as of its last checkpoint."""
    manifest = read_manifest(folder)
    for segment in manifest.segments.get(stream, ()) if manifest else ():
        with segment.path.open("rb") as lines:
            yield from lines


@dataclass(frozen=True)
class Roots:
    """The keys of a bulk result's root records, in the order of their lines; `filled`: of those with any record in a
    list that was left out."""

    keys: list[Key]
    filled: list[Key]


def read_roots(folder: Path, type_: str, lists: Sequence[str] = ()) -> Roots:
    """Look at every root line of a whole result, once: what is found is kept beside it. `lists`: `refunds`."""
    index = folder / INDEX
    if index.exists():
        return Roots(**orjson.loads(index.read_bytes()))
    reading = Reading(type_, lists)
    reading.add(root_lines(folder, type_))
    keep_roots(folder, reading.roots)
    return reading.roots


def keep_roots(folder: Path, roots: Roots) -> None:
    """What every root line of the result in the folder says."""
    index = folder / INDEX
    draft = index.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps({"keys": roots.keys, "filled": roots.filled}))
    draft.replace(index)


def forget_roots(folder: Path) -> None:
    """What lies in the folder is about to change."""
    (folder / INDEX).unlink(missing_ok=True)


class Reading:
    """What root lines say, as far as they have come."""

    def __init__(self, type_: str, lists: Sequence[str] = ()) -> None:
        self.roots = Roots([], [])
        self._type = type_
        self._lists = lists
        self._beginning = _beginning(type_, lists)

    def add(self, lines: Iterable[bytes]) -> None:
        """Raises Incomplete for a line that is not JSON."""
        beginning, keys, filled = self._beginning.match, self.roots.keys, self.roots.filled
        for line in lines:
            found = beginning(line)
            if found:
                key: Key = int(found.group(1))
                is_filled = found.group(2) == b"["
            else:
                record = record_of(line)
                key = key_of(self._type, str(record.get("id")))
                is_filled = any(record.get(name) for name in self._lists)
            keys.append(key)
            if is_filled:
                filled.append(key)


def _beginning(type_: str, lists: Sequence[str]) -> re.Pattern[bytes]:
    """How our own documents make root lines begin: type, id, and the list that was left out, where there is one."""
    then = rf',"{lists[0]}":(\[\]|null|\[)' if lists else "()"
    slash = r"\\?/"
    pattern = rf'\{{"__typename":"{type_}","id":"gid:{slash}{slash}shopify{slash}{type_}{slash}([1-9]\d*)"{then}'
    return re.compile((pattern if len(lists) < 2 else "(?!)").encode())


def gid_of(type_: str, key: Key) -> str:
    return f"gid://shopify/{type_}/{key}" if isinstance(key, int) else key


def record_of(line: bytes) -> dict[str, Any]:
    """A line as a record; a lone surrogate in it becomes U+FFFD. Raises Incomplete for what is not JSON."""
    try:
        found, _ = decode(line)
    except ValueError:
        raise Incomplete("a line of the bulk result is not JSON", fix="run again; nothing was committed") from None
    return found if isinstance(found, dict) else {}
