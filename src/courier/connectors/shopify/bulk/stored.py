"""What is known of a request's bulk operation, on disk, so that a process that dies is followed by one that goes on."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

FILE = "operation.json"


@dataclass(frozen=True)
class Stored:
    """How a request is fetched, decided once per run.

    made_of: fingerprint of the plan and the filter. counted: root records, before. identity: the operation's id, once
    known. tries: operations that ended badly.
    """

    made_of: str
    in_bulk: bool
    counted: int | None = None
    identity: str | None = None
    tries: int = 0


def read(folder: Path, made_of: str) -> Stored | None:
    """What an earlier process left, if it is of the same making."""
    try:
        found = Stored(**orjson.loads((folder / FILE).read_bytes()))
    except FileNotFoundError:
        return None
    return found if found.made_of == made_of else None


def store(folder: Path, stored: Stored) -> None:
    """Write it whole, or leave what was there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{FILE}.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps(asdict(stored)))
    draft.replace(folder / FILE)
