"""What a run takes: seconds by stage, and traffic with its source. Counted by the process, kept in the run's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

from courier import __version__, clock
from courier.http import Traffic

STAGES = ("fetch", "shape", "land", "commit", "publish")


@dataclass(frozen=True)
class Effort:
    """Of all the run's processes, but for those that were killed: what they counted is lost.

    seconds: by stage. bytes: of the answers' bodies, unpacked.
    """

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        seconds = {stage: round(self.seconds[stage], 3) for stage in STAGES if stage in self.seconds}
        return {**asdict(self), "seconds": seconds}


NO_EFFORT = Effort()


class Meter:
    """Counts one process's work on a run, on top of that of earlier ones."""

    def __init__(self, before: Effort = NO_EFFORT) -> None:
        self._before = before
        self._seconds = dict(before.seconds)
        self.traffic = Traffic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = clock.now()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + (clock.now() - begun).total_seconds()

    @property
    def effort(self) -> Effort:
        """Until now."""
        return Effort(
            self._before.requests + self.traffic.requests,
            self._before.retries + self.traffic.retries,
            self._before.bytes + self.traffic.bytes,
            dict(self._seconds),
        )


@cache
def versions() -> dict[str, str]:
    """Of what makes rows, by name."""
    return {"courier": __version__, "dlt": version("dlt"), "duckdb": version("duckdb")}
