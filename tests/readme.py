"""The console blocks of README and docs/activations.md, run one after the other in a fresh project.

`python -m tests.readme` writes their output into them.
"""

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
ACTIVATIONS = ROOT / "docs" / "activations.md"
PAGES = (README, ACTIVATIONS)  # the second goes on where the first ends
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
FILE = re.compile(r"```(?:yaml|sql)\n(?:#|--) (activations/\w+\.(?:yaml|sql))\n(.*?)```", re.DOTALL)
"""A file that a page shows whole: its first line is its path."""
BIN = Path(sys.executable).parent

# What differs from run to run and says nothing: names of runs and loads, how long it took.
VARYING = (
    (re.compile(r"\d{8}T\d{6}-(\w+)-[0-9a-f]{6}"), r"20261120T063000-\1-4f7a1c"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "2026-11-20T06:30:00.000000Z"),
    (re.compile(r"\bplan [0-9a-f]{16}"), "plan 3c83384cfe188545"),
    (re.compile(r"dlt load [\d.]+"), "dlt load 1795156200.52"),
    (re.compile(r"\b(in|after) (less than a second|\d+ (minutes?|seconds?)( \d+ seconds?)?)"), r"\1 5 seconds"),
)


def make_project(folder: Path) -> Path:
    """A project as `courier init` writes it, with the queries of docs/ beside it."""
    subprocess.run([BIN / "courier", "init", str(folder)], check=True, capture_output=True)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.md"))
    return folder


def write_files(text: str, project: Path) -> None:
    """The files that a page shows."""
    for path, body in FILE.findall(text):
        (project / path).write_text(body, "utf-8")


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
    """A page with every block's output as it is now."""
    write_files(text, project)
    return BLOCK.sub(_rewriter(project), text)


def _rewriter(project: Path) -> Callable[[re.Match[str]], str]:
    return lambda found: f"```console\n{transcript(found[1], project)}```"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = make_project(Path(folder) / "project")
        for page in PAGES:
            page.write_text(rewritten(page.read_text(), made))
