"""The made-up shop as a thing that lasts: a seed, an anchor instant and the changes made since, in one JSON file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any
from zlib import crc32

import orjson

from courier import clock
from courier.errors import UsageError
from courier.sandbox.history.changes import apply
from courier.sandbox.history.generate import generate
from courier.sandbox.history.options import Options
from courier.sandbox.history.rows import History

STATE_FILE = "shop.json"
FORMAT = 1
FIRST_SHOP = 60_000_000_000
NEW = timedelta(0)
Change = Mapping[str, Any]


class Shop:
    """A history and what has been done to it. Without a folder it lives in memory only.

    `revision` grows with every change; `now()` is courier's clock moved by `offset`.
    """

    def __init__(self, options: Options, anchor: datetime, folder: Path | None = None) -> None:
        self.options = options
        self.anchor = anchor
        self.folder = folder
        self.offset = timedelta(0)
        self.changes: list[Change] = []
        self.revision = 0
        self._lock = RLock()
        self._history: History | None = None
        self._first: History | None = None  # as it stood at the anchor
        self._earlier: tuple[tuple[int, int], History] | None = None
        self._applied = 0
        self._read_at: tuple[int, int] | None = None

    @classmethod
    def open(cls, folder: Path | None = None, options: Options | None = None, age: timedelta = NEW) -> Shop:
        """The shop of a folder, made anew if there is none. Raises UsageError when it was made with other options.

        age: how long ago the history of a shop made anew ends.
        """
        path = folder / STATE_FILE if folder else None
        if path is None or not path.exists():
            shop = cls(options or Options(), clock.now().replace(microsecond=0) - age, folder)
            shop._save()
            return shop
        state = orjson.loads(path.read_bytes())
        if state["format"] != FORMAT:
            raise UsageError(f"{path} was written by another version of courier", fix=f"delete {path} and start again")
        known = Options(**state["options"])
        if options is not None and options != known:
            raise UsageError(
                f"the sandbox in {folder} was made with other options ({known})",
                fix=f"leave the options out, or delete {path} for a new shop",
            )
        shop = cls(known, datetime.fromtimestamp(state["anchor"], UTC), folder)
        shop.refresh()
        return shop

    @property
    def anchor_seconds(self) -> int:
        return int(self.anchor.timestamp())

    def now(self) -> datetime:
        return clock.now() + self.offset

    def seconds(self) -> int:
        """The current whole second, never before the anchor."""
        return max(self.anchor_seconds, int(self.now().timestamp()))

    @property
    def history(self) -> History:
        """The shop as it stands. Never changed in place: who holds one keeps what it was."""
        with self._lock:  # a server's thread and its test may both come first
            if self._history is None:
                self._history, self._applied = generate(self.options, self.anchor_seconds), 0
                self._first = self._history
            if self._applied < len(self.changes):
                changed = self._history.copy()
                for change in self.changes[self._applied :]:
                    apply(changed, self.options, change)
                self._history, self._applied = changed, len(self.changes)
            return self._history

    def history_at(self, seconds: int) -> tuple[int, History]:
        """The shop as it stood at an earlier instant, with the number of changes in it."""
        with self._lock:
            whole, wanted = self.history, sum(1 for change in self.changes if int(change["at"]) <= seconds)
            if wanted == len(self.changes):
                return wanted, whole
            if self._earlier is None or self._earlier[0] != (self.revision, wanted):
                base = self._first.copy() if self._first is not None else generate(self.options, self.anchor_seconds)
                for change in self.changes[:wanted]:
                    apply(base, self.options, change)
                self._earlier = (self.revision, wanted), base
            return wanted, self._earlier[1]

    def add(self, change: Change) -> None:
        """Make a change that lasts: `{"kind": "change" | "touch", "at": seconds, ...}`."""
        self.refresh()
        self.changes.append(change)
        self.revision += 1
        self._save()

    def reset(self) -> None:
        """Undo every change."""
        with self._lock:
            self.changes, self.offset = [], timedelta(0)
            self._history, self._applied = self._first, 0  # which no change ever touched
            self.revision += 1
            self._save()

    def refresh(self) -> None:
        """Take over what another process did to the same shop."""
        stamp = self._stamp()
        if stamp is None or stamp == self._read_at or self.folder is None:
            return
        state = orjson.loads((self.folder / STATE_FILE).read_bytes())
        with self._lock:
            mine = (self.anchor_seconds, asdict(self.options), self.changes[: self._applied])
            if mine != (state["anchor"], state["options"], state["changes"][: self._applied]):
                self._history, self._first, self._applied = None, None, 0
            self.anchor = datetime.fromtimestamp(state["anchor"], UTC)
            self.options, self.changes = Options(**state["options"]), state["changes"]
            self.revision += 1
            self._read_at = stamp

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self.folder / STATE_FILE).stat() if self.folder else None
        except FileNotFoundError:
            return None
        return (found.st_mtime_ns, found.st_ino) if found else None

    def _save(self) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = {
            "format": FORMAT,
            "anchor": self.anchor_seconds,
            "options": asdict(self.options),
            "changes": self.changes,
        }
        draft = self.folder / f"{STATE_FILE}.{os.getpid()}"
        draft.write_bytes(orjson.dumps(state, option=orjson.OPT_INDENT_2))
        draft.chmod(0o600)
        draft.replace(self.folder / STATE_FILE)
        self._read_at = self._stamp()

    @cached_property
    def files(self) -> Path:
        """Where files may be written for this shop. Without a folder they go when the shop does."""
        if self.folder is not None:
            return self.folder / "bulk"
        self._temporary = TemporaryDirectory(prefix="sandbox-")
        return Path(self._temporary.name)

    @property
    def identity(self) -> int:
        """The shop's own id. A shop made at another instant or from another seed is another shop."""
        return FIRST_SHOP + crc32(f"{self.options}{self.anchor_seconds}".encode())

    @cached_property
    def token(self) -> str:
        """The shop's static access token. It opens nothing but this made-up shop."""
        return f"shpat_sandbox_{self.options.seed:x}"
