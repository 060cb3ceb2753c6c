"""Faults on demand: what a server, a network or a busy shop does to a client on a bad day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courier.sandbox.faults import Faults, read

KINDS = frozenset(
    {
        "status",
        "throttled",
        "internal_error",
        "reset",
        "truncated",
        "redirect",
        "html",
        "duplicate_page",
        "hidden",
        "slow",
        "mutate",
        "bad_value",
        "bulk_failed",
        "bulk_access_denied",
        "bulk_expired",
        "bulk_canceled",
        "bulk_canceling",
        "bulk_busy",
        "bulk_slow",
        "bulk_short",
        "bulk_miscount",
        "bulk_filesize",
        "bulk_lost_root",
        "bulk_duplicate",
        "bulk_torn",
        "download_truncated",
        "download_reset",
        "download_status",
        "download_no_range",
        "download_garbled",
    }
)
# A fault of these kinds meets only requests with this text in them, whatever else `contains` asks for.
POINTS = {"bulk_busy": "bulkOperation", "bulk_": "bulkOperationRunQuery", "download_": "GET /bulk/"}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `times` times, with requests that match.

    kind:     status (`status`, `retry_after`), throttled, internal_error (at HTTP 200), reset (connection closed in
              the middle of the body), truncated (half a body), redirect (302 to `location`), duplicate_page (the last
              page of the same query again), hidden (`record` is missing from pages, not from counts and ids), slow
              (`seconds`), mutate (an order changes before the answer: `record`, or the one asked for, or one in the
              middle), bad_value (`field` of `record`, or of the first record that has it, becomes `value`)

    Of the bulk operation that a request makes (all seconds are the shop's clock's):
              bulk_failed (`error` INTERNAL_SERVER_ERROR or TIMEOUT; with `partial` a `share` of its lines),
              bulk_access_denied, bulk_expired, bulk_canceled (by somebody), bulk_canceling (for `seconds`), bulk_slow
              (takes `seconds`), bulk_busy (`count` foreign operations run for `seconds`; met by any request about
              bulk), bulk_short (a line is missing), bulk_miscount (`field` objectCount or rootObjectCount is one too
              many), bulk_filesize (one byte too many is told), bulk_lost_root (`record` is in neither file nor
              counts), bulk_duplicate (a root line comes twice), bulk_torn (the order `record` is edited while the
              operation runs: its line is old, its children are new)
    Of a download:
              download_truncated (closed after a `share` of the bytes), download_reset (a TCP reset there),
              download_status (`status`), download_no_range (a Range is ignored), download_garbled (a byte at `share`
              is another)
    contains: only requests whose body holds this text; `nth`: only from the nth request that matches (1 is the first)
    times:    how often; 0 is for ever
    """

    kind: str
    contains: str = ""
    nth: int = 1
    times: int = 1
    status: int = 503
    retry_after: float | None = None
    seconds: float = 1.0
    location: str = "http://127.0.0.1:9/elsewhere"
    record: str = ""
    field: str = ""
    value: Any = None
    error: str = "INTERNAL_SERVER_ERROR"
    partial: bool = False
    share: float = 0.5
    count: int = 5


def read_fault(given: Mapping[str, Any]) -> Fault:
    """A fault of JSON. Raises UsageError on a key or kind that there is not."""
    return read(Fault, KINDS, given)


def no_faults() -> Faults[Fault]:
    """Where the faults of the three sources wait: none yet."""
    return Faults(read_fault, _meets)


def _meets(fault: Fault, text: str) -> bool:
    if text.startswith(POINTS["download_"]) and not fault.kind.startswith("download_"):
        return False
    return _point(fault.kind) in text


def _point(kind: str) -> str:
    return next((text for start, text in POINTS.items() if kind.startswith(start)), "")


def spoil(data: Any, fault: Fault) -> bool:
    """Put the bad value into the answer's data; False if no record there has the field."""
    if isinstance(data, list):
        return any(spoil(item, fault) for item in data)
    if not isinstance(data, dict):
        return False
    head, *rest = fault.field.split(".")
    if head in data and (not fault.record or fault.record in (data.get("id"), data.get("legacyResourceId"))):
        target = data
        for name in [head, *rest][:-1]:
            target = target[name]
        target[[head, *rest][-1]] = fault.value
        return True
    return any(spoil(item, fault) for item in data.values())
