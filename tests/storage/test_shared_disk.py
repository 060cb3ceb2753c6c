"""DuckDB's file is refused on a disk that several machines write."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.cli.project import all_problems
from courier.config.load import load_project
from courier.config.problems import Problem
from courier.config.render import render_all
from courier.runtime.known_good import stamp
from courier.storage import shared_disk
from courier.storage.shared_disk import check_disk, filesystem_of
from tests.config.projects import write_project

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
auto.home /home autofs rw 0 0
nas:/home/me /home/me nfs4 rw,vers=4.2 0 0
//nas/data /mnt/all\\040data cifs rw 0 0
/dev/vdb /mnt/all\\040data/local xfs rw 0 0
/dev/vdc /mnt/twice ext4 rw 0 0
me@host:/ /mnt/twice fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/shop", "ext4"),
        ("/", "ext4"),
        ("/home/you/shop", "autofs"),
        ("/home/me", "nfs4"),
        ("/home/me/shop", "nfs4"),
        ("/home/meg/shop", "autofs"),
        ("/mnt/all data/shop", "cifs"),
        ("/mnt/all data/local/shop", "xfs"),
        ("/mnt/twice/shop", "fuse.sshfs"),
    ],
)
def test_the_deepest_and_last_mount_counts(path: str, kind: str) -> None:
    assert filesystem_of(Path(path), MOUNTS) == kind


def found_in(root: Path) -> list[Problem]:
    project = load_project(root).project
    assert project is not None
    return check_disk(project)


def mounted(project: Path, kind: str, at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's list of mounts is the one thing here that a test cannot have without being root."""
    text = f"/dev/vda / ext4 rw 0 0\nnas:/x {str(at).replace(' ', chr(92) + '040')} {kind} rw 0 0\n"
    (project / "mounts").write_text(text)
    monkeypatch.setattr(shared_disk, "MOUNTS", project / "mounts")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.sshfs", "fuse.glusterfs"])
def test_duckdb_on_a_network_disk_is_refused_with_the_remedy(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_project(tmp_path / "my shop")
    mounted(root, kind, root, monkeypatch)
    assert render_all(found_in(root)) == (
        f"courier.yaml:1:1: the project is on a network filesystem ({kind}), where two machines could damage DuckDB's "
        "file [network-disk]\n"
        "  fix: Write `destination: postgres` into courier.yaml, or move the project to a disk of this machine."
    )


def test_a_project_on_a_network_disk_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with a warning: the damage would be found too late."""
    root = write_project(tmp_path)
    mounted(root, "nfs4", root, monkeypatch)
    project, problems = all_problems(root)
    assert project is None
    assert [problem.rule for problem in problems] == ["network-disk"]


def test_a_folder_of_state_that_leads_to_a_network_disk_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_project(tmp_path / "shop", {"courier.yaml": "destination: duckdb\n"})
    (tmp_path / "share").mkdir()
    (root / ".courier").symlink_to(tmp_path / "share")
    mounted(root, "nfs", tmp_path / "share", monkeypatch)
    (problem,) = found_in(root)
    assert (problem.line, problem.column, problem.excerpt) == (1, 14, "destination: duckdb")


def test_postgres_may_be_used_from_any_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_project(tmp_path, {"courier.yaml": "destination: postgres\n"})
    mounted(root, "nfs4", root, monkeypatch)
    assert found_in(root) == []


@pytest.mark.parametrize("kind", ["ext4", "xfs", "overlay", "9p", "nfsd"])
def test_disks_of_this_machine_are_left_alone(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_project(tmp_path)
    mounted(root, kind, root, monkeypatch)
    assert found_in(root) == []


def test_where_mounts_are_not_listed_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.setattr(shared_disk, "MOUNTS", tmp_path / "nowhere")
    assert found_in(write_project(tmp_path)) == []


def test_a_good_project_is_checked_again_once_its_disk_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_project(tmp_path)
    mounted(root, "ext4", root, monkeypatch)
    before = stamp(root)
    mounted(root, "nfs", root, monkeypatch)
    assert stamp(root) != before
