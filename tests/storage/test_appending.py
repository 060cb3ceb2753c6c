"""A file holds what was appended to it, whichever way it went there."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.storage.appending import Appender

PIECE = 4096
PARTS = st.lists(st.tuples(st.integers(0, 3 * PIECE), st.sampled_from(["go on", "flush", "open again"])), max_size=8)


@given(PARTS)
def test_a_file_is_what_was_appended_in_any_parts(parts: list[tuple[int, str]]) -> None:
    """Flushed or taken up again at any place, it holds all of it at once, and nothing else."""
    with tempfile.TemporaryDirectory() as name:
        path, expected = Path(name) / "file", b""
        appender = Appender(path, PIECE)
        for number, (size, then) in enumerate(parts):
            data = bytes([number]) * size
            appender.write(data)
            expected += data
            if then == "flush":
                appender.flush()
                assert path.read_bytes() == expected
            elif then == "open again":
                appender.close()
                appender = Appender(path, PIECE)
        appender.close()
        assert path.read_bytes() == expected
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("refused", ["open", "pwrite"])
def test_where_the_cache_cannot_be_passed_all_goes_through_it(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, direct = getattr(os, refused), []
    opened = os.open

    def noted(path: Any, flags: int, *mode: int) -> int:
        descriptor = opened(path, flags, *mode)
        direct.extend([descriptor] * bool(flags & os.O_DIRECT))
        return descriptor

    def refusing(*given: Any) -> Any:
        if given[0] in direct or (refused == "open" and given[1] & os.O_DIRECT):
            raise OSError(errno.EINVAL, "made up")
        return real(*given)

    monkeypatch.setattr(os, "open", noted)
    monkeypatch.setattr(os, refused, refusing)
    data = os.urandom(3 * PIECE + 7)
    appender = Appender(tmp_path / "file", PIECE)
    appender.write(data)
    appender.close()
    assert (tmp_path / "file").read_bytes() == data


def test_no_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "made up")

    monkeypatch.setattr(os, "pwrite", full)
    appender = Appender(tmp_path / "file", PIECE)
    with pytest.raises(OSError, match="made up"):
        appender.write(bytes(PIECE))
    with pytest.raises(OSError, match="made up"):
        appender.close()
