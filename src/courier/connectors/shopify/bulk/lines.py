"""Reading a bulk result's root lines again, quickly: a million of them in a second."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from courier.connectors.shopify.records import digits
from courier.errors import Incomplete
from courier.http import decode
from courier.storage.raw import read_manifest

INDEX = "roots.json"
Key = int | str  # the number of an ordinary gid, which takes least memory, or the gid
# `{"__typename":"Order","id":"gid:\/\/shopify\/Order\/123"`: how our own documents make lines begin.
_BEGINNING = re.compile(rb'\{"__typename":"\w+","id":"gid:(?:\\?/){2}shopify\\?/(\w+)\\?/(\d+)"')


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
    roots = Roots([], [])
    for line in root_lines(folder, type_):
        key = _key(line, type_.encode())
        roots.keys.append(key)
        if any(_has_any(line, name) for name in lists):
            roots.filled.append(key)
    draft = index.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps({"keys": roots.keys, "filled": roots.filled}))
    draft.replace(index)
    return roots


def forget_roots(folder: Path) -> None:
    """What lies in the folder is about to change."""
    (folder / INDEX).unlink(missing_ok=True)


def _key(line: bytes, type_: bytes) -> Key:
    found = _BEGINNING.match(line)
    if found and found.group(1) == type_ and not found.group(2).startswith(b"0"):
        return int(found.group(2))
    return key_of(type_.decode(), str(record_of(line).get("id")))


def gid_of(type_: str, key: Key) -> str:
    return f"gid://shopify/{type_}/{key}" if isinstance(key, int) else key


def _has_any(line: bytes, field: str) -> bool:
    """Whether a root record's list holds anything."""
    some, none = b'"%s":[{' % field.encode(), (b'"%s":[]' % field.encode(), b'"%s":null' % field.encode())
    # No text inside a JSON string can look like this: its quotes would be escaped.
    return (some in line or not any(empty in line for empty in none)) and bool(record_of(line).get(field))


def record_of(line: bytes) -> dict[str, Any]:
    """A line as a record; a lone surrogate in it becomes U+FFFD. Raises Incomplete for what is not JSON."""
    try:
        found, _ = decode(line)
    except ValueError:
        raise Incomplete("a line of the bulk result is not JSON", fix="run again; nothing was committed") from None
    return found if isinstance(found, dict) else {}
