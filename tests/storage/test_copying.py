"""A copy is the file, whichever way it took."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from courier.storage.copying import copy_file

BLOCK = 4096


@pytest.mark.parametrize("size", [0, 1, BLOCK, 3 * BLOCK + 7, 4 * 1024 * 1024, 9 * 1024 * 1024 + BLOCK])
def test_a_copy_has_the_same_bytes_and_the_mode_asked_for(size: int, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(size))
    copy_file(source, target, 0o640)
    assert target.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize("refused", ["open", "write"])
def test_where_the_cache_cannot_be_passed_the_copy_goes_through_it(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tmpfs of older kernels refuses to open, and others the first or a later write."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(2 * BLOCK))
    real = getattr(os, refused)

    def refusing(*given: Any) -> Any:
        if refused == "write" or given[1] & os.O_DIRECT:
            raise OSError(errno.EINVAL, "made up")
        return real(*given)

    monkeypatch.setattr(os, refused, refusing)
    copy_file(source, target, 0o640)
    assert target.read_bytes() == source.read_bytes()


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    for name in ("source", "target"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "source", tmp_path / "target", 0o640)
    assert (tmp_path / "target").read_text() == "target"
