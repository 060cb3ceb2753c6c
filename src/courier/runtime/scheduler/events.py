"""What the scheduler does, as values: a line each for a person, a JSON line each for a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from courier.clock import rfc3339
from courier.config.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Event:
    at: datetime

    def say(self) -> str:
        raise NotImplementedError

    def as_json(self) -> dict[str, Any]:
        """`event` is its kind; times are RFC 3339."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"event": type(self).__name__, **values}


def _plain(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


@dataclass(frozen=True, kw_only=True)
class Ready(Event):
    """The scheduler runs. `groups` have a schedule; `next` is the first fire of all."""

    pid: int
    groups: int
    next: datetime | None

    def say(self) -> str:
        upcoming = f", the next fires at {rfc3339(self.next)}" if self.next else ""
        return f"scheduler: {_count(self.groups)}{upcoming} (pid {self.pid})"


@dataclass(frozen=True, kw_only=True)
class OfGroup(Event):
    """Something about one fire of a group. `scheduled` is its instant S."""

    group: str
    scheduled: datetime

    def say(self) -> str:
        return f"{self.group}: {rfc3339(self.scheduled)} {self.what()}"

    def what(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Started(OfGroup):
    pid: int

    def what(self) -> str:
        return f"started (pid {self.pid})"


@dataclass(frozen=True, kw_only=True)
class Adopted(OfGroup):
    """The run outlived the scheduler that started it."""

    def what(self) -> str:
        return "is running still, of an earlier scheduler"


@dataclass(frozen=True, kw_only=True)
class Ended(OfGroup):
    """`result`: succeeded, failed, partial, blocked, covered, interrupted or killed."""

    run: str
    result: str
    problem: str = ""
    fix: str = ""

    def what(self) -> str:
        told = f": {self.problem}" if self.problem else ""
        return f"{self.result}{told}" + (f"\n  fix: {self.fix}" if self.fix else "")


@dataclass(frozen=True, kw_only=True)
class Missed(OfGroup):
    """More than one fire came in at once: nobody was there, or the clock went on. They are one run."""

    since: datetime

    def what(self) -> str:
        return f"stands for every fire since {rfc3339(self.since)}"


@dataclass(frozen=True, kw_only=True)
class Queued(OfGroup):
    def what(self) -> str:
        return "queued: the fire before it is not over"


@dataclass(frozen=True, kw_only=True)
class Collapsed(OfGroup):
    """A queued fire whose period `into` covers as well."""

    into: datetime

    def what(self) -> str:
        return f"collapsed into {rfc3339(self.into)}"


@dataclass(frozen=True, kw_only=True)
class Waiting(OfGroup):
    reason: str

    def what(self) -> str:
        return self.reason


@dataclass(frozen=True, kw_only=True)
class Reloaded(Event):
    """The files changed. `groups` have a schedule now."""

    groups: int
    added: int
    changed: int
    removed: int

    def say(self) -> str:
        parts = [f"{getattr(self, name):,} {name}" for name in ("added", "changed", "removed") if getattr(self, name)]
        return f"scheduler: files read again: {_count(self.groups)}" + (f" ({', '.join(parts)})" if parts else "")


@dataclass(frozen=True, kw_only=True)
class KeptLastGood(Event):
    """The files changed and have problems: what was good before stays in force."""

    problems: tuple[Problem, ...]

    def say(self) -> str:
        from courier.config.render import render_all

        return f"scheduler: the files have problems, goes on with the last good ones\n{render_all(self.problems)}"

    def as_json(self) -> dict[str, Any]:
        problems = [
            {"path": one.path, "line": one.line, "rule": one.rule, "message": one.message, "fix": one.fix}
            for one in self.problems
        ]
        return {"event": type(self).__name__, "at": rfc3339(self.at), "problems": problems}


@dataclass(frozen=True, kw_only=True)
class Stopping(Event):
    """No new runs. Those under way have been asked to end."""

    running: int

    def say(self) -> str:
        return f"scheduler: stops; {self.running} under way"


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """`left` runs go on without the scheduler, and are adopted by the next one."""

    left: int

    def say(self) -> str:
        return "scheduler: stopped" + (f", {self.left} still running" if self.left else "")


Report = Callable[[Event], None]


def _count(groups: int) -> str:
    return f"{groups:,} group{'' if groups == 1 else 's'} with a schedule"
