"""What a scheduler costs that has many groups and nothing to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.report import Options, Report, Table, say
from courier.cli.init import write_project

SUMMARY = "the scheduler: its start, and an idle minute, with ten groups and with many"
ORDERS = 1
GROUPS = 10_000
IDLE_SECONDS = 60.0
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
TICKS = os.sysconf("SC_CLK_TCK")
NOTES = (
    "start: from the command to its ready event. First: no group was ever seen, and every file is checked. Again: the "
    "files are as they were. CPU of both is of all processes, the one that reads the files included.",
    "idle: no group fires in that minute; CPU in percent of one core. RSS is the scheduler's own, at the end.",
)


@dataclass(frozen=True)
class Measured:
    start: float
    start_cpu: float
    idle_cpu: float
    rss_mb: float
    peak_mb: float


def run(options: Options) -> Report:
    rows, figures = [], {}
    assert options.groups
    for groups in (10, options.groups):
        project = options.work / str(groups)
        write_project(project)
        _write_groups(project, groups)
        for name, idle in (("first", 0.0), ("again", IDLE_SECONDS)):
            say(f"{groups} groups, {name}")
            found = _measure(project, idle)
            idle_percent = 100 * found.idle_cpu / idle if idle else None
            row = (groups, name, found.start, found.start_cpu, idle_percent, round(found.rss_mb), round(found.peak_mb))
            rows.append(row)
            figures[f"{groups}_{name}"] = dict(zip(_KEYS, row[2:], strict=True))
    return Report(SUMMARY, {"groups": figures}, (Table(_COLUMNS, tuple(rows)),), NOTES)


_KEYS = ("start_seconds", "start_cpu_seconds", "idle_percent", "rss_mb", "peak_mb")
_COLUMNS = ("groups", "start", "until ready s", "CPU s", "idle, % of a core", "RSS MB", "greatest RSS MB")


def _write_groups(project: Path, count: int) -> None:
    """Daily at all times of the day but those of the next hour, in five zones; every tenth waits for another."""
    quiet = datetime.now(UTC) + timedelta(hours=1)
    lines = []
    for number in range(count):
        zone = ZONES[number % len(ZONES)]
        local = (quiet + timedelta(minutes=number % (22 * 60))).astimezone(ZoneInfo(zone))
        lines += [f'group_{number}:\n  schedule: "{local.minute} {local.hour} * * *"\n  timezone: {zone}\n']
        lines += ["  couriers:\n    shopify: { offset: 24h, wait: 30m }\n"]
        if number % 10 == 1:
            lines += [f"  constraints:\n    - {{ group: group_{number - 1}, offset: 24h, wait: 1h }}\n"]
    (project / "courier_groups.yaml").write_text("".join(lines), "utf-8")


def _measure(project: Path, idle: float) -> Measured:
    command = [sys.executable, "-m", "courier", "schedule", "start", "--json", "--project", str(project)]
    begin = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        ready: dict[str, Any] = json.loads(process.stderr.readline())
        if ready["event"] != "Ready":
            raise RuntimeError(f"the scheduler began with {ready}")
        start, start_cpu = time.monotonic() - begin, _cpu(process.pid)
        time.sleep(idle)
        idle_cpu = _cpu(process.pid) - start_cpu
        memory = _memory(process.pid)
        process.send_signal(signal.SIGTERM)
    if process.returncode != 0:
        raise RuntimeError(f"the scheduler ended with {process.returncode}")
    return Measured(start, start_cpu, idle_cpu, memory["VmRSS"], memory["VmHWM"])


def _cpu(pid: int) -> float:
    """Seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def _memory(pid: int) -> dict[str, float]:
    """MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith("Vm")}
