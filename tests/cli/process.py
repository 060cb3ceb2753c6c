"""The command in a folder of its own: a process as people start it, or one forked from what has imported everything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runs.hurried import shared

COMMAND = (sys.executable, "-c", "from courier.cli import main; main()")
RUN = re.compile(r"\d{8}T\d{6}-\w+-[0-9a-f]{6}")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def body(self) -> dict[str, Any]:
        """The one object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def last_line(self) -> str:
        return self.err.rstrip("\n").rsplit("\n", 1)[-1]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anybody's real credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOPIFY_")}
    return {**kept, "NO_COLOR": "1", **more}


def courier(folder: Path, *words: str, **more: str) -> Done:
    """`courier WORDS` in the folder, forked: starting python anew costs up to a second of CPU each time."""
    ended = shared().courier(folder, words, {"NO_COLOR": "1", **more})
    return _printed(words, Done(ended.code, ended.out, ended.err))


def started(folder: Path, *words: str, **more: str) -> Done:
    """`courier WORDS` in the folder, in a new python, as people start it."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=folder, env=environment(more), capture_output=True, text=True, timeout=120
    )
    return _printed(words, Done(done.returncode, done.stdout, done.stderr))


def _printed(words: tuple[str, ...], done: Done) -> Done:
    """What it printed, printed again, so that tests/leaks.py reads it."""
    print(done.err)
    if words[0] != "query":  # whose stdout is data
        print(done.out)
    return done


@contextmanager
def served(folder: Path) -> Iterator[dict[str, Any]]:
    """`courier sandbox start` in the folder: its ready line."""
    command = [*COMMAND, "sandbox", "start", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def point_at(folder: Path, url: str) -> None:
    """Let the project's courier ask another server."""
    path = folder / "couriers" / "shopify.yaml"
    path.write_text(path.read_text().replace("api_version: 2026-10", f"api_version: 2026-10\nendpoint: {url}"))
