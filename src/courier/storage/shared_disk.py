"""Whether a project's folder is on a disk that several machines write: no place for DuckDB's file."""

from __future__ import annotations

import re
from pathlib import Path

from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Project

MOUNTS = Path("/proc/self/mounts")
_NETWORK = re.compile(
    r"(fuse\.)?(nfs4?|cifs|smb3|smbfs|smbnetfs|ceph|glusterfs|lustre|beegfs|gpfs|afs|orangefs|gfs2|ocfs2|sshfs|davfs"
    r"|davfs2|s3fs|gcsfuse|rclone|juicefs|mount-s3|blobfuse2?|moosefs|mfs)"
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def check_disk(project: Project) -> list[Problem]:
    """A problem where the destination is DuckDB and its folder is on a network filesystem."""
    found = network_disk_of(project.root)
    if project.destination.type != "duckdb" or found is None:
        return []
    message = f"the project is on a network filesystem ({found}), where two machines could damage DuckDB's file"
    fix = "Write `destination: postgres` into courier.yaml, or move the project to a disk of this machine."
    return [problem_at(project, "courier.yaml", ("destination",), "network-disk", message, fix)]


def network_disk_of(root: Path) -> str | None:
    """The kind of the network filesystem that the project's files, or its state, are on. None where nobody knows."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # not Linux
        return None
    kinds = (filesystem_of(path.resolve(), mounts) for path in (root, root / ".courier"))
    return next((kind for kind in kinds if kind and _NETWORK.fullmatch(kind)), None)


def filesystem_of(path: Path, mounts: str) -> str | None:
    """The kind of filesystem that an absolute path without links is on, by the text of /proc/self/mounts.

    The deepest mount point counts, and of several on the same one the last.
    """
    # Not splitlines(), nor split(): other white space than these two stands as it is in a name.
    lines = (line.split(" ") for line in mounts.split("\n") if line)
    kinds = {Path(_plain(point)): kind for _, point, kind, *_ in lines}
    return next((kinds[folder] for folder in (path, *path.parents) if folder in kinds), None)


def _plain(point: str) -> str:
    """Spaces, tabs, newlines and backslashes are written in octal there: \\040."""
    return _ESCAPE.sub(lambda found: chr(int(found.group(1), 8)), point)
