"""Bulk results with something wrong: lines missing, doubled or torn, counts that lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from courier.sandbox.faults import find
from courier.sandbox.shopify.bulk.files import File, copy
from courier.sandbox.shopify.bulk.operations import Operation, Told
from courier.sandbox.shopify.bulk.plan import ROOT_END, Record, parent_end
from courier.sandbox.shopify.faults import Fault
from courier.sandbox.shopify.values import Node, gid, parse_gid

ENDS = {
    "bulk_failed": "FAILED",
    "bulk_access_denied": "FAILED",
    "bulk_expired": "EXPIRED",
    "bulk_canceled": "CANCELED",
}
PARENT = b',"__parentId":'


def is_root(line: bytes) -> bool:
    return PARENT not in line


def chosen(fault: Fault, identities: Sequence[int]) -> int:
    """The record that a fault names, or one in the middle."""
    parts = parse_gid(fault.record)
    return parts[1] if parts else identities[len(identities) // 2]


def without(rows: Sequence[Any], identity: Callable[[Any], int], faults: Iterable[Fault]) -> Sequence[Any]:
    """bulk_lost_root: the rows but one, so that file and counts agree and only a count elsewhere knows better."""
    fault = find(faults, "bulk_lost_root")
    if fault is None or not rows:
        return rows
    gone = chosen(fault, [identity(row) for row in rows])
    return [row for row in rows if identity(row) != gone]


def short(file: File, path: Path) -> File:
    """The file without its middle line."""
    left = [file.objects // 2]

    def edit(line: bytes) -> tuple[bytes, ...]:
        left[0] -= 1
        return () if left[0] == -1 else (line,)

    return copy(file.path, path, edit, (), is_root)


def duplicate(file: File, path: Path) -> File:
    """The file with its first root record's line twice."""
    done: list[bytes] = []

    def edit(line: bytes) -> tuple[bytes, ...]:
        if done or not is_root(line):
            return (line,)
        done.append(line)
        return (line, line)

    return copy(file.path, path, edit, (), is_root)


def torn(file: File, path: Path, root: Node, record: Record) -> File:
    """The file with an order's line as it was and its children as they are in `root`, the order edited meanwhile."""
    lines: list[bytes] = []
    record.emit(root, ROOT_END, lines.append)
    end = parent_end(root["id"])

    def edit(line: bytes) -> tuple[bytes, ...]:
        return () if line.endswith(end) else (line,)

    return copy(file.path, path, edit, (line for line in lines if not is_root(line)), is_root)


def part(file: File, path: Path, share: float) -> File:
    """The first lines of a file, as a failed operation may leave them."""
    left = [int(file.objects * share)]

    def edit(line: bytes) -> tuple[bytes, ...]:
        left[0] -= 1
        return (line,) if left[0] >= 0 else ()

    return copy(file.path, path, edit, (), is_root)


def spoil(
    operation: Operation, faults: Sequence[Fault], root: Callable[[int], Node], record: Record, kind: str
) -> None:
    """Let the faults have their way with a written operation. `root` gives an order's node after its edit."""
    file = operation.file
    if file is None:
        return
    told = Told(file.objects, file.roots, file.size)
    for fault in faults:
        path = file.path.with_name(f"{file.path.stem}-{operation.number}-{fault.kind}.jsonl")
        if fault.kind == "bulk_short":
            file = short(file, path)
            told.size = file.size
        elif fault.kind == "bulk_duplicate":
            file = duplicate(file, path)
            told = Told(file.objects, file.roots, file.size)
        elif fault.kind == "bulk_torn" and kind == "Order":
            file = torn(file, path, root(_torn_order(fault, file)), record)
            told = Told(file.objects, file.roots, file.size)
        elif fault.kind == "bulk_failed" and fault.partial:
            operation.partial = part(file, path, fault.share)
        _lie(told, fault)
    operation.file, operation.told = file, told


def _lie(told: Told, fault: Fault) -> None:
    if fault.kind == "bulk_miscount":
        told.roots += fault.field == "rootObjectCount"
        told.objects += fault.field != "rootObjectCount"
    elif fault.kind == "bulk_filesize":
        told.size += 1


def _torn_order(fault: Fault, file: File) -> int:
    parts = parse_gid(fault.record)
    if parts:
        return parts[1]
    with file.path.open("rb") as lines:
        roots = [line for line in lines if line.startswith(b'{"__typename":"Order"')]
    return _identity(roots[len(roots) // 2])


def _identity(line: bytes) -> int:
    marker = gid("Order", 0)[:-1].replace("/", r"\/").encode()
    return int(line.split(marker, 1)[1].split(b'"', 1)[0])


def outcome(operation: Operation, faults: Iterable[Fault], now: float) -> None:
    """How the operation will end, and when, if a fault decides it."""
    for fault in faults:
        if fault.kind in ENDS:
            operation.outcome = ENDS[fault.kind]
            operation.error = "ACCESS_DENIED" if fault.kind == "bulk_access_denied" else fault.error
        elif fault.kind == "bulk_canceling":
            operation.cancel(now, fault.seconds)
        elif fault.kind == "bulk_slow":
            operation.seconds = fault.seconds
