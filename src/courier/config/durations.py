"""Durations as they are written: 90s, 30m, 24h, 2d, 1w."""

from __future__ import annotations

import re
from datetime import timedelta

PATTERN = r"^[0-9]{1,6}[smhdw]$"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta:
    """`24h` as a timedelta. Raises ValueError, whose text says what is accepted."""
    if not re.fullmatch(PATTERN, text) or text.endswith("\n"):
        raise ValueError("a whole number and a unit: 90s, 30m, 24h, 2d or 1w")
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def format_duration(duration: timedelta) -> str:
    """The shortest way to write it: 86400 seconds are `1d`, 90 minutes `90m`."""
    seconds = int(duration.total_seconds())
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
