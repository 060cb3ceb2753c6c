"""Peers in environments of their own, below a cache folder outside the repository; none of their code enters it."""

from __future__ import annotations

import platform
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path

from benchmarks.report import say

WITHIN = 900.0
DRIVER = "@duckdb/node-bindings-linux-x64@1.5.6-r.1"
MANIFEST = """\
manifest_version = 1
name = "DuckDB"
version = "1.5.6"
[ADBC]
version = "1.1.0"
[Driver]
entrypoint = "duckdb_adbc_init"
[Driver.shared]
linux_amd64 = "{library}"
"""


class NotInstalledError(Exception):
    """A peer cannot be had on this machine; the message is the reason."""


def environment(cache: Path, name: str, *requirements: str) -> Path:
    """The bin folder of a virtual environment that has exactly these requirements, made if need be."""
    folder, wanted = cache / name, " ".join(requirements)
    mark = folder / "installed.txt"
    if not mark.exists() or mark.read_text() != wanted:
        say(f"  installing {wanted}")
        _run("make an environment", [sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(f"install {wanted}", [*pip, *requirements])
        mark.write_text(wanted)
    return folder / "bin"


def duckdb_driver(cache: Path) -> Path:
    """A folder with DuckDB's library and the manifest that an ADBC client looks for."""
    folder = cache / "adbc"
    library, manifest = folder / "libduckdb.so", folder / "duckdb.toml"
    if platform.machine() != "x86_64":
        raise NotInstalledError(f"the DuckDB driver that it needs is fetched for x86_64 only, not {platform.machine()}")
    if not library.exists():
        say(f"  fetching {DRIVER}")
        folder.mkdir(parents=True, exist_ok=True)
        _run(f"npm pack {DRIVER}", ["npm", "pack", "--silent", DRIVER], cwd=folder)
        with tarfile.open(next(folder.glob("*.tgz"))) as packed:
            found = packed.extractfile("package/libduckdb.so")
            assert found is not None
            library.write_bytes(found.read())
    manifest.write_text(MANIFEST.format(library=library))
    return folder


def verified_source(cache: Path, python: Path, name: str) -> Path:
    """The folder in which `dlt init NAME duckdb` has put a verified source, which is published on GitHub only.

    Its origin.txt says where the source is from: one that was put there by other means says so itself.
    """
    folder = cache / f"source-{name}"
    if not (folder / name / "__init__.py").exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _run(f"dlt init {name} duckdb", [str(python.with_name("dlt")), "init", name, "duckdb"], folder, 60)
        except NotInstalledError as error:
            raise NotInstalledError("its source is on GitHub only, and dlt init could not fetch it") from error
        if not (folder / name / "__init__.py").exists():
            raise NotInstalledError(f"dlt init {name} duckdb wrote no source")
        (folder / "origin.txt").write_text(f"dlt init, {date.today()}")
    return folder


def _run(what: str, command: list[str], cwd: Path | None = None, within: float = WITHIN) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{what}: {type(error).__name__}") from error
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["no output"]
        raise NotInstalledError(f"{what}: {lines[-1][:120]}")
