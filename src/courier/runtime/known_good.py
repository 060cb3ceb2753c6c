"""A project that was found without any problem, remembered, so that an unchanged one need not be checked once more.

Reading and checking thirteen tables takes 0.3 s, as long as all that a run without news does besides. What is
remembered holds for one stamp only: every byte of the project's YAML, its place, its kind of disk, and the code that
checked it. A project with a problem, or with a warning, is never remembered, so that it is told each time.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path, PosixPath
from typing import Any

from courier.config import activation as more_shapes
from courier.config import project as shapes
from courier.config.project import Project
from courier.storage.shared_disk import network_disk_of

FOLDERS = ("couriers", "domain_tables", "activations")
FILES = ("alerts.yaml", "courier.yaml", "courier_groups.yaml", "semantic_tags.yaml")
MOST_BYTES = 16 * 1024 * 1024
_PLAIN = (datetime, timedelta, timezone, Decimal, PosixPath)
_OWN = tuple(
    kind
    for module in (shapes, more_shapes)
    for kind in vars(module).values()
    if getattr(kind, "__module__", "") == module.__name__
)
_ALLOWED = {(kind.__module__, kind.__qualname__): kind for kind in (*_PLAIN, *_OWN)}


class _Reader(pickle.Unpickler):
    """Makes values of the project's own kinds and no others: what lies in a folder must not be able to run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a project")
        return _ALLOWED[module, name]


def stamp(root: Path) -> bytes:
    """Changes with anything that the checks look at; b"" where that cannot be told."""
    digest = hashlib.sha256(f"{sys.version} {root} {network_disk_of(root)}".encode())
    try:
        for line in _code():
            digest.update(line.encode())
        for path in _project_files(root):
            content = path.read_bytes() if path.is_file() else b""
            digest.update(f"\n{path.relative_to(root)} {len(content)}\n".encode())
            digest.update(content)
    except (OSError, ValueError):
        return b""
    return digest.digest()


def recall(root: Path, now: bytes) -> Project | None:
    """The project as it was found good at this stamp, if it was."""
    try:
        kept = _file(root).read_bytes()
    except OSError:
        return None
    if not now or len(kept) > MOST_BYTES or not kept.startswith(now):
        return None
    try:
        found = _Reader(BytesIO(kept[len(now) :])).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, IndexError, KeyError):
        return None
    return found if isinstance(found, Project) and found.root == root else None


def remember(project: Project, then: bytes) -> None:
    """Remember a project without problems, if it is still what `then` was the stamp of."""
    path = _file(project.root)
    if not then or not path.parent.is_dir() or stamp(project.root) != then:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):  # a folder that cannot be written costs time, and nothing else
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(then + pickle.dumps(project, 5))
        fresh.replace(path)


def _file(root: Path) -> Path:
    return root / ".courier" / "known_good"


def _code() -> Iterator[str]:
    """Courier's own files, and the DuckDB that judges expressions, by size and time."""
    engine = find_spec("_duckdb") or find_spec("duckdb")
    origins = [Path(engine.origin)] if engine and engine.origin else []
    for path in [*sorted(Path(__file__).parents[1].rglob("*.py")), *origins]:
        status = path.stat()
        yield f"{path} {status.st_size} {status.st_mtime_ns}\n"


def _project_files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in FILES)
    for folder in FOLDERS:
        yield from sorted((root / folder).rglob("*"))
