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


def leaves_once_read(path: Path, seconds: float) -> bool:
    """Whether it leaves after it was open for so long, and within as long."""
    with path.open("rb") as file:
        time.sleep(seconds)
        assert file.read() == b"x" * SIZE
        assert is_cached(path)
    end = time.monotonic() + seconds
    while is_cached(path) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_cached(path)


def test_files_leave_when_they_were_read_and_others_stay(written: Callable[[str], Path]) -> None:
    first, second, other = map(written, ("first", "second", "other"))
    with not_kept([first, second]):
        assert any(leaves_once_read(first, seconds) for seconds in (0.2, 1.0, 5.0))  # a busy machine looks rarely
        assert is_cached(second)  # nobody has opened it yet
    assert not is_cached(second)
    assert is_cached(other)
    assert first.read_bytes() == second.read_bytes() == b"x" * SIZE


def test_a_file_that_is_gone_is_nobodys_trouble(tmp_path: Path) -> None:
    with not_kept([tmp_path / "never there"]):
        pass
