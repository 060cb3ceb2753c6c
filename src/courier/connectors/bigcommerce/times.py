"""Instants as V2 (RFC 2822) and V3 (RFC 3339) write them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

_SECOND = timedelta(seconds=1)


def parsed(text: object) -> datetime | None:
    """Either form; None where it cannot be read, as the empty text that stands for no date."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text) if text[0].isdecimal() else parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def written(instant: datetime, *, v2: bool) -> str:
    """A whole second as a filter takes it: always with its time, for a bare date gets the present time of day."""
    return format_datetime(instant.astimezone(UTC)) if v2 else instant.astimezone(UTC).isoformat()


def floor(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def last_second(instant: datetime) -> datetime:
    """The last whole second before an instant: filters hold what they name."""
    return floor(instant) if instant.microsecond else instant - _SECOND
