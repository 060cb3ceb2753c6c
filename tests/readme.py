"""The README's console blocks, run in a fresh project. `python -m tests.readme` writes their output into it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
BIN = Path(sys.executable).parent

# What differs from run to run and says nothing: names of runs and loads, how long it took.
VARYING = (
    (re.compile(r"\d{8}T\d{6}-(\w+)-[0-9a-f]{6}"), r"20261120T063000-\1-4f7a1c"),
    (re.compile(r"dlt load [\d.]+"), "dlt load 1795156200.52"),
    (re.compile(r"\b(in|after) (less than a second|\d+ (minutes?|seconds?)( \d+ seconds?)?)"), r"\1 5 seconds"),
)


def make_project(folder: Path) -> Path:
    """A project as `courier init` writes it, with the queries of docs/ beside it."""
    subprocess.run([BIN / "courier", "init", str(folder)], check=True, capture_output=True)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.md"))
    return folder


def commands_of(block: str) -> list[str]:
    return [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]


def steps(command: str) -> list[str]:
    """A command as it is run here: `make run` is the lines of the Makefile, for it would first install courier anew."""
    if not command.startswith("make "):
        return [command]
    recipe = (ROOT / "Makefile").read_text().split(f"\n{command.removeprefix('make ')}:", 1)[1].split("\n\n")[0]
    return [line.strip().replace("$(BIN)/", "") for line in recipe.splitlines()[1:]]


def transcript(block: str, project: Path) -> str:
    """The block with the output that its commands have now."""
    shown = []
    for command in commands_of(block):
        shown.append(f"$ {command}")
        for step in steps(command):
            words = shlex.split(step)
            done = subprocess.run(
                [BIN / words[0], *words[1:]],
                cwd=project,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=True,
                timeout=120,
            )
            shown += [line.rstrip() for line in done.stdout.strip("\n").splitlines() if line.strip()]
    return settled("\n".join(shown) + "\n")


def settled(text: str) -> str:
    for pattern, same in VARYING:
        text = pattern.sub(same, text)
    return text


def rewritten(text: str, project: Path) -> str:
    """The README with every block's output as it is now."""
    return BLOCK.sub(_rewriter(project), text)


def _rewriter(project: Path) -> Callable[[re.Match[str]], str]:
    return lambda found: f"```console\n{transcript(found[1], project)}```"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        README.write_text(rewritten(README.read_text(), make_project(Path(folder) / "project")))
