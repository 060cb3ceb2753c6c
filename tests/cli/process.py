"""The command as people start it: a process of its own, in a folder of its own."""

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
    """Run `courier WORDS` in the folder. What it prints is printed again, so that tests/leaks.py reads it."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=folder, env=environment(more), capture_output=True, text=True, timeout=120
    )
    print(done.stderr)
    if words[0] != "query":  # whose stdout is data
        print(done.stdout)
    return Done(done.returncode, done.stdout, done.stderr)


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
