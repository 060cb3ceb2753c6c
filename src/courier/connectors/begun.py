"""Whether what lies in a request's folder was asked for as it would be asked for now; if not, it begins anew."""

from __future__ import annotations

from pathlib import Path

from courier.storage.raw import Layout, RawWriter, read_manifest


def is_begun(folder: Path, made_of: str) -> bool:
    """Whether what lies in the folder was asked for with this document."""
    manifest = read_manifest(folder)
    known = (manifest.claims if manifest.complete else manifest.position or {}) if manifest else {}
    return known.get("document") == made_of


def open_writer(folder: Path, wanted: Layout, made_of: str) -> RawWriter:
    """The folder's writer, empty where what lies there was asked for with another document."""
    if not is_begun(folder, made_of):
        for path in folder.glob("*.jsonl"):
            path.unlink()
    return RawWriter(folder, wanted)
