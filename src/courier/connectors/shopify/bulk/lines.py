"""Reading a bulk result's root lines again, quickly: a million of them in a second."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from courier.connectors.shopify.records import digits
from courier.errors import Incomplete
from courier.http import decode
from courier.storage.raw import read_manifest

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


def root_keys(folder: Path, type_: str) -> list[Key]:
    """The keys of a bulk result's root records, in the order of their lines."""
    return [_key(line, type_.encode()) for line in root_lines(folder, type_)]


def _key(line: bytes, type_: bytes) -> Key:
    found = _BEGINNING.match(line)
    if found and found.group(1) == type_ and not found.group(2).startswith(b"0"):
        return int(found.group(2))
    return key_of(type_.decode(), str(record_of(line).get("id")))


def with_any(folder: Path, type_: str, field: str) -> Iterator[str]:
    """The gids of the root records whose list `field` holds anything."""
    some, none = b'"%s":[{' % field.encode(), (b'"%s":[]' % field.encode(), b'"%s":null' % field.encode())
    for line in root_lines(folder, type_):
        # No text inside a JSON string can look like this: its quotes would be escaped.
        if some in line or not any(empty in line for empty in none):
            record = record_of(line)
            if record.get(field):
                yield str(record["id"])


def record_of(line: bytes) -> dict[str, Any]:
    """A line as a record; a lone surrogate in it becomes U+FFFD. Raises Incomplete for what is not JSON."""
    try:
        found, _ = decode(line)
    except ValueError:
        raise Incomplete("a line of the bulk result is not JSON", fix="run again; nothing was committed") from None
    return found if isinstance(found, dict) else {}
