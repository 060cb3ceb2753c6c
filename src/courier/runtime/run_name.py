"""What a run is called."""

from __future__ import annotations

import secrets
from datetime import datetime


def name_of(what: str, started: datetime) -> str:
    """A run's name: it sorts by time and says whose it is."""
    return f"{started:%Y%m%dT%H%M%S}-{what}-{secrets.token_hex(3)}"
