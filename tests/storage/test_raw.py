"""Raw JSON lines: nothing counts before a checkpoint, and a writer opened again goes on from the last one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from courier.storage.raw import MANIFEST, Layout, RawWriter, read_manifest

LAYOUT = Layout(("Order", "Order.lineItems"), ("Order.tags",))


def content(folder: Path, stream: str) -> list[dict[str, Any]]:
    manifest = read_manifest(folder)
    assert manifest
    return [
        orjson.loads(line)
        for segment in manifest.segments.get(stream, ())
        for line in segment.path.read_bytes()[: segment.size].splitlines()
    ]


def test_an_empty_folder_has_no_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


def test_a_request_that_found_nothing_is_complete(tmp_path: Path) -> None:
    with RawWriter(tmp_path / "Order", LAYOUT) as writer:
        writer.finish({"counted": 0})
    manifest = read_manifest(tmp_path / "Order")
    assert manifest
    assert (manifest.complete, manifest.claims, manifest.lines("Order"), manifest.layout) == (
        True,
        {"counted": 0},
        0,
        LAYOUT,
    )


def test_records_are_numbered_on_after_a_stop(tmp_path: Path) -> None:
    with RawWriter(tmp_path, LAYOUT) as writer:
        assert [writer.next_record(), writer.next_record()] == [0, 1]
        writer.checkpoint({"cursor": "b"})
        writer.next_record()
    with RawWriter(tmp_path, LAYOUT) as writer:
        assert (writer.position, writer.next_record(), writer.complete) == ({"cursor": "b"}, 2, False)


def test_another_layout_begins_anew(tmp_path: Path) -> None:
    with RawWriter(tmp_path, LAYOUT) as writer:
        writer.write("Order", [{"a": 1}])
        writer.checkpoint({})
    with RawWriter(tmp_path, Layout(("Order",))) as writer:
        assert (writer.position, writer.records) == (None, 0)
        assert [path.name for path in tmp_path.glob("*.jsonl")] == [MANIFEST]


def test_files_and_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "Order"
    with RawWriter(folder, LAYOUT) as writer:
        writer.write("Order", [{"a": 1}])
        writer.finish({})
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


BATCHES = st.lists(st.tuples(st.sampled_from(LAYOUT.streams), st.lists(st.text(max_size=5), max_size=3), st.booleans()))


@given(BATCHES, st.binary(max_size=9), st.integers(0, 40))
def test_what_was_written_after_the_last_checkpoint_never_was(
    batches: list[tuple[str, list[str], bool]], torn: bytes, segment_bytes: int
) -> None:
    """However a writer dies, the next one finds the lines up to the last checkpoint and nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected: dict[str, list[dict[str, Any]]] = {stream: [] for stream in LAYOUT.streams}
        written = {stream: list(found) for stream, found in expected.items()}
        position = None
        with RawWriter(folder, LAYOUT, segment_bytes) as writer:
            for number, (stream, texts, is_checked) in enumerate(batches):
                records = [{"text": text} for text in texts]
                writer.write(stream, records)
                written[stream] += records
                if is_checked:
                    position = {"page": number}
                    writer.checkpoint(position)
                    expected = {stream: list(found) for stream, found in written.items()}
        with (folder / MANIFEST).open("ab") as file:
            file.write(torn.replace(b"\n", b""))
        with RawWriter(folder, LAYOUT, segment_bytes) as writer:
            assert writer.position == position
            assert {stream: content(folder, stream) for stream in LAYOUT.streams} == expected
            writer.write("Order", [{"text": "after"}])
            writer.checkpoint({"page": "after"})
        assert content(folder, "Order") == [*expected["Order"], {"text": "after"}]
        manifest = read_manifest(folder)
        assert manifest
        assert manifest.lines("Order") == len(expected["Order"]) + 1
        for segment in (segment for found in manifest.segments.values() for segment in found):
            assert segment.path.stat().st_size == segment.size
