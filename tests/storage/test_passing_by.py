"""What was read of large files leaves the page cache, and nothing else does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from courier.storage.passing_by import not_kept

SIZE = 1024 * 1024


def is_cached(path: Path) -> bool:
    """Whether a file's last page can be had without asking the disk."""
    with path.open("rb") as file:
        try:
            return bool(os.preadv(file.fileno(), [bytearray(1)], SIZE - 1, os.RWF_NOWAIT))
        except BlockingIOError:
            return False


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(name: str) -> Path:
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(b"x" * SIZE)
            os.fsync(file.fileno())
        try:
            cached = is_cached(path)
        except (AttributeError, OSError):
            pytest.skip("nobody can tell here what is in the page cache")
        assert cached
        return path

    return write


def test_files_leave_when_they_were_read_and_others_stay(written: Callable[[str], Path]) -> None:
    first, second, other = map(written, ("first", "second", "other"))
    with not_kept([first, second]):
        with first.open("rb") as file:
            time.sleep(0.2)  # so that it is seen
            assert file.read() == b"x" * SIZE
            assert is_cached(first)
        for _ in range(200):
            if not is_cached(first):
                break
            time.sleep(0.05)
        assert not is_cached(first)
        assert is_cached(second)  # nobody has opened it yet
    assert not is_cached(second)
    assert is_cached(other)
    assert first.read_bytes() == second.read_bytes() == b"x" * SIZE


def test_a_file_that_is_gone_is_nobodys_trouble(tmp_path: Path) -> None:
    with not_kept([tmp_path / "never there"]):
        pass
