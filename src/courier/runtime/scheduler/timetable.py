"""Which group is to be looked at when: all of them in memory, the next one on top of a heap, changes on disk."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from courier.config.project import CourierGroup
from courier.runtime.scheduler.in_hand import REWOUND, Standing, first_standing, is_scheduled
from courier.runtime.scheduler.standings import Kept, Standings


@dataclass(frozen=True)
class Changes:
    """How many scheduled groups came, changed and went."""

    added: int
    changed: int
    removed: int


class Timetable:
    def __init__(self, standings: Standings) -> None:
        self.groups: dict[str, CourierGroup] = {}
        self.waited_for: dict[str, tuple[str, ...]] = {}
        """group -> the groups that have it as a constraint, itself among them"""
        self._kept = standings.load()
        self._disk = standings
        self._dirty: set[str] = set()
        self._gone: set[str] = set()
        self._times: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def apply(self, groups: Mapping[str, CourierGroup], now: datetime) -> Changes:
        """Take the groups that have a schedule; all of them are to be looked at.

        Call it when what was due by the old groups has been taken in.
        """
        before = self.groups
        self.groups = {name: group for name, group in groups.items() if is_scheduled(group)}
        gone = [name for name in self._kept if name not in self.groups]
        for name in gone:
            self._drop(name)
        for name, group in self.groups.items():
            self._place(name, group, now)
        self.waited_for = _waited_for(self.groups)
        changed = sum(group != before[name] for name, group in self.groups.items() if name in before)
        return Changes(len(self.groups.keys() - before.keys()), changed, len(before.keys() - self.groups.keys()))

    def _drop(self, name: str) -> None:
        del self._kept[name]
        self._times.pop(name, None)
        self._dirty.discard(name)
        self._gone.add(name)

    def _place(self, name: str, group: CourierGroup, now: datetime) -> None:
        kept = self._kept.get(name)
        same = kept is not None and kept.is_of(group)
        standing = first_standing(group, kept.standing if kept else None, now, same_schedule=same)
        if kept is None or not same or standing != kept.standing:
            self.put(name, standing)
        self.look_at(name, now)

    def rewind(self, now: datetime) -> None:
        """The clock went back by more than it may: go on from now."""
        for name, kept in self._kept.items():
            if kept.standing.upto > now + REWOUND:
                self.put(name, first_standing(self.groups[name], kept.standing, now, same_schedule=True))
            self.look_at(name, now)

    def __getitem__(self, name: str) -> Standing:
        return self._kept[name].standing

    def __contains__(self, name: str) -> bool:
        return name in self.groups

    def in_hand(self) -> Iterator[tuple[str, datetime]]:
        """The groups with a fire in hand."""
        for name, kept in self._kept.items():
            if kept.standing.hand:
                yield name, kept.standing.hand

    def put(self, name: str, standing: Standing) -> None:
        group = self.groups[name]
        self._kept[name] = Kept(group.schedule or "", group.timezone, standing)
        self._gone.discard(name)
        self._dirty.add(name)

    def save(self) -> None:
        """Everything that changed, at once."""
        if self._dirty or self._gone:
            self._disk.save({name: self._kept[name] for name in self._dirty}, self._gone)
            self._dirty, self._gone = set(), set()

    def look_at(self, name: str, when: datetime | None) -> None:
        """Look at the group then, and not before; None: only when it is asked for again."""
        if when is None:
            self._times.pop(name, None)
        elif self._times.get(name) != when:
            self._times[name] = when
            heapq.heappush(self._heap, (when, name))

    def time_of(self, name: str) -> datetime | None:
        """When the group is to be looked at."""
        return self._times.get(name)

    def due(self, now: datetime) -> list[str]:
        """The groups to look at now. Each is to be given its next time."""
        found = []
        while (upcoming := self.next_time()) is not None and upcoming <= now:
            _, name = heapq.heappop(self._heap)
            del self._times[name]
            found.append(name)
        return found

    def next_time(self) -> datetime | None:
        """When the next group is to be looked at."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


def _waited_for(groups: Mapping[str, CourierGroup]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, group in groups.items():
        for constraint in group.constraints:
            found[constraint.group].append(name)
    return {name: tuple(found.get(name, ())) for name in found}
