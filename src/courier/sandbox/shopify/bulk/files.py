"""Writing a bulk operation's file: JSON lines, grouped or shuffled, at a flat cost of memory."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from itertools import chain
from pathlib import Path
from random import Random

import orjson

from courier.sandbox.shopify.bulk.plan import ROOT_END, Put, Record
from courier.sandbox.shopify.values import Node
from courier.sandbox.uncollected import uncollected

BOXES = 32  # 32 boxes of 2,048 lines of 700 bytes are 46 MB
BOX_LINES = 2_048
LATE = 1_024  # one line in so many comes at the very end, however long the file
KEPT = 4
SUFFIX = ".jsonl"


@dataclass(frozen=True)
class File:
    """A written file: lines in all, those of root records, bytes."""

    path: Path
    objects: int
    roots: int
    size: int


@dataclass
class Progress:
    """How far a file is, for who asks from another thread."""

    objects: int = 0
    roots: int = 0


def key_of(*parts: object) -> str:
    """A file name for what decides a file's bytes."""
    return sha256(repr(parts).encode()).hexdigest()[:32]


def digest(identities: Iterable[int]) -> str:
    """Which records, in which order."""
    return sha256(array("q", identities).tobytes()).hexdigest()


def known(folder: Path, key: str) -> File | None:
    """The file that was written before, if it is still there."""
    path, facts = folder / f"{key}{SUFFIX}", folder / f"{key}.json"
    try:
        told = orjson.loads(facts.read_bytes())
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    os.utime(path)
    return File(path, told["objects"], told["roots"], size) if size == told["size"] else None


def write(
    folder: Path, key: str, record: Record, nodes: Iterable[Node], seed: int | None, progress: Progress | None = None
) -> File:
    """Write every node's lines. With a `seed` the lines are shuffled, else children follow their parent."""
    progress = progress or Progress()
    draft = folder / f"{key}.{os.getpid()}.part"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileIO(draft, "wb") as target, uncollected():
        sink = _Ordered(target, progress) if seed is None else _Shuffled(target, progress, Random(seed))
        put, emit = sink.put, record.emit
        for node in nodes:
            emit(node, ROOT_END, put)
            progress.roots += 1
        sink.close()
    return seal(draft, folder / f"{key}{SUFFIX}", progress.objects, progress.roots)


def seal(draft: Path, path: Path, objects: int, roots: int) -> File:
    """Give a file its name, and write down what is in it."""
    size = draft.stat().st_size
    draft.chmod(0o600)
    draft.replace(path)
    facts = path.with_suffix(".json")
    facts.write_bytes(orjson.dumps({"objects": objects, "roots": roots, "size": size}))
    return File(path, objects, roots, size)


def prune(folder: Path, used: Iterable[Path]) -> None:
    """Keep the files in use and the latest others."""
    spare = sorted(set(folder.glob(f"*{SUFFIX}")) - set(used), key=lambda path: path.stat().st_mtime)
    for path in spare[:-KEPT]:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)


class _Ordered:
    def __init__(self, target: FileIO, progress: Progress) -> None:
        self._target = target
        self._progress = progress
        self._lines: list[bytes] = []

    def put(self, line: bytes) -> None:
        self._lines.append(line)
        if len(self._lines) >= BOX_LINES:
            self.close()

    def close(self) -> None:
        self._progress.objects += len(self._lines)
        _write_all(self._target, b"".join(self._lines))
        self._lines.clear()


class _Shuffled:
    """Lines go into random boxes; a full box is shuffled and written. So children may come long before their parent."""

    put: Put

    def __init__(self, target: FileIO, progress: Progress, random: Random) -> None:
        self._target = target
        self._progress = progress
        self._random = random
        self._boxes: list[list[bytes]] = [[] for _ in range(BOXES)]
        self._late: list[bytes] = []
        self.put = self._putter()

    def _putter(self) -> Put:
        boxes, late, draw, empty = self._boxes, self._late, self._random.getrandbits, self._empty
        bits, mask = LATE.bit_length() - 1, BOXES - 1

        def put(line: bytes) -> None:
            drawn = draw(bits)
            box = boxes[drawn & mask] if drawn else late
            box.append(line)
            if len(box) >= BOX_LINES and drawn:
                empty(box)

        return put

    def _empty(self, box: list[bytes]) -> None:
        self._random.shuffle(box)
        self._progress.objects += len(box)
        _write_all(self._target, b"".join(box))
        box.clear()

    def close(self) -> None:
        rest = [line for box in self._boxes for line in box]
        self._empty(rest)
        self._empty(self._late)


def _write_all(target: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[target.write(left) :]


Edit = Callable[[bytes], tuple[bytes, ...]]


def copy(source: Path, path: Path, edit: Edit, tail: Iterable[bytes], is_root: Callable[[bytes], bool]) -> File:
    """A file with other lines than `source`: each line becomes those that `edit` gives, and `tail` follows."""
    objects = roots = 0
    draft = path.with_suffix(".part")
    with source.open("rb") as lines, draft.open("wb") as target:
        for line in chain(chain.from_iterable(map(edit, lines)), tail):
            target.write(line)
            objects, roots = objects + 1, roots + is_root(line)
    return seal(draft, path, objects, roots)
